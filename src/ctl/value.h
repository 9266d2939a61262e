/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "basic/fault.h"
#include "model/job-spec.h"
#include "model/limits.h"

/* What people write behind an option. The grammars are those of the container tools and of systemd
 * together, more lenient than basic/parse.h; what comes out is exact. All return 0, or -EINVAL or
 * -ERANGE with a fault that quotes the text and shows a good one. */

/* "512M", "512m", "512MiB", "1g", "infinity", "max": bytes, units of 1024. */
int value_parse_bytes(const char *text, uint64_t *ret, Fault *fault);

/* "1.5": processors; "150%" is the same. Microseconds of CPU time in a second. */
int value_parse_cpus(const char *text, uint64_t *ret, Fault *fault);

/* "10", "1.5s", "2min", "infinity": microseconds. */
int value_parse_time(const char *text, uint64_t *ret, Fault *fault);

/* "NAME=VALUE", a limit in systemd's spelling of properties or of unit files. */
int value_parse_property(const char *text, Limits *limits, Fault *fault);

/* @text   the value of this limit alone */
int value_parse_limit(Limit limit, const char *text, Limits *limits, Fault *fault);

/* "nofile=1024:4096", "LimitCORE=infinity", "core=-1". */
int value_parse_rlimit(const char *text, JobSpec *spec, Fault *fault);

/* A path of the host as the daemon wants it: absolute and normal; what is not is looked up here,
 * from the working directory. New memory. -ENOENT and so on too. */
int value_parse_host_path(const char *text, const char *what, char **ret, Fault *fault);
