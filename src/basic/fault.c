/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "basic/fault.h"

static const char *const fault_kind_table[_FAULT_MAX] = {
        [FAULT_NONE] = "none",
        [FAULT_FAILED] = "failed",
        [FAULT_INVALID] = "invalid",
        [FAULT_NOT_FOUND] = "not-found",
        [FAULT_NO_SUCH_CONTAINER] = "no-such-container",
        [FAULT_NO_SUCH_JOB] = "no-such-job",
        [FAULT_NAME_EXISTS] = "name-exists",
        [FAULT_BAD_STATE] = "bad-state",
        [FAULT_LIMIT] = "limit",
        [FAULT_NOT_SUPPORTED] = "not-supported",
        [FAULT_PROGRAM_NOT_FOUND] = "program-not-found",
        [FAULT_PROGRAM_NOT_EXECUTABLE] = "program-not-executable",
        [FAULT_NO_SUCH_USER] = "no-such-user",
        [FAULT_TIMED_OUT] = "timed-out",
        [FAULT_IN_USE] = "in-use",
};

const char *fault_kind_to_string(FaultKind kind)
{
        return kind >= 0 && kind < _FAULT_MAX ? fault_kind_table[kind] : NULL;
}

FaultKind fault_kind_from_string(const char *s)
{
        for (int i = 0; i < _FAULT_MAX; i++)
                if (strcmp(fault_kind_table[i], s) == 0)
                        return (FaultKind)i;
        return _FAULT_INVALID;
}

/* How many bytes of valid UTF-8 start here that a terminal shows and does not obey; 0: none. */
static size_t printable_length(const unsigned char *s)
{
        uint32_t c = s[0], least = 0;
        size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

        if (n == 1)
                return c >= 0x20 && c != 0x7f;
        if (n == 0)
                return 0;
        c &= 0x7fU >> n;
        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (s[i] & 0x3fU);
        }
        least = n == 2 ? 0xa0 : n == 3 ? 0x800 : 0x10000; /* below 0xa0 are control characters */
        return c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

/* Texts quote what clients and images say, may be cut inside a character, and end up in D-Bus
 * messages, which must be UTF-8, and on terminals. */
static void text_clean(char *text)
{
        for (unsigned char *p = (unsigned char *)text; *p;) {
                size_t n = printable_length(p);

                if (n == 0)
                        *p = '?';
                p += MAX2(n, (size_t)1);
        }
}

int fault_set(Fault *fault, FaultKind kind, int error, const char *format, ...)
{
        va_list ap;

        if (!fault || fault->kind != FAULT_NONE)
                return error;

        fault->kind = kind;
        fault->error = error;
        errno = -error;
        va_start(ap, format);
        (void)vsnprintf(fault->text, sizeof(fault->text), format, ap);
        va_end(ap);
        text_clean(fault->text);
        return error;
}

int fault_prefix(Fault *fault, const char *prefix)
{
        char text[FAULT_TEXT_MAX];
        int n;

        if (!fault || fault->kind == FAULT_NONE)
                return fault ? fault->error : 0;

        memcpy(text, fault->text, sizeof(text));
        n = snprintf(fault->text, sizeof(fault->text), "%s: ", prefix);
        if (n > 0 && (size_t)n < sizeof(fault->text)) {
                size_t room = sizeof(fault->text) - (size_t)n - 1;
                size_t len = MIN2(strlen(text), room);

                memcpy(fault->text + n, text, len);
                fault->text[(size_t)n + len] = 0;
        }
        text_clean(fault->text);
        return fault->error;
}
