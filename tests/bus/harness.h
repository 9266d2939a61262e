/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <systemd/sd-bus.h>

/* A private bus with the real wardend on it, a fake systemd and a fake worker program, in a
 * directory of its own. Everything that is started is a child or grandchild of the test, which
 * is their subreaper, so that nothing is left behind. A function that cannot do its part fails
 * the test. */

typedef enum HarnessCgroup {
        HARNESS_CGROUP_HOST,    /* the host's */
        HARNESS_CGROUP_UNIFIED, /* cgroup v2, where no container has a group */
        HARNESS_CGROUP_LEGACY,  /* folders that look like cgroup v1, with a group for each */
} HarnessCgroup;

typedef struct Harness {
        char directory[64]; /* below /tmp */
        char address[128];
        /* For the next harness_start_systemd(): its mode, and a unit that it knows; "": none */
        char systemd_mode[32], systemd_unit[64], systemd_unit_state[16];
        pid_t bus_pid, systemd_pid, wardend_pid;
        /* What wardend has for /sys/fs/cgroup, in a mount namespace of its own; for the next
         * harness_launch_wardend() */
        HarnessCgroup cgroup;
        int notify_fd;
        int is_ready; /* READY=1 was seen of this wardend */
        char status[256];
        sd_bus *bus; /* the test's own connection */
} Harness;

/* $WARDEND, $WSHD, $FAKE_SYSTEMD, $FAKE_WORKER, $FAKE_JOURNAL and $BUS_POLICY name the programs and
 * the file. */
void harness_new(Harness *h);
void harness_new_bus(Harness *h); /* without wardend */
void harness_free(Harness *h);

void harness_start_systemd(Harness *h);
void harness_configure(Harness *h,
                       const char *conf); /* wardend.conf, for its next start or reload */
void harness_reload_wardend(Harness *h);  /* and waits until it is ready again */
void harness_start_wardend(Harness *h);   /* and waits until it is ready */
void harness_launch_wardend(Harness *h);  /* does not wait */

/* harness_new() with other control groups. Returns 0; -1: who is not root cannot mount them. */
int harness_new_with_cgroup(Harness *h, HarnessCgroup cgroup);

/* The text of a file of the only container's group of HARNESS_CGROUP_LEGACY; the caller's. */
char *harness_read_group(Harness *h, const char *controller, const char *file);
void harness_write_group(Harness *h, const char *controller, const char *file, const char *text);
void harness_kill_wardend(Harness *h, int signal);
void harness_stop_systemd(Harness *h);

/* Reads what wardend notified within @usec; stops early at READY=1. */
void harness_read_notify(Harness *h, uint64_t usec);

/* Modes of the fakes, in force for what comes next. */
void harness_set_worker(Harness *h, const char *mode);
void harness_set_systemd(Harness *h, const char *mode);
void harness_systemd(Harness *h, const char *method);

/* 1 when the fake systemd was called with a line that contains @text. */
int harness_systemd_was_asked(Harness *h, const char *text);

/* A method of ours: @object is the Manager for NULL, else a path. Returns 0 or a negative errno
 * with
 * @error. @ret may be NULL. */
int harness_call(Harness *h, const char *object, const char *interface, const char *method,
                 sd_bus_error *error, sd_bus_message **ret, const char *types, ...);

#define MANAGER "org.warden.Warden1.Manager"
#define CONTAINER "org.warden.Warden1.Container"
#define JOB "org.warden.Warden1.Job"
#define WARDEN_PATH "/org/warden/Warden1"

/* CreateContainer with a name and a root; the reply's path, which is not the caller's. */
int harness_create(Harness *h, const char *name, sd_bus_error *error);

/* SpawnJob of a shell command; @ret is the job's path, the caller's. */
int harness_spawn(Harness *h, const char *name, const char *command, char **ret,
                  sd_bus_error *error);

/* New strings, "" where the property is none: the caller's. */
char *harness_get_string(Harness *h, const char *path, const char *interface, const char *property);
int32_t harness_get_int(Harness *h, const char *path, const char *interface, const char *property);
uint32_t harness_get_unsigned(Harness *h, const char *path, const char *interface,
                              const char *property);

/* Processes signals of the test's connection until @condition says 1, for 10 s at most, then fails
 * the test. */
void harness_until(Harness *h, int (*condition)(void *userdata), void *userdata);

/* Polls the state of a container or a job, by its property. */
void harness_until_string(Harness *h, const char *path, const char *interface, const char *property,
                          const char *value);

/* How many entries wardend's state directory has: containers that exist for it. */
size_t harness_count_state(Harness *h);

/* Waits until so many processes descend from the test. Without a container it is four: the bus, the
 * fake systemd, wardend and its worker program. A container is one more, and each of its jobs. */
#define HARNESS_PROCESSES 4
void harness_until_processes(Harness *h, size_t n);

/* Waits until a job has come so far as to ignore a signal. */
void harness_until_ignores(pid_t pid, int signal);

/* 1 when the process is there and no zombie. */
int harness_is_alive(pid_t pid);
