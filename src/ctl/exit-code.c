/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "ctl/exit-code.h"

int exit_code_from_fault(FaultKind kind)
{
        switch (kind) {
        case FAULT_PROGRAM_NOT_FOUND:
                return EXIT_CODE_NOT_FOUND;
        case FAULT_PROGRAM_NOT_EXECUTABLE:
                return EXIT_CODE_NOT_EXECUTABLE;
        case FAULT_NONE:
        case FAULT_FAILED:
        case FAULT_INVALID:
        case FAULT_NOT_FOUND:
        case FAULT_NO_SUCH_CONTAINER:
        case FAULT_NO_SUCH_JOB:
        case FAULT_NAME_EXISTS:
        case FAULT_BAD_STATE:
        case FAULT_LIMIT:
        case FAULT_NOT_SUPPORTED:
        case FAULT_NO_SUCH_USER:
        case FAULT_TIMED_OUT:
        case FAULT_IN_USE:
        case _FAULT_MAX:
        case _FAULT_INVALID:
                break;
        }
        return EXIT_CODE_OURS;
}

int exit_code_from_job(int code, int signal)
{
        if (signal > 0 && signal < 128)
                return EXIT_CODE_SIGNAL + signal;
        /* The kernel keeps 8 bits of an exit code; anything else was not measured but made up. */
        return code >= 0 && code <= 255 ? code : EXIT_CODE_OURS;
}
