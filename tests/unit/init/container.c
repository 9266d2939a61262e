/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "container.h"

#define PATIENCE_MSEC 60000 /* generous: valgrind is slow, and so is a busy machine */

static void pause_msec(long msec)
{
        (void)nanosleep(&(struct timespec){ .tv_nsec = msec * 1000000 }, NULL);
}

static int write_file(const char *path, const char *text)
{
        _drop_(drop_fd) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

        if (fd < 0)
                return -errno;
        return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -errno;
}

static int write_proc(pid_t pid, const char *name, const char *text)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
        return write_file(path, text);
}

/* All ids as they are, which root may; or only our own, which everybody may. Returns whether it is
 * all; negative errno. */
static int map_ids(pid_t pid)
{
        char text[64];
        int r;

        if (write_proc(pid, "uid_map", "0 0 65536") >= 0)
                return write_proc(pid, "gid_map", "0 0 65536") >= 0 ? 1 : -EPERM;
        (void)snprintf(text, sizeof(text), "0 %u 1", (unsigned)getuid());
        r = write_proc(pid, "uid_map", text);
        if (r < 0)
                return r;
        (void)snprintf(text, sizeof(text), "0 %u 1", (unsigned)getgid());
        r = write_proc(pid, "setgroups", "deny");
        return r < 0 ? r : write_proc(pid, "gid_map", text);
}

/* Inside, before exec. Returns the line it failed at, for the exit code. */
static int prepare_root(void)
{
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return __LINE__;
        if (mount("proc", "/proc", "proc", 0, NULL) < 0)
                return __LINE__;
        if (mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=620") < 0)
                return __LINE__;
        if (mount("tmpfs", "/etc", "tmpfs", 0, "mode=755") < 0)
                return __LINE__;
        if (mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755") < 0)
                return __LINE__;
        if (write_file("/etc/passwd", "root:x:0:0::/mnt:/bin/sh\n"
                                      "vcap:x:1000:1001::/mnt:/bin/bash\n"
                                      "lost:x:0:0::/nowhere:/bin/sh\n") < 0)
                return __LINE__;
        if (write_file("/etc/group", "root:x:0:\nvcap:x:1001:\nstaff:x:50:vcap\n") < 0)
                return __LINE__;
        return 0;
}

/* With WSHD_WRAPPER, words of a command to run it under: valgrind. */
static _noreturn_ void exec_wshd(const ContainerOptions *options)
{
        char *wrapper = getenv("WSHD_WRAPPER"), *program = getenv("WSHD");
        char grace[64], *argv[16];
        char *environment[] = { (char *)"container=warden", grace, NULL };
        size_t n = 0;

        (void)snprintf(grace, sizeof(grace), "WSHD_GRACE_USEC=%llu",
                       (unsigned long long)options->grace_usec);
        if (options->grace_usec == 0)
                environment[1] = NULL;
        for (char *s = wrapper ? strtok(wrapper, " ") : NULL; s && n < ELEMENTSOF(argv) - 2;
             s = strtok(NULL, " "))
                argv[n++] = s;
        argv[n] = n > 0 ? program : (char *)"wshd";
        n++;
        argv[n] = NULL;
        execve(wrapper ? argv[0] : program, argv, environment);
        _exit(100);
}

static int set_nofile(const ContainerOptions *options)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return -errno;
        if (options->nofile > 0)
                limit.rlim_cur = limit.rlim_max = (rlim_t)options->nofile;
        if (options->nofile_soft > 0)
                limit.rlim_cur = (rlim_t)options->nofile_soft;
        return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

static _noreturn_ void run_inside(const ContainerOptions *options, int gate_fd, int socket_fd)
{
        char byte;
        int r;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (read(gate_fd, &byte, 1) != 1)
                _exit(101);
        r = prepare_root();
        if (r > 0)
                _exit(102);
        if (set_nofile(options) < 0)
                _exit(103);
        for (int i = 0; i < 3; i++)
                (void)dup2(open("/dev/null", O_RDWR | O_CLOEXEC), i);
        if (socket_fd == 3)
                (void)fd_set_cloexec(3, 0);
        else
                (void)dup2(socket_fd, 3);
        exec_wshd(options);
}

static pid_t clone_inside(void)
{
        return (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, NULL,
                              NULL, NULL, NULL);
}

/* Returns what such a process could be had with: 1 all ids, 0 one; negative errno: not at all. */
static int container_probe(void)
{
        pid_t pid = clone_inside();
        int r;

        if (pid < 0)
                return -errno;
        if (pid == 0) {
                (void)pause();
                _exit(0);
        }
        r = map_ids(pid);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return r;
}

int container_run_cases(const char *group, const ContainerCase *cases, size_t n_cases)
{
        struct CMUnitTest tests[64];
        int has_ids = container_probe();
        size_t n = 0;

        if (has_ids < 0) {
                printf("1..0 # SKIP user namespaces are not available: %s\n", strerror(-has_ids));
                return 0;
        }
        for (size_t i = 0; i < n_cases && n < ELEMENTSOF(tests); i++)
                if (cases[i].needs & NEEDS_IDS && !has_ids)
                        printf("# left out, only one uid is mapped: %s\n", cases[i].test.name);
                else if (cases[i].needs & NEEDS_NO_TOOL && container_is_wrapped())
                        printf("# left out under a tool: %s\n", cases[i].test.name);
                else
                        tests[n++] = cases[i].test;
        (void)fflush(stdout);
        return _cmocka_run_group_tests(group, tests, n, NULL, NULL);
}

static int bind_socket(Container *container)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char directory[] = "/tmp/wshd-test-XXXXXX";
        int fd;

        assert_non_null(mkdtemp(directory));
        (void)snprintf(container->path, sizeof(container->path), "%s/socket", directory);
        memcpy(address.sun_path, container->path, sizeof(container->path));
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

static void unbind_socket(Container *container)
{
        (void)unlink(container->path);
        *strrchr(container->path, '/') = 0;
        (void)rmdir(container->path);
}

Container *container_new(const ContainerOptions *options)
{
        static const ContainerOptions defaults = { 0 };
        Container *container = calloc(1, sizeof(*container));
        int gate[2], socket_fd, r;

        assert_non_null(container);
        assert_non_null(getenv("WSHD"));
        assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
        socket_fd = bind_socket(container);
        container->pid = (pid_t)syscall(SYS_clone,
                                        CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, NULL,
                                        NULL, NULL, NULL);
        if (container->pid == 0)
                run_inside(options ?: &defaults, gate[0], socket_fd);
        r = container->pid < 0 ? -errno : map_ids(container->pid);
        fd_close(socket_fd);
        fd_close(gate[0]);
        if (r >= 0 && write(gate[1], "", 1) != 1)
                r = -errno;
        fd_close(gate[1]);
        if (r < 0)
                fail_msg("no namespaces: %s", strerror(-r));
        return container;
}

Container *container_free(Container *container)
{
        if (container->pid > 0) {
                (void)kill(container->pid, SIGKILL);
                (void)waitpid(container->pid, NULL, 0);
        }
        unbind_socket(container);
        free(container);
        return NULL;
}

int container_setup(void **state)
{
        *state = container_new(NULL);
        return 0;
}

/* A test that went well has left PID 1 alive, unless it waited for its end itself. */
int container_teardown(void **state)
{
        Container *container = *state;
        int is_dead = container->pid > 0 && waitpid(container->pid, NULL, WNOHANG) != 0;

        if (is_dead)
                container->pid = 0;
        container_free(container);
        return is_dead ? -1 : 0;
}

int container_wait(Container *container)
{
        int status;

        for (int i = 0; i < PATIENCE_MSEC / 5; i++) {
                if (waitpid(container->pid, &status, WNOHANG) == container->pid) {
                        container->pid = 0;
                        return status;
                }
                pause_msec(5);
        }
        fail_msg("PID 1 does not end");
        return -1;
}

size_t container_count_fds(const Container *container)
{
        char path[64];
        size_t n = 0;
        DIR *d;

        (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)container->pid);
        d = opendir(path);
        assert_non_null(d);
        while (readdir(d))
                n++;
        (void)closedir(d);
        return n - 2;
}

void container_expect_fds(const Container *container, size_t n)
{
        for (int i = 0; container_count_fds(container) != n && i < PATIENCE_MSEC / 5; i++)
                pause_msec(5);
        assert_int_equal(container_count_fds(container), n);
}

size_t container_count_children(const Container *container)
{
        char path[64], text[65536];
        size_t n = 0;
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)container->pid,
                       (int)container->pid);
        f = fopen(path, "re");
        assert_non_null(f);
        text[fread(text, 1, sizeof(text) - 1, f)] = 0;
        (void)fclose(f);
        for (const char *s = text; *s; s++)
                n += *s == ' ';
        return n;
}

uint64_t container_status(const Container *container, const char *key)
{
        uint64_t value = UINT64_MAX;
        char path[64], line[256];
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)container->pid);
        f = fopen(path, "re");
        assert_non_null(f);
        while (fgets(line, sizeof(line), f))
                if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
                        value = strtoull(line + strlen(key) + 1, NULL, 10);
        (void)fclose(f);
        assert_true(value != UINT64_MAX);
        return value;
}

static uint64_t count_switches(const Container *container)
{
        return container_status(container, "voluntary_ctxt_switches") +
               container_status(container, "nonvoluntary_ctxt_switches");
}

/* What was asked of it last may still be on its way when we begin to look. */
void container_expect_idle(const Container *container)
{
        for (int i = 0; i < PATIENCE_MSEC / 300; i++) {
                uint64_t before = count_switches(container);

                pause_msec(300);
                if (count_switches(container) == before)
                        return;
        }
        fail_msg("PID 1 is woken again and again");
}

int container_is_wrapped(void)
{
        return getenv("WSHD_WRAPPER") != NULL;
}

int wait_child(pid_t pid)
{
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

const char *helper_path(void)
{
        const char *path = getenv("WSHD_HELPER");

        assert_non_null(path);
        return path;
}

int client_connect(const Container *container)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        memcpy(address.sun_path, container->path, sizeof(container->path));
        for (int i = 0; connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0; i++) {
                int status;

                assert_int_equal(errno, ECONNREFUSED);
                if (waitpid(container->pid, &status, WNOHANG | WNOWAIT) == container->pid)
                        fail_msg("PID 1 did not start: status %#x", (unsigned)status);
                assert_true(i < PATIENCE_MSEC / 5);
                pause_msec(5);
        }
        return fd;
}

int client_open(const Container *container, uint32_t flags)
{
        int fd = client_connect(container);
        WshdMessage m;

        client_send(fd, (WshdMessage){ .type = WSHD_HELLO, .flags = flags }, NULL, 0);
        assert_int_equal(client_receive(fd, &m, NULL), 1);
        assert_int_equal(m.type, WSHD_READY);
        (void)client_expect(fd, WSHD_JOBS_END);
        return fd;
}

uint32_t client_send(int fd, WshdMessage m, const int *fds, size_t n_fds)
{
        static uint32_t sequence;
        uint8_t buffer[WSHD_MESSAGE_MAX];
        int size;

        m.sequence = ++sequence;
        size = wshd_message_encode(&m, buffer, sizeof(buffer));
        assert_true(size > 0);
        for (int i = 0, r; (r = wshd_send(fd, buffer, (size_t)size, fds, n_fds)) < 0; i++) {
                assert_int_equal(r, -EAGAIN);
                assert_true(i < PATIENCE_MSEC / 5);
                (void)poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, 5);
        }
        return sequence;
}

int client_receive_fds(int fd, WshdMessage *ret, int *fds, size_t *ret_n)
{
        static uint8_t buffer[WSHD_MESSAGE_MAX];
        int r;

        *ret_n = WSHD_FDS_MAX;
        assert_int_equal(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, PATIENCE_MSEC), 1);
        r = wshd_receive(fd, buffer, sizeof(buffer), fds, ret_n);
        if (r == 0 || r == -ECONNRESET)
                return 0;
        assert_true(r > 0);
        assert_int_equal(wshd_message_decode(buffer, (size_t)r, ret), 0);
        return 1;
}

int client_receive(int fd, WshdMessage *ret, int *ret_fd)
{
        int fds[WSHD_FDS_MAX];
        size_t n_fds;

        if (!client_receive_fds(fd, ret, fds, &n_fds))
                return 0;
        assert_true(n_fds <= 1);
        if (ret_fd)
                *ret_fd = n_fds == 1 ? fds[0] : -EBADF;
        else if (n_fds == 1)
                fd_close(fds[0]);
        return 1;
}

WshdMessage client_expect(int fd, uint32_t type)
{
        WshdMessage m;

        do
                assert_int_equal(client_receive(fd, &m, NULL), 1);
        while (m.type != type);
        return m;
}

WshdMessage client_ask(int fd, WshdMessage m, const int *fds, size_t n_fds)
{
        uint32_t sequence = client_send(fd, m, fds, n_fds);
        WshdMessage reply;

        do
                assert_int_equal(client_receive(fd, &reply, NULL), 1);
        while (reply.sequence != sequence);
        return reply;
}

uint32_t client_attach(int fd, WshdMessage m, int fds[3])
{
        int received[WSHD_FDS_MAX];
        uint32_t sequence;
        size_t n_fds = 0, n = 0;
        WshdMessage reply;

        m.type = WSHD_ATTACH;
        sequence = client_send(fd, m, NULL, 0);
        do {
                for (; n_fds > 0; n_fds--)
                        fd_close(received[n_fds - 1]);
                assert_int_equal(client_receive_fds(fd, &reply, received, &n_fds), 1);
        } while (reply.sequence != sequence);
        if (reply.type != WSHD_OK)
                fail_msg("attach: %s", strerror((int)reply.error));
        for (int i = 0; i < 3; i++) {
                fds[i] = -EBADF;
                if (!(reply.flags & WSHD_STDIN_FD << i))
                        continue;
                assert_true(n < n_fds);
                fds[i] = received[n++];
        }
        assert_int_equal(n, n_fds);
        return reply.flags & (WSHD_STDIN_FD | WSHD_STDOUT_FD | WSHD_STDERR_FD);
}

int client_attach_one(int fd, uint32_t job, uint32_t flags)
{
        int fds[3];
        uint32_t granted = client_attach(fd, (WshdMessage){ .job = job, .flags = flags }, fds);

        for (int i = 0; i < 3; i++)
                if (fds[i] >= 0) {
                        assert_int_equal(granted, WSHD_STDIN_FD << i);
                        return fds[i];
                }
        fail_msg("nothing was granted");
        return -EBADF;
}

void spec_begin(SpecBuilder *spec, const char *const *argv)
{
        spec->writer = WIRE_WRITER_FIXED(spec->data, sizeof(spec->data));
        for (; *argv; argv++)
                wire_put_string(&spec->writer, JOB_TAG_ARGV, *argv);
        assert_int_equal(spec->writer.error, 0);
}

static WshdMessage spawn_message(uint32_t job, const SpecBuilder *spec, uint32_t flags)
{
        return (WshdMessage){
                .type = WSHD_SPAWN,
                .job = job,
                .flags = flags,
                .spec = spec->data,
                .spec_size = spec->writer.size,
        };
}

WshdMessage job_spawn(int fd, uint32_t job, const SpecBuilder *spec, uint32_t flags)
{
        return client_ask(fd, spawn_message(job, spec, flags), NULL, 0);
}

WshdMessage job_start(int fd, uint32_t job, const SpecBuilder *spec, uint32_t flags,
                      uint64_t ring_bytes)
{
        WshdMessage m = spawn_message(job, spec, flags);

        m.ring_bytes = ring_bytes;
        m = client_ask(fd, m, NULL, 0);
        if (m.type != WSHD_SPAWNED)
                fail_msg("%s: %s", wshd_stage_to_string(m.stage), strerror((int)m.error));
        return m;
}

size_t read_all(int fd, char *output, size_t room)
{
        size_t size = 0;
        ssize_t n;

        while ((n = read(fd, output + size, room - 1 - size)) > 0)
                size += (size_t)n;
        output[size] = 0;
        return size;
}

WshdMessage job_run(int fd, uint32_t job, const SpecBuilder *spec, char *output, size_t room)
{
        WshdMessage m, reply;
        int pair[2];

        assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
        reply = client_ask(fd, spawn_message(job, spec, WSHD_STDOUT_FD), &pair[1], 1);
        fd_close(pair[1]);
        if (reply.type != WSHD_SPAWNED)
                fail_msg("%s: %s", wshd_stage_to_string(reply.stage), strerror((int)reply.error));
        if (output)
                (void)read_all(pair[0], output, room);
        do
                m = client_expect(fd, WSHD_EXITED);
        while (m.job != job);
        fd_close(pair[0]);
        reply = client_ask(fd, (WshdMessage){ .type = WSHD_RELEASE, .job = job }, NULL, 0);
        assert_int_equal(reply.type, WSHD_OK);
        return m;
}

static void expect_failed(const WshdMessage *reply, uint32_t stage, int error)
{
        assert_int_equal(reply->type, WSHD_FAILED);
        assert_string_equal(wshd_stage_to_string(reply->stage), wshd_stage_to_string(stage));
        assert_int_equal(reply->error, error);
}

void expect_refusal(int fd, WshdMessage m, uint32_t stage, int error)
{
        WshdMessage reply = client_ask(fd, m, NULL, 0);

        expect_failed(&reply, stage, error);
        assert_int_equal(reply.job, m.job);
}

void expect_no_start(int fd, uint32_t job, const SpecBuilder *spec, uint32_t stage, int error)
{
        expect_refusal(fd, spawn_message(job, spec, 0), stage, error);
}
