/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/job-spec.h"
#include "wire/codec.h"
#include "wire/job-wire.h"

/* The daemon's side of job-wire.h, apart from it so that wshd need not see the model.
 *
 * Writes the validated spec, with @container_environment below its own environment: one entry a
 * key. What travels beside the spec in WSHD_SPAWN (pty, privileges) is not in it. Returns 0;
 * -E2BIG when it is larger than WSHD_JOB_SPEC_MAX; -ENOMEM, -EMSGSIZE as w->error. */
int job_spec_encode(const JobSpec *spec, char *const *container_environment, WireWriter *w);
