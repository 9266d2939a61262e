/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* attach, logs, jobs, and leaving by keys: guests of jobs that go on without them. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "harness.h"

static void assert_is_restored(const Run *run)
{
        struct termios now;

        assert_int_equal(tcgetattr(run->input_fd, &now), 0);
        assert_int_equal(now.c_lflag, run->before.c_lflag);
        assert_int_equal(now.c_iflag, run->before.c_iflag);
        assert_int_equal(now.c_oflag, run->before.c_oflag);
}

/* Starts `wardenctl exec -d [OPTION] CONTAINER sh -c COMMAND`; its number is in @job. */
static void start_job(const char *option, const char *container, const char *command, char job[16])
{
        Run *run = option ? run_to_end("exec", "-d", option, container, "sh", "-c", command, NULL)
                          : run_to_end("exec", "-d", container, "sh", "-c", command, NULL);

        assert_int_equal(run->exit_code, 0);
        (void)snprintf(job, 16, "%.15s", run->output);
        job[strcspn(job, "\n")] = 0;
        assert_true(atoi(job) > 0);
        run_free(run);
}

static void end_job(const char *job)
{
        assert_run(0, NULL, NULL, "kill", "--job", job, "-s", "KILL", "web");
}

static void test_attach_output(void **state)
{
        char job[16];
        Run *run;

        start_job(NULL, "web", "echo early; echo bad >&2; sleep .3; echo late; exit 7", job);
        run = run_start("attach", "web", job, NULL);
        assert_int_equal(run_wait(run), 7);
        assert_string_equal(run->output, "early\nlate\n");
        assert_string_equal(run->error, "bad\n");
        run_free(run);
        /* It was somebody else's to release. */
        assert_run(7, "early\nlate\n", "bad\n", "attach", "web", job);
        assert_run(7, "7\n", NULL, "wait", "web", job);
        assert_run(125, NULL, "No job", "attach", "web", job);
}

static void test_attach_newest(void **state)
{
        char old[16], new[16];
        Run *run;

        start_job(NULL, "web", "echo old; exec sleep 60", old);
        start_job(NULL, "web", "echo new; sleep .2; exit 3", new);
        run = run_start("attach", "web", NULL);
        assert_int_equal(run_wait(run), 3);
        assert_string_equal(run->output, "new\n");
        run_free(run);
        run = run_start("attach", "web", NULL);
        run_expect(run, "old");
        end_job(old);
        assert_int_equal(run_wait(run), 128 + SIGKILL);
        run_free(run);
        assert_run(125, NULL, "No job runs", "attach", "web");
}

static void test_attach_input(void **state)
{
        char job[16];
        Run *run;

        start_job("-i", "web", "while read x; do echo got $x; done; echo end", job);
        run = run_start("attach", "web", job, NULL);
        run_write(run, "one\n", 4);
        run_expect(run, "got one\n");
        run_kill(run, SIGTERM);
        assert_int_equal(run_wait(run), 128 + SIGTERM);
        run_free(run);
        end_job(job);
}

/* ^C ends a guest, not the job. */
static void test_signals_of_guests(void **state)
{
        static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
        char job[16];

        start_job(NULL, "web", "echo up; exec sleep 60", job);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                Run *run = run_start("attach", "web", job, NULL);

                free(harness_take_log());
                run_expect(run, "up");
                run_kill(run, signals[i]);
                assert_int_equal(run_wait(run), 128 + signals[i]);
                run_free(run);
                {
                        char *log = harness_take_log();

                        assert_null(strstr(log, "Kill "));
                        assert_null(strstr(log, "Release "));
                        free(log);
                }
        }
        assert_run(0, "running", NULL, "jobs", "web");
        end_job(job);
}

static void detach(const char *keys_option, const char *keys)
{
        Run *run = keys_option ? run_start_on_terminal(
                                         "exec", "-t", "--detach-keys", keys_option, "web", "sh",
                                         "-c", "echo ready; read x; echo got $x; sleep 60", NULL)
                               : run_start_on_terminal("exec", "-t", "web", "sh", "-c",
                                                       "echo ready; read x; echo got $x; sleep 60",
                                                       NULL);
        Run *again;

        run_expect(run, "ready");
        run_write(run, "ab", 2);
        run_write(run, keys, strlen(keys));
        assert_int_equal(run_wait(run), 0);
        assert_non_null(strstr(run->output, "goes on"));
        assert_is_restored(run);
        run_free(run);

        again = run_start_on_terminal("attach", "web", NULL);
        run_write(again, "c\r", 2);
        run_expect(again, "got abc\r\n");
        run_write(again, "\x10\x11", 2);
        assert_int_equal(run_wait(again), 0);
        assert_is_restored(again);
        run_free(again);
        assert_run(0, NULL, NULL, "kill", "-s", "KILL", "web");
}

static void test_detach(void **state)
{
        detach(NULL, "\x10\x11");
        detach("ctrl-a,d", "\x01"
                           "d");
}

/* The first key alone is the job's, as soon as the next one tells. */
static void test_half_of_the_keys(void **state)
{
        Run *run = run_start_on_terminal("exec", "-t", "web", "sh", "-c",
                                         "stty -icanon -echo; echo ready; "
                                         "dd bs=1 count=2 2>/dev/null | od -An -tx1; exit 5",
                                         NULL);

        run_expect(run, "ready");
        run_write(run, "\x10x", 2);
        run_expect(run, "10 78");
        assert_int_equal(run_wait(run), 5);
        run_free(run);
}

static void test_wrong_keys(void **state)
{
        assert_run(125, NULL, "is not a key", "attach", "--detach-keys", "ctrl-1", "web");
        assert_run(125, NULL, "is not a key", "exec", "--detach-keys", "ab", "-t", "web", "true");
}

static void test_restored_as_guest(void **state)
{
        static const int signals[] = { SIGTERM, SIGHUP, SIGINT, SIGSEGV };

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                struct termios raw;
                char job[16];
                Run *run;

                start_job("-t", "web", "while :; do echo here; sleep .1; done", job);
                run = run_start_on_terminal("attach", "web", job, NULL);
                run_expect(run, "here");
                assert_int_equal(tcgetattr(run->input_fd, &raw), 0);
                assert_int_equal(raw.c_lflag & (tcflag_t)(ICANON | ECHO | ISIG), 0);
                run_kill(run, signals[i]);
                assert_int_equal(run_wait(run), 128 + signals[i]);
                assert_is_restored(run);
                run_free(run);
                assert_run(0, "running", NULL, "jobs", "web");
                end_job(job);
        }
}

static void test_missed(void **state)
{
        char job[16];

        assert_run(0, NULL, NULL, "create", "--name", "late", "/srv");
        start_job(NULL, "late", "printf 0123456789", job);
        assert_run(0, "56789", "5 bytes of the output of 'late' were not kept", "attach", "late",
                   job);
        assert_run(0, NULL, NULL, "rm", "late");
}

static void test_failed_attach(void **state)
{
        static const char *const expected[] = { "Attach ", "Kill ", "Release " };
        char *log, *p;
        Run *run;

        assert_run(0, NULL, NULL, "create", "--name", "blind", "/srv");
        free(harness_take_log());
        /* The second one has to be ended by force. */
        for (int i = 0; i < 2; i++) {
                run = run_start_on_terminal(
                        "exec", "-t", "blind", "sh", "-c",
                        i ? "trap '' HUP; while :; do sleep .1; done" : "exec sleep 60", NULL);
                assert_int_equal(run_wait(run), 125);
                assert_is_restored(run);
                run_expect(run, "too many readers");
                run_free(run);
                log = p = harness_take_log();
                for (size_t k = 0; k < ELEMENTSOF(expected); k++) {
                        p = strstr(p, expected[k]);
                        assert_non_null(p);
                }
                free(log);
        }
        assert_run(0, "", NULL, "jobs", "-q", "blind");
        assert_run(0, NULL, NULL, "rm", "blind");
}

static void test_logs(void **state)
{
        char job[16];
        Run *run;

        start_job(NULL, "web", "echo out; echo err >&2; read x; sleep 60", job);
        start_job(NULL, "web", "echo out; echo err >&2; exec sleep 60", job);
        (void)usleep(100000);
        run = run_to_end("logs", "web", job, NULL); /* and does not wait for the end */
        assert_int_equal(run->exit_code, 0);
        assert_string_equal(run->output, "out\n");
        assert_string_equal(run->error, "err\n");
        run_free(run);
        run = run_start("logs", "-f", "web", NULL);
        run_expect(run, "out\n");
        (void)usleep(300000);
        assert_int_equal(kill(run->pid, 0), 0);
        end_job(job);
        assert_int_equal(run_wait(run), 0);
        run_free(run);
        assert_run(0, "out\n", "err\n", "logs", "web", job);
        assert_run(125, NULL, "No job 99999", "logs", "web", "99999");
        assert_run(125, NULL, "not the number of a job", "logs", "web", "x");
        assert_run(0, NULL, NULL, "kill", "-s", "KILL", "web");
}

static void test_missing(void **state)
{
        static const char *const verbs[][5] = {
                { "attach", "web", "99999" },
                { "logs", "web", "99999" },
                { "wait", "web", "99999" },
                { "kill", "--job", "99999", "web" },
        };

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                assert_run(125, "", "No job 99999 in 'web'. 'wardenctl jobs web' shows",
                           verbs[i][0], verbs[i][1], verbs[i][2], verbs[i][3]);
        assert_run(125, "", "No container 'wbe'", "kill", "--job", "1", "wbe");
        assert_run(125, "", "'wardenctl shell web' opens a shell", "exec", "web", "--");
}

static void test_jobs(void **state)
{
        char job[16], other[16];

        assert_run(0, NULL, NULL, "create", "--name", "table", "/srv");
        start_job(NULL, "table", "exec sleep 60", job);
        start_job(NULL, "table", "exit 9", other);
        assert_run(9, NULL, NULL, "wait", "--keep", "table", other);
        assert_run(0, "running", NULL, "jobs", "table");
        assert_run(0, "exited 9", NULL, "jobs", "table");
        assert_run(0, "sh -c exit 9", NULL, "jobs", "table");
        assert_run(0, "\"Container\":\"table\"", NULL, "jobs", "--json");
        assert_run(0, "\"EndReason\":\"exited\"", NULL, "jobs", "--json", "table");
        assert_run(0, job, NULL, "jobs", "-q", "table");
        assert_run(125, NULL, "No container 'tabel'", "jobs", "tabel");
        assert_run(0, NULL, NULL, "rm", "table");
}

static void test_options(void **state)
{
        char *log;

        free(harness_take_log());
        assert_run(0, NULL, NULL, "exec", "-d", "-i", "--log", "both", "--ring-size", "64K", "web",
                   "true");
        log = harness_take_log();
        assert_non_null(strstr(log, "\"Log\":\"both\""));
        assert_non_null(strstr(log, "\"RingBytes\":65536"));
        assert_non_null(strstr(log, "\"OpenStdin\":true"));
        assert_null(strstr(log, "\"Stdout\""));
        assert_null(strstr(log, "Backpressure"));
        free(log);
        assert_run(125, NULL, "is not ring, journal, both or none", "exec", "--log", "file", "web",
                   "true");
        assert_run(125, NULL, "RingBytes", "exec", "--ring-size", "1", "web", "true");
}

static void test_daemon_restart(void **state)
{
        Run *run;
        char job[16];

        assert_run(0, NULL, NULL, "create", "--name", "crash", "/srv");
        start_job(NULL, "crash", "echo one; sleep 4; echo two; exit 6", job);
        /* It went away with the spawn, and is back before the job ends. */
        (void)usleep(300000);
        for (int i = 0, code = -1; i < 30 && code != 0; i++) {
                run = run_start("list", NULL);
                code = run_wait(run);
                run_free(run);
                (void)usleep(50000);
        }
        run = run_start("attach", "crash", job, NULL);
        assert_int_equal(run_wait(run), 6);
        assert_string_equal(run->output, "one\ntwo\n");
        run_free(run);
        assert_run(0, NULL, NULL, "rm", "crash");
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
                { "shows what a job has written and goes on writing", test_attach_output },
                { "takes the newest job that runs", test_attach_newest },
                { "writes to an open stdin", test_attach_input },
                { "keeps its signals to itself as a guest", test_signals_of_guests },
                { "leaves by the keys, and comes back", test_detach },
                { "passes the first of the keys on when it was alone", test_half_of_the_keys },
                { "refuses keys that there are not", test_wrong_keys },
                { "restores the terminal whatever ends a guest", test_restored_as_guest },
                { "tells how much was missed", test_missed },
                { "leaves no job behind that it could not attach to", test_failed_attach },
                { "shows what there is, or follows", test_logs },
                { "says that a job is not there, and not its container", test_missing },
                { "lists jobs and how they ended", test_jobs },
                { "says where the output goes", test_options },
                { "stays attached while the daemon restarts", test_daemon_restart },
        };

        return cmocka_run_group_tests_name("ctl/attach", tests, begin, harness_end);
}
