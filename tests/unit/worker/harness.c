/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "model/name.h"
#include "wire/plan-wire.h"
#include "harness.h"

#define WAIT_MSEC 10000

static int make_root(const char *path)
{
        static const char *const directories[] = { "bin", "etc", "usr", "tmp", "var", "srv" };
        int fd;

        if (mkdir(path, 0755) < 0)
                return -errno;
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                if (mkdirat(fd, directories[i], 0755) < 0)
                        return -errno;
        fd_close(fd);
        return 0;
}

int harness_launch(Harness *h, const char *worker, const char *init)
{
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        h->pid = fork();
        if (h->pid < 0)
                return -errno;
        if (h->pid == 0) {
                int fd = fcntl(ends[1], F_DUPFD, WORKER_FD + 1);

                if (dup2(fd, WORKER_FD) < 0)
                        _exit(1);
                (void)syscall(SYS_close_range, WORKER_FD + 1, ~0U, 0);
                execl(worker, worker, init, h->state, NULL);
                _exit(1);
        }
        fd_close(ends[1]);
        h->fd = ends[0];
        return 0;
}

int harness_make(Harness *h)
{
        const char *parent = getenv("TMPDIR");

        /* On a disk: memory cannot shift owners before Linux 6.3. */
        *h = (Harness){ .fd = -EBADF };
        (void)snprintf(h->directory, sizeof(h->directory), "%.40s/warden-worker-XXXXXX",
                       parent ? parent : "/var/tmp");
        if (!mkdtemp(h->directory))
                return -errno;
        (void)snprintf(h->state, sizeof(h->state), "%s/state", h->directory);
        (void)snprintf(h->runtime, sizeof(h->runtime), "%s/run", h->directory);
        (void)snprintf(h->root, sizeof(h->root), "%s/root", h->directory);
        if (mkdir(h->state, 0700) < 0 || mkdir(h->runtime, 0700) < 0)
                return -errno;
        return make_root(h->root);
}

int harness_start(Harness *h, const char *worker, const char *init)
{
        int r = harness_make(h);

        return r < 0 ? r : harness_launch(h, worker, init);
}

const char *harness_obstacle(void)
{
        if (geteuid() != 0)
                return "needs root";
        if (!getenv("WARDEN_TEST_WORKER") || !getenv("WARDEN_TEST_INIT"))
                return "WARDEN_TEST_WORKER and WARDEN_TEST_INIT name the programs";
        return NULL;
}

int harness_setup(void **state)
{
        Harness *h;

        *state = NULL;
        if (harness_obstacle()) {
                (void)printf("# skipped: %s\n", harness_obstacle());
                return 0;
        }
        h = malloc(sizeof(*h));
        if (!h)
                return -ENOMEM;
        *state = h;
        return harness_start(h, getenv("WARDEN_TEST_WORKER"), getenv("WARDEN_TEST_INIT"));
}

int harness_teardown(void **state)
{
        Harness *h = *state;
        int r = h ? harness_stop(h) : 0;

        free(h);
        return r;
}

char *harness_proc(const Made *made, const char *name)
{
        char path[128], *data;

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", made->pid, name);
        return io_read_file(AT_FDCWD, path, 64 << 10, &data, NULL) < 0 ? NULL : data;
}

int harness_stop(Harness *h)
{
        int status, r;

        h->fd = fd_close(h->fd);
        if (h->pid > 0)
                (void)waitpid(h->pid, &status, 0);
        r = io_remove_tree(AT_FDCWD, h->directory);
        /* A worker may still be deleting what we removed. */
        for (int i = 0; r < 0 && i < 100; i++) {
                (void)usleep(10000);
                r = io_remove_tree(AT_FDCWD, h->directory);
        }
        if (h->pid > 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
                return -ECHILD;
        return r;
}

Plan *harness_plan(Harness *h)
{
        ContainerSpec *spec = container_spec_new();
        char id[CONTAINER_ID_LENGTH + 1], path[160];
        Plan *plan = NULL;

        id_format(((uint64_t)getpid() << 20) + h->n_created++, id);
        if (!spec)
                abort();
        spec->root_directory = strdup(h->root);
        spec->hostname = strdup("inside");
        (void)snprintf(path, sizeof(path), "%s/containers/%s", h->runtime, id);
        if (plan_new(spec, id, HARNESS_UID_BASE, HARNESS_UID_COUNT, h->state, h->runtime, &plan) <
                    0 ||
            io_mkdir_parents(path, 0700) < 0)
                abort();
        container_spec_free(spec);
        return plan;
}

int harness_begin(Harness *h, const Plan *plan, Made *ret)
{
        _drop_(wire_writer_done) WireWriter w = WIRE_WRITER_INIT;
        WorkerMessage m = { .type = WORKER_CREATE };
        int ends[2], r;

        *ret = MADE_INIT;
        (void)snprintf(ret->runtime, sizeof(ret->runtime), "%s", plan->runtime_directory);
        (void)snprintf(ret->layer, sizeof(ret->layer), "%s", plan->layer_directory);
        r = plan_encode(plan, &w);
        if (r < 0)
                return r;
        m.blob = w.data;
        m.blob_size = w.size;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        r = worker_send(h->fd, &m, &ends[1], 1, 0);
        fd_close(ends[1]);
        ret->fd = ends[0];
        return r;
}

int harness_next(Made *made)
{
        _drop_(worker_packet_done) WorkerPacket packet = WORKER_PACKET_INIT;
        struct pollfd p = { .fd = made->fd, .events = POLLIN };
        int r;

        if (poll(&p, 1, WAIT_MSEC) <= 0)
                return -ETIMEDOUT;
        r = worker_receive(made->fd, &packet, 0);
        if (r <= 0)
                return r;
        if (packet.message.type == WORKER_CLONED) {
                if (packet.n_fds != 1)
                        return -EBADMSG;
                made->pid = (pid_t)packet.message.pid;
                made->pid_fd = take_fd(&packet.fds[0]);
        }
        made->last = packet.message;
        made->last.blob = NULL;
        return (int)packet.message.type;
}

int harness_open_gate(Made *made)
{
        const WorkerMessage gate = { .type = WORKER_GATE };

        return worker_send(made->fd, &gate, NULL, 0, 0);
}

int harness_create(Harness *h, const Plan *plan, Made *ret)
{
        int r = harness_begin(h, plan, ret);

        if (r < 0)
                return r;
        r = harness_next(ret);
        if (r != WORKER_CLONED)
                return r;
        r = harness_open_gate(ret);
        return r < 0 && r != -EPIPE ? r : harness_next(ret);
}

int harness_has_ended(int pid_fd)
{
        struct pollfd p = { .fd = pid_fd, .events = POLLIN };

        return poll(&p, 1, 5000) > 0;
}

void harness_end(Made *made)
{
        if (made->pid_fd >= 0) {
                (void)syscall(SYS_pidfd_send_signal, made->pid_fd, SIGKILL, NULL, 0);
                (void)harness_has_ended(made->pid_fd);
        }
        made->pid_fd = fd_close(made->pid_fd);
        made->fd = fd_close(made->fd);
}

int harness_remove(Harness *h, const Made *made)
{
        _drop_(wire_writer_done) WireWriter w = WIRE_WRITER_INIT;
        char *directories[] = { (char *)(uintptr_t)made->layer, (char *)(uintptr_t)made->runtime,
                                NULL };
        const RemoveRequest request = { directories };
        WorkerMessage m = { .type = WORKER_REMOVE };
        Made operation = MADE_INIT;
        int ends[2], r;

        r = remove_request_encode(&request, &w);
        if (r < 0)
                return r;
        m.blob = w.data;
        m.blob_size = w.size;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        r = worker_send(h->fd, &m, &ends[1], 1, 0);
        fd_close(ends[1]);
        operation.fd = ends[0];
        if (r >= 0)
                r = harness_next(&operation);
        fd_close(operation.fd);
        return r;
}

int harness_connect(const Made *made)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/wshd.sock",
                       made->runtime);
        if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
                int r = -errno;

                fd_close(fd);
                return r;
        }
        return fd < 0 ? -errno : fd;
}

int harness_ask(int fd, const char *command, char *reply, size_t size)
{
        struct pollfd p = { .fd = fd, .events = POLLIN };
        ssize_t n;

        if (send(fd, command, strlen(command), MSG_NOSIGNAL) < 0)
                return -errno;
        if (poll(&p, 1, WAIT_MSEC) <= 0)
                return -ETIMEDOUT;
        n = recv(fd, reply, size - 1, 0);
        if (n < 0)
                return -errno;
        reply[n] = 0;
        return (int)n;
}
