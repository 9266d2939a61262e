/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel keeps a trigger for as long as the descriptor that it was written to is open, and says
 * EPOLLPRI when it fires. When the group is removed the descriptor says EPOLLERR, together with
 * EPOLLPRI and for ever: that is no pressure, and the end of the source. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "cgroup/pressure-source.h"

#define FILE_MAX_BYTES (4U << 10)
#define GROUP_FILE "memory.pressure"
#define HOST_FILE "/proc/pressure/memory"

struct PressureSource {
        int fd; /* of the group's file, and with it the trigger */
        sd_event_source *source;
        PressureFunc func;
        void *userdata;
};

PressureSource *pressure_source_free(PressureSource *source)
{
        if (!source)
                return NULL;
        sd_event_source_disable_unref(source->source);
        fd_close(source->fd);
        free(source);
        return NULL;
}

int pressure_check_possible_at(const char *path, CgroupMode mode, const char *key, Fault *fault)
{
        _drop_(drop_free) char *text = NULL;
        int r;

        if (mode != CGROUP_UNIFIED)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "%s: needs cgroup v2; this host is booted with v1 (%s)", key,
                                 cgroup_mode_to_string(mode));
        /* A kernel that has it switched off shows the file, and does not let it be read. */
        r = io_read_file(AT_FDCWD, path, FILE_MAX_BYTES, &text, NULL);
        if (r == -ENOENT || r == -EOPNOTSUPP)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "%s: the kernel does not measure pressure (PSI); boot it with "
                                 "psi=1",
                                 key);
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "%s: cannot read %s: %m", key, path) : 0;
}

int pressure_check_possible(CgroupMode mode, const char *key, Fault *fault)
{
        return pressure_check_possible_at(HOST_FILE, mode, key, fault);
}

static int on_ready(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        PressureSource *source = userdata;

        if (revents & (EPOLLERR | EPOLLHUP)) {
                (void)sd_event_source_set_enabled(s, SD_EVENT_OFF);
                return 0;
        }
        if (revents & EPOLLPRI)
                source->func(source->userdata);
        return 0;
}

int pressure_source_new_at(struct sd_event *event, int take_fd, uint64_t threshold_usec,
                           PressureFunc func, void *userdata, PressureSource **ret)
{
        _drop_(drop_pressure_source) PressureSource *source = calloc(1, sizeof(*source));
        char line[64];
        int r;

        if (!source) {
                fd_close(take_fd);
                return -ENOMEM;
        }
        *source = (PressureSource){ .fd = take_fd, .func = func, .userdata = userdata };
        (void)snprintf(line, sizeof(line), "some %" PRIu64 " %" PRIu64, threshold_usec,
                       PRESSURE_WINDOW_USEC);
        r = io_write_full(source->fd, line, strlen(line));
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &source->source, source->fd, EPOLLPRI, on_ready, source);
        if (r < 0)
                return r;
        *ret = take_ptr(source);
        return 0;
}

int pressure_source_new(struct sd_event *event, const char *control_group, uint64_t threshold_usec,
                        PressureFunc func, void *userdata, PressureSource **ret)
{
        _drop_(drop_fd) int group_fd = -EBADF;
        int fd, r;

        /* Every group has the file, with and without the memory controller. */
        r = cgroup_open(CGROUP_UNIFIED, "", control_group, &group_fd);
        if (r < 0)
                return r;
        fd = openat(group_fd, GROUP_FILE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -EOPNOTSUPP : -errno;
        return pressure_source_new_at(event, fd, threshold_usec, func, userdata, ret);
}
