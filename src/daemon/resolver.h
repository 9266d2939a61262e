/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/container-spec.h"

/* What a container asks for names: the spec's servers and domains, else the host's. A server of the
 * host's loopback, which a container cannot reach, is replaced by those that systemd-resolved asks;
 * where it does not run, by the host's side of the container's network.
 * @host_address   of that side; NULL: the container shares a loopback with somebody
 * @ret            the text of resolv.conf, for the caller to free
 * Reads two small local files, never waits. Returns 0; -ENOMEM. */
int resolver_format(const ContainerSpec *spec, const char *host_address, char **ret);

/* For the test: the files instead of /etc/resolv.conf and that of systemd-resolved. */
int resolver_format_from(const ContainerSpec *spec, const char *host_address, const char *path,
                         const char *resolved_path, char **ret);
