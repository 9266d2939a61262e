/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Speaks as the resident worker program does (wire/worker-message.h), and makes a "container" of
 * the real wshd in new user, mount and pid namespaces, with the host's root: enough for everything
 * that the daemon sees. What goes wrong is told by the file that $WARDEN_FAKE_WORKER names; it is
 * read for every operation and holds one word:
 *
 *     ok                 (also when there is no such file)
 *     fail-clone         FAILED instead of CLONED
 *     fail-early         FAILED after CLONED, without waiting for the gate
 *     fail-late          FAILED after the gate
 *     hang-clone         never CLONED           these three end when the daemon closes its end, and
 *     hang-early         never asks the gate    undo what they made, as the real one does
 *     hang-late          the gate, never DONE
 *     crash-clone        dies before CLONED     these three undo nothing
 *     crash-early        dies after CLONED
 *     crash-late         dies after the gate
 *     deaf               DONE, but what was executed never answers
 *     dead               DONE, but what was executed has ended at once
 *     fail-remove        FAILED as the answer to REMOVE
 *     hang-remove        no answer to REMOVE
 *
 *     fail-freeze        FAILED as the answer to FREEZE, after the group was frozen
 *     hang-freeze        no answer to FREEZE
 *
 * Where $WARDEN_FAKE_CGROUP names a folder that wardend has for /sys/fs/cgroup, the container is in
 * the group that a real one would be in, and FREEZE writes to the freezer there.
 *
 * It is warden-firewall as well, and changes nothing:
 *     fail-firewall      FAILED as the answer to FIREWALL
 *     hang-firewall
 *     fail-cut           FAILED as the answer to a FIREWALL_CUT
 *     no-tables          the first FIREWALL_FORWARD is told that there are no tables
 *     taken-port         port 61001 is a process's */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "wire/firewall-counters.h"
#include "wire/firewall-message.h"
#include "wire/plan-wire.h"
#include "wire/worker-socket.h"

typedef struct Operation {
        int fd;
        char mode[32];
        Plan *plan;
        const char *wshd;
        pid_t pid;
        int pidfd;
        int gate_fd; /* a byte lets the child go on */
} Operation;

static void read_mode(char *ret, size_t size)
{
        const char *path = getenv("WARDEN_FAKE_WORKER");
        _drop_(drop_free) char *text = NULL;

        (void)snprintf(ret, size, "ok");
        if (path && io_read_file(AT_FDCWD, path, 64, &text, NULL) >= 0) {
                text[strcspn(text, "\n")] = 0;
                (void)snprintf(ret, size, "%s", text);
        }
}

static int is_mode(const Operation *op, const char *mode)
{
        return strcmp(op->mode, mode) == 0;
}

static void socket_path(const Operation *op, char *path, size_t size)
{
        (void)snprintf(path, size, "%s/wshd.sock", op->plan->runtime_directory);
}

static int listen_for_wshd(const Operation *op)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd;

        socket_path(op, address.sun_path, sizeof(address.sun_path));
        (void)unlink(address.sun_path);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            listen(fd, 16) < 0)
                return -errno;
        return fd;
}

/* Its own terminals; what else a container has, the host's root has as well. */
static int mount_devpts(void)
{
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                  "newinstance,ptmxmode=0666,mode=0620") < 0)
                return -errno;
        return 0;
}

static int become_root(void)
{
        if (setgroups(0, NULL) < 0 && errno != EPERM)
                return -errno;
        if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return -errno;
        return mount_devpts();
}

/* In the child: listens itself, so that SO_PEERCRED names it, says so, then waits for the gate,
 * which opens when its users are mapped. */
static void child_run(const Operation *op, int gate_fd)
{
        char *argv[] = { (char *)"wshd", NULL }, byte = 'r';
        int fd, null_fd, program_fd;

        fd = listen_for_wshd(op);
        null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        program_fd = open(op->wshd, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || null_fd < 0 || program_fd < 0 || write(gate_fd, &byte, 1) != 1 ||
            read(gate_fd, &byte, 1) != 1)
                _exit(1);
        if (is_mode(op, "dead"))
                _exit(0);
        if (is_mode(op, "deaf")) {
                for (;;)
                        (void)pause();
        }
        if (become_root() < 0)
                _exit(1);
        for (int i = 0; i < 3; i++)
                (void)dup2(null_fd, i);
        if (fd == 3)
                (void)fd_set_cloexec(fd, 0);
        else
                (void)dup2(fd, 3);
        (void)fexecve(program_fd, argv, argv + 1);
        _exit(1);
}

static int write_proc(pid_t pid, const char *name, const char *text)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
        return io_write_string(AT_FDCWD, path, text);
}

static int map_users(const Operation *op)
{
        char map[64];
        int is_root = geteuid() == 0;
        int r = 0;

        (void)snprintf(map, sizeof(map), "0 %u %u\n", is_root ? op->plan->uid_base : geteuid(),
                       is_root ? op->plan->uid_count : 1);
        if (!is_root)
                r = write_proc(op->pid, "setgroups", "deny");
        if (r >= 0)
                r = write_proc(op->pid, "uid_map", map);
        if (r >= 0 && !is_root)
                (void)snprintf(map, sizeof(map), "0 %u 1\n", getegid());
        return r < 0 ? r : write_proc(op->pid, "gid_map", map);
}

static int clone_child(Operation *op)
{
        int pair[2];
        int flags = CLONE_NEWPID | CLONE_NEWNS;
        char byte;
        long pid;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        if (op->plan->uid_count > 0)
                flags |= CLONE_NEWUSER;
        pid = syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, NULL, &op->pidfd, NULL, 0);
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                fd_close(pair[1]);
                child_run(op, pair[0]);
        }
        fd_close(pair[0]);
        op->gate_fd = pair[1];
        op->pid = (pid_t)pid;
        if (read(op->gate_fd, &byte, 1) != 1)
                return -ECHILD;
        return op->plan->uid_count > 0 ? map_users(op) : 0;
}

static void undo(Operation *op)
{
        char path[PATH_MAX];

        if (op->pid <= 0)
                return;
        (void)kill(op->pid, SIGKILL);
        (void)waitpid(op->pid, NULL, 0);
        socket_path(op, path, sizeof(path));
        (void)unlink(path);
}

static int fail(Operation *op, int error, const char *text)
{
        WorkerMessage m = { .type = WORKER_FAILED, .fault = FAULT_INIT };

        (void)fault_set(&m.fault, FAULT_FAILED, error, "%s", text);
        undo(op);
        (void)worker_send(op->fd, &m, NULL, 0, 0);
        return 1;
}

/* Until the daemon gives up, or ends. */
static int hang(Operation *op)
{
        struct pollfd p = { .fd = op->fd };

        while (!(p.revents & POLLHUP))
                (void)poll(&p, 1, -1);
        undo(op);
        return 1;
}

/* Returns 1 when the mode ended the operation at this @point. */
static int misbehave(Operation *op, const char *point)
{
        char name[32], text[64];

        (void)snprintf(name, sizeof(name), "crash-%s", point);
        if (is_mode(op, name))
                _exit(3);
        (void)snprintf(name, sizeof(name), "hang-%s", point);
        if (is_mode(op, name))
                return hang(op);
        (void)snprintf(name, sizeof(name), "fail-%s", point);
        (void)snprintf(text, sizeof(text), "fake: failed as told, %s", point);
        return is_mode(op, name) ? fail(op, -EIO, text) : 0;
}

static int await_gate(Operation *op)
{
        _drop_(worker_packet_done) WorkerPacket packet = WORKER_PACKET_INIT;
        int r = worker_receive(op->fd, &packet, 0);

        return r == 1 && packet.message.type == WORKER_GATE;
}

/* Writes down what it was to do. */
static void note_bandwidth(const char *what, const BandwidthLimits *limits)
{
        char path[PATH_MAX];
        FILE *f;

        if (!limits->set)
                return;
        (void)snprintf(path, sizeof(path), "%s.bandwidth", getenv("WARDEN_FAKE_WORKER"));
        f = fopen(path, "ae");
        if (!f)
                return;
        (void)fputs(what, f);
        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX; i++)
                if (bandwidth_limits_has(limits, (BandwidthDirection)i))
                        (void)fprintf(f, " %s=%" PRIu64 ":%" PRIu64,
                                      bandwidth_direction_to_string((BandwidthDirection)i),
                                      limits->of[i].rate, limits->of[i].burst);
        (void)fputs("\n", f);
        (void)fclose(f);
}

static int limit_bandwidth(Operation *op, const WorkerMessage *m)
{
        BandwidthRequest request;

        if (misbehave(op, "bandwidth"))
                return 1;
        if (bandwidth_request_decode(m->blob, m->blob_size, &request) < 0)
                return fail(op, -EBADMSG, "fake: cannot read the request");
        note_bandwidth("set", &request.limits);
        return worker_send(op->fd, &(WorkerMessage){ .type = WORKER_DONE }, NULL, 0, 0);
}

static int write_text(const char *path, const char *text)
{
        FILE *f = fopen(path, "we");
        int r;

        if (!f)
                return -errno;
        r = fputs(text, f) < 0 ? -EIO : 0;
        return fclose(f) != 0 ? -errno : r;
}

/* The kernel's files of a group, as far as the daemon reads or writes them without being asked. */
static int make_group(const char *top, const char *controller, const char *group, const char *file,
                      const char *text)
{
        char path[PATH_MAX];
        int r;

        (void)snprintf(path, sizeof(path), "%s/%s%s", top, controller, group);
        r = io_mkdir_parents(path, 0755);
        if (r < 0 || !file)
                return r;
        (void)snprintf(path, sizeof(path), "%s/%s%s/%s", top, controller, group, file);
        return access(path, F_OK) == 0 ? 0 : write_text(path, text);
}

/* /proc/PID/cgroup is what the daemon believes: in our mount namespace, which is its own, another
 * file lies there. It goes with the process. */
static int enter_group(const Operation *op)
{
        const char *top = getenv("WARDEN_FAKE_CGROUP");
        char group[128], path[PATH_MAX], text[256], target[64];
        int r;

        if (!top)
                return 0;
        (void)snprintf(group, sizeof(group), "/warden.slice/warden-%s.scope", op->plan->id);
        r = make_group(top, "systemd", group, NULL, NULL);
        if (r >= 0)
                r = make_group(top, "freezer", group, "freezer.state", "THAWED");
        if (r >= 0)
                r = make_group(top, "memory", group, "memory.oom_control",
                               "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
        if (r >= 0)
                r = make_group(top, "memory", group, "cgroup.event_control", "");
        if (r < 0)
                return r;
        (void)snprintf(path, sizeof(path), "%s/of-%d", top, (int)op->pid);
        (void)snprintf(text, sizeof(text), "1:name=systemd:%s\n", group);
        (void)snprintf(target, sizeof(target), "/proc/%d/cgroup", (int)op->pid);
        r = write_text(path, text);
        return r < 0 ? r : mount(path, target, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

static int create(Operation *op)
{
        WorkerMessage cloned = { .type = WORKER_CLONED };
        int r;

        if (misbehave(op, "clone"))
                return 1;
        note_bandwidth("plan", &op->plan->bandwidth);
        r = clone_child(op);
        if (r < 0)
                return fail(op, r, "fake: cannot clone");
        r = enter_group(op);
        if (r < 0)
                return fail(op, r, "fake: cannot enter a group");
        cloned.pid = (uint32_t)op->pid;
        r = worker_send(op->fd, &cloned, &op->pidfd, 1, 0);
        if (r < 0)
                return fail(op, r, "fake: cannot send");
        if (misbehave(op, "early"))
                return 1;
        if (!await_gate(op)) {
                undo(op);
                return 1;
        }
        if (misbehave(op, "late"))
                return 1;
        if (write(op->gate_fd, "g", 1) != 1)
                return fail(op, -EIO, "fake: the child is gone");
        return worker_send(op->fd, &(WorkerMessage){ .type = WORKER_DONE }, NULL, 0, 0);
}

static int remove_all(Operation *op, const WorkerMessage *m)
{
        RemoveRequest request;

        if (misbehave(op, "remove"))
                return 1;
        if (remove_request_decode(m->blob, m->blob_size, &request) < 0)
                return fail(op, -EBADMSG, "fake: cannot read the request");
        for (char **p = request.directories; p && *p; p++)
                (void)io_remove_tree(AT_FDCWD, *p);
        remove_request_done(&request);
        return worker_send(op->fd, &(WorkerMessage){ .type = WORKER_DONE }, NULL, 0, 0);
}

static int return_interfaces(Operation *op, const WorkerMessage *m)
{
        RemoveRequest request;

        if (misbehave(op, "return"))
                return 1;
        if (remove_request_decode(m->blob, m->blob_size, &request) < 0 || !request.interfaces)
                return fail(op, -EBADMSG, "fake: cannot read the request");
        remove_request_done(&request);
        return worker_send(op->fd, &(WorkerMessage){ .type = WORKER_DONE }, NULL, 0, 0);
}

static int firewall_fail(Operation *op, FaultKind kind, int error, const char *text)
{
        WorkerMessage m = { .type = WORKER_FAILED, .fault = FAULT_INIT };

        (void)fault_set(&m.fault, kind, error, "%s", text);
        return worker_send(op->fd, &m, NULL, 0, 0);
}

/* A rule has counted ten times its number. */
static int firewall_count(Operation *op, FirewallRequest *request)
{
        FirewallCounters counters = { .refused = { 3, 300 }, .forged = { 1, 90 } };
        _drop_(wire_writer_done) WireWriter w = WIRE_WRITER_INIT;
        WorkerMessage m = { .type = WORKER_DONE };
        const FirewallContainer *c = &request->containers[0];

        for (size_t i = 0; i < c->n_rules; i++)
                counters.rules[c->rules[i].number - 1].packets = (uint64_t)10 * c->rules[i].number;
        firewall_request_done(request);
        if (firewall_counters_encode(&counters, &w) < 0)
                return -ENOMEM;
        m.blob = w.data;
        m.blob_size = w.size;
        return worker_send(op->fd, &m, NULL, 0, 0);
}

/* A line for each: what containers come and go with, a move, and with how many others a cut is. */
static void note_segments(const FirewallRequest *request)
{
        static const char *const words[_FIREWALL_ACTION_MAX] = {
                [FIREWALL_ADD] = "add", [FIREWALL_REMOVE] = "remove",   [FIREWALL_SEGMENT] = "move",
                [FIREWALL_CUT] = "cut", [FIREWALL_REBUILD] = "rebuild",
        };
        char path[PATH_MAX];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s.segments", getenv("WARDEN_FAKE_WORKER"));
        f = words[request->action] ? fopen(path, "ae") : NULL;
        if (!f)
                return;
        (void)fprintf(f, "%s", words[request->action]);
        for (size_t i = 0; i < request->n_containers; i++)
                (void)fprintf(f, " %u>%u", request->containers[i].segment_before,
                              request->containers[i].segment);
        (void)fputc('\n', f);
        (void)fclose(f);
}

static int firewall(Operation *op, const WorkerMessage *m)
{
        FirewallRequest request;
        char path[PATH_MAX];

        if (misbehave(op, "firewall"))
                return 1;
        if (firewall_request_decode(m->blob, m->blob_size, &request) < 0)
                return fail(op, -EBADMSG, "fake: cannot read the request");
        /* Once, whichever process it is. */
        (void)snprintf(path, sizeof(path), "%s.tables", getenv("WARDEN_FAKE_WORKER"));
        if (is_mode(op, "no-tables") && request.action == FIREWALL_FORWARD &&
            mkdir(path, 0700) == 0)
                return firewall_fail(op, FAULT_FAILED, -ENOENT, "fake: no tables");
        if (is_mode(op, "taken-port") && request.action == FIREWALL_FORWARD &&
            request.containers[0].forwards[0].host_port == 61001)
                return firewall_fail(op, FAULT_IN_USE, -EADDRINUSE, "fake: the port is taken");
        if (is_mode(op, "fail-cut") && request.action == FIREWALL_CUT)
                return firewall_fail(op, FAULT_NOT_SUPPORTED, -EOPNOTSUPP, "fake: cannot cut");
        note_segments(&request);
        if (request.action == FIREWALL_COUNT)
                return firewall_count(op, &request);
        firewall_request_done(&request);
        return worker_send(op->fd, &(WorkerMessage){ .type = WORKER_DONE }, NULL, 0, 0);
}

static int freeze(Operation *op, const WorkerMessage *m)
{
        const char *top = getenv("WARDEN_FAKE_CGROUP");
        FreezeRequest request;
        char path[PATH_MAX];
        int r;

        if (is_mode(op, "hang-freeze"))
                return hang(op);
        if (freeze_request_decode(m->blob, m->blob_size, &request) < 0)
                return fail(op, -EBADMSG, "fake: cannot read the request");
        (void)snprintf(path, sizeof(path), "%s/freezer%s/freezer.state", top ? top : "",
                       request.control_group);
        freeze_request_done(&request);
        r = write_text(path, "FROZEN");
        if (r < 0)
                return fail(op, r, "fake: cannot freeze");
        if (misbehave(op, "freeze"))
                return 1;
        return worker_send(op->fd, &(WorkerMessage){ .type = WORKER_DONE }, NULL, 0, 0);
}

/* A line in PATH-OF-THE-MODE.settled */
static int settle(Operation *op)
{
        char path[PATH_MAX];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s.settled", getenv("WARDEN_FAKE_WORKER"));
        f = fopen(path, "ae");
        if (!f || fputs("settled\n", f) < 0 || fclose(f) != 0)
                return fail(op, -EIO, "fake: cannot settle");
        return worker_send(op->fd, &(WorkerMessage){ .type = WORKER_DONE }, NULL, 0, 0);
}

static void operate(WorkerPacket *packet, const char *wshd)
{
        Operation op = { .fd = packet->fds[0], .wshd = wshd, .pidfd = -EBADF, .gate_fd = -EBADF };
        const WorkerMessage *m = &packet->message;
        static char empty[] = "";
        Plan none = { .runtime_directory = empty };

        (void)signal(SIGCHLD, SIG_DFL);
        read_mode(op.mode, sizeof(op.mode));
        op.plan = &none;
        if (m->type == WORKER_REMOVE)
                _exit(remove_all(&op, m) < 0);
        if (m->type == WORKER_RETURN)
                _exit(return_interfaces(&op, m) < 0);
        if (m->type == WORKER_BANDWIDTH)
                _exit(limit_bandwidth(&op, m) < 0);
        if (m->type == WORKER_FREEZE)
                _exit(freeze(&op, m) < 0);
        if (m->type == WORKER_SETTLE)
                _exit(settle(&op) < 0);
        if (m->type == WORKER_FIREWALL)
                _exit(firewall(&op, m) < 0);
        if (plan_decode(m->blob, m->blob_size, &op.plan) < 0)
                _exit(fail(&op, -EBADMSG, "fake: cannot read the plan"));
        _exit(create(&op) < 0);
}

/* usage: fake-worker WSHD STATE_DIRECTORY RUNTIME_DIRECTORY */
int main(int argc, char *argv[])
{
        (void)signal(SIGCHLD, SIG_IGN);
        (void)signal(SIGPIPE, SIG_IGN);
        for (;;) {
                WorkerPacket packet = WORKER_PACKET_INIT;
                int r = worker_receive(WORKER_FD, &packet, 0);

                if (r <= 0)
                        return r < 0;
                if (packet.n_fds == 1 && fork() == 0) {
                        fd_close(WORKER_FD);
                        operate(&packet, argc > 1 ? argv[1] : NULL);
                }
                worker_packet_done(&packet);
        }
}
