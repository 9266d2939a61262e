/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

/* A private bus with fake-wardend on it, and wardenctl run against that: with pipes, as a script
 * does, or on a pseudo-terminal, as a person does. */

#define OUTPUT_MAX (8U << 20)

/* One run of wardenctl. Output is cut at OUTPUT_MAX. */
typedef struct Run {
        pid_t pid;
        int input_fd, output_fd, error_fd; /* our ends; a terminal: all three are its master */
        int is_terminal;
        struct termios before; /* of the terminal, when it was made */
        char *output, *error;  /* NUL-terminated, what came so far */
        size_t output_size, error_size;
        int exit_code; /* 128 + signal too; valid after run_wait() */
        int signal;    /* what killed it; 0 */
} Run;

int harness_begin(void **state);
int harness_end(void **state);

/* Starts `wardenctl ARGUMENTS…`, ended by NULL. */
Run *run_start(const char *first, ...);
Run *run_start_on_terminal(const char *first, ...);

/* Reads until @text is in the output (not the errors). Fails the test after some seconds. */
void run_expect(Run *run, const char *text);

void run_expect_size(Run *run, size_t size);

void run_write(Run *run, const void *data, size_t size);
void run_close_input(Run *run);
void run_kill(Run *run, int signal);

/* Reads until the end of wardenctl, though a job may still hold its output, and fails the test when
 * that does not come. Returns the exit code. */
int run_wait(Run *run);

/* Also when it runs: then it is killed. */
void run_free(Run *run);

/* start, close the input, wait. */
Run *run_to_end(const char *first, ...);

/* run_to_end(), which must give @exit_code and, where not NULL, have these texts in output and
 * errors. */
#define assert_run(exit_code, output, error, ...) \
        run_check(__FILE__, __LINE__, (exit_code), (output), (error), __VA_ARGS__, NULL)
void run_check(const char *file, int line, int exit_code, const char *output, const char *error,
               const char *first, ...);

/* What the daemon was asked for since the last time, as text. Free it. */
char *harness_take_log(void);

/* Waits until the log has @text. */
void harness_expect_log(const char *text);
