/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-id128.h>

#include "basic/io.h"
#include "basic/log.h"
#include "basic/parse.h"
#include "basic/strv.h"
#include "config.h"
#include "daemon/conf.h"
#include "daemon/project-pool.h"
#include "daemon/uid-pool.h"
#include "model/job-spec.h"

#define RING_MAX_BYTES (UINT64_C(1) << 32) /* of PID 1's address space, for each stream */
#define CONF_MAX_BYTES (1U << 20)
#define NETWORK_POOLS_MAX 64
#define NETWORK_POOL_DEFAULT "default 10.254.0.0/16"

/* From UIDS-GIDS of systemd: above the ranges of its own containers and below 2^31, nobody else's.
 */
#define UID_POOL_BASE UINT32_C(0x70000000)
#define UID_POOL_COUNT (4000U * UID_BLOCK)

/* Far above what people write into /etc/projid. */
#define PROJECT_POOL_BASE UINT32_C(1879048192)
#define PROJECT_POOL_COUNT 65536U

static int set_path(const char *value, void *data)
{
        char *copy;

        if (value[0] != '/')
                return -EINVAL;
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        free(*(char **)data);
        *(char **)data = copy;
        return 0;
}

static int set_slice(const char *value, void *data)
{
        size_t n = strlen(value);
        char *copy;

        if (n <= strlen(".slice") || strcmp(value + n - strlen(".slice"), ".slice") != 0 ||
            strchr(value, '/'))
                return -EINVAL;
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        free(*(char **)data);
        *(char **)data = copy;
        return 0;
}

static int set_count(const char *value, void *data)
{
        uint32_t n;
        int r;

        r = parse_u32(value, &n);
        if (r < 0)
                return r;
        if (n == 0)
                return -ERANGE;
        *(uint32_t *)data = n;
        return 0;
}

static int set_boolean(const char *value, void *data)
{
        return parse_boolean(value, data);
}

static int set_usec(const char *value, void *data)
{
        return parse_time_usec(value, data);
}

static int set_ring(const char *value, void *data)
{
        uint64_t bytes;
        int r;

        r = parse_size_bytes(value, &bytes);
        if (r < 0)
                return r;
        if (bytes < JOB_RING_MIN_BYTES || bytes > RING_MAX_BYTES)
                return -ERANGE;
        *(uint64_t *)data = bytes;
        return 0;
}

/* BASE:COUNT; both at once, so that a bad half changes nothing. */
static int parse_range(const char *value, uint32_t *ret_base, uint32_t *ret_count)
{
        const char *colon = strchr(value, ':');
        char base_text[16];
        int r;

        if (!colon || (size_t)(colon - value) >= sizeof(base_text))
                return -EINVAL;
        (void)snprintf(base_text, sizeof(base_text), "%.*s", (int)(colon - value), value);
        r = parse_u32(base_text, ret_base);
        return r < 0 ? r : parse_u32(colon + 1, ret_count);
}

static int set_uid_pool(const char *value, void *data)
{
        Conf *conf = data;
        uint32_t base, count;
        int r;

        r = parse_range(value, &base, &count);
        if (r < 0)
                return r;
        if (count == 0 || count % UID_BLOCK != 0 || base < UID_BLOCK || base > UINT32_MAX - count)
                return -ERANGE;
        conf->uid_pool_base = base;
        conf->uid_pool_count = count;
        return 0;
}

static int set_port_pool(const char *value, void *data)
{
        Conf *conf = data;
        uint32_t base, count;
        int r;

        r = parse_range(value, &base, &count);
        if (r < 0)
                return r;
        if (base < 1 || count < 1 || base > UINT16_MAX || count > UINT16_MAX + 1 - base)
                return -ERANGE;
        conf->port_pool_base = base;
        conf->port_pool_count = count;
        return 0;
}

/* Words; all are good or none is taken. */
static int add_networks(const char *value, IpRange **array, size_t *n)
{
        _drop_(drop_free) char *copy = strdup(value);
        _drop_(drop_free) IpRange *ranges = NULL;
        size_t count = *n, words = 1;
        char *rest = copy, *word;

        if (!copy)
                return -ENOMEM;
        for (const char *p = value; *p; p++)
                words += *p == ' ' ? 1 : 0;
        ranges = calloc(count + words, sizeof(*ranges));
        if (!ranges)
                return -ENOMEM;
        if (count > 0)
                memcpy(ranges, *array, count * sizeof(*ranges));
        while ((word = strsep(&rest, " "))) {
                if (*word && ip_range_parse("", word, &ranges[count++], NULL) < 0)
                        return -EINVAL;
        }
        free(*array);
        *n = *value ? count : 0;
        *array = take_ptr(ranges);
        return 0;
}

static int set_allow_networks(const char *value, void *data)
{
        Conf *conf = data;

        return add_networks(value, &conf->allow_networks, &conf->n_allow_networks);
}

static int set_deny_networks(const char *value, void *data)
{
        Conf *conf = data;

        return add_networks(value, &conf->deny_networks, &conf->n_deny_networks);
}

static int set_project_pool(const char *value, void *data)
{
        Conf *conf = data;
        uint32_t base, count;
        int r;

        r = parse_range(value, &base, &count);
        if (r < 0)
                return r;
        if (!project_range_is_valid(base, count))
                return -ERANGE;
        conf->project_pool_base = base;
        conf->project_pool_count = count;
        return 0;
}

/* A pool is one word with its name: a drop-in replaces one, an empty value forgets all. */
static int set_network_pool(const char *value, void *data)
{
        Conf *conf = data;
        NetworkPoolSpec spec, *pools;
        Fault fault = FAULT_INIT;
        size_t place = conf->n_network_pools;
        int r;

        if (!*value) {
                conf->n_network_pools = 0;
                conf->has_network_pools = 1;
                return 0;
        }
        r = network_pool_spec_parse(value, &spec, &fault);
        if (r < 0)
                return log_warning(r, "NetworkPool=: %s", fault.text);
        for (size_t i = 0; i < conf->n_network_pools; i++)
                if (strcmp(conf->network_pools[i].name, spec.name) == 0)
                        place = i;
                else if (network_pool_specs_overlap(&conf->network_pools[i], &spec))
                        return log_warning(-EINVAL, "NetworkPool=: pools '%s' and '%s' overlap",
                                           conf->network_pools[i].name, spec.name);
        if (place == NETWORK_POOLS_MAX)
                return log_warning(-E2BIG, "NetworkPool=: there are more than %d",
                                   NETWORK_POOLS_MAX);
        pools = reallocarray(conf->network_pools, place + 1 + conf->n_network_pools,
                             sizeof(*pools));
        if (!pools)
                return -ENOMEM;
        conf->network_pools = pools;
        pools[place] = spec;
        conf->n_network_pools = MAX2(conf->n_network_pools, place + 1);
        conf->has_network_pools = 1;
        return 0;
}

static int set_mtu(const char *value, void *data)
{
        uint32_t mtu;
        int r = parse_u32(value, &mtu);

        if (r < 0)
                return r;
        if (mtu != 0 && (mtu < NETWORK_MTU_MIN6 || mtu > NETWORK_MTU_MAX))
                return -ERANGE;
        *(uint32_t *)data = mtu;
        return 0;
}

typedef struct Key {
        const char *name;
        int (*set)(const char *value, void *data);
        size_t offset;
} Key;

static const Key keys[] = {
        { "StateDirectory", set_path, offsetof(Conf, state_directory) },
        { "RuntimeDirectory", set_path, offsetof(Conf, runtime_directory) },
        { "Slice", set_slice, offsetof(Conf, slice) },
        { "UIDPool", set_uid_pool, 0 },
        { "ProjectPool", set_project_pool, 0 },
        { "GraceSec", set_usec, offsetof(Conf, grace_usec) },
        { "CreateTimeoutSec", set_usec, offsetof(Conf, create_timeout_usec) },
        { "ContainersMax", set_count, offsetof(Conf, containers_max) },
        { "JobsMax", set_count, offsetof(Conf, jobs_max) },
        { "EndedJobsMax", set_count, offsetof(Conf, ended_jobs_max) },
        { "EndedJobsSec", set_usec, offsetof(Conf, ended_jobs_usec) },
        { "RingBytes", set_ring, offsetof(Conf, ring_bytes) },
        { "RingBytesMax", set_ring, offsetof(Conf, ring_bytes_max) },
        { "WorkersMax", set_count, offsetof(Conf, workers_max) },
        { "PortPool", set_port_pool, 0 },
        { "AllowNetworks", set_allow_networks, 0 },
        { "DenyNetworks", set_deny_networks, 0 },
        { "NetworkPool", set_network_pool, 0 },
        { "NetworkMTU", set_mtu, offsetof(Conf, network_mtu) },
        { "RegisterMachines", set_boolean, offsetof(Conf, has_machines) },
};

static int conf_set(Conf *conf, const char *name, const char *value)
{
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (strcmp(keys[i].name, name) == 0)
                        return keys[i].set(value, (char *)conf + keys[i].offset);
        return -ENOENT;
}

static char *strip(char *s)
{
        size_t n;

        s += strspn(s, " \t\r");
        n = strlen(s);
        while (n > 0 && strchr(" \t\r", s[n - 1]))
                s[--n] = 0;
        return s;
}

int conf_parse(Conf *conf, const char *path, char *text)
{
        int is_ours = 0, n_bad = 0;
        unsigned number = 0;
        char *line;

        while ((line = strsep(&text, "\n"))) {
                char *s = strip(line), *eq;
                int r;

                number++;
                if (!*s || *s == '#' || *s == ';')
                        continue;
                if (*s == '[') {
                        is_ours = strcmp(s, "[Manager]") == 0;
                        if (!is_ours && ++n_bad)
                                log_warning(0, "%s:%u: unknown section %s", path, number, s);
                        continue;
                }
                eq = strchr(s, '=');
                if (!is_ours || !eq) {
                        n_bad++;
                        log_warning(0, "%s:%u: not a KEY=VALUE in [Manager], skipped", path,
                                    number);
                        continue;
                }
                *eq = 0;
                r = conf_set(conf, strip(s), strip(eq + 1));
                if (r < 0 && ++n_bad)
                        log_warning(r, "%s:%u: %s=%s: %s, skipped", path, number, strip(s),
                                    strip(eq + 1),
                                    r == -ENOENT ? "no such key" : "not a valid value");
        }
        return n_bad;
}

static int conf_read_file(Conf *conf, const char *path)
{
        _drop_(drop_free) char *text = NULL;
        int r;

        r = io_read_file(AT_FDCWD, path, CONF_MAX_BYTES, &text, NULL);
        if (r < 0)
                return r;
        (void)conf_parse(conf, path, text);
        return 0;
}

static int is_drop_in(const struct dirent *entry)
{
        size_t n = strlen(entry->d_name);

        return entry->d_name[0] != '.' && n > 5 && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One name counts once, from the strongest directory that has it; the names are read in order. */
static int conf_read_drop_ins(Conf *conf)
{
        static const char *const directories[] = {
                "/run/warden/wardend.conf.d",
                WARDEN_SYSCONFDIR "/wardend.conf.d",
                WARDEN_PKGLIBDIR "/wardend.conf.d",
        };
        _drop_(drop_strv) char **names = NULL;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                struct dirent **entries;
                int n = scandir(directories[i], &entries, is_drop_in, alphasort);

                for (int k = 0; k < n; k++) {
                        int is_known = 0;

                        for (char **p = names; p && *p; p++)
                                is_known |= strcmp(*p, entries[k]->d_name) == 0;
                        if (!is_known && r >= 0)
                                r = strv_append(&names, entries[k]->d_name);
                        free(entries[k]);
                }
                if (n >= 0)
                        free(entries);
        }
        if (r < 0)
                return r;
        if (names)
                qsort(names, strv_length(names), sizeof(char *), compare_names);
        for (char **p = names; p && *p; p++)
                for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                        char path[PATH_MAX];

                        (void)snprintf(path, sizeof(path), "%s/%s", directories[i], *p);
                        if (conf_read_file(conf, path) != -ENOENT)
                                break;
                }
        return 0;
}

static int conf_set_defaults(Conf *conf)
{
        *conf = (Conf){
                .state_directory = strdup(WARDEN_STATE_DIRECTORY),
                .runtime_directory = strdup(WARDEN_RUNTIME_DIRECTORY),
                .worker_program = strdup(WARDEN_PKGLIBDIR "/warden-worker"),
                .wshd_program = strdup(WARDEN_PKGLIBDIR "/wshd"),
                .journal_program = strdup(WARDEN_PKGLIBDIR "/warden-journal"),
                .firewall_program = strdup(WARDEN_PKGLIBDIR "/warden-firewall"),
                .slice = strdup("warden.slice"),
                .uid_pool_base = UID_POOL_BASE,
                .uid_pool_count = UID_POOL_COUNT,
                .project_pool_base = PROJECT_POOL_BASE,
                .project_pool_count = PROJECT_POOL_COUNT,
                .grace_usec = 10 * USEC_PER_SEC,
                .create_timeout_usec = 60 * USEC_PER_SEC,
                .containers_max = 4000,
                .jobs_max = 4096,
                .ended_jobs_max = 256,
                .ended_jobs_usec = 3600 * USEC_PER_SEC,
                .ring_bytes = 1U << 20,
                .ring_bytes_max = 64U << 20,
                .workers_max = 8,
                .port_pool_base = 61001,
                .port_pool_count = 4000,
        };
        if (!conf->state_directory || !conf->runtime_directory || !conf->worker_program ||
            !conf->wshd_program || !conf->journal_program || !conf->firewall_program ||
            !conf->slice) {
                conf_done(conf);
                return -ENOMEM;
        }
        return 0;
}

/* As RFC 4193 has it, a prefix of our own; not a random one, so that it is the same tomorrow. */
#define ULA_APPLICATION \
        SD_ID128_MAKE(5d, 0c, 1f, 3e, 9a, 47, 4b, 62, 8e, 55, 21, 6c, b0, 7d, e4, 93)

static int conf_add_default_pool(Conf *conf)
{
        char text[sizeof(NETWORK_POOL_DEFAULT) + 1 + NETWORK_PREFIX_MAX];
        sd_id128_t id;

        if (access("/proc/sys/net/ipv6", F_OK) < 0 ||
            sd_id128_get_machine_app_specific(ULA_APPLICATION, &id) < 0)
                (void)snprintf(text, sizeof(text), "%s", NETWORK_POOL_DEFAULT);
        else
                (void)snprintf(text, sizeof(text), "%s fd%02x:%02x%02x:%02x%02x::/64",
                               NETWORK_POOL_DEFAULT, id.bytes[0], id.bytes[1], id.bytes[2],
                               id.bytes[3], id.bytes[4]);
        return set_network_pool(text, conf);
}

int conf_load(Conf *conf, const char *path, Fault *fault)
{
        int r;

        r = conf_set_defaults(conf);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Out of memory");
        r = conf_read_file(conf, path ? path : WARDEN_SYSCONFDIR "/wardend.conf");
        if (r < 0 && (path || r != -ENOENT)) {
                (void)fault_set(fault, FAULT_FAILED, r, "Cannot read %s: %m",
                                path ? path : WARDEN_SYSCONFDIR "/wardend.conf");
                if (path) {
                        conf_done(conf);
                        return r;
                }
                log_warning(r, "Cannot read %s: %m", WARDEN_SYSCONFDIR "/wardend.conf");
        }
        r = path ? 0 : conf_read_drop_ins(conf);
        if (r >= 0 && !conf->has_network_pools)
                r = conf_add_default_pool(conf);
        return r;
}

void conf_done(Conf *conf)
{
        free(conf->state_directory);
        free(conf->runtime_directory);
        free(conf->worker_program);
        free(conf->wshd_program);
        free(conf->journal_program);
        free(conf->firewall_program);
        free(conf->allow_networks);
        free(conf->deny_networks);
        free(conf->slice);
        free(conf->network_pools);
        *conf = (Conf){ 0 };
}
