/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "basic/macro.h"
#include "basic/parse.h"
#include "model/mount.h"
#include "model/path.h"

#define TMPFS_MODE_DEFAULT 01777

void bind_mount_done(BindMount *mount)
{
        free(mount->source);
        free(mount->destination);
        free(mount->options);
        *mount = (BindMount){ 0 };
}

void tmpfs_mount_done(TmpfsMount *mount)
{
        free(mount->destination);
        free(mount->text);
        *mount = (TmpfsMount){ 0 };
}

/* The root is mounted already, and by then everything else is in it. */
static int destination_check(const char *destination, const char *field, Fault *fault)
{
        int r;

        r = path_check(destination, field, "destination", fault);
        if (r < 0)
                return r;
        if (strcmp(destination, "/") == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "%s: destination '/' is the root file system itself", field);
        return 0;
}

static int bind_mount_parse_option(BindMount *mount, const char *option, size_t size)
{
        const struct {
                const char *name;
                int *flag;
                int value;
        } table[] = {
                { "ro", &mount->is_read_only, 1 },    { "rw", &mount->is_read_only, 0 },
                { "rbind", &mount->is_recursive, 1 }, { "bind", &mount->is_recursive, 0 },
                { "idmap", &mount->is_idmapped, 1 },  { "noidmap", &mount->is_idmapped, 0 },
                { "nosuid", &mount->is_nosuid, 1 },   { "nodev", &mount->is_nodev, 1 },
                { "noexec", &mount->is_noexec, 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (strlen(table[i].name) == size && memcmp(table[i].name, option, size) == 0) {
                        *table[i].flag = table[i].value;
                        return 0;
                }
        return -EINVAL;
}

static int bind_mount_parse_options(BindMount *mount, const char *options, Fault *fault)
{
        const char *p = options;

        if (!*p)
                return 0;
        for (;;) {
                size_t n = strcspn(p, ",");

                if (bind_mount_parse_option(mount, p, n) < 0)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "BindMounts: unknown option '%.*s' for '%.200s'",
                                         (int)MIN2(n, (size_t)64), p, mount->destination);
                p += n;
                if (!*p)
                        return 0;
                p++;
        }
}

int bind_mount_parse(const char *source, const char *destination, const char *options,
                     BindMount *ret, Fault *fault)
{
        _drop_(bind_mount_done) BindMount mount = { .is_recursive = 1 };
        int r;

        r = path_check(source, "BindMounts", "source", fault);
        if (r < 0)
                return r;
        r = destination_check(destination, "BindMounts", fault);
        if (r < 0)
                return r;
        mount.source = strdup(source);
        mount.destination = strdup(destination);
        mount.options = strdup(options ? options : "");
        if (!mount.source || !mount.destination || !mount.options)
                return -ENOMEM;
        r = bind_mount_parse_options(&mount, mount.options, fault);
        if (r < 0)
                return r;

        *ret = mount;
        mount = (BindMount){ 0 };
        return 0;
}

static int parse_octal_mode(const char *s, mode_t *ret)
{
        mode_t mode = 0;
        size_t n;

        for (n = 0; s[n]; n++) {
                if (s[n] < '0' || s[n] > '7' || n >= 5)
                        return -EINVAL;
                mode = mode * 8 + (mode_t)(s[n] - '0');
        }
        if (n == 0 || mode > 07777)
                return -EINVAL;
        *ret = mode;
        return 0;
}

static int tmpfs_mount_parse_option(TmpfsMount *mount, const char *option)
{
        if (strncmp(option, "size=", 5) == 0) {
                uint64_t size;
                int r;

                /* The kernel takes 0 for "no limit at all", which nobody means. */
                r = parse_size_bytes(option + 5, &size);
                if (r < 0 || size == 0 || size > INT64_MAX)
                        return -EINVAL;
                mount->size_bytes = size;
                return 0;
        }
        if (strncmp(option, "mode=", 5) == 0)
                return parse_octal_mode(option + 5, &mount->mode);
        if (strcmp(option, "ro") == 0)
                mount->is_read_only = 1;
        else if (strcmp(option, "rw") == 0)
                mount->is_read_only = 0;
        else if (strcmp(option, "exec") == 0)
                mount->is_exec = 1;
        else if (strcmp(option, "noexec") == 0)
                mount->is_exec = 0;
        else if (strcmp(option, "nosuid") != 0 && strcmp(option, "nodev") != 0)
                return -EINVAL; /* these two always hold */
        return 0;
}

int tmpfs_mount_parse(const char *text, TmpfsMount *ret, Fault *fault)
{
        _drop_(tmpfs_mount_done) TmpfsMount mount = { .mode = TMPFS_MODE_DEFAULT };
        _drop_(drop_free) char *options = NULL;
        size_t n = strcspn(text, ":");
        int r;

        mount.text = strdup(text);
        mount.destination = strndup(text, n);
        options = strdup(text[n] ? text + n + 1 : "");
        if (!mount.text || !mount.destination || !options)
                return -ENOMEM;
        r = destination_check(mount.destination, "TemporaryFileSystem", fault);
        if (r < 0)
                return r;
        for (char *p = text[n] ? options : NULL; p;) {
                char *option = strsep(&p, ",");

                if (tmpfs_mount_parse_option(&mount, option) < 0)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "TemporaryFileSystem: bad option '%.64s' for '%.200s'",
                                         option, mount.destination);
        }

        *ret = mount;
        mount = (TmpfsMount){ 0 };
        return 0;
}

int bind_mounts_append(BindMount **mounts, size_t *n, BindMount *mount)
{
        BindMount *bigger = reallocarray(*mounts, *n + 1, sizeof(**mounts));

        if (!bigger)
                return -ENOMEM;
        bigger[*n] = *mount;
        *mount = (BindMount){ 0 };
        *mounts = bigger;
        (*n)++;
        return 0;
}

int tmpfs_mounts_append(TmpfsMount **mounts, size_t *n, TmpfsMount *mount)
{
        TmpfsMount *bigger = reallocarray(*mounts, *n + 1, sizeof(**mounts));

        if (!bigger)
                return -ENOMEM;
        bigger[*n] = *mount;
        *mount = (TmpfsMount){ 0 };
        *mounts = bigger;
        (*n)++;
        return 0;
}

int bind_mounts_copy(const BindMount *mounts, size_t n, BindMount **ret, size_t *ret_n)
{
        BindMount *copy = calloc(MAX2(n, (size_t)1), sizeof(*copy));

        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                copy[i] = mounts[i];
                copy[i].source = strdup(mounts[i].source);
                copy[i].destination = strdup(mounts[i].destination);
                copy[i].options = strdup(mounts[i].options);
                if (!copy[i].source || !copy[i].destination || !copy[i].options) {
                        bind_mounts_free(copy, i + 1);
                        return -ENOMEM;
                }
        }
        *ret = copy;
        *ret_n = n;
        return 0;
}

int tmpfs_mounts_copy(const TmpfsMount *mounts, size_t n, TmpfsMount **ret, size_t *ret_n)
{
        TmpfsMount *copy = calloc(MAX2(n, (size_t)1), sizeof(*copy));

        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                copy[i] = mounts[i];
                copy[i].destination = strdup(mounts[i].destination);
                copy[i].text = strdup(mounts[i].text);
                if (!copy[i].destination || !copy[i].text) {
                        tmpfs_mounts_free(copy, i + 1);
                        return -ENOMEM;
                }
        }
        *ret = copy;
        *ret_n = n;
        return 0;
}

BindMount *bind_mounts_free(BindMount *mounts, size_t n)
{
        for (size_t i = 0; i < n; i++)
                bind_mount_done(&mounts[i]);
        free(mounts);
        return NULL;
}

TmpfsMount *tmpfs_mounts_free(TmpfsMount *mounts, size_t n)
{
        for (size_t i = 0; i < n; i++)
                tmpfs_mount_done(&mounts[i]);
        free(mounts);
        return NULL;
}
