/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "rootfs/api.h"
#include "rootfs/bind.h"
#include "rootfs/mask.h"
#include "rootfs/mount.h"
#include "rootfs/overlay.h"
#include "rootfs/path.h"
#include "rootfs/pivot.h"
#include "rootfs/syscalls.h"
#include "wire/plan-wire.h"
#include "wire/worker-socket.h"
#include "worker/caps.h"
#include "worker/channel.h"
#include "worker/room-network.h"
#include "worker/room.h"

#define TTY_GROUP 5 /* in every distribution */
#define WSHD_SOCKET_FD 3
#define WSHD_BACKLOG 64

typedef struct Room {
        const Host *host;
        ChildOptions options;
        int channel_fd;
        DevNodes *nodes;
        int proc_fd, sys_fd;
        WorkerPacket packet;
        Plan *plan;
        char uuid[UUID_TEXT_MAX];
        int trees[_CHANNEL_TREE_MAX];
        int *bind_fds;
        Dev dev;
        Run run;
        int root_fd, null_fd;
} Room;

/* -- without a plan -- */

static int room_unshare(Room *room, Fault *fault)
{
        int flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;

        if (room->options.has_network_namespace)
                flags |= CLONE_NEWNET;
        /* A session of its own: no way to a terminal of the daemon's. */
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setsid() < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot set the process apart: %m");
        if (unshare(flags) < 0)
                return fault_set(fault, errno == ENOSPC ? FAULT_LIMIT : FAULT_FAILED, -errno,
                                 "unshare: %m");
        return 0;
}

static int room_raise_loopback(Room *room, Fault *fault)
{
        _drop_(drop_fd) int fd = -EBADF;
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

        if (!room->options.has_network_namespace)
                return 0;
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot raise it: %m");
        return 0;
}

static int room_make_proc(Room *room, Fault *fault)
{
        return proc_new(&room->proc_fd, fault);
}

static int room_make_sys(Room *room, Fault *fault)
{
        return room->options.has_network_namespace ? sys_new(&room->sys_fd, fault) : 0;
}

static int room_leave_host(Room *room, Fault *fault)
{
        return pivot_to_empty(fault);
}

/* -- with the plan -- */

static int room_receive_plan(Room *room, Fault *fault)
{
        int r;

        r = worker_receive(room->channel_fd, &room->packet, 0);
        if (r == 0)
                return -EPIPE;
        if (r > 0)
                r = plan_decode(room->packet.message.blob, room->packet.message.blob_size,
                                &room->plan);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot read it: %m");
        uuid_format(&room->host->uuid_key, room->plan->id, room->uuid);
        return 0;
}

/* That the plan was sent says that the user namespace has its maps. */
static int room_become_root(Room *room, Fault *fault)
{
        if (room->options.has_user_namespace &&
            (setresgid(0, 0, 0) < 0 || setgroups(0, NULL) < 0 || setresuid(0, 0, 0) < 0))
                return fault_set(fault, FAULT_FAILED, -errno, "cannot change users: %m");
        return 0;
}

static int room_send_network(Room *room, Fault *fault)
{
        return room->plan->has_addresses || room->plan->interfaces
                       ? room_network_send(room->channel_fd, fault)
                       : 0;
}

static int room_set_hostname(Room *room, Fault *fault)
{
        if (sethostname(room->plan->hostname, strlen(room->plan->hostname)) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "'%s': %m", room->plan->hostname);
        return 0;
}

/* While the worker makes the layer. */
static int room_make_dev(Room *room, Fault *fault)
{
        int has_tty_group = !room->options.has_user_namespace || room->plan->uid_count > TTY_GROUP;

        return dev_new(has_tty_group, &room->dev, fault);
}

static int room_make_run(Room *room, Fault *fault)
{
        return run_new(room->uuid, &room->run, fault);
}

/* -- with the trees -- */

static int room_receive_trees(Room *room, Fault *fault)
{
        size_t n_wanted = room->plan->n_bind_mounts;
        int has_layer = room->plan->storage != STORAGE_TMPFS, r;

        r = channel_expect_trees(room->channel_fd, room->trees);
        if (r < 0)
                return r;
        if (room->trees[CHANNEL_TREE_LOWER] < 0 || room->trees[CHANNEL_TREE_SOCKET] < 0 ||
            (room->trees[CHANNEL_TREE_LAYER] >= 0) != has_layer)
                return -EBADMSG;
        if (room->trees[CHANNEL_TREE_SYS] >= 0)
                room->sys_fd = room->trees[CHANNEL_TREE_SYS];
        if (n_wanted == 0)
                return 0;
        room->bind_fds = calloc(n_wanted, sizeof(int));
        if (!room->bind_fds)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "no memory");
        for (size_t n = 0; n < n_wanted;) {
                size_t n_fds = MIN2(n_wanted - n, (size_t)CHANNEL_BINDS_MAX);

                r = channel_expect(room->channel_fd, CHANNEL_BINDS, room->bind_fds + n, &n_fds);
                if (r < 0 || n_fds == 0)
                        return r < 0 ? r : -EBADMSG;
                n += n_fds;
        }
        return 0;
}

/* Made here, by who will be root in it: before 6.3 a tmpfs cannot be shown with other owners. */
static int room_make_layer(Room *room, Fault *fault)
{
        if (room->plan->storage != STORAGE_TMPFS)
                return 0;
        return layer_new_tmpfs(&room->plan->disk, room->trees[CHANNEL_TREE_LOWER],
                               room->options.has_user_namespace, &room->trees[CHANNEL_TREE_LAYER],
                               fault);
}

static int room_configure_network(Room *room, Fault *fault)
{
        size_t n_fds = 0;
        int r;

        if (!room->plan->has_addresses && !room->plan->interfaces)
                return 0;
        r = channel_expect(room->channel_fd, CHANNEL_NETWORK, NULL, &n_fds);
        return r < 0 || !room->plan->has_addresses ? r : room_network_configure(room->plan, fault);
}

static int room_write_names(Room *room, Fault *fault)
{
        return room_network_write_names(room->plan, room->root_fd, fault);
}

static int room_mount_root(Room *room, Fault *fault)
{
        return overlay_mount(room->trees[CHANNEL_TREE_LAYER], room->trees[CHANNEL_TREE_LOWER],
                             room->options.has_user_namespace, &room->root_fd, fault);
}

static int room_mount_proc(Room *room, Fault *fault)
{
        return api_attach(room->root_fd, "proc", room->proc_fd, fault);
}

static int room_mount_sys(Room *room, Fault *fault)
{
        return api_attach(room->root_fd, "sys", room->sys_fd, fault);
}

static int room_mount_dev(Room *room, Fault *fault)
{
        int r;

        r = dev_attach(&room->dev, room->nodes, room->root_fd, fault);
        if (r < 0)
                return r;
        /* Now, as long as nothing that the client asked for can lie over it. */
        r = in_root_open(room->root_fd, "/dev/null", O_RDWR | O_NOCTTY, &room->null_fd);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot open 'null': %m");
        return 0;
}

static int room_mount_run(Room *room, Fault *fault)
{
        return run_attach(&room->run, room->root_fd, fault);
}

static int room_mask(Room *room, Fault *fault)
{
        return mask_apply(room->proc_fd, room->sys_fd, room->nodes->fds[DEV_NULL],
                          room->run.host_fd, fault);
}

static int room_mount_extras(Room *room, Fault *fault)
{
        _drop_(drop_free) ExtraMount *extras = NULL;
        const Plan *plan = room->plan;
        size_t n = plan->n_bind_mounts + plan->n_tmpfs_mounts;
        int r;

        if (n == 0)
                return 0;
        extras = calloc(n, sizeof(*extras));
        if (!extras)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "no memory");
        extra_mounts_sort(plan->bind_mounts, plan->n_bind_mounts, plan->tmpfs_mounts,
                          plan->n_tmpfs_mounts, extras);
        for (size_t i = 0; i < n; i++) {
                if (extras[i].bind)
                        r = bind_attach(extras[i].bind, room->bind_fds[extras[i].index],
                                        room->root_fd, fault);
                else
                        r = tmpfs_attach(extras[i].tmpfs, room->root_fd, fault);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int room_finish_root(Room *room, Fault *fault)
{
        int r;

        if (!room->plan->is_read_only)
                return 0;
        r = mount_change(room->root_fd, 0, MOUNT_ATTR_RDONLY, -EBADF);
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "cannot make it read-only: %m") : 0;
}

static int room_pivot(Room *room, Fault *fault)
{
        return pivot_to_working_directory(fault);
}

/* From here on the filter holds: it allows what follows. */
static int room_filter(Room *room, Fault *fault)
{
        return seccomp_filter_install(&room->host->filter, fault);
}

/* What is in use stays until the exec, which the cgroup namespace needs. */
static int room_bound(Room *room, Fault *fault)
{
        return caps_bound(caps_default(room->options.has_user_namespace), fault);
}

/* -- after the gate -- */

static int room_wait_gate(Room *room, Fault *fault)
{
        return channel_wait_gate(room->channel_fd);
}

static int room_enter_cgroup(Room *room, Fault *fault)
{
        if (unshare(CLONE_NEWCGROUP) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "unshare: %m");
        return 0;
}

/* 0 to 2 are the container's own /dev/null, 3 is wshd's socket, and there is nothing else. */
static int room_arrange_fds(Room *room, Fault *fault)
{
        int socket_fd = room->trees[CHANNEL_TREE_SOCKET];

        /* Both are older than anything that could be in the way. */
        if (room->channel_fd <= WSHD_SOCKET_FD || room->host->program_fd <= WSHD_SOCKET_FD)
                return fault_set(fault, FAULT_FAILED, -EBADF, "started without standard streams");
        for (int fd = 0; fd < 3; fd++)
                if (dup2(room->null_fd, fd) < 0)
                        return fault_set(fault, FAULT_FAILED, -errno, "dup2: %m");
        if (socket_fd == WSHD_SOCKET_FD ? fd_set_cloexec(socket_fd, 0) < 0
                                        : dup2(socket_fd, WSHD_SOCKET_FD) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "dup2: %m");
        /* Here and not where it is bound: a client reads from the socket who listens, and the
         * daemon talks to nobody but the container's first process. */
        if (listen(WSHD_SOCKET_FD, WSHD_BACKLOG) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot listen: %m");
        if (sys_close_range(WSHD_SOCKET_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "close_range: %m");
        return 0;
}

static int room_execute(Room *room, Fault *fault)
{
        char uuid[sizeof("container_uuid=") + UUID_TEXT_MAX];
        char *argv[] = { (char[]){ "wshd" }, NULL };
        char *envp[] = {
                (char[]){ "container=warden" },
                uuid,
                (char[]){ "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
                NULL,
        };

        (void)snprintf(uuid, sizeof(uuid), "container_uuid=%s", room->uuid);
        umask(022);
        /* An ignored signal would stay ignored; all others are as they are by default. */
        (void)signal(SIGCHLD, SIG_DFL);
        (void)signal(SIGPIPE, SIG_DFL);
        execveat(room->host->program_fd, "", argv, envp, AT_EMPTY_PATH);
        return fault_set(fault, FAULT_FAILED, -errno, "execveat: %m");
}

typedef struct RoomStage {
        const char *name; /* in front of the fault */
        int (*run)(Room *room, Fault *fault);
} RoomStage;

static const RoomStage room_stages[] = {
        { "make namespaces", room_unshare },
        { "network device lo", room_raise_loopback },
        { "mount /proc", room_make_proc },
        { "mount /sys", room_make_sys },
        { "leave the host's mounts", room_leave_host },
        { "plan", room_receive_plan },
        { "become root", room_become_root },
        { "network", room_send_network },
        { "host name", room_set_hostname },
        { "mount /dev", room_make_dev },
        { "mount /run", room_make_run },
        { "receive the root", room_receive_trees },
        { "layer", room_make_layer },
        { "mount /", room_mount_root },
        { "write /etc", room_write_names },
        { "mount /proc", room_mount_proc },
        { "mount /sys", room_mount_sys },
        { "mount /dev", room_mount_dev },
        { "mount /run", room_mount_run },
        { "mask", room_mask },
        { "mount", room_mount_extras },
        { "mount /", room_finish_root },
        { "pivot", room_pivot },
        /* The worker makes the pair while this process mounts. */
        { "network", room_configure_network },
        { "system call filter", room_filter },
        { "capabilities", room_bound },
        { "descriptors", room_arrange_fds },
        { "gate", room_wait_gate },
        { "cgroup namespace", room_enter_cgroup },
        { "execute wshd", room_execute },
};

_noreturn_ void room_run(const Host *host, const ChildOptions *options, DevNodes *nodes,
                         int channel_fd)
{
        Room room = {
                .host = host,
                .options = *options,
                .channel_fd = channel_fd,
                .nodes = nodes,
                .proc_fd = -EBADF,
                .sys_fd = -EBADF,
                .packet = WORKER_PACKET_INIT,
                .dev = DEV_INIT,
                .run = RUN_INIT,
                .root_fd = -EBADF,
                .null_fd = -EBADF,
        };
        Fault fault = FAULT_INIT;

        for (size_t i = 0; i < ELEMENTSOF(room_stages); i++) {
                int r = room_stages[i].run(&room, &fault);

                if (r >= 0)
                        continue;
                /* The worker is gone, and with it everybody who would like to know. */
                if (r == -EPIPE && fault.kind == FAULT_NONE)
                        _exit(1);
                (void)fault_set(&fault, FAULT_FAILED, r, "%m");
                (void)fault_prefix(&fault, room_stages[i].name);
                channel_send_fault(channel_fd, &fault);
                _exit(1);
        }
        _exit(1); /* not reached: the last stage executes or fails */
}
