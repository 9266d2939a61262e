/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The resident program: many containers, none of which leaves anything, and nonsense. Needs root.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "inside.h"
#include "wire/fd-socket.h"

#define MANY 200

static size_t count_entries(const char *path)
{
        struct dirent *entry;
        DIR *dir = opendir(path);
        size_t n = 0;

        assert_non_null(dir);
        while ((entry = readdir(dir)))
                n += entry->d_name[0] != '.';
        (void)closedir(dir);
        return n;
}

static size_t count_lines(const char *path)
{
        _drop_(drop_free) char *text = NULL;
        size_t n = 0;

        assert_int_equal(io_read_file(AT_FDCWD, path, 1 << 20, &text, NULL), 0);
        for (const char *p = text; (p = strchr(p, '\n')); p++)
                n++;
        return n;
}

static int is_herald(const char *pid)
{
        char path[64], comm[32] = "";
        FILE *f;

        (void)snprintf(path, sizeof(path), "/proc/%s/comm", pid);
        f = fopen(path, "re");
        if (f && !fgets(comm, sizeof(comm), f))
                comm[0] = 0;
        if (f)
                (void)fclose(f);
        return strcmp(comm, "warden-herald\n") == 0;
}

/* Without the herald, which is there only where the server may write to its control group. */
static size_t count_children(pid_t pid)
{
        char path[64];
        _drop_(drop_free) char *text = NULL;
        size_t n = 0;
        char *save = NULL;

        (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
        assert_int_equal(io_read_file(AT_FDCWD, path, 1 << 16, &text, NULL), 0);
        for (char *p = strtok_r(text, " ", &save); p; p = strtok_r(NULL, " ", &save))
                n += !is_herald(p);
        return n;
}

static size_t count_fds(pid_t pid)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
        return count_entries(path);
}

/* Settled: the server, the worker that waits, the child that waits. */
static int server_is_settled(const Harness *h)
{
        for (int i = 0; i < 6000; i++) {
                if (count_children(h->pid) == 2)
                        return 1;
                (void)usleep(10000);
        }
        return 0;
}

/* The next pair may be just in the making, now or when @n was counted; a descriptor that is lost
 * each time would be many. */
static int server_has_fds(const Harness *h, size_t n)
{
        for (int i = 0; i < 6000; i++) {
                if (count_fds(h->pid) < n + MANY / 4)
                        return 1;
                (void)usleep(10000);
        }
        return 0;
}

static void test_leaves_nothing(void **state)
{
        size_t n_fds, n_mounts, n_own_fds;
        char path[128];
        Harness *h;

        SKIP_UNLESS_ROOT(state);
        h = *state;
        assert_true(server_is_settled(h));
        n_fds = count_fds(h->pid);
        n_own_fds = count_fds(getpid());
        n_mounts = count_lines("/proc/self/mountinfo");
        for (int i = 0; i < MANY; i++) {
                Inside in = inside_prepare(state);

                inside_enter(&in);
                inside_leave(&in);
        }
        assert_true(server_is_settled(h));
        assert_true(server_has_fds(h, n_fds));
        assert_int_equal(count_fds(getpid()), n_own_fds);
        assert_int_equal(count_lines("/proc/self/mountinfo"), n_mounts);
        (void)snprintf(path, sizeof(path), "%s/containers", h->state);
        assert_int_equal(count_entries(path), 0);
        (void)snprintf(path, sizeof(path), "%s/containers", h->runtime);
        assert_int_equal(count_entries(path), 0);
        (void)snprintf(path, sizeof(path), "%s/containers/.trash", h->state);
        for (int i = 0; i < 6000 && count_entries(path) > 0; i++)
                (void)usleep(10000);
        assert_int_equal(count_entries(path), 0);
}

static void test_leaves_nothing_of_failures(void **state)
{
        size_t n_fds, n_mounts;
        Harness *h;

        SKIP_UNLESS_ROOT(state);
        h = *state;
        assert_true(server_is_settled(h));
        n_fds = count_fds(h->pid);
        n_mounts = count_lines("/proc/self/mountinfo");
        for (int i = 0; i < MANY; i++) {
                Inside in = inside_prepare(state);

                if (i % 2) {
                        free(in.plan->root_directory);
                        in.plan->root_directory = strdup("/nonexistent");
                } else {
                        assert_int_equal(rmdir(in.plan->runtime_directory), 0);
                }
                inside_expect_failure(&in, i % 2 ? FAULT_NOT_FOUND : FAULT_FAILED, "cannot open");
        }
        assert_true(server_is_settled(h));
        assert_true(server_has_fds(h, n_fds));
        assert_int_equal(count_lines("/proc/self/mountinfo"), n_mounts);
}

static void test_makes_several_at_once(void **state)
{
        Inside in[8];

        SKIP_UNLESS_ROOT(state);
        for (size_t i = 0; i < ELEMENTSOF(in); i++) {
                in[i] = inside_prepare(state);
                if (i % 3 == 1)
                        in[i].plan->uid_count = 0;
                assert_int_equal(harness_begin(in[i].h, in[i].plan, &in[i].made), 0);
        }
        for (size_t i = 0; i < ELEMENTSOF(in); i++)
                assert_int_equal(harness_next(&in[i].made), WORKER_CLONED);
        for (size_t i = ELEMENTSOF(in); i-- > 0;) {
                assert_int_equal(harness_open_gate(&in[i].made), 0);
                assert_int_equal(harness_next(&in[i].made), WORKER_DONE);
        }
        for (size_t i = 0; i < ELEMENTSOF(in); i++) {
                in[i].fd = harness_connect(&in[i].made);
                assert_true(in[i].fd >= 0);
                assert_string_equal(ask(&in[i], "hostname"), "inside");
                inside_leave(&in[i]);
        }
}

static void test_survives_nonsense(void **state)
{
        static const char rubbish[][13] = { "x", "rubbish", "\1\0\10\0\0\0\1" };
        Harness *h;
        Inside in;

        SKIP_UNLESS_ROOT(state);
        h = *state;
        for (size_t i = 0; i < ELEMENTSOF(rubbish); i++)
                assert_int_equal(fd_socket_send(h->fd, rubbish[i], sizeof(rubbish[i]), NULL, 0, 0),
                                 0);
        for (int i = 0; i < 20; i++) {
                const WorkerMessage gate = { .type = WORKER_GATE };

                assert_int_equal(worker_send(h->fd, &gate, NULL, 0, 0), 0);
        }
        in = inside_prepare(state);
        inside_enter(&in);
        inside_leave(&in);
}

static void test_refuses_what_is_no_request(void **state)
{
        const WorkerMessage gate = { .type = WORKER_GATE };
        const WorkerMessage empty = { .type = WORKER_CREATE };
        const WorkerMessage *messages[] = { &gate, &empty };

        SKIP_UNLESS_ROOT(state);
        for (size_t i = 0; i < ELEMENTSOF(messages); i++) {
                Made made = MADE_INIT;
                int ends[2];

                assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
                assert_int_equal(worker_send(((Harness *)*state)->fd, messages[i], &ends[1], 1, 0),
                                 0);
                fd_close(ends[1]);
                made.fd = ends[0];
                assert_int_equal(harness_next(&made), WORKER_FAILED);
                assert_int_equal(made.last.fault.kind, FAULT_INVALID);
                assert_int_equal(harness_next(&made), 0);
                fd_close(made.fd);
        }
}

/* Containers are nobody's children in particular. */
static void test_ends_without_its_containers(void **state)
{
        Harness h;
        Inside in;
        void *own = &h;

        SKIP_UNLESS_ROOT(state);
        assert_int_equal(
                harness_start(&h, getenv("WARDEN_TEST_WORKER"), getenv("WARDEN_TEST_INIT")), 0);
        in = inside_prepare(&own);
        inside_enter(&in);
        h.fd = fd_close(h.fd);
        assert_int_equal(waitpid(h.pid, NULL, 0), h.pid);
        h.pid = 0;
        assert_string_equal(ask(&in, "hostname"), "inside");
        fd_close(in.fd);
        harness_end(&in.made);
        plan_free(in.plan);
        assert_int_equal(harness_stop(&h), 0);
}

static void test_refuses_to_start_without_its_program(void **state)
{
        Harness h;
        int status;

        SKIP_UNLESS_ROOT(state);
        assert_int_equal(harness_start(&h, getenv("WARDEN_TEST_WORKER"), "/nonexistent/wshd"), 0);
        assert_int_equal(waitpid(h.pid, &status, 0), h.pid);
        h.pid = 0;
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        assert_int_equal(harness_stop(&h), 0);
}

static void test_stays_small(void **state)
{
        _drop_(drop_free) char *status = NULL;
        Made made = MADE_INIT;
        const char *line;

        SKIP_UNLESS_ROOT(state);
#if defined(__SANITIZE_ADDRESS__)
        skip(); /* a sanitizer has memory of its own */
#endif
        made.pid = ((Harness *)*state)->pid;
        status = harness_proc(&made, "status");
        line = strstr(status, "\nRssAnon:");
        assert_non_null(line);
        assert_true(strtoul(line + 9, NULL, 10) < 1024);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "leaves nothing of 200 containers", test_leaves_nothing },
                { "leaves nothing of 200 failures", test_leaves_nothing_of_failures },
                { "makes several at once", test_makes_several_at_once },
                { "survives nonsense", test_survives_nonsense },
                { "refuses what is no request", test_refuses_what_is_no_request },
                { "ends without its containers", test_ends_without_its_containers },
                { "refuses to start without its program",
                  test_refuses_to_start_without_its_program },
                { "stays small", test_stays_small },
        };

        return cmocka_run_group_tests_name("worker/server", tests, harness_setup, harness_teardown);
}
