/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "daemon/bus/bus-fault.h"

static const char *const name_table[_FAULT_MAX] = {
        [FAULT_NONE] = BUS_ERROR_PREFIX "OperationFailed",
        [FAULT_FAILED] = BUS_ERROR_PREFIX "OperationFailed",
        [FAULT_INVALID] = BUS_ERROR_PREFIX "InvalidSpec",
        [FAULT_NOT_FOUND] = BUS_ERROR_PREFIX "NotFound",
        [FAULT_NO_SUCH_CONTAINER] = BUS_ERROR_PREFIX "NoSuchContainer",
        [FAULT_NO_SUCH_JOB] = BUS_ERROR_PREFIX "NoSuchJob",
        [FAULT_NAME_EXISTS] = BUS_ERROR_PREFIX "NameExists",
        [FAULT_BAD_STATE] = BUS_ERROR_PREFIX "BadState",
        [FAULT_LIMIT] = BUS_ERROR_PREFIX "LimitReached",
        [FAULT_NOT_SUPPORTED] = BUS_ERROR_PREFIX "NotSupported",
        [FAULT_PROGRAM_NOT_FOUND] = BUS_ERROR_PREFIX "ProgramNotFound",
        [FAULT_PROGRAM_NOT_EXECUTABLE] = BUS_ERROR_PREFIX "ProgramNotExecutable",
        [FAULT_NO_SUCH_USER] = BUS_ERROR_PREFIX "NoSuchUser",
        [FAULT_TIMED_OUT] = BUS_ERROR_PREFIX "TimedOut",
        [FAULT_IN_USE] = BUS_ERROR_PREFIX "InUse",
};

static const sd_bus_error_map errno_map[] = {
        SD_BUS_ERROR_MAP(BUS_ERROR_PREFIX "OperationFailed", EIO),
        SD_BUS_ERROR_MAP(BUS_ERROR_PREFIX "InvalidSpec", EINVAL),
        SD_BUS_ERROR_MAP(BUS_ERROR_PREFIX "NotFound", ENOENT),
        SD_BUS_ERROR_MAP(BUS_ERROR_PREFIX "NoSuchContainer", ENXIO),
        SD_BUS_ERROR_MAP(BUS_ERROR_PREFIX "NoSuchJob", ESRCH),
        SD_BUS_ERROR_MAP(BUS_ERROR_PREFIX "NameExists", EEXIST),
        SD_BUS_ERROR_MAP(BUS_ERROR_PREFIX "BadState", EPROTO),
        SD_BUS_ERROR_MAP(BUS_ERROR_PREFIX "LimitReached", ENOSPC),
        SD_BUS_ERROR_MAP(BUS_ERROR_PREFIX "NotSupported", EOPNOTSUPP),
        SD_BUS_ERROR_MAP(BUS_ERROR_PREFIX "ProgramNotFound", ENOENT),
        SD_BUS_ERROR_MAP(BUS_ERROR_PREFIX "ProgramNotExecutable", ENOEXEC),
        SD_BUS_ERROR_MAP(BUS_ERROR_PREFIX "NoSuchUser", ESRCH),
        SD_BUS_ERROR_MAP(BUS_ERROR_PREFIX "TimedOut", ETIMEDOUT),
        SD_BUS_ERROR_MAP(BUS_ERROR_PREFIX "InUse", EADDRINUSE),
        SD_BUS_ERROR_MAP_END,
};

const char *bus_fault_name(FaultKind kind)
{
        return name_table[kind >= 0 && kind < _FAULT_MAX ? kind : FAULT_FAILED];
}

int bus_fault_register(void)
{
        int r = sd_bus_error_add_map(errno_map);

        return r < 0 ? r : 0;
}

int bus_fault_to_error(const Fault *fault, int error, sd_bus_error *ret)
{
        if (error >= 0)
                error = -EIO;
        if (!fault || fault->kind == FAULT_NONE) {
                if (error == -ENOMEM)
                        (void)sd_bus_error_set(ret, SD_BUS_ERROR_NO_MEMORY, "Not enough memory");
                else
                        (void)sd_bus_error_setf(ret, bus_fault_name(FAULT_FAILED), "%s",
                                                strerror(-error));
                return error;
        }

        (void)sd_bus_error_set(ret, bus_fault_name(fault->kind), fault->text);
        return error;
}
