/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* exec, run, shell and wait: the bytes, the signals and the exit code of a job. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/io.h"
#include "basic/macro.h"
#include "harness.h"

static void assert_log_has(const char *text)
{
        char *log = harness_take_log();

        if (!strstr(log, text))
                fail_msg("no '%s' in the calls: %.2000s", text, log);
        free(log);
}

static void assert_is_restored(const Run *run)
{
        struct termios now;

        assert_int_equal(tcgetattr(run->input_fd, &now), 0);
        assert_int_equal(now.c_lflag, run->before.c_lflag);
        assert_int_equal(now.c_iflag, run->before.c_iflag);
        assert_int_equal(now.c_oflag, run->before.c_oflag);
}

static void test_exit_codes(void **state)
{
        assert_run(0, NULL, NULL, "exec", "web", "true");
        assert_run(1, NULL, NULL, "exec", "web", "false");
        assert_run(42, NULL, NULL, "exec", "web", "sh", "-c", "exit 42");
        assert_run(255, NULL, NULL, "exec", "web", "sh", "-c", "exit 255");
        assert_run(128 + SIGKILL, NULL, NULL, "exec", "web", "sh", "-c", "kill -KILL $$");
        assert_run(128 + SIGTERM, NULL, NULL, "exec", "web", "sh", "-c", "kill $$");
}

static void test_own_exit_codes(void **state)
{
        assert_run(127, NULL, "wardenctl: ", "exec", "web", "no-such-program");
        assert_run(126, NULL, "wardenctl: ", "exec", "web", "/etc/passwd");
        assert_run(126, NULL, "no-such-directory", "exec", "-w", "/no-such-directory", "web",
                   "true");
        assert_run(125, NULL, "nobody-here", "exec", "-u", "nobody-here", "web", "true");
        assert_run(125, NULL, "No container 'gone'. 'wardenctl list' shows", "exec", "gone",
                   "true");
        assert_run(125, NULL, "cannot be the name", "exec", "a/b", "true");
        assert_run(125, NULL, "Too few arguments", "exec", "web");
}

static void test_job_is_released(void **state)
{
        free(harness_take_log());
        assert_run(3, NULL, NULL, "exec", "web", "sh", "-c", "exit 3");
        assert_log_has("Release /org/warden/Warden1/container/web/job/");
}

static void test_streams_apart(void **state)
{
        Run *run = run_to_end("exec", "web", "sh", "-c", "echo out; echo err >&2", NULL);

        assert_int_equal(run->exit_code, 0);
        assert_string_equal(run->output, "out\n");
        assert_string_equal(run->error, "err\n");
        run_free(run);
}

/* All byte values, more than any buffer on the way, both ways. */
static void check_binary(Run *run)
{
        enum { SIZE = 1 << 20, STEP = 4096 };
        uint8_t *data = malloc(SIZE);

        assert_non_null(data);
        for (size_t i = 0; i < SIZE; i++)
                data[i] = (uint8_t)(i * 7 + i / 251);
        for (size_t done = 0; done < SIZE; done += STEP) {
                run_write(run, data + done, STEP);
                run_expect_size(run, done + STEP);
        }
        run_close_input(run);
        assert_int_equal(run_wait(run), 0);
        assert_int_equal(run->output_size, SIZE);
        assert_memory_equal(run->output, data, SIZE);
        run_free(run);
        free(data);
}

static void test_binary_pipes(void **state)
{
        check_binary(run_start("exec", "web", "cat", NULL));
}

static void test_pipes_are_direct(void **state)
{
        Run *run = run_start("exec", "web", "sh", "-c", "readlink /proc/self/fd/0; read x", NULL);
        char mine[64], path[64];
        ssize_t n;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", run->input_fd);
        n = readlink(path, mine, sizeof(mine) - 1);
        assert_true(n > 0);
        mine[n] = 0;
        run_expect(run, mine); /* the very same pipe */
        run_close_input(run);
        assert_int_equal(run_wait(run), 1);
        run_free(run);
}

static void test_end_of_input(void **state)
{
        Run *run = run_start("exec", "web", "wc", "-c", NULL);

        run_write(run, "12345", 5);
        run_close_input(run);
        assert_int_equal(run_wait(run), 0);
        assert_string_equal(run->output, "5\n");
        run_free(run);
}

static void check_forwarded(int signal, const char *name)
{
        char trap[128];
        Run *run;

        (void)snprintf(trap, sizeof(trap),
                       "trap 'echo got %s; exit 9' %s; echo ready; while :; do sleep .02; done",
                       name, name);
        run = run_start("exec", "web", "sh", "-c", trap, NULL);
        run_expect(run, "ready");
        run_kill(run, signal);
        run_expect(run, "got");
        assert_int_equal(run_wait(run), 9);
        assert_non_null(strstr(run->output, name));
        run_free(run);
}

static void test_signals_forwarded(void **state)
{
        check_forwarded(SIGTERM, "TERM");
        check_forwarded(SIGINT, "INT");
        check_forwarded(SIGHUP, "HUP");
        check_forwarded(SIGQUIT, "QUIT");
        check_forwarded(SIGUSR1, "USR1");
        check_forwarded(SIGUSR2, "USR2");
}

static void test_third_signal_leaves(void **state)
{
        Run *run = run_start("exec", "web", "sh", "-c",
                             "trap 'echo no' TERM; echo ready; while :; do sleep .02; done", NULL);

        run_expect(run, "ready");
        run_kill(run, SIGTERM);
        run_expect(run, "no\n");
        run_kill(run, SIGTERM);
        run_expect(run, "no\nno\n");
        run_kill(run, SIGTERM);
        assert_int_equal(run_wait(run), 128 + SIGTERM);
        assert_non_null(strstr(run->error, "may still run"));
        run_free(run);
        assert_run(0, NULL, NULL, "kill", "-s", "KILL", "web");
}

/* A daemon in the container may hold the output for ever; the command has ended. */
static void test_ends_with_the_job(void **state)
{
        Run *run = run_start("exec", "web", "sh", "-c", "sleep 60 & echo $!", NULL);

        run_close_input(run);
        assert_int_equal(run_wait(run), 0);
        assert_int_equal(kill((pid_t)atoi(run->output), SIGKILL), 0);
        run_free(run);
}

static void test_early_exit(void **state)
{
        assert_run(0, "early", NULL, "create", "--name", "early", "/srv");
        assert_run(7, NULL, NULL, "exec", "early", "sh", "-c", "exit 7");
}

static void test_daemon_restart(void **state)
{
        assert_run(0, "crash", NULL, "create", "--name", "crash", "/srv");
        assert_run(6, "done", NULL, "exec", "crash", "sh", "-c", "sleep .1; echo done; exit 6");
        assert_run(128 + SIGUSR1, NULL, NULL, "exec", "crash", "sh", "-c", "kill -USR1 $$");
        /* Longer than the daemon is away: then it is the signal again that tells. */
        assert_run(5, NULL, NULL, "exec", "crash", "sh", "-c", "sleep 1; exit 5");
}

static void test_daemon_stays_away(void **state)
{
        (void)setenv("WARDENCTL_RECONNECT_SEC", "100ms", 1);
        assert_run(125, NULL, "is not known", "exec", "crash", "sh", "-c", "sleep .1; exit 6");
        (void)unsetenv("WARDENCTL_RECONNECT_SEC");
        (void)usleep(700000); /* until it is back, for those that follow */
}

static void test_daemon_forgets(void **state)
{
        assert_run(0, NULL, NULL, "create", "--name", "forget", "/srv");
        (void)setenv("WARDENCTL_RECONNECT_SEC", "2s", 1);
        assert_run(125, NULL, "is not known", "exec", "forget", "true");
        (void)unsetenv("WARDENCTL_RECONNECT_SEC");
}

static void test_lost(void **state)
{
        assert_run(0, "lost", NULL, "create", "--name", "lost", "/srv");
        assert_run(125, NULL, "is not known", "exec", "lost", "true");
}

static void test_rlimits_and_environment(void **state)
{
        (void)setenv("COPIED", "from here", 1);
        free(harness_take_log());
        assert_run(0, "given from here\n", NULL, "exec", "-e", "GIVEN=given", "-e", "COPIED", "-e",
                   "NOT_SET_ANYWHERE", "--ulimit", "nofile=100:200", "-w", "/", "-u", "1000:5",
                   "--privileged", "web", "sh", "-c", "echo $GIVEN $COPIED");
        assert_log_has("\"Rlimits\":{\"NOFILE\":[100,200]}");
}

static void test_spawn_arguments(void **state)
{
        free(harness_take_log());
        assert_run(0, NULL, NULL, "exec", "-u", "1000:5", "-w", "/", "--privileged", "web", "--",
                   "true", "--help", "-x");
        {
                char *log = harness_take_log();

                assert_non_null(strstr(log, "[[\"true\",\"--help\",\"-x\"],{"));
                assert_non_null(strstr(log, "\"User\":\"1000:5\""));
                assert_non_null(strstr(log, "\"WorkingDirectory\":\"/\""));
                assert_non_null(strstr(log, "\"Privileged\":true"));
                free(log);
        }
}

static void test_not_utf8(void **state)
{
        assert_run(125, NULL, "is not UTF-8", "exec", "web", "echo", "\xff\xfe");
}

static void test_detach_and_wait(void **state)
{
        Run *run = run_to_end("exec", "-d", "web", "sh", "-c", "sleep .2; exit 11", NULL);
        char job[16];

        assert_int_equal(run->exit_code, 0);
        (void)snprintf(job, sizeof(job), "%s", run->output);
        job[strcspn(job, "\n")] = 0;
        run_free(run);
        assert_true(atoi(job) > 0);
        assert_run(11, "11\n", NULL, "wait", "--keep", "web", job);
        assert_run(11, "\"ExitCode\":11", NULL, "wait", "--json", "web", job);
        /* The second one took it. */
        assert_run(125, NULL, "No job", "wait", "web", job);
}

static void test_wait_for_stop(void **state)
{
        Run *run;

        assert_run(0, NULL, NULL, "create", "--name", "ending", "/srv");
        run = run_start("wait", "ending", NULL);
        (void)usleep(100000);
        assert_int_equal(kill(run->pid, 0), 0);
        assert_run(0, NULL, NULL, "stop", "ending");
        assert_int_equal(run_wait(run), 0);
        run_free(run);
        assert_run(0, NULL, NULL, "wait", "ending");
        assert_run(0, NULL, NULL, "start", "ending");
        run = run_start("wait", "ending", NULL);
        (void)usleep(100000);
        assert_run(0, NULL, NULL, "rm", "ending");
        assert_int_equal(run_wait(run), 0);
        run_free(run);
        assert_run(125, NULL, "No container 'ending'", "wait", "ending");
}

/* On a terminal */

static void test_terminal_job(void **state)
{
        Run *run = run_start_on_terminal("exec", "-t", "web", "sh", "-c",
                                         "stty size; echo $TERM; tty; read x; echo got $x; exit 4",
                                         NULL);

        run_expect(run, "33 77\r\n");
        run_expect(run, "test-term\r\n");
        run_expect(run, "/dev/pts/");
        run_write(run, "abc\r", 4);
        run_expect(run, "got abc\r\n");
        assert_int_equal(run_wait(run), 4);
        assert_is_restored(run);
        run_free(run);
}

static void test_terminal_is_not_given(void **state)
{
        Run *run = run_start_on_terminal("exec", "web", "sh", "-c",
                                         "for i in 0 1 2; do test -t $i && echo bad; done; "
                                         "readlink /proc/self/fd/0; echo err >&2; exit 0",
                                         NULL);

        run_expect(run, "/dev/null");
        run_expect(run, "err");
        assert_int_equal(run_wait(run), 0);
        assert_null(strstr(run->output, "bad"));
        run_free(run);
}

static void test_interactive_without_tty(void **state)
{
        Run *run = run_start_on_terminal("exec", "-i", "web", "sh", "-c",
                                         "test -t 0 && echo bad; cat; echo end", NULL);

        run_write(run, "hello\n", 6);
        run_expect(run, "hello\r\nhello\r\n"); /* the echo, then cat */
        run_write(run, "\x04", 1);
        run_expect(run, "end");
        assert_int_equal(run_wait(run), 0);
        assert_null(strstr(run->output, "bad"));
        run_free(run);
}

static void test_interrupt_key(void **state)
{
        Run *run = run_start_on_terminal("exec", "web", "sh", "-c",
                                         "trap 'echo int; exit 3' INT; echo ready; "
                                         "while :; do sleep .02; done",
                                         NULL);

        run_expect(run, "ready");
        run_write(run, "\x03", 1);
        run_expect(run, "int");
        assert_int_equal(run_wait(run), 3);
        run_free(run);
}

static void test_interrupt_key_in_tty(void **state)
{
        Run *run = run_start_on_terminal("exec", "-t", "web", "sh", "-c",
                                         "trap 'echo int; exit 3' INT; echo ready; "
                                         "while :; do sleep .02; done",
                                         NULL);

        run_expect(run, "ready");
        run_write(run, "\x03", 1);
        run_expect(run, "int");
        assert_int_equal(run_wait(run), 3);
        run_free(run);
}

/* Everything that was written before the end arrives, though the end is told on another way. */
static void test_last_output(void **state)
{
        for (int i = 0; i < 20; i++) {
                Run *run = run_start_on_terminal("exec", "-t", "web", "sh", "-c",
                                                 "seq 1 3000; printf END", NULL);

                assert_int_equal(run_wait(run), 0);
                assert_non_null(strstr(run->output, "\r\n2999\r\n3000\r\nEND"));
                run_free(run);
        }
}

/* It has ended before its terminal is asked for: what it wrote is still in there. */
static void test_short_job(void **state)
{
        for (int i = 0; i < 20; i++) {
                Run *run = run_start_on_terminal("exec", "-t", "early", "echo", "gone", NULL);

                assert_int_equal(run_wait(run), 0);
                assert_string_equal(run->output, "gone\r\n");
                run_free(run);
        }
}

static void test_window_size(void **state)
{
        struct winsize size = { .ws_row = 50, .ws_col = 120 };
        Run *run = run_start_on_terminal("exec", "-t", "web", "sh", "-c",
                                         "trap 'stty size; exit 0' WINCH; echo ready; "
                                         "while :; do sleep .02; done",
                                         NULL);

        run_expect(run, "ready");
        assert_int_equal(ioctl(run->input_fd, TIOCSWINSZ, &size), 0);
        run_expect(run, "50 120");
        assert_int_equal(run_wait(run), 0);
        run_free(run);
}

/* Raw while it runs, and what it was before after any end. */
static void check_restored_after(int signal)
{
        Run *run = run_start_on_terminal("exec", "-t", "web", "sh", "-c", "echo ready; sleep 60",
                                         NULL);
        struct termios raw;

        run_expect(run, "ready");
        assert_int_equal(tcgetattr(run->input_fd, &raw), 0);
        assert_int_equal(raw.c_lflag & (tcflag_t)(ICANON | ECHO | ISIG), 0);
        run_kill(run, signal);
        assert_int_equal(run_wait(run), 128 + signal);
        assert_is_restored(run);
        run_free(run);
}

static void test_restored_after_signals(void **state)
{
        check_restored_after(SIGTERM);
        check_restored_after(SIGHUP);
        check_restored_after(SIGINT);
        check_restored_after(SIGSEGV);
        check_restored_after(SIGABRT);
        assert_run(0, NULL, NULL, "kill", "-s", "KILL", "web");
}

static void test_hang_up_ends_the_job(void **state)
{
        Run *run = run_start_on_terminal("exec", "-t", "web", "sh", "-c", "echo ready; sleep 60",
                                         NULL);

        run_expect(run, "ready");
        free(harness_take_log());
        run_kill(run, SIGTERM);
        assert_int_equal(run_wait(run), 128 + SIGTERM);
        harness_expect_log("[1]");     /* Kill(SIGHUP) */
        harness_expect_log("Release"); /* and it ended by that */
        run_free(run);
}

static void test_suspend(void **state)
{
        Run *run = run_start_on_terminal("exec", "-t", "web", "sh", "-c",
                                         "echo ready; read x; echo got $x", NULL);
        struct termios now;

        run_expect(run, "ready");
        run_kill(run, SIGTSTP);
        for (int i = 0; i < 6000; i++) {
                assert_int_equal(tcgetattr(run->input_fd, &now), 0);
                if (now.c_lflag & ICANON)
                        break;
                (void)usleep(5000);
        }
        assert_is_restored(run);
        (void)usleep(20000);
        run_kill(run, SIGCONT);
        for (int i = 0; i < 6000; i++) {
                assert_int_equal(tcgetattr(run->input_fd, &now), 0);
                if (!(now.c_lflag & ICANON))
                        break;
                (void)usleep(5000);
        }
        assert_int_equal(now.c_lflag & (tcflag_t)ICANON, 0);
        run_write(run, "on\r", 3);
        run_expect(run, "got on");
        assert_int_equal(run_wait(run), 0);
        run_free(run);
}

static void test_escape(void **state)
{
        Run *run = run_start_on_terminal("exec", "-t", "web", "sh", "-c", "echo ready; sleep 60",
                                         NULL);

        run_expect(run, "ready");
        run_write(run, "\x1d\x1dx\x1d", 4); /* not three in a row */
        (void)usleep(50000);
        assert_int_equal(kill(run->pid, 0), 0);
        run_write(run, "\x1d\x1d", 2);
        assert_int_equal(run_wait(run), 128 + SIGHUP);
        assert_is_restored(run);
        run_free(run);
}

static void test_tty_with_pipes(void **state)
{
        Run *run = run_start("exec", "-t", "web", "sh", "-c", "test -t 0 && cat; exit 8", NULL);

        run_write(run, "line\nopen", 9);
        run_close_input(run);
        assert_int_equal(run_wait(run), 8);
        /* Its echo and then the copy; the end of the input ended cat. */
        assert_non_null(strstr(run->output, "line\r\nopen"));
        run_free(run);
}

/* Raw on both sides, a terminal is as good as a pipe. */
static void test_terminal_carries_all(void **state)
{
        Run *run = run_start_on_terminal("exec", "-t", "web", "sh", "-c",
                                         "stty raw -echo; seq 1 200000; printf 'END\\377\\000x'",
                                         NULL);
        const char *expected = "\n199999\n200000\nEND\377";

        assert_int_equal(run_wait(run), 0);
        assert_int_equal(run->output_size, 1288895 + 6);
        assert_memory_equal(run->output + run->output_size - strlen(expected) - 2, expected,
                            strlen(expected));
        assert_memory_equal(run->output, "1\n2\n3\n", 6);
        run_free(run);
}

static void test_reader_leaves(void **state)
{
        Run *run = run_start("exec", "-t", "web", "yes", NULL);

        run_expect(run, "y\r\ny\r\n");
        (void)close(run->output_fd);
        run->output_fd = -1;
        assert_int_equal(run_wait(run), 128 + SIGPIPE);
        run_free(run);
        run = run_start("exec", "web", "yes", NULL);
        run_expect(run, "y\ny\n");
        (void)close(run->output_fd);
        run->output_fd = -1;
        assert_int_equal(run_wait(run), 128 + SIGPIPE);
        run_free(run);
}

static void test_shell(void **state)
{
        Run *run = run_start_on_terminal("shell", "web", NULL);

        free(harness_take_log());
        run_write(run, "echo $((40+2)) $0\r", 18);
        run_expect(run, "42 /bin/bash\r\n");
        run_write(run, "exit 12\r", 8);
        assert_int_equal(run_wait(run), 12);
        assert_is_restored(run);
        run_free(run);
}

static void test_shell_in_a_pipe(void **state)
{
        Run *run = run_start("shell", "web", NULL);

        run_write(run, "echo $((40+2))\nexit 13\n", 23);
        run_close_input(run);
        assert_int_equal(run_wait(run), 13);
        assert_string_equal(run->output, "42\n");
        run_free(run);
}

/* run */

static void test_run(void **state)
{
        char *log;

        free(harness_take_log());
        assert_run(9, "hi\n", NULL, "run", "--name", "once", "/srv", "--", "sh", "-c",
                   "echo hi; exit 9");
        log = harness_take_log();
        assert_non_null(strstr(log, "CreateContainer"));
        assert_non_null(strstr(log, "DestroyContainer /org/warden/Warden1 [\"once\"]"));
        free(log);
        assert_run(127, NULL, "exec:", "run", "--name", "once", "/srv", "no-such-program");
        assert_log_has("DestroyContainer");
}

static void test_run_keep_and_detach(void **state)
{
        free(harness_take_log());
        assert_run(125, "", "--rm contradicts --keep", "run", "--rm", "--keep", "/srv", "true");
        assert_run(125, "", "'wardenctl destroy' it later", "run", "--rm", "-d", "/srv", "true");
        {
                char *log = harness_take_log();

                assert_null(strstr(log, "CreateContainer"));
                free(log);
        }
        assert_run(3, NULL, NULL, "run", "--rm", "--name", "removed", "/srv", "sh", "-c", "exit 3");
        assert_run(125, NULL, "No container 'removed'", "info", "removed");
        assert_run(2, NULL, NULL, "run", "--keep", "--name", "kept", "/srv", "sh", "-c", "exit 2");
        assert_run(0, NULL, NULL, "rm", "kept");
        assert_run(0, "detached\n", NULL, "run", "-d", "--name", "detached", "/srv", "sleep", "60");
        assert_run(0, NULL, NULL, "info", "detached");
        assert_run(0, NULL, NULL, "rm", "detached");
}

static void test_run_interrupted(void **state)
{
        Run *run = run_start("run", "--name", "broken", "/srv", "sh", "-c",
                             "trap 'echo first' INT; echo ready; while :; do sleep .02; done",
                             NULL);

        run_expect(run, "ready");
        run_kill(run, SIGINT);
        run_expect(run, "first");
        run_kill(run, SIGINT);
        assert_int_equal(run_wait(run), 128 + SIGINT);
        run_free(run);
        assert_run(125, NULL, "No container", "info", "broken");
}

static void test_run_interrupted_while_made(void **state)
{
        Run *run = run_start("run", "--name", "slow", "/srv", "sh", "-c", "echo ran", NULL);

        harness_expect_log("\"slow\"");
        run_kill(run, SIGTERM);
        assert_int_equal(run_wait(run), 128 + SIGTERM);
        assert_string_equal(run->output, "");
        run_free(run);
        assert_run(125, NULL, "No container", "info", "slow");
}

static int begin(void **state)
{
        int r = harness_begin(state);

        if (r == 0)
                assert_run(0, "web\n", NULL, "create", "--name", "web", "/srv");
        return r;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "gives the exit code of the job", test_exit_codes },
                { "tells its own failures apart by 125, 126 and 127", test_own_exit_codes },
                { "lets the daemon forget a job that it has seen end", test_job_is_released },
                { "keeps output and errors apart", test_streams_apart },
                { "passes every byte through pipes", test_binary_pipes },
                { "hands pipes to the job as they are", test_pipes_are_direct },
                { "lets the job see the end of the input", test_end_of_input },
                { "forwards signals to the job", test_signals_forwarded },
                { "leaves at the third signal and says so", test_third_signal_leaves },
                { "ends with the job, not with what it left behind", test_ends_with_the_job },
                { "does not miss an exit before the reply", test_early_exit },
                { "does not lose the exit code when the daemon restarts", test_daemon_restart },
                { "gives up on a daemon that stays away", test_daemon_stays_away },
                { "gives up on a daemon that forgot the job", test_daemon_forgets },
                { "says when nobody knows how the job ended", test_lost },
                { "passes rlimits and variables", test_rlimits_and_environment },
                { "passes user, directory and a command line with dashes", test_spawn_arguments },
                { "refuses what D-Bus cannot carry", test_not_utf8 },
                { "waits for a detached job and reaps it", test_detach_and_wait },
                { "waits for a container to stop", test_wait_for_stop },
                { "shows a job's terminal in ours", test_terminal_job },
                { "never hands our terminal to a job", test_terminal_is_not_given },
                { "relays a terminal without -t", test_interactive_without_tty },
                { "turns the interrupt key into a signal for the job", test_interrupt_key },
                { "leaves the interrupt key to the job's terminal", test_interrupt_key_in_tty },
                { "shows the last output of a job with a terminal", test_last_output },
                { "shows what a job wrote that ended before", test_short_job },
                { "follows the size of the window", test_window_size },
                { "restores the terminal whatever ends it", test_restored_after_signals },
                { "hangs up the job when it is ended", test_hang_up_ends_the_job },
                { "gives the terminal back while it is stopped", test_suspend },
                { "leaves when ^] is typed three times", test_escape },
                { "gives a job a terminal when it has none itself", test_tty_with_pipes },
                { "loses nothing on a terminal", test_terminal_carries_all },
                { "ends when nobody reads its output", test_reader_leaves },
                { "opens a login shell", test_shell },
                { "opens a shell that reads a script", test_shell_in_a_pipe },
                { "makes a container for one command", test_run },
                { "keeps the container when asked", test_run_keep_and_detach },
                { "destroys the container when it is interrupted twice", test_run_interrupted },
                { "destroys a container that was interrupted in the making",
                  test_run_interrupted_while_made },
        };

        return cmocka_run_group_tests_name("ctl/jobs", tests, begin, harness_end);
}
