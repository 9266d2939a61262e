/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/strv.h"

/* What resolv.conf(5) says, as far as a container can use it. */

typedef struct ResolvConf {
        char **servers; /* addresses that are not the host's loopback */
        char **search;
        char **options;
        char **loopback; /* those that are, such as the stub of systemd-resolved */
} ResolvConf;

#define RESOLV_CONF_MAX_BYTES (64U << 10)

void resolv_conf_done(ResolvConf *conf);

/* Takes what it understands, and no more of it than a resolver looks at; what it does not, and
 * what is no address or domain, is left out. @text may be anything. Returns 0; -ENOMEM. */
int resolv_conf_parse(const char *text, ResolvConf *ret);

/* @ret   the text, for the caller to free. Returns 0; -ENOMEM. */
int resolv_conf_format(const ResolvConf *conf, char **ret);

/* The text of /etc/hosts. @address: of the container, NULL: none of its own. Returns as above. */
int hosts_format(const char *hostname, const char *address, const char *address6, char **ret);
