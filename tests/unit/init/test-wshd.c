/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs, from the first byte of their spec to their end: a real PID 1 and real processes. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "container.h"

/* Runs a shell script and expects that it says @wanted and exits with 0. */
static void expect_output(int fd, const SpecBuilder *spec, const char *wanted)
{
        char output[4096];
        WshdMessage m = job_run(fd, 1, spec, output, sizeof(output));

        assert_string_equal(output, wanted);
        assert_int_equal(m.code, 0);
        assert_int_equal(m.signal, 0);
}

static void expect_shell(int fd, const char *script, const char *wanted)
{
        SpecBuilder spec;

        SPEC_SHELL(&spec, script);
        expect_output(fd, &spec, wanted);
}

static void test_exit_code(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC(&spec, "/bin/true");
        assert_int_equal(job_run(fd, 1, &spec, NULL, 0).code, 0);
        SPEC(&spec, "/bin/false");
        assert_int_equal(job_run(fd, 1, &spec, NULL, 0).code, 1);
        SPEC_SHELL(&spec, "exit 203");
        assert_int_equal(job_run(fd, 1, &spec, NULL, 0).code, 203);
}

static void test_exit_signal(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;
        WshdMessage m;

        SPEC_SHELL(&spec, "kill -9 $$");
        m = job_run(fd, 1, &spec, NULL, 0);
        assert_int_equal(m.signal, SIGKILL);
        assert_int_equal(m.code, 0);
        SPEC_SHELL(&spec, "kill -TERM $$");
        assert_int_equal(job_run(fd, 1, &spec, NULL, 0).signal, SIGTERM);
}

static void test_times(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        WshdMessage spawned, exited;
        SpecBuilder spec;

        SPEC(&spec, "/bin/sleep", "0.05");
        spawned = job_spawn(fd, 1, &spec, 0);
        exited = client_expect(fd, WSHD_EXITED);
        assert_true(spawned.start_usec > UINT64_C(1600000000) * USEC_PER_SEC);
        assert_in_range(exited.end_usec - spawned.start_usec, 50 * USEC_PER_MSEC,
                        50 * USEC_PER_SEC);
}

static void test_order(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC(&spec, "/bin/true");
        for (uint32_t job = 1; job <= 200; job++) {
                uint32_t sequence = client_send(fd,
                                                (WshdMessage){ .type = WSHD_SPAWN,
                                                               .job = job,
                                                               .spec = spec.data,
                                                               .spec_size = spec.writer.size },
                                                NULL, 0);
                WshdMessage m;

                assert_int_equal(client_receive(fd, &m, NULL), 1);
                assert_int_equal(m.type, WSHD_SPAWNED);
                assert_int_equal(m.sequence, sequence);
                assert_int_equal(client_receive(fd, &m, NULL), 1);
                assert_int_equal(m.type, WSHD_EXITED);
                assert_int_equal(m.sequence, 0);
                assert_int_equal(m.job, job);
        }
}

static void test_thousand(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        uint32_t n_jobs = container_is_wrapped() ? 50 : 1000;
        size_t n_fds;
        SpecBuilder spec;

        SPEC(&spec, "/bin/true");
        (void)job_run(fd, 1, &spec, NULL, 0);
        n_fds = container_count_fds(*state);
        for (uint32_t job = 1; job <= n_jobs; job++)
                (void)job_run(fd, job, &spec, NULL, 0);
        container_expect_fds(*state, n_fds);
        assert_int_equal(container_count_children(*state), 0);
}

static void test_missing_program(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC(&spec, "/nowhere/program");
        expect_no_start(fd, 1, &spec, WSHD_STAGE_EXEC, ENOENT);
        SPEC(&spec, "no-program-has-this-name");
        expect_no_start(fd, 1, &spec, WSHD_STAGE_EXEC, ENOENT);
        SPEC(&spec, "");
        expect_no_start(fd, 1, &spec, WSHD_STAGE_EXEC, ENOENT);
        assert_int_equal(container_count_children(*state), 0);
        /* The number is free again. */
        SPEC(&spec, "/bin/true");
        assert_int_equal(job_run(fd, 1, &spec, NULL, 0).code, 0);
}

static void test_not_executable(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        expect_shell(fd, "cd /mnt && echo true > plain && cp plain script && chmod +x script", "");
        SPEC(&spec, "/mnt/plain");
        expect_no_start(fd, 1, &spec, WSHD_STAGE_EXEC, EACCES);
        SPEC(&spec, "/mnt");
        expect_no_start(fd, 1, &spec, WSHD_STAGE_EXEC, EACCES);
        SPEC(&spec, "/mnt/script");
        expect_no_start(fd, 1, &spec, WSHD_STAGE_EXEC, ENOEXEC);
}

static void test_search(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        expect_shell(fd,
                     "mkdir /mnt/a /mnt/b && touch /mnt/a/tool && "
                     "printf '#!/bin/sh\\necho b\\n' > /mnt/b/tool && chmod +x /mnt/b/tool",
                     "");
        SPEC(&spec, "tool");
        wire_put_string(&spec.writer, JOB_TAG_ENVIRONMENT, "PATH=/nowhere:/mnt/a:/mnt/b");
        expect_output(fd, &spec, "b\n");
        SPEC(&spec, "tool");
        wire_put_string(&spec.writer, JOB_TAG_ENVIRONMENT, "PATH=/nowhere:/mnt/a");
        expect_no_start(fd, 1, &spec, WSHD_STAGE_EXEC, EACCES);
        SPEC(&spec, "tool");
        expect_no_start(fd, 1, &spec, WSHD_STAGE_EXEC, ENOENT);
}

static void test_directory(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC(&spec, "/bin/pwd");
        wire_put_string(&spec.writer, JOB_TAG_DIRECTORY, "/usr/bin");
        expect_output(fd, &spec, "/usr/bin\n");
        SPEC(&spec, "/bin/pwd");
        expect_output(fd, &spec, "/mnt\n");
        SPEC(&spec, "/bin/pwd");
        wire_put_string(&spec.writer, JOB_TAG_DIRECTORY, "/nowhere");
        expect_no_start(fd, 1, &spec, WSHD_STAGE_DIRECTORY, ENOENT);
        SPEC(&spec, "/bin/pwd");
        wire_put_string(&spec.writer, JOB_TAG_USER, "lost");
        expect_output(fd, &spec, "/\n");
}

static void test_unknown_user(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC(&spec, "/bin/true");
        wire_put_string(&spec.writer, JOB_TAG_USER, "nobody-has-this-name");
        expect_no_start(fd, 1, &spec, WSHD_STAGE_USER, ENOENT);
        SPEC(&spec, "/bin/true");
        wire_put_string(&spec.writer, JOB_TAG_USER, "root:no-such-group");
        expect_no_start(fd, 1, &spec, WSHD_STAGE_USER, ENOENT);
        SPEC(&spec, "/bin/true");
        wire_put_string(&spec.writer, JOB_TAG_USER, "4000000000");
        expect_no_start(fd, 1, &spec, WSHD_STAGE_CREDENTIALS, EINVAL);
}

static void test_user(void **state)
{
        const Container *container = *state;
        _drop_(drop_fd) int fd = client_open(container, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC_SHELL(&spec, "id -u; id -g; id -G; echo $HOME $USER $SHELL");
        wire_put_string(&spec.writer, JOB_TAG_USER, "vcap");
        expect_output(fd, &spec, "1000\n1001\n1001 50\n/mnt vcap /bin/bash\n");
        SPEC_SHELL(&spec, "id -u; id -g; id -G");
        wire_put_string(&spec.writer, JOB_TAG_USER, "vcap:staff");
        expect_output(fd, &spec, "1000\n50\n50\n");
        SPEC_SHELL(&spec, "id -u; id -G; echo $HOME $USER");
        wire_put_string(&spec.writer, JOB_TAG_USER, "1234:77");
        expect_output(fd, &spec, "1234\n77\n/\n");
        SPEC_SHELL(&spec, "grep -E '^Cap(Prm|Eff|Amb)' /proc/self/status");
        wire_put_string(&spec.writer, JOB_TAG_USER, "vcap");
        expect_output(fd, &spec,
                      "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
                      "CapAmb:\t0000000000000000\n");
}

static void test_no_database(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        expect_shell(fd, "rm /etc/passwd /etc/group", "");
        expect_shell(fd, "id -u; pwd", "0\n/\n");
        SPEC(&spec, "/bin/true");
        wire_put_string(&spec.writer, JOB_TAG_USER, "root");
        expect_no_start(fd, 1, &spec, WSHD_STAGE_USER, ENOENT);
        /* A symbolic link is resolved where everything is: inside. */
        expect_shell(fd,
                     "mkdir /etc/real && echo r:x:0:0::/usr: > /etc/real/p && "
                     "ln -s real/p /etc/passwd",
                     "");
        SPEC(&spec, "/bin/pwd");
        wire_put_string(&spec.writer, JOB_TAG_USER, "r");
        expect_output(fd, &spec, "/usr\n");
}

static void test_environment(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC(&spec, "/usr/bin/env");
        wire_put_string(&spec.writer, JOB_TAG_ENVIRONMENT, "A=1");
        wire_put_string(&spec.writer, JOB_TAG_ENVIRONMENT, "HOME=/elsewhere");
        expect_output(fd, &spec,
                      "A=1\nHOME=/elsewhere\n"
                      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
                      "SHELL=/bin/sh\nUSER=root\nLOGNAME=root\ncontainer=warden\n");
}

static void test_descriptors(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);

        expect_shell(fd,
                     "for i in 0 1 2 3 4 5 6 7 8 9 10 11 12; do [ -e /proc/$$/fd/$i ] && echo $i; "
                     "done; :",
                     "0\n1\n2\n");
        expect_shell(fd, "readlink /proc/self/fd/0 /proc/self/fd/2", "/dev/null\n/dev/null\n");
        expect_shell(fd, "cat; echo end", "end\n");
}

static void test_stdio(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        int in[2], out[2], err[2];
        char text[32] = "";
        SpecBuilder spec;
        WshdMessage m;

        assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
        SPEC_SHELL(&spec, "read x; echo out$x; echo err$x >&2");
        m = client_ask(fd,
                       (WshdMessage){ .type = WSHD_SPAWN,
                                      .job = 1,
                                      .flags = WSHD_STDIN_FD | WSHD_STDOUT_FD | WSHD_STDERR_FD,
                                      .spec = spec.data,
                                      .spec_size = spec.writer.size },
                       (int[]){ in[0], out[1], err[1] }, 3);
        assert_int_equal(m.type, WSHD_SPAWNED);
        assert_int_equal(write(in[1], "1\n", 2), 2);
        assert_int_equal(read(out[0], text, sizeof(text)), 5);
        assert_string_equal(text, "out1\n");
        assert_int_equal(read(err[0], text, sizeof(text)), 5);
        assert_string_equal(text, "err1\n");
        for (int i = 0; i < 2; i++) {
                fd_close(in[i]);
                fd_close(out[i]);
                fd_close(err[i]);
        }
}

static void test_clean_process(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);

        expect_shell(fd, "grep -E '^Sig(Blk|Ign)' /proc/self/status",
                     "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
        expect_shell(fd, "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1\n");
        expect_shell(fd, "umask; cut -d' ' -f 6 /proc/$$/stat | grep -qx $$ && echo session",
                     "0022\nsession\n");
}

static void test_privileged(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC_SHELL(&spec, "grep -q 'NoNewPrivs:.0' /proc/self/status");
        assert_int_equal(job_spawn(fd, 1, &spec, WSHD_PRIVILEGED).type, WSHD_SPAWNED);
        assert_int_equal(client_expect(fd, WSHD_EXITED).code, 0);
}

static void put_rlimit(SpecBuilder *spec, int resource, uint64_t soft, uint64_t hard)
{
        size_t mark = wire_begin(&spec->writer, JOB_TAG_RLIMIT);

        wire_put_u64(&spec->writer, JOB_TAG_RLIMIT_RESOURCE, (uint64_t)resource);
        wire_put_u64(&spec->writer, JOB_TAG_RLIMIT_SOFT, soft);
        wire_put_u64(&spec->writer, JOB_TAG_RLIMIT_HARD, hard);
        wire_end(&spec->writer, mark);
}

static void test_limits(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        expect_shell(fd, "ulimit -Sn", "1024\n");
        SPEC_SHELL(&spec, "ulimit -Sn; ulimit -Hn; ulimit -Sc; umask; nice");
        put_rlimit(&spec, RLIMIT_NOFILE, 100, 200);
        put_rlimit(&spec, RLIMIT_CORE, 0, UINT64_MAX);
        wire_put_u64(&spec.writer, JOB_TAG_UMASK, 077);
        wire_put_u64(&spec.writer, JOB_TAG_NICE, 25);
        expect_output(fd, &spec, "100\n200\n0\n0077\n5\n");
        SPEC(&spec, "/bin/true");
        put_rlimit(&spec, RLIMIT_NOFILE, UINT64_MAX, UINT64_MAX);
        expect_no_start(fd, 1, &spec, WSHD_STAGE_RLIMIT, EPERM);
}

/* Reads from a pty's master until the text is there. */
static void expect_on_tty(int fd, const char *wanted)
{
        char text[4096] = "";
        size_t size = 0;

        while (!strstr(text, wanted)) {
                ssize_t n;

                assert_int_equal(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 20000), 1);
                n = read(fd, text + size, sizeof(text) - 1 - size);
                if (n <= 0)
                        fail_msg("not on the terminal: %s, but: %s", wanted, text);
                size += (size_t)n;
                text[size] = 0;
        }
}

static void test_tty(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;
        WshdMessage m;
        int tty[3];

        SPEC_SHELL(&spec, "trap 'stty size' WINCH; tty; stty size; echo $TERM; "
                          "while [ -z \"$x\" ]; do read x; done; echo got $x; exit 3");
        m = client_ask(fd,
                       (WshdMessage){ .type = WSHD_SPAWN,
                                      .job = 1,
                                      .flags = WSHD_TTY,
                                      .rows = 33,
                                      .columns = 111,
                                      .ring_bytes = 1,
                                      .spec = spec.data,
                                      .spec_size = spec.writer.size },
                       NULL, 0);
        assert_int_equal(m.type, WSHD_SPAWNED);
        client_attach(fd, (WshdMessage){ .job = 1, .flags = WSHD_STDIN_FD | WSHD_STDOUT_FD }, tty);
        expect_on_tty(tty[1], "/dev/pts/0\r\n33 111\r\nxterm-256color\r\n");
        m = client_ask(fd,
                       (WshdMessage){ .type = WSHD_RESIZE, .job = 1, .rows = 40, .columns = 65535 },
                       NULL, 0);
        assert_int_equal(m.type, WSHD_OK);
        assert_int_equal(write(tty[0], "\n", 1), 1);
        expect_on_tty(tty[1], "40 65535\r\n");
        assert_int_equal(write(tty[0], "word\n", 5), 5);
        expect_on_tty(tty[1], "got word\r\n");
        assert_int_equal(client_expect(fd, WSHD_EXITED).code, 3);
        fd_close(tty[0]);
        fd_close(tty[1]);
}

static void test_tty_owner(void **state)
{
        const Container *container = *state;
        _drop_(drop_fd) int fd = client_open(container, WSHD_SUBSCRIBE);
        _drop_(drop_fd) int master = -EBADF;
        SpecBuilder spec;

        SPEC_SHELL(&spec, "stat -c 'owner %u' $(tty); echo again > $(tty)");
        wire_put_string(&spec.writer, JOB_TAG_USER, "vcap");
        (void)job_start(fd, 1, &spec, WSHD_TTY, 4096);
        master = client_attach_one(fd, 1, WSHD_STDOUT_FD);
        expect_on_tty(master, "owner 1000\r\nagain\r\n");
}

/* Each has two descriptors in PID 1, whose soft limit is no bound. */
static void test_many_terminals(void **state)
{
        Container *container;
        SpecBuilder spec;
        int fd;

        container = container_new(&(ContainerOptions){ .nofile_soft = 20 });
        fd = client_open(container, WSHD_SUBSCRIBE);
        SPEC(&spec, "/bin/sleep", "1000");
        for (uint32_t job = 1; job <= 50; job++)
                assert_int_equal(job_spawn(fd, job, &spec, WSHD_TTY).type, WSHD_SPAWNED);
        fd_close(fd);
        container_free(container);
}

static void test_tty_kept(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        _drop_(drop_fd) int master = -EBADF;
        SpecBuilder spec;

        SPEC_SHELL(&spec, "echo late");
        (void)job_start(fd, 1, &spec, WSHD_TTY, 4096);
        (void)client_expect(fd, WSHD_EXITED);
        master = client_attach_one(fd, 1, WSHD_STDOUT_FD);
        expect_on_tty(master, "late\r\n");
        assert_int_equal(
                client_ask(fd, (WshdMessage){ .type = WSHD_RELEASE, .job = 1 }, NULL, 0).type,
                WSHD_OK);
        expect_refusal(fd, (WshdMessage){ .type = WSHD_ATTACH, .job = 1, .flags = WSHD_STDOUT_FD },
                       WSHD_STAGE_REQUEST, ENOENT);
}

static void test_tty_refusals(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec;

        SPEC(&spec, "/bin/sleep", "1000");
        assert_int_equal(job_spawn(fd, 1, &spec, 0).type, WSHD_SPAWNED);
        assert_int_equal(job_spawn(fd, 2, &spec, WSHD_TTY).type, WSHD_SPAWNED);
        expect_refusal(fd, (WshdMessage){ .type = WSHD_RESIZE, .job = 1, .rows = 1, .columns = 1 },
                       WSHD_STAGE_REQUEST, ENOTTY);
        expect_refusal(fd, (WshdMessage){ .type = WSHD_RESIZE, .job = 2, .rows = 0, .columns = 80 },
                       WSHD_STAGE_REQUEST, EINVAL);
        expect_refusal(fd,
                       (WshdMessage){ .type = WSHD_RESIZE, .job = 2, .rows = 24, .columns = 65536 },
                       WSHD_STAGE_REQUEST, EINVAL);
}

static int spec_file(const SpecBuilder *spec, size_t padding, unsigned seals)
{
        int fd = memfd_create("spec", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, spec->data, spec->writer.size), spec->writer.size);
        assert_int_equal(ftruncate(fd, (off_t)(spec->writer.size + padding)), 0);
        assert_true(seals == 0 || fcntl(fd, F_ADD_SEALS, seals) == 0);
        return fd;
}

static WshdMessage spawn_from_file(int fd, int take_fd)
{
        WshdMessage m = client_ask(
                fd, (WshdMessage){ .type = WSHD_SPAWN, .job = 1, .flags = WSHD_SPEC_FD }, &take_fd,
                1);

        fd_close(take_fd);
        return m;
}

static void test_spec_file(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        unsigned seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
        SpecBuilder spec;
        WshdMessage m;

        SPEC_SHELL(&spec, "exit 9");
        m = spawn_from_file(fd, spec_file(&spec, 0, seals));
        assert_int_equal(m.type, WSHD_SPAWNED);
        assert_int_equal(client_expect(fd, WSHD_EXITED).code, 9);
        m = client_ask(fd, (WshdMessage){ .type = WSHD_RELEASE, .job = 1 }, NULL, 0);
        assert_int_equal(m.type, WSHD_OK);

        m = spawn_from_file(fd, spec_file(&spec, 0, 0));
        assert_int_equal(m.type, WSHD_FAILED);
        assert_int_equal(m.stage, WSHD_STAGE_SPEC);
        assert_int_equal(m.error, EPERM);
        m = spawn_from_file(fd, spec_file(&spec, WSHD_JOB_SPEC_MAX, seals));
        assert_int_equal(m.stage, WSHD_STAGE_SPEC);
        assert_int_equal(m.error, E2BIG);
        m = spawn_from_file(fd, open("/dev/null", O_RDWR | O_CLOEXEC));
        assert_int_equal(m.stage, WSHD_STAGE_SPEC);
        assert_int_equal(m.error, EINVAL);
}

static void test_bad_spec(void **state)
{
        _drop_(drop_fd) int fd = client_open(*state, WSHD_SUBSCRIBE);
        SpecBuilder spec = { .data = { 1, 2, 3 }, .writer.size = 3 };

        expect_no_start(fd, 1, &spec, WSHD_STAGE_SPEC, EBADMSG);
        assert_int_equal(container_count_children(*state), 0);
}

int main(void)
{
        static const ContainerCase cases[] = {
                CASE("tells a job's exit code", test_exit_code),
                CASE("tells the signal that ended a job", test_exit_signal),
                CASE("tells when a job started and ended", test_times),
                CASE("says that a job runs before it says that it ended", test_order),
                CASE("keeps nothing of a thousand jobs", test_thousand),
                CASE("tells a missing program", test_missing_program),
                CASE("tells a file that is not a program", test_not_executable),
                CASE("searches the job's own PATH", test_search),
                CASE("starts in the given directory, at home, or at the root", test_directory),
                CASE("tells an unknown user or group", test_unknown_user),
                CASE_WITH(NEEDS_IDS, "becomes the user with all its groups and no more", test_user),
                CASE("needs no user database for numbers", test_no_database),
                CASE("adds to the environment only what is missing", test_environment),
                CASE("leaves a job three descriptors and no other", test_descriptors),
                CASE("gives a job the descriptors that were sent", test_stdio),
                CASE("gives a job a clean process and a session", test_clean_process),
                CASE("lets a privileged job use set-id programs", test_privileged),
                CASE_WITH(NEEDS_NO_TOOL, "sets limits, umask and nice value", test_limits),
                CASE("gives a job a terminal of any size", test_tty),
                CASE_WITH(NEEDS_IDS, "gives a terminal to the job's user", test_tty_owner),
                CASE_ALONE(NEEDS_NO_TOOL, "holds more terminals than it was allowed at first",
                           test_many_terminals),
                CASE("keeps a terminal's output until the job is released", test_tty_kept),
                CASE("refuses terminal requests that make no sense", test_tty_refusals),
                CASE("takes a large spec from a sealed file only", test_spec_file),
                CASE("tells a spec that does not decode", test_bad_spec),
        };

        return container_run_cases("wshd", cases, ELEMENTSOF(cases));
}
