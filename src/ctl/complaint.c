/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/text.h"

static void complain_text(const char *text)
{
        _drop_(drop_free) char *escaped = text_escape(text);

        fprintf(stderr, "wardenctl: %s\n", escaped ? escaped : "Out of memory");
}

void complain(const char *format, ...)
{
        char text[1024];
        va_list ap;

        va_start(ap, format);
        (void)vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        complain_text(text);
}

int complain_fault(int error, const Fault *fault)
{
        if (fault->text[0])
                complain_text(fault->text);
        else
                complain_text(strerror(error < 0 ? -error : error));
        return exit_code_from_fault(fault->kind);
}
