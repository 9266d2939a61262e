/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "wire/job-wire.h"
#include "wire/wshd-message.h"

/* A real wshd as PID 1 of new user, mount and pid namespaces, and what a client of it needs. The
 * root file system is the test machine's, with an /etc of its own (passwd and group only), an empty
 * /mnt that can be written, and a devpts. Every failure ends the test at once. */

typedef struct ContainerOptions {
        uint64_t nofile;      /* RLIMIT_NOFILE, hard and soft; 0: as it is */
        uint64_t nofile_soft; /* soft alone */
        uint64_t grace_usec;  /* for a stop by signal; 0: wshd's own default */
} ContainerOptions;

typedef struct Container {
        pid_t pid; /* of wshd, outside; 0: it was waited for */
        char path[108];
} Container;

/* cmocka's set-up and tear-down: *state becomes a Container of default options. */
int container_setup(void **state);
int container_teardown(void **state);

Container *container_new(const ContainerOptions *options);
Container *container_free(Container *container);

/* Waits up to a minute for PID 1's end. Returns waitpid()'s status. */
int container_wait(Container *container);

/* How many descriptors PID 1 has, and processes as its children. */
size_t container_count_fds(const Container *container);

/* Waits until PID 1 has @n of them again: who closes one is not waited for. */
void container_expect_fds(const Container *container, size_t n);

/* Waits for a time in which PID 1 is not woken once. */
void container_expect_idle(const Container *container);
size_t container_count_children(const Container *container);

/* A number from a line of /proc/PID/status. */
uint64_t container_status(const Container *container, const char *key);

/* Whether PID 1 runs under a tool, which makes it slow. */
int container_is_wrapped(void);

/* What a case cannot do without. */
enum {
        NEEDS_IDS = 1U << 0,     /* jobs can be other users: more than one uid is mapped */
        NEEDS_NO_TOOL = 1U << 1, /* a tool takes signals, descriptors or memory for itself */
};

typedef struct ContainerCase {
        struct CMUnitTest test;
        unsigned needs;
} ContainerCase;

/* Runs those cases that can be run here, and names the others and the reason. They are left out of
 * TAP's list, since cmocka's own way to skip one counts as a failure with meson. Without user
 * namespaces all is skipped. Returns the exit code. */
int container_run_cases(const char *group, const ContainerCase *cases, size_t n_cases);

#define CASE_WITH(needs, sentence, function)                                             \
        {                                                                                \
                { sentence, function, container_setup, container_teardown, NULL }, needs \
        }
#define CASE(sentence, function) CASE_WITH(0, sentence, function)
/* Of its own containers. */
#define CASE_ALONE(needs, sentence, function)                   \
        {                                                       \
                { sentence, function, NULL, NULL, NULL }, needs \
        }

/* Waits for a child of the test. Returns its exit code. */
int wait_child(pid_t pid);

/* The program that plays hostile jobs. */
const char *helper_path(void);

/* Connects, waiting for PID 1 to listen. client_open() also says hello and reads the list. */
int client_connect(const Container *container);
int client_open(const Container *container, uint32_t flags);

/* Sends a request with a new sequence number, which is returned. */
uint32_t client_send(int fd, WshdMessage m, const int *fds, size_t n_fds);

/* The next message, which has a minute to come. @ret_fd may be NULL: descriptors are closed then.
 * Returns 1; 0 at the end of the connection. */
int client_receive(int fd, WshdMessage *ret, int *ret_fd);

/* The same with all descriptors, WSHD_FDS_MAX at most; they are the caller's. */
int client_receive_fds(int fd, WshdMessage *ret, int *fds, size_t *ret_n);

/* Attaches as @m says, type and sequence aside, and gives stdin, stdout and stderr, -EBADF for what
 * was not granted. Returns the flags of those that were. */
uint32_t client_attach(int fd, WshdMessage m, int fds[3]);

/* The same for one stream, which must be granted. */
int client_attach_one(int fd, uint32_t job, uint32_t flags);

/* Receives until a message of @type comes by and returns it; others are dropped. */
WshdMessage client_expect(int fd, uint32_t type);

/* A request and its reply, dropping events in between. */
WshdMessage client_ask(int fd, WshdMessage m, const int *fds, size_t n_fds);

/* A spec in the making, of strings and numbers as in JOB_TAG_*. */
typedef struct SpecBuilder {
        uint8_t data[2048];
        WireWriter writer;
} SpecBuilder;

/* A spec with these arguments, NULL-terminated. */
void spec_begin(SpecBuilder *spec, const char *const *argv);
#define SPEC(spec, ...) spec_begin(spec, (const char *const[]){ __VA_ARGS__, NULL })
#define SPEC_SHELL(spec, script) SPEC(spec, "/bin/sh", "-c", script)

/* Asks for the job and returns the reply. */
WshdMessage job_spawn(int fd, uint32_t job, const SpecBuilder *spec, uint32_t flags);

/* The same with rings; it must start. */
WshdMessage job_start(int fd, uint32_t job, const SpecBuilder *spec, uint32_t flags,
                      uint64_t ring_bytes);

/* Reads to the end or until one byte less than @room is there, and adds a NUL. */
size_t read_all(int fd, char *output, size_t room);

/* Runs a job to its end on a subscribed connection, then releases it. Returns WSHD_EXITED. What it
 * wrote to its stdout is in @output, if given. */
WshdMessage job_run(int fd, uint32_t job, const SpecBuilder *spec, char *output, size_t room);

/* Asks, and asserts that the answer is WSHD_FAILED with these. */
void expect_refusal(int fd, WshdMessage m, uint32_t stage, int error);
void expect_no_start(int fd, uint32_t job, const SpecBuilder *spec, uint32_t stage, int error);
