/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "basic/strv.h"

/* What the two halves of fake-wardend share: fake-wardend.c has manager and containers, fake-job.c
 * the processes. */

#define FAKE_ERROR(name) "org.warden.Warden1.Error." name
#define FAKE_CONTAINERS_MAX 1100
#define FAKE_JOBS_MAX 256

typedef struct FakeContainer {
        char *name, *path, *root, *state;
        uint64_t created_usec;
} FakeContainer;

typedef struct FakeJob {
        FakeContainer *container;
        char *path;
        char **argv;
        uint32_t id;
        pid_t pid;
        int master_fd;   /* of its pty; -EBADF */
        int input_fd;    /* the writing end of its open stdin; -EBADF */
        int ring_fds[2]; /* what it has written; -EBADF: to descriptors of its client */
        int is_running, code, signal;
        uint64_t start_usec, end_usec;
} FakeJob;

extern sd_bus *fake_bus;
extern sd_event *fake_event;
extern FILE *fake_log;
extern FakeJob *fake_jobs[FAKE_JOBS_MAX];
extern const sd_bus_vtable fake_job_vtable[];

void fake_log_call(sd_bus_message *m);

int fake_job_find(sd_bus *bus, const char *path, const char *interface, void *userdata,
                  void **ret_found, sd_bus_error *error);

/* The method Attach of a job, in fake-attach.c. */
int fake_job_attach(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* The method SpawnJob of a container. */
int fake_job_spawn(sd_bus_message *m, void *userdata, sd_bus_error *error);
