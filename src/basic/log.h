/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <syslog.h>

#include "basic/macro.h"

/* Messages of mains and of the daemon: to the journal with fields, else as plain lines to stderr.
 * Modules return errors and do not log; where the error stops, it is logged once. */

typedef enum LogTarget {
        LOG_TARGET_AUTO, /* journal when stderr is connected to it, else console */
        LOG_TARGET_JOURNAL,
        LOG_TARGET_CONSOLE,
        LOG_TARGET_NULL,
        _LOG_TARGET_MAX,
        _LOG_TARGET_INVALID = -22,
} LogTarget;

const char *log_target_to_string(LogTarget target);
LogTarget log_target_from_string(const char *s);
const char *log_level_to_string(int level);
int log_level_from_string(const char *s); /* LOG_EMERG … LOG_DEBUG; -EINVAL */

/* The process-wide settings; a main sets them once, LogControl1 changes them. */
void log_open(const char *identifier, LogTarget target, int max_level);
void log_set_target(LogTarget target);
LogTarget log_get_target(void);
void log_set_max_level(int level);
int log_get_max_level(void);
const char *log_get_identifier(void);

/* What is attached to a message as journal fields, where set. */
typedef struct LogContext {
        const char *container;  /* CONTAINER_NAME= */
        const char *id;         /* CONTAINER_ID= */
        const char *unit;       /* OBJECT_SYSTEMD_UNIT=: its scope, for `systemctl status` */
        uint32_t job;           /* CONTAINER_JOB= when not 0 */
        const char *message_id; /* MESSAGE_ID=: one of basic/message-id.h */
} LogContext;

/* @error is a negative errno, shown by %m and as ERRNO=; 0 for none. Returns @error. */
int log_full(int level, int error, const LogContext *context, const char *file, int line,
             const char *func, const char *format, ...) _printf_(7, 8);

#define log_at(level, error, ctx, ...) \
        log_full((level), (error), (ctx), __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_error(error, ...) log_at(LOG_ERR, (error), NULL, __VA_ARGS__)
#define log_warning(error, ...) log_at(LOG_WARNING, (error), NULL, __VA_ARGS__)
#define log_notice(...) log_at(LOG_NOTICE, 0, NULL, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, 0, NULL, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, 0, NULL, __VA_ARGS__)
