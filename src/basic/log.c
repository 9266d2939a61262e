/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <systemd/sd-journal.h>

#include "basic/log.h"

/* Logging is a property of the process, the one thing in this library that has state of its own. */
static struct {
        const char *identifier;
        LogTarget target;
        int max_level;
        int is_journal;
} arg_log = { .identifier = "warden", .target = LOG_TARGET_AUTO, .max_level = LOG_INFO };

static const char *const target_table[_LOG_TARGET_MAX] = {
        [LOG_TARGET_AUTO] = "auto",
        [LOG_TARGET_JOURNAL] = "journal",
        [LOG_TARGET_CONSOLE] = "console",
        [LOG_TARGET_NULL] = "null",
};

static const char *const level_table[] = { "emerg",   "alert",  "crit", "err",
                                           "warning", "notice", "info", "debug" };

const char *log_target_to_string(LogTarget target)
{
        return target >= 0 && target < _LOG_TARGET_MAX ? target_table[target] : NULL;
}

LogTarget log_target_from_string(const char *s)
{
        for (int i = 0; i < _LOG_TARGET_MAX; i++)
                if (strcmp(target_table[i], s) == 0)
                        return (LogTarget)i;
        return _LOG_TARGET_INVALID;
}

const char *log_level_to_string(int level)
{
        return level >= 0 && level < (int)ELEMENTSOF(level_table) ? level_table[level] : NULL;
}

int log_level_from_string(const char *s)
{
        for (int i = 0; i < (int)ELEMENTSOF(level_table); i++)
                if (strcmp(level_table[i], s) == 0)
                        return i;
        return -EINVAL;
}

/* $JOURNAL_STREAM names the device and inode of the stream that systemd gave us as stderr. */
static int stderr_is_journal(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat st;

        if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2 ||
            fstat(STDERR_FILENO, &st) < 0)
                return 0;
        return st.st_dev == device && st.st_ino == inode;
}

void log_open(const char *identifier, LogTarget target, int max_level)
{
        arg_log.identifier = identifier;
        arg_log.max_level = max_level;
        log_set_target(target);
}

void log_set_target(LogTarget target)
{
        arg_log.target = target;
        arg_log.is_journal = target == LOG_TARGET_JOURNAL ||
                             (target == LOG_TARGET_AUTO && stderr_is_journal());
}

LogTarget log_get_target(void)
{
        return arg_log.target;
}

void log_set_max_level(int level)
{
        arg_log.max_level = level;
}

int log_get_max_level(void)
{
        return arg_log.max_level;
}

const char *log_get_identifier(void)
{
        return arg_log.identifier;
}

typedef struct Fields {
        struct iovec iov[16];
        char *owned[16];
        int n;
} Fields;

static void fields_done(Fields *fields)
{
        for (int i = 0; i < fields->n; i++)
                free(fields->owned[i]);
}

static void fields_add(Fields *fields, const char *format, ...) _printf_(2, 3);

static void fields_add(Fields *fields, const char *format, ...)
{
        char *s = NULL;
        va_list ap;
        int n;

        if (fields->n >= (int)ELEMENTSOF(fields->iov))
                return;
        va_start(ap, format);
        n = vasprintf(&s, format, ap);
        va_end(ap);
        if (n < 0)
                return;
        fields->owned[fields->n] = s;
        fields->iov[fields->n++] = (struct iovec){ s, (size_t)n };
}

int log_full(int level, int error, const LogContext *context, const char *file, int line,
             const char *func, const char *format, ...)
{
        _drop_(drop_free) char *text = NULL;
        Fields fields = { .n = 0 };
        va_list ap;
        int n;

        if (level > arg_log.max_level || arg_log.target == LOG_TARGET_NULL)
                return error;

        errno = -error;
        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                return error;

        if (!arg_log.is_journal) {
                (void)fprintf(stderr, "%s%s%s%s\n",
                              context && context->container ? context->container : "",
                              context && context->container ? ": " : "",
                              level <= LOG_ERR ? "" : (level == LOG_WARNING ? "warning: " : ""),
                              text);
                return error;
        }

        fields_add(&fields, "MESSAGE=%s", text);
        fields_add(&fields, "PRIORITY=%d", level);
        fields_add(&fields, "SYSLOG_IDENTIFIER=%s", arg_log.identifier);
        fields_add(&fields, "CODE_FILE=%s", file);
        fields_add(&fields, "CODE_LINE=%d", line);
        fields_add(&fields, "CODE_FUNC=%s", func);
        if (error < 0)
                fields_add(&fields, "ERRNO=%d", -error);
        if (context && context->container)
                fields_add(&fields, "CONTAINER_NAME=%s", context->container);
        if (context && context->id)
                fields_add(&fields, "CONTAINER_ID=%s", context->id);
        if (context && context->unit)
                fields_add(&fields, "OBJECT_SYSTEMD_UNIT=%s", context->unit);
        if (context && context->job)
                fields_add(&fields, "CONTAINER_JOB=%u", context->job);
        if (context && context->message_id)
                fields_add(&fields, "MESSAGE_ID=%s", context->message_id);
        (void)sd_journal_sendv(fields.iov, fields.n);
        fields_done(&fields);
        return error;
}
