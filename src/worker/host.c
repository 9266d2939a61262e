/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>

#include "basic/fd.h"
#include "rootfs/mount.h"
#include "rootfs/syscalls.h"
#include "worker/host.h"
#include "worker/program.h"

void host_done(Host *host)
{
        fd_close(host->proc_fd);
        fd_close(host->program_fd);
        dev_nodes_done(&host->nodes);
        seccomp_filter_done(&host->filter);
        *host = HOST_INIT;
}

int host_open(const char *program, Host *ret, Fault *fault)
{
        _drop_(host_done) Host host = HOST_INIT;
        int r;

        r = program_seal(program, &host.program_fd, fault);
        if (r < 0)
                return r;
        r = mount_new("proc", NULL, MOUNT_ATTR_API, &host.proc_fd, fault);
        if (r < 0)
                return r;
        r = dev_nodes_open(&host.nodes, fault);
        if (r < 0)
                return r;
        r = seccomp_filter_compile(&host.filter, fault);
        if (r < 0)
                return r;
        uuid_key_load(&host.uuid_key);
        *ret = host;
        host = HOST_INIT;
        return 0;
}
