/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"

/* Kills for want of memory, by the kernel and by systemd-oomd: counted, saved, told, and answered
 * as OOMPolicy says. For container-*.c and restore.c; nothing here fails, what goes wrong is logged
 * and the container goes on. */

/* The container is in its scope: begins to watch, and tells what was counted already. */
void container_oom_begin(Container *c);

/* All its processes have ended: the last look. Call it before its jobs are given up for lost. */
void container_oom_end(Container *c);

/* Was it for want of memory that the job, which nobody had sent a SIGKILL, died by one?
 * Returns 1 for one job for each kill; 0. */
int container_oom_claim(Container *c, const Job *job);

/* Signals what was counted while there was nobody to tell. */
void container_oom_tell(Container *c);
