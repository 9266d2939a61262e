/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "harness.h"

#define PATIENCE_USEC (20 * USEC_PER_SEC)
#define ARGUMENTS_MAX 32

static struct {
        char directory[64];
        char config[96], socket[96], log[96];
        pid_t bus_pid, daemon_pid;
        long log_offset;
} harness;

static const char *const bus_config =
        "<busconfig><type>session</type><listen>unix:path=%s</listen>"
        "<policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>"
        "<allow send_type=\"method_call\"/><allow send_type=\"signal\"/>"
        "<allow send_requested_reply=\"true\"/><allow receive_type=\"method_call\"/>"
        "<allow receive_type=\"signal\"/><allow receive_requested_reply=\"true\"/></policy>"
        "</busconfig>\n";

/* As a shell on a terminal would start it: the tests may be run by nohup, or from a cron job. */
static void reset_signals(void)
{
        for (int i = 1; i < SIGRTMIN; i++)
                (void)signal(i, SIG_DFL);
}

static pid_t start_program(const char *const *argv)
{
        pid_t pid = fork();

        if (pid == 0) {
                reset_signals();
                /* A test that crashes leaves nobody behind. */
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)execvp(argv[0], (char *const *)argv);
                _exit(127);
        }
        return pid;
}

static int wait_for(int (*is_true)(void))
{
        uint64_t until = io_now_monotonic_usec() + PATIENCE_USEC;

        while (!is_true()) {
                if (io_now_monotonic_usec() > until)
                        return -ETIMEDOUT;
                (void)usleep(2000);
        }
        return 0;
}

/* That the socket is there is not enough: it is bound before anybody listens. */
static int bus_is_up(void)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _drop_(drop_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", harness.socket);
        return fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

static int daemon_is_up(void)
{
        Run *run = run_to_end("version", NULL);
        int is_up = run->exit_code == 0;

        run_free(run);
        return is_up;
}

int harness_begin(void **state)
{
        char address[128];
        FILE *f;

        (void)signal(SIGPIPE, SIG_IGN);
        (void)snprintf(harness.directory, sizeof(harness.directory), "/tmp/test-wardenctl-XXXXXX");
        if (!mkdtemp(harness.directory))
                return -1;
        (void)snprintf(harness.config, sizeof(harness.config), "%s/bus.conf", harness.directory);
        (void)snprintf(harness.socket, sizeof(harness.socket), "%s/bus", harness.directory);
        (void)snprintf(harness.log, sizeof(harness.log), "%s/log", harness.directory);
        (void)snprintf(address, sizeof(address), "unix:path=%s", harness.socket);
        f = fopen(harness.config, "we");
        if (!f || fprintf(f, bus_config, harness.socket) < 0 || fclose(f) != 0)
                return -1;
        (void)setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
        (void)setenv("TERM", "test-term", 1);
        (void)setenv("LC_ALL", "C.UTF-8", 1);
        (void)unsetenv("COLUMNS");
        (void)unsetenv("NO_COLOR");

        harness.bus_pid = start_program((const char *[]){ "dbus-daemon", "--nofork", "--nopidfile",
                                                          "--nosyslog", "--config-file",
                                                          harness.config, NULL });
        if (wait_for(bus_is_up) < 0)
                return -1;
        harness.daemon_pid = start_program(
                (const char *[]){ getenv("FAKE_WARDEND"), harness.log, NULL });
        return wait_for(daemon_is_up) < 0 ? -1 : 0;
}

static void end_program(pid_t pid)
{
        if (pid <= 0)
                return;
        (void)kill(pid, SIGTERM);
        (void)waitpid(pid, NULL, 0);
}

int harness_end(void **state)
{
        end_program(harness.daemon_pid);
        end_program(harness.bus_pid);
        (void)unlink(harness.config);
        (void)unlink(harness.socket);
        (void)unlink(harness.log);
        return rmdir(harness.directory);
}

static void collect_arguments(const char *first, va_list ap, const char **argv)
{
        size_t n = 0;

        argv[n++] = getenv("WARDENCTL");
        for (const char *argument = first; argument; argument = va_arg(ap, const char *)) {
                assert_true(n + 1 < ARGUMENTS_MAX);
                argv[n++] = argument;
        }
        argv[n] = NULL;
}

static Run *run_new(void)
{
        Run *run = calloc(1, sizeof(*run));

        assert_non_null(run);
        run->output = calloc(1, 1);
        run->error = calloc(1, 1);
        return run;
}

static Run *start_with_pipes(const char *const *argv)
{
        Run *run = run_new();
        int in[2], out[2], err[2];

        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        assert_int_equal(pipe2(err, O_CLOEXEC), 0);
        run->pid = fork();
        if (run->pid == 0) {
                reset_signals();
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)dup2(in[0], 0);
                (void)dup2(out[1], 1);
                (void)dup2(err[1], 2);
                (void)execv(argv[0], (char *const *)argv);
                _exit(99);
        }
        (void)close(in[0]);
        (void)close(out[1]);
        (void)close(err[1]);
        run->input_fd = in[1];
        run->output_fd = out[0];
        run->error_fd = err[0];
        return run;
}

Run *run_start(const char *first, ...)
{
        const char *argv[ARGUMENTS_MAX];
        va_list ap;

        va_start(ap, first);
        collect_arguments(first, ap, argv);
        va_end(ap);
        return start_with_pipes(argv);
}

Run *run_start_on_terminal(const char *first, ...)
{
        struct winsize size = { .ws_row = 33, .ws_col = 77 };
        const char *argv[ARGUMENTS_MAX];
        Run *run = run_new();
        va_list ap;
        int master;

        va_start(ap, first);
        collect_arguments(first, ap, argv);
        va_end(ap);
        run->pid = forkpty(&master, NULL, NULL, &size);
        if (run->pid == 0) {
                reset_signals();
                (void)execv(argv[0], (char *const *)argv);
                _exit(99);
        }
        assert_true(run->pid > 0);
        (void)fd_set_cloexec(master, 1);
        assert_int_equal(tcgetattr(master, &run->before), 0);
        run->is_terminal = 1;
        run->input_fd = run->output_fd = master;
        run->error_fd = -EBADF;
        return run;
}

/* One read; closes the descriptor at the end. */
static void read_into(int *fd, char **text, size_t *size)
{
        static char buffer[64 << 10];
        ssize_t n = read(*fd, buffer, sizeof(buffer));

        if (n <= 0) {
                *fd = -EBADF;
                return;
        }
        if (*size + (size_t)n > OUTPUT_MAX)
                return;
        *text = realloc(*text, *size + (size_t)n + 1);
        memcpy(*text + *size, buffer, (size_t)n);
        *size += (size_t)n;
        (*text)[*size] = 0;
}

/* Waits for one of both at most so long. Returns 0 when there was nothing to read. */
static int read_some(Run *run, int timeout_msec)
{
        int output_fd = run->output_fd, error_fd = run->error_fd;
        struct pollfd pollfds[] = { { .fd = output_fd, .events = POLLIN },
                                    { .fd = error_fd, .events = POLLIN } };

        if (poll(pollfds, 2, timeout_msec) <= 0)
                return 0;
        if (pollfds[0].revents) {
                read_into(&run->output_fd, &run->output, &run->output_size);
                if (run->output_fd < 0 && !run->is_terminal)
                        (void)close(output_fd);
        }
        if (pollfds[1].revents) {
                read_into(&run->error_fd, &run->error, &run->error_size);
                if (run->error_fd < 0)
                        (void)close(error_fd);
        }
        return 1;
}

static _noreturn_ void fail_with_output(const Run *run, const char *what)
{
        fail_msg("%s; output: %.2000s; errors: %.2000s", what, run->output, run->error);
        abort();
}

void run_expect(Run *run, const char *text)
{
        uint64_t until = io_now_monotonic_usec() + PATIENCE_USEC;

        while (!strstr(run->output, text)) {
                (void)read_some(run, 100);
                if (io_now_monotonic_usec() > until || (run->output_fd < 0 && run->error_fd < 0))
                        fail_with_output(run, text);
        }
}

void run_expect_size(Run *run, size_t size)
{
        uint64_t until = io_now_monotonic_usec() + PATIENCE_USEC;

        while (run->output_size < size) {
                (void)read_some(run, 100);
                if (io_now_monotonic_usec() > until || run->output_fd < 0)
                        fail_with_output(run, "the output is too short");
        }
}

void run_write(Run *run, const void *data, size_t size)
{
        assert_int_equal(io_write_full(run->input_fd, data, size), 0);
}

void run_close_input(Run *run)
{
        if (!run->is_terminal)
                run->input_fd = fd_close(run->input_fd);
}

void run_kill(Run *run, int signal)
{
        assert_int_equal(kill(run->pid, signal), 0);
}

int run_wait(Run *run)
{
        uint64_t until = io_now_monotonic_usec() + PATIENCE_USEC;
        int status;

        while (waitpid(run->pid, &status, WNOHANG) == 0) {
                if (io_now_monotonic_usec() > until)
                        fail_with_output(run, "wardenctl hangs");
                if (!read_some(run, 5) && run->output_fd < 0 && run->error_fd < 0)
                        (void)usleep(1000);
        }
        run->pid = 0;
        while (read_some(run, 0))
                ;
        run->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        run->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + run->signal;
        return run->exit_code;
}

void run_free(Run *run)
{
        if (run->pid > 0) {
                (void)kill(run->pid, SIGKILL);
                (void)waitpid(run->pid, NULL, 0);
        }
        if (!run->is_terminal)
                (void)fd_close(run->output_fd);
        (void)fd_close(run->input_fd);
        (void)fd_close(run->error_fd);
        free(run->output);
        free(run->error);
        free(run);
}

Run *run_to_end(const char *first, ...)
{
        const char *argv[ARGUMENTS_MAX];
        va_list ap;
        Run *run;

        va_start(ap, first);
        collect_arguments(first, ap, argv);
        va_end(ap);
        run = start_with_pipes(argv);
        run_close_input(run);
        (void)run_wait(run);
        return run;
}

void run_check(const char *file, int line, int exit_code, const char *output, const char *error,
               const char *first, ...)
{
        const char *argv[ARGUMENTS_MAX];
        va_list ap;
        Run *run;

        va_start(ap, first);
        collect_arguments(first, ap, argv);
        va_end(ap);
        run = start_with_pipes(argv);
        run_close_input(run);
        (void)run_wait(run);
        if (run->exit_code != exit_code || (output && !strstr(run->output, output)) ||
            (error && !strstr(run->error, error)))
                fail_msg("%s:%d: exit code %d (not %d?), output: %.2000s (not '%s'?), errors: "
                         "%.2000s (not '%s'?)",
                         file, line, run->exit_code, exit_code, run->output, output ?: "",
                         run->error, error ?: "");
        run_free(run);
}

static char *read_log(void)
{
        FILE *f = fopen(harness.log, "re");
        char *text = NULL;
        size_t room = 0;

        assert_non_null(f);
        assert_int_equal(fseek(f, harness.log_offset, SEEK_SET), 0);
        if (getdelim(&text, &room, 0, f) < 0) {
                free(text);
                text = strdup("");
        }
        (void)fclose(f);
        return text;
}

char *harness_take_log(void)
{
        char *text = read_log();

        harness.log_offset += (long)strlen(text);
        return text;
}

void harness_expect_log(const char *text)
{
        uint64_t until = io_now_monotonic_usec() + PATIENCE_USEC;

        for (;;) {
                char *log = read_log();
                int is_there = strstr(log, text) != NULL;

                if (!is_there && io_now_monotonic_usec() > until)
                        fail_msg("no '%s' in the calls: %.2000s", text, log);
                free(log);
                if (is_there)
                        return;
                (void)usleep(2000);
        }
}
