/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "basic/macro.h"
#include "ctl/options.h"
#include "ctl/text.h"

#define HELP_COLUMN 30
#define LONG_BASE 256 /* getopt's values for long options start here: they are no characters */

typedef struct Entry {
        const Option *option;
        const OptionUse *use;
} Entry;

static const Option help_option = { 'h', "help", NULL, "show this help" };

/* All options of the verb as getopt wants them. */
typedef struct Parser {
        Entry entries[OPTIONS_MAX];
        struct option longs[OPTIONS_MAX + 1];
        char shorts[3 * OPTIONS_MAX + 3];
        const char *names[OPTIONS_MAX + 1]; /* for suggestions */
        size_t n, n_shorts;
} Parser;

static void parser_add(Parser *p, const Option *option, const OptionUse *use)
{
        char letter = option->key < LONG_BASE ? (char)option->key : 0;

        assert(p->n < OPTIONS_MAX);
        p->entries[p->n] = (Entry){ option, use };
        p->longs[p->n] = (struct option){ .name = option->name,
                                          .has_arg = option->argument ? required_argument
                                                                      : no_argument,
                                          .val = LONG_BASE + (int)p->n };
        p->names[p->n] = option->name;
        p->n++;
        if (!letter || strchr(p->shorts, letter))
                return;
        p->shorts[p->n_shorts++] = letter;
        if (option->argument)
                p->shorts[p->n_shorts++] = ':';
}

static void parser_init(Parser *p, const OptionUse *uses, size_t n_uses, int is_strict)
{
        memset(p, 0, sizeof(*p));
        if (is_strict)
                p->shorts[p->n_shorts++] = '+';
        p->shorts[p->n_shorts++] = ':';
        parser_add(p, &help_option, NULL);
        for (size_t i = 0; i < n_uses; i++)
                for (size_t j = 0; j < uses[i].group->n_options; j++)
                        parser_add(p, &uses[i].group->options[j], &uses[i]);
}

static const Entry *parser_find(const Parser *p, int value)
{
        if (value >= LONG_BASE)
                return (size_t)(value - LONG_BASE) < p->n ? &p->entries[value - LONG_BASE] : NULL;
        for (size_t i = 0; i < p->n; i++)
                if (p->entries[i].option->key == value)
                        return &p->entries[i];
        return NULL;
}

static int fault_unknown(const Parser *p, const char *argument, Fault *fault)
{
        char word[64];
        const char *nearest;

        if (optopt > 0 && optopt < LONG_BASE)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "There is no option -%c; --help lists what there is", optopt);
        /* A long option that exists was given a value that it does not take. */
        if (optopt >= LONG_BASE)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "--%s takes no value",
                                 p->names[optopt - LONG_BASE]);
        (void)snprintf(word, sizeof(word), "%s", argument + strspn(argument, "-"));
        word[strcspn(word, "=")] = 0;
        nearest = text_nearest(word, p->names);
        if (nearest)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "There is no option '%.100s'. Did you mean --%s?", argument,
                                 nearest);
        return fault_set(fault, FAULT_INVALID, -EINVAL,
                         "There is no option '%.100s'; --help lists what there is", argument);
}

static int fault_no_value(const Parser *p, Fault *fault)
{
        const Entry *entry = parser_find(p, optopt);

        return fault_set(fault, FAULT_INVALID, -EINVAL, "--%s needs a value: %s",
                         entry ? entry->option->name : "?", entry ? entry->option->argument : "?");
}

int options_parse(const OptionUse *uses, size_t n_uses, int is_strict, int argc, char **argv,
                  int *ret_first, Fault *fault)
{
        Parser parser;

        assert(n_uses <= OPTION_GROUPS_MAX);
        parser_init(&parser, uses, n_uses, is_strict);
        optind = 0; /* glibc: begin anew, with the new kind of order */
        opterr = 0;
        for (;;) {
                /* Of a bundle such as -ti getopt does not say which argument it is in; for an
                 * unknown long option it is the one before optind. */
                int c = getopt_long(argc, argv, parser.shorts, parser.longs, NULL);
                const Entry *entry;
                int r;

                if (c == -1)
                        break;
                if (c == '?')
                        return fault_unknown(&parser, argv[optind - 1], fault);
                if (c == ':')
                        return fault_no_value(&parser, fault);
                entry = parser_find(&parser, c);
                assert(entry);
                if (!entry->use)
                        return OPTIONS_HELP;
                r = entry->use->group->set(entry->use->target, entry->option->key,
                                           entry->option->argument ? optarg : NULL, fault);
                if (r < 0)
                        return r;
        }
        *ret_first = optind;
        return 0;
}

static void option_print(FILE *out, const Option *option)
{
        char left[128];
        int n;

        if (!option->help)
                return;
        n = option->key < LONG_BASE ? snprintf(left, sizeof(left), "  -%c, ", option->key)
                                    : snprintf(left, sizeof(left), "      ");
        n += snprintf(left + n, sizeof(left) - (size_t)n, "--%s%s%s", option->name,
                      option->argument ? " " : "", option->argument ? option->argument : "");
        if (n < HELP_COLUMN - 1)
                fprintf(out, "%-*s%s\n", HELP_COLUMN, left, option->help);
        else
                fprintf(out, "%s\n%*s%s\n", left, HELP_COLUMN, "", option->help);
}

void options_print(FILE *out, const OptionUse *uses, size_t n_uses)
{
        for (size_t i = 0; i < n_uses; i++) {
                fprintf(out, "\n%s:\n", uses[i].group->title);
                for (size_t j = 0; j < uses[i].group->n_options; j++)
                        option_print(out, &uses[i].group->options[j]);
        }
        fprintf(out, "\nOther options:\n");
        option_print(out, &help_option);
}

int options_set_string(char **string, const char *value)
{
        char *copy = strdup(value);

        if (!copy)
                return -ENOMEM;
        free(*string);
        *string = copy;
        return 0;
}
