/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/container-spec.h"
#include "model/name.h"
#include "model/resolv-conf.h"

#define OPTIONS_MAX 16
#define WORD_MAX 256
#define SPACES " \t\r"

void resolv_conf_done(ResolvConf *conf)
{
        strv_free(conf->servers);
        strv_free(conf->loopback);
        strv_free(conf->search);
        strv_free(conf->options);
        *conf = (ResolvConf){ 0 };
}

static int is_loopback(const char *address)
{
        static const uint8_t one[16] = { [15] = 1 };
        uint8_t bytes[16];

        if (inet_pton(AF_INET, address, bytes) == 1)
                return bytes[0] == 127 || bytes[0] == 0;
        return inet_pton(AF_INET6, address, bytes) == 1 && memcmp(bytes, one, 16) == 0;
}

/* A zone (fe80::1%eth0) names an interface of the host: no way leads there from a container. */
static int add_server(ResolvConf *conf, const char *word)
{
        char ***list = is_loopback(word) ? &conf->loopback : &conf->servers;

        if (!network_address_is_valid(word) || strv_length(*list) >= DNS_MAX)
                return 0;
        return strv_append(list, word);
}

static int add_search(ResolvConf *conf, const char *word)
{
        if (!domain_is_valid(word) || strv_length(conf->search) >= DNS_SEARCH_MAX)
                return 0;
        return strv_append(&conf->search, word);
}

static int add_option(ResolvConf *conf, const char *word)
{
        static const char characters[] = "abcdefghijklmnopqrstuvwxyz0123456789-:";

        if (word[strspn(word, characters)] || strv_length(conf->options) >= OPTIONS_MAX)
                return 0;
        return strv_append(&conf->options, word);
}

/* @line has at least a keyword. Of several "search" and "domain" the last one counts. */
static int take_line(ResolvConf *conf, const char *line, size_t size)
{
        static const struct {
                const char *keyword;
                int (*add)(ResolvConf *conf, const char *word);
                int is_search;
        } keywords[] = {
                { "nameserver", add_server, 0 },
                { "search", add_search, 1 },
                { "domain", add_search, 1 },
                { "options", add_option, 0 },
        };
        const char *end = line + size;
        size_t n = strcspn(line, SPACES "\n"), k;
        int r = 0;

        for (k = 0; k < ELEMENTSOF(keywords); k++)
                if (strlen(keywords[k].keyword) == n && memcmp(keywords[k].keyword, line, n) == 0)
                        break;
        if (k == ELEMENTSOF(keywords))
                return 0;
        if (keywords[k].is_search)
                conf->search = strv_free(conf->search);
        for (line += n; r >= 0;) {
                char word[WORD_MAX];

                line += strspn(line, SPACES);
                n = strcspn(line, SPACES "\n");
                if (line >= end || n == 0)
                        break;
                if (n < sizeof(word)) {
                        memcpy(word, line, n);
                        word[n] = 0;
                        r = keywords[k].add(conf, word);
                }
                line += n;
        }
        return r;
}

int resolv_conf_parse(const char *text, ResolvConf *ret)
{
        _drop_(resolv_conf_done) ResolvConf conf = { 0 };

        while (*text) {
                size_t n = strcspn(text, "\n");
                int r = take_line(&conf, text, n);

                if (r < 0)
                        return r;
                text += n + (text[n] == '\n');
        }
        *ret = conf;
        conf = (ResolvConf){ 0 };
        return 0;
}

static void print_words(FILE *f, const char *keyword, char *const *words)
{
        if (!words || !*words)
                return;
        (void)fputs(keyword, f);
        for (; *words; words++)
                (void)fprintf(f, " %s", *words);
        (void)fputc('\n', f);
}

static int finish(FILE *f, char **text, char **ret)
{
        int is_bad = ferror(f);

        if (fclose(f) != 0 || is_bad) {
                free(*text);
                return -ENOMEM;
        }
        *ret = *text;
        return 0;
}

int resolv_conf_format(const ResolvConf *conf, char **ret)
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        for (char **p = conf->servers; p && *p; p++)
                (void)fprintf(f, "nameserver %s\n", *p);
        print_words(f, "search", conf->search);
        print_words(f, "options", conf->options);
        return finish(f, &text, ret);
}

int hosts_format(const char *hostname, const char *address, const char *address6, char **ret)
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        (void)fputs("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n", f);
        /* Where there is none of its own: Debian's place for a name without an address. */
        (void)fprintf(f, "%s %s\n", address ?: "127.0.1.1", hostname);
        if (address6)
                (void)fprintf(f, "%s %s\n", address6, hostname);
        return finish(f, &text, ret);
}
