/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "wire/container-record.h"

/* Containers by what wardend keeps of them in its runtime directory, without wardend. */

/* @runtime_directory  /run/warden
 * @name               a container's name, or its id
 * @ret_dir_fd         its directory, which has wshd.sock; owned by the caller
 * @ret_record         owned by the caller
 * Returns             0; -ENOENT with FAULT_NO_SUCH_CONTAINER; -EACCES and so on with a fault. */
int container_find(const char *runtime_directory, const char *name, int *ret_dir_fd,
                   ContainerRecord **ret_record, Fault *fault);
