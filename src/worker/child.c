/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <poll.h>
#include <sys/socket.h>

#include "basic/fd.h"
#include "rootfs/syscalls.h"
#include "worker/child.h"
#include "worker/room.h"

/* Like fork(), into a new pid namespace. The other namespaces are the child's own work, so that it
 * is known and can be put into its scope while they are made. */
static pid_t child_clone(const ChildOptions *options, int *ret_pid_fd)
{
        struct clone_args args = {
                .flags = CLONE_PIDFD | CLONE_NEWPID,
                .pidfd = (uint64_t)(uintptr_t)ret_pid_fd,
                .exit_signal = SIGCHLD,
        };

        if (options->has_user_namespace)
                args.flags |= CLONE_NEWUSER;
        return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

int child_start(const Host *host, const ChildOptions *options, const int *unwanted_fds,
                size_t n_unwanted, Child *ret, Fault *fault)
{
        _drop_(drop_fd) int ours_fd = -EBADF, theirs_fd = -EBADF;
        _drop_(dev_nodes_done) DevNodes nodes = DEV_NODES_INIT;
        int ends[2], pid_fd, r;
        pid_t pid;

        r = dev_nodes_copy(&host->nodes, &nodes, fault);
        if (r < 0)
                return r;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "socketpair: %m");
        ours_fd = ends[0];
        theirs_fd = ends[1];

        pid = child_clone(options, &pid_fd);
        if (pid < 0)
                return fault_set(fault, errno == ENOSPC ? FAULT_LIMIT : FAULT_FAILED, -errno,
                                 "clone3: %m");
        if (pid == 0) {
                fd_close(ours_fd);
                for (size_t i = 0; i < n_unwanted; i++)
                        fd_close(unwanted_fds[i]);
                room_run(host, options, &nodes, theirs_fd);
        }
        *ret = (Child){
                .options = *options, .pid = pid, .pid_fd = pid_fd, .channel_fd = take_fd(&ours_fd)
        };
        return 0;
}

void child_release(Child *child)
{
        fd_close(child->pid_fd);
        fd_close(child->channel_fd);
        *child = CHILD_INIT;
}

static int child_wait(const Child *child, int timeout_msec)
{
        struct pollfd p = { .fd = child->pid_fd, .events = POLLIN };
        int r;

        do
                r = poll(&p, 1, timeout_msec);
        while (r < 0 && errno == EINTR);
        return r > 0;
}

void child_kill(Child *child)
{
        if (child->pid > 0) {
                (void)sys_pidfd_kill(child->pid_fd, SIGKILL);
                (void)child_wait(child, -1);
        }
        child_release(child);
}

int child_is_dead(const Child *child)
{
        return child_wait(child, 0);
}
