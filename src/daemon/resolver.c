/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>

#include "basic/io.h"
#include "daemon/resolver.h"
#include "model/resolv-conf.h"

#define HOST_PATH "/etc/resolv.conf"
#define RESOLVED_PATH "/run/systemd/resolve/resolv.conf"

/* A file that is not there or cannot be read says nothing. */
static int read_conf(const char *path, ResolvConf *ret)
{
        _drop_(drop_free) char *text = NULL;
        int r = io_read_file(AT_FDCWD, path, RESOLV_CONF_MAX_BYTES, &text, NULL);

        *ret = (ResolvConf){ 0 };
        if (r == -ENOMEM)
                return r;
        return r < 0 ? 0 : resolv_conf_parse(text, ret);
}

/* What the stub asks is asked by the container itself; the domains of the host stay. */
static int replace_loopback(ResolvConf *conf, const char *resolved_path, const char *host_address)
{
        _drop_(resolv_conf_done) ResolvConf real = { 0 };
        int r = 0;

        if (conf->servers || !conf->loopback)
                return 0;
        r = read_conf(resolved_path, &real);
        if (r < 0)
                return r;
        if (real.servers) {
                conf->servers = take_ptr(real.servers);
                return 0;
        }
        if (host_address)
                return strv_append(&conf->servers, host_address);
        /* With the host's network its loopback is the container's, too. */
        conf->servers = take_ptr(conf->loopback);
        return 0;
}

static int take_list(char *const *from, char ***to)
{
        char **copy;
        int r;

        if (!from)
                return 0;
        r = strv_copy(from, &copy);
        if (r < 0)
                return r;
        strv_free(*to);
        *to = copy;
        return 0;
}

int resolver_format_from(const ContainerSpec *spec, const char *host_address, const char *path,
                         const char *resolved_path, char **ret)
{
        _drop_(resolv_conf_done) ResolvConf conf = { 0 };
        int r;

        r = read_conf(path, &conf);
        if (r >= 0)
                r = take_list(spec->dns, &conf.servers);
        if (r >= 0)
                r = take_list(spec->dns_search, &conf.search);
        if (r >= 0)
                r = replace_loopback(&conf, resolved_path, host_address);
        return r < 0 ? r : resolv_conf_format(&conf, ret);
}

int resolver_format(const ContainerSpec *spec, const char *host_address, char **ret)
{
        return resolver_format_from(spec, host_address, HOST_PATH, RESOLVED_PATH, ret);
}
