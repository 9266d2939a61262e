/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "rootfs/api.h"
#include "rootfs/bind.h"
#include "rootfs/overlay.h"
#include "rootfs/syscalls.h"
#include "worker/channel.h"
#include "worker/create.h"
#include "worker/storage.h"
#include "worker/network.h"
#include "worker/users.h"

#define WSHD_SOCKET "wshd.sock"

/* When a system call hangs, in a file system of a dead server for one, nobody looks at the clock:
 * then the kernel ends us, this much later, and the child by that. */
#define HANG_SEC 5
#define TIMEOUT_MAX_USEC (3600 * USEC_PER_SEC)

typedef struct Create {
        const Host *host;
        const WorkerPacket *packet;
        const Plan *plan;
        Child *spare;
        CreateIdleFunc on_idle;
        void *userdata;
        int client_fd;
        uint64_t deadline_usec;
        Child child;
        int source_fd; /* the root directory */
        Storage storage;
        int user_fd, runtime_fd;
        int trees[_CHANNEL_TREE_MAX];
        int *bind_fds;
        int has_socket, is_gate_open, is_childs_fault;
} Create;

ChildOptions create_child_options(const Plan *plan)
{
        return (ChildOptions){
                .has_user_namespace = plan->uid_count > 0,
                .has_network_namespace = plan->network == NETWORK_PRIVATE ||
                                         plan->network == NETWORK_NONE,
        };
}

static int create_open_root(Create *c, Fault *fault)
{
        const char *path = c->plan->root_directory;

        /* A link at the end is refused: who may change it later would choose the root of the next
         * start. */
        c->source_fd = sys_openat2(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW,
                                   RESOLVE_NO_MAGICLINKS);
        if (c->source_fd < 0)
                return fault_set(
                        fault, errno == ENOENT || errno == ENOTDIR ? FAULT_NOT_FOUND : FAULT_FAILED,
                        -errno, "cannot open '%.200s' (links are not followed): %m", path);
        return 0;
}

/* Before there is a child, which is in it from its beginning: to enter one later it would need
 * rights over somebody else's. */
static int create_join_network(Create *c, Fault *fault)
{
        if (!c->plan->network_target)
                return 0;
        return network_join(c->plan, &c->trees[CHANNEL_TREE_SYS], fault);
}

static int create_start_child(Create *c, Fault *fault)
{
        ChildOptions options = create_child_options(c->plan);
        WorkerMessage cloned = { .type = WORKER_CLONED };
        int r;

        if (c->spare->pid > 0 && child_options_equal(&c->spare->options, &options)) {
                c->child = *c->spare;
                *c->spare = CHILD_INIT;
        } else {
                const int unwanted[] = { c->client_fd, c->spare->channel_fd, c->spare->pid_fd };

                r = child_start(c->host, &options, unwanted, ELEMENTSOF(unwanted), &c->child,
                                fault);
                if (r < 0)
                        return r;
        }
        /* At once: the daemon asks systemd for the scope while we go on. */
        cloned.pid = (uint32_t)c->child.pid;
        r = worker_send(c->client_fd, &cloned, &c->child.pid_fd, 1, 0);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot report it: %m");
        return 0;
}

static int create_map_users(Create *c, Fault *fault)
{
        int r;

        if (c->plan->uid_count > 0) {
                r = users_map(c->host->proc_fd, c->child.pid, c->plan->uid_base, c->plan->uid_count,
                              &c->user_fd, fault);
                if (r < 0)
                        return r;
        }
        return worker_forward(c->child.channel_fd, c->packet);
}

static int create_open_layer(Create *c, Fault *fault)
{
        return storage_open(c->plan, c->source_fd, &c->storage, fault);
}

static void create_remove_layer(Create *c)
{
        storage_undo(c->plan, &c->storage);
}

static int create_mount_layers(Create *c, Fault *fault)
{
        int r;

        r = storage_mount(&c->storage, c->user_fd, &c->trees[CHANNEL_TREE_LAYER], fault);
        if (r < 0)
                return r;
        r = layer_mount(c->source_fd, 1, c->user_fd, &c->trees[CHANNEL_TREE_LOWER], fault);
        if (r < 0)
                return r;
        if (c->plan->network == NETWORK_HOST)
                return sys_copy(&c->trees[CHANNEL_TREE_SYS], fault);
        return 0;
}

/* The path of a socket is short (108 bytes), that of a directory is not; a worker does one thing
 * and may change its directory for it. The mode is set before the file exists. */
static int create_bind(Create *c, Fault *fault)
{
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = WSHD_SOCKET };
        _drop_(drop_fd) int fd = -EBADF;

        c->runtime_fd = open(c->plan->runtime_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (c->runtime_fd < 0 || fchdir(c->runtime_fd) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot open '%.200s': %m",
                                 c->plan->runtime_directory);
        if (unlinkat(c->runtime_fd, WSHD_SOCKET, 0) < 0 && errno != ENOENT)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot remove the old one: %m");
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd < 0 || fchmod(fd, 0600) < 0 ||
            bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot bind: %m");
        c->has_socket = 1;
        c->trees[CHANNEL_TREE_SOCKET] = take_fd(&fd);
        return 0;
}

static void create_remove_socket(Create *c)
{
        if (c->has_socket)
                (void)unlinkat(c->runtime_fd, WSHD_SOCKET, 0);
}

static int create_open_binds(Create *c, Fault *fault)
{
        const Plan *plan = c->plan;

        if (plan->n_bind_mounts == 0)
                return 0;
        c->bind_fds = malloc(plan->n_bind_mounts * sizeof(int));
        if (!c->bind_fds)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "no memory");
        for (size_t i = 0; i < plan->n_bind_mounts; i++)
                c->bind_fds[i] = -EBADF;
        for (size_t i = 0; i < plan->n_bind_mounts; i++) {
                int r = bind_open(&plan->bind_mounts[i], c->user_fd, &c->bind_fds[i], fault);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* As late as can be: the child mounts meanwhile, and wants its side of the network last. */
static int create_attach_network(Create *c, Fault *fault)
{
        _drop_(drop_fd) int netns_fd = -EBADF;
        int r;

        if (!c->plan->has_addresses && !c->plan->interfaces)
                return 0;
        r = channel_receive_network(c->child.channel_fd, &netns_fd, fault);
        if (r == CHANNEL_FAULT) {
                c->is_childs_fault = 1;
                return fault->error;
        }
        if (r >= 0)
                r = network_attach(c->plan, netns_fd, fault);
        return r < 0 ? r : channel_send(c->child.channel_fd, CHANNEL_NETWORK, NULL, 0);
}

static void create_undo_network(Create *c)
{
        network_undo(c->plan);
}

static int create_hand_over(Create *c, Fault *fault)
{
        int r;

        r = channel_send_trees(c->child.channel_fd, c->trees);
        for (size_t n = 0; r >= 0 && n < c->plan->n_bind_mounts;) {
                size_t n_fds = MIN2(c->plan->n_bind_mounts - n, (size_t)CHANNEL_BINDS_MAX);

                r = channel_send(c->child.channel_fd, CHANNEL_BINDS, c->bind_fds + n, n_fds);
                n += n_fds;
        }
        return r;
}

/* Returns 1 when wshd was executed, 0 to go on; negative errno. */
static int create_on_channel(Create *c, Fault *fault)
{
        int r = channel_receive(c->child.channel_fd, fault);

        switch (r) {
        case CHANNEL_READY:
                c->on_idle(c->userdata);
                return 0;
        case CHANNEL_FAULT:
                c->is_childs_fault = 1;
                return fault->error;
        case -EAGAIN:
                return 0;
        case 0:
                if (c->is_gate_open && !child_is_dead(&c->child))
                        return 1;
                return fault_set(fault, FAULT_FAILED, -ESRCH, "the container's process was killed");
        default:
                return fault_set(fault, FAULT_FAILED, r, "cannot hear the child: %m");
        }
}

static int create_on_client(Create *c, Fault *fault)
{
        _drop_(worker_packet_done) WorkerPacket packet = WORKER_PACKET_INIT;
        int r;

        r = worker_receive(c->client_fd, &packet, MSG_DONTWAIT);
        if (r == -EAGAIN)
                return 0;
        if (r == 0)
                return fault_set(fault, FAULT_FAILED, -ECANCELED, "the daemon took it back");
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot hear the daemon: %m");
        if (packet.message.type != WORKER_GATE || c->is_gate_open)
                return fault_set(fault, FAULT_FAILED, -EBADMSG, "unexpected message");
        c->is_gate_open = 1;
        return channel_send(c->child.channel_fd, CHANNEL_GATE, NULL, 0);
}

static int create_wait(Create *c, Fault *fault)
{
        struct pollfd p[] = {
                { .fd = c->child.channel_fd, .events = POLLIN },
                { .fd = c->client_fd, .events = POLLIN },
        };
        int r;

        for (;;) {
                uint64_t now = io_now_monotonic_usec();
                uint64_t left_msec = now < c->deadline_usec ? (c->deadline_usec - now) / 1000 : 0;

                r = poll(p, ELEMENTSOF(p), (int)MIN2(left_msec + 1, (uint64_t)INT32_MAX));
                if (r < 0 && errno != EINTR)
                        return fault_set(fault, FAULT_FAILED, -errno, "poll: %m");
                if (r == 0)
                        return fault_set(fault, FAULT_TIMED_OUT, -ETIMEDOUT,
                                         c->is_gate_open ? "PID 1 was not executed in time"
                                                         : "nobody opened the gate in time");
                if (r > 0 && p[0].revents) {
                        r = create_on_channel(c, fault);
                        if (r != 0)
                                return r < 0 ? r : 0;
                } else if (r > 0 && p[1].revents) {
                        r = create_on_client(c, fault);
                        if (r < 0)
                                return r;
                }
        }
}

static int create_report(Create *c, Fault *fault)
{
        const WorkerMessage done = { .type = WORKER_DONE };
        int r = worker_send(c->client_fd, &done, NULL, 0, 0);

        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "cannot report it: %m") : 0;
}

typedef struct CreateStage {
        const char *name; /* in front of the fault */
        int (*run)(Create *c, Fault *fault);
        void (*undo)(Create *c); /* also of a run that failed half-way */
} CreateStage;

static const CreateStage create_stages[] = {
        { "root directory", create_open_root, NULL },
        { "join the network", create_join_network, NULL },
        { "start the container's process", create_start_child, NULL },
        { "user namespace", create_map_users, NULL },
        { "layer", create_open_layer, create_remove_layer },
        { "mount /", create_mount_layers, NULL },
        { "socket", create_bind, create_remove_socket },
        { "mount", create_open_binds, NULL },
        { "hand over", create_hand_over, NULL },
        { "network", create_attach_network, create_undo_network },
        { "finish", create_wait, NULL },
        { "finish", create_report, NULL },
};

/* Of two reasons the child's is the better one: what fails here after it ended, fails since it
 * ended. */
static void create_settle_fault(Create *c, const char *stage, int error, Fault *fault)
{
        Fault childs = FAULT_INIT;
        int r;

        if (c->is_childs_fault)
                return;
        do
                r = c->child.pid > 0 ? channel_receive(c->child.channel_fd, &childs) : 0;
        while (r == CHANNEL_READY);
        if (r == CHANNEL_FAULT) {
                *fault = childs;
                return;
        }
        (void)fault_set(fault, FAULT_FAILED, error, "%m");
        (void)fault_prefix(fault, stage);
}

/* The process first: it holds what the others made. */
static void create_undo(Create *c, size_t n_stages)
{
        child_kill(&c->child);
        while (n_stages-- > 0)
                if (create_stages[n_stages].undo)
                        create_stages[n_stages].undo(c);
}

static int create_run_stages(Create *c, Fault *fault)
{
        for (size_t i = 0; i < ELEMENTSOF(create_stages); i++) {
                int r = create_stages[i].run(c, fault);

                if (r >= 0)
                        continue;
                create_settle_fault(c, create_stages[i].name, r, fault);
                create_undo(c, i + 1);
                return r;
        }
        return 0;
}

/* Descriptors end with the process: a worker does one operation. */
int create_run(const Host *host, int client_fd, const WorkerPacket *packet, const Plan *plan,
               Child *spare, CreateIdleFunc on_idle, void *userdata)
{
        uint64_t timeout_usec = MIN2(plan->timeout_usec, TIMEOUT_MAX_USEC);
        WorkerMessage failed = { .type = WORKER_FAILED, .fault = FAULT_INIT };
        Create c = {
                .host = host,
                .packet = packet,
                .plan = plan,
                .spare = spare,
                .on_idle = on_idle,
                .userdata = userdata,
                .client_fd = client_fd,
                .deadline_usec = io_now_monotonic_usec() + timeout_usec,
                .child = CHILD_INIT,
                .source_fd = -EBADF,
                .storage = STORAGE_INIT,
                .user_fd = -EBADF,
                .runtime_fd = -EBADF,
                .trees = { -EBADF, -EBADF, -EBADF, -EBADF },
        };
        struct itimerval hang = {
                .it_value.tv_sec = (time_t)(timeout_usec / USEC_PER_SEC) + HANG_SEC,
        };
        int r;

        (void)setitimer(ITIMER_REAL, &hang, NULL);
        r = create_run_stages(&c, &failed.fault);
        if (r < 0)
                (void)worker_send(client_fd, &failed, NULL, 0, 0);
        return r;
}
