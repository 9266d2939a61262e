/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

struct json_object;

#define OPENMETRICS_CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* An answer of GetStats as OpenMetrics text, 1.0.0: families with type, unit and help, a sample for
 * each container that the number is known of, times in seconds, "# EOF" at the end. Limits that are
 * not set have no sample.
 * @stats   {NAME: {KEY: VALUE}}; NULL: the daemon did not answer, and warden_up is 0 */
void openmetrics_print(FILE *out, struct json_object *stats);
