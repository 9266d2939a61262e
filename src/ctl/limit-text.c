/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "basic/io.h"
#include "basic/parse.h"
#include "ctl/dict.h"
#include "ctl/json.h"
#include "ctl/limit-text.h"
#include "ctl/text.h"

/* The node that the kernel gave a device, from its uevent. */
static int node_of_device(dev_t device, char **ret)
{
        _drop_(drop_free) char *text = NULL;
        char path[64], *name, *node;
        int r;

        (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent", major(device),
                       minor(device));
        r = io_read_file(AT_FDCWD, path, 4096, &text, NULL);
        if (r < 0)
                return r;
        name = strstr(text, "DEVNAME=");
        if (!name)
                return -ENODATA;
        name += strlen("DEVNAME=");
        if (asprintf(&node, "/dev/%.*s", (int)strcspn(name, "\n"), name) < 0)
                return -ENOMEM;
        *ret = node;
        return 0;
}

/* The daemon takes nodes below /dev only. */
static int find_node(const char *name, const char *path, char **ret, Fault *fault)
{
        struct stat st;
        int r;

        if (strncmp(path, "/dev/", 5) == 0) {
                *ret = strdup(path);
                return *ret ? 0 : -ENOMEM;
        }
        if (stat(path, &st) < 0)
                return fault_set(fault, FAULT_INVALID, -errno, "%s: '%.200s': %m", name, path);
        r = node_of_device(S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev, ret);
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "%s: '%.200s' is on no block device; name one, such as /dev/sda",
                                 name, path);
        return 0;
}

/* Bandwidths have units of 1000, as for systemd. */
static int parse_rate(const char *text, uint64_t *ret)
{
        static const char units[] = "KMGT";
        char number[24];
        size_t n = strspn(text, "0123456789");
        const char *unit = NULL;
        uint64_t value;
        int r;

        if (strcmp(text, "infinity") == 0 || strcmp(text, "max") == 0) {
                *ret = UINT64_MAX;
                return 0;
        }
        if (n >= sizeof(number))
                return -ERANGE;
        memcpy(number, text, n);
        number[n] = 0;
        r = parse_u64(number, &value);
        if (r < 0)
                return r;
        if (text[n]) {
                unit = strchr(units, toupper((unsigned char)text[n]));
                if (!unit || text[n + 1])
                        return -EINVAL;
        }
        for (const char *p = units; unit && p <= unit; p++) {
                if (value > UINT64_MAX / 1000)
                        return -ERANGE;
                value *= 1000;
        }
        *ret = value;
        return 0;
}

int limit_text_parse_device(DeviceLimitKind kind, const char *text, Limits *limits, Fault *fault)
{
        const char *name = device_limit_kind_to_string(kind);
        _drop_(drop_free) char *path = NULL, *node = NULL;
        const char *separator = strrchr(text, ' ');
        uint64_t value;
        int r;

        if (!text[0]) {
                device_limits_clear(&limits->devices, kind);
                limits->devices_set |= UINT32_C(1) << kind;
                return 0;
        }
        if (!separator)
                separator = strrchr(text, ':');
        if (!separator || separator == text)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "%s: '%.200s' is not a device and a number, such as "
                                 "'/dev/sda 10M'",
                                 name, text);
        path = strndup(text, (size_t)(separator - text));
        if (!path)
                return -ENOMEM;
        r = parse_rate(separator + 1, &value);
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, r,
                                 "%s: '%.64s' is not a number such as 500, 10M or infinity", name,
                                 separator + 1);
        r = find_node(name, path, &node, fault);
        return r < 0 ? r : limits_add_device(limits, kind, node, value, fault);
}

int limit_text_parse_bandwidth(const char *name, const char *text, Limits *limits, Fault *fault)
{
        const char *separator = strpbrk(text, ": ");
        _drop_(drop_free) char *rate = NULL;
        Bandwidth bandwidth = { .burst = 0 };
        int r;

        rate = strndup(text, separator ? (size_t)(separator - text) : strlen(text));
        if (!rate)
                return -ENOMEM;
        r = parse_rate(rate, &bandwidth.rate);
        if (r >= 0 && separator)
                r = parse_rate(separator + 1, &bandwidth.burst);
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, r,
                                 "%s: '%.64s' is not bytes a second and perhaps a burst, such as "
                                 "10M, 10M:64K or infinity",
                                 name, text);
        return bandwidth_limits_set(&limits->bandwidth, name, &bandwidth, fault);
}

static int append_devices(sd_bus_message *m, const DeviceLimits *devices, DeviceLimitKind kind)
{
        int r = dict_open_array(m, device_limit_kind_to_string(kind), "(st)");

        for (size_t i = 0; i < devices->n_items && r >= 0; i++)
                if (devices->items[i].kind == kind)
                        r = sd_bus_message_append(m, "(st)", devices->items[i].node,
                                                  devices->items[i].value);
        return r < 0 ? r : dict_close_array(m);
}

int limit_text_append(sd_bus_message *m, const Limits *limits)
{
        char cpus[CPU_SET_TEXT_MAX];
        int r = 0;

        for (int i = 0; i < _LIMIT_MAX && r >= 0; i++)
                if (limits_has(limits, (Limit)i))
                        r = sd_bus_message_append(m, "{sv}", limit_to_string((Limit)i), "t",
                                                  limits->values[i]);
        if (r >= 0 && limits->has_cpus) {
                cpu_set_format(&limits->cpus, cpus);
                r = sd_bus_message_append(m, "{sv}", LIMIT_NAME_CPUS, "s", cpus);
        }
        for (int i = 0; i < _DEVICE_LIMIT_KIND_MAX && r >= 0; i++)
                if (limits_has_devices(limits, (DeviceLimitKind)i))
                        r = append_devices(m, &limits->devices, (DeviceLimitKind)i);
        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX && r >= 0; i++)
                if (bandwidth_limits_has(&limits->bandwidth, (BandwidthDirection)i))
                        r = sd_bus_message_append(
                                m, "{sv}", bandwidth_direction_to_string((BandwidthDirection)i),
                                "(tt)", limits->bandwidth.of[i].rate,
                                limits->bandwidth.of[i].burst);
        return r;
}

const char *limit_text_name(const char *name)
{
        return strcmp(name, limit_to_string(LIMIT_CPU_QUOTA)) == 0 ? "CPUQuota" : name;
}

static void format_number(const char *name, uint64_t value, char ret[64])
{
        char bytes[TEXT_BYTES_MAX];

        if (value == UINT64_MAX) {
                (void)snprintf(ret, 64, "infinity");
        } else if (strncmp(name, "Memory", 6) == 0 ||
                   strcmp(name, limit_to_string(LIMIT_DISK_MAX)) == 0) {
                text_format_bytes(value, bytes);
                (void)snprintf(ret, 64, "%s", bytes);
        } else if (strcmp(name, limit_to_string(LIMIT_CPU_QUOTA)) == 0) {
                uint64_t hundredths = value / (USEC_PER_SEC / 10000);

                if (hundredths % 100)
                        (void)snprintf(ret, 64, "%" PRIu64 ".%02" PRIu64 "%%", hundredths / 100,
                                       hundredths % 100);
                else
                        (void)snprintf(ret, 64, "%" PRIu64 "%%", hundredths / 100);
        } else {
                (void)snprintf(ret, 64, "%" PRIu64, value);
        }
}

/* As it is written: 1250K and not 1.25M. */
static void format_rate(uint64_t value, char ret[32])
{
        static const char units[] = "KMGT";
        const char *unit = NULL;

        if (value == UINT64_MAX) {
                (void)snprintf(ret, 32, "infinity");
                return;
        }
        for (const char *p = units; *p && value > 0 && value % 1000 == 0; p++) {
                value /= 1000;
                unit = p;
        }
        (void)snprintf(ret, 32, "%" PRIu64 "%.1s", value, unit ?: "");
}

/* [rate, burst] */
static char *format_bandwidth(struct json_object *pair)
{
        uint64_t burst = json_object_get_uint64(json_object_array_get_idx(pair, 1));
        char rate_text[32], burst_text[32], *text;

        format_rate(json_object_get_uint64(json_object_array_get_idx(pair, 0)), rate_text);
        if (burst == 0)
                return strdup(rate_text);
        format_rate(burst, burst_text);
        return asprintf(&text, "%s:%s", rate_text, burst_text) < 0 ? NULL : text;
}

/* [[node, value], …] */
static char *format_devices(struct json_object *list)
{
        char text[1024] = "none";
        size_t n = 0;

        for (size_t i = 0; i < json_object_array_length(list) && n < sizeof(text) - 1; i++) {
                struct json_object *item = json_object_array_get_idx(list, i);
                struct json_object *value = json_object_array_get_idx(item, 1);
                int size;

                size = snprintf(text + n, sizeof(text) - n, "%s%s %" PRIu64, n ? ", " : "",
                                json_object_get_string(json_object_array_get_idx(item, 0)),
                                json_object_get_uint64(value));
                n += size > 0 ? (size_t)size : 0;
        }
        return strdup(text);
}

char *limit_text_format(const char *name, struct json_object *value)
{
        const char *s;
        char text[64];

        if (json_object_is_type(value, json_type_int)) {
                format_number(name, json_object_get_uint64(value), text);
                return strdup(text);
        }
        if ((int)bandwidth_direction_from_string(name) >= 0)
                return format_bandwidth(value);
        if (json_object_is_type(value, json_type_array))
                return format_devices(value);
        s = json_object_get_string(value);
        return strdup(s && *s ? s : "all");
}
