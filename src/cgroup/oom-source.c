/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the kernel tells, and what it does not:
 *
 *   v2   memory.events has changed, which it also does for "low", "high" and "max", and several
 *        changes may be one event (the kernel tells at most every 10 ms). The counter was raised
 *        before the victim gets its signal, so it is true when the event comes.
 *   v1   memory is short. The eventfd fires before anything is killed, and the counter is still
 *        the old one; it fires when the group is removed; it fires for shortage in a group above,
 *        whose victim may be a stranger; nothing fires when the counter is raised. So the counter
 *        is looked at again a few times, ever later, after each such event: the kernel needs
 *        microseconds to choose among few processes, and longer where it prints a report on a slow
 *        console first.
 *
 * In both it is the counter that decides. sd-event has one inotify descriptor for all of its
 * watches, of which the kernel gives a user 128; an eventfd is a descriptor like any other. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/parse.h"
#include "cgroup/oom-events.h"
#include "cgroup/oom-source.h"

#define FILE_MAX_BYTES (4U << 10)
#define V1_FILE "memory.oom_control"
#define V2_FILE "memory.events"
#define LOOK_FIRST_USEC USEC_PER_MSEC
#define LOOK_LAST_USEC (256 * USEC_PER_MSEC)
#define LOOK_FACTOR 4

struct OomSource {
        CgroupMode mode;
        int group_fd; /* in the memory controller's hierarchy */
        int event_fd; /* v1 */
        sd_event_source *source;
        sd_event_source *timer;  /* v1: until the counter has followed */
        uint64_t look_usec;      /* from this look to the next one */
        uint64_t kills_at_event; /* v1: when the eventfd fired */
        OomFunc func;
        void *userdata;
};

OomSource *oom_source_free(OomSource *source)
{
        if (!source)
                return NULL;
        sd_event_source_disable_unref(source->source);
        sd_event_source_disable_unref(source->timer);
        fd_close(source->event_fd);
        fd_close(source->group_fd);
        free(source);
        return NULL;
}

int oom_source_read(OomSource *source, uint64_t *ret_kills)
{
        _drop_(drop_free) char *text = NULL;
        int r;

        r = io_read_file(source->group_fd, source->mode == CGROUP_UNIFIED ? V2_FILE : V1_FILE,
                         FILE_MAX_BYTES, &text, NULL);
        return r < 0 ? r : oom_events_parse(text, ret_kills);
}

uint64_t oom_source_parse_oomd(const char *value, size_t size)
{
        char number[24];
        uint64_t n;

        if (size == 0 || size >= sizeof(number))
                return 0;
        memcpy(number, value, size);
        number[size] = 0;
        return parse_u64(number, &n) < 0 ? 0 : n;
}

uint64_t oom_source_read_oomd(const OomSource *source)
{
        char value[24];
        ssize_t n;

        /* systemd-oomd works with cgroup v2 only. The name is of its own interface (systemd's
         * doc CONTROL_GROUP_INTERFACE), the value a number without a NUL. */
        if (source->mode != CGROUP_UNIFIED)
                return 0;
        n = fgetxattr(source->group_fd, "user.oomd_ooms", value, sizeof(value));
        return n > 0 ? oom_source_parse_oomd(value, (size_t)n) : 0;
}

static int on_events_changed(sd_event_source *s, const struct inotify_event *event, void *userdata)
{
        OomSource *source = userdata;
        uint64_t kills;

        /* IN_IGNORED comes when the group is removed. The owner reads before, when PID 1 ends. */
        if (oom_source_read(source, &kills) >= 0)
                source->func(source->userdata, kills);
        return 0;
}

static int on_look(sd_event_source *s, uint64_t usec, void *userdata)
{
        OomSource *source = userdata;
        uint64_t kills;

        if (oom_source_read(source, &kills) < 0)
                return 0;
        if (kills == source->kills_at_event && source->look_usec <= LOOK_LAST_USEC) {
                (void)sd_event_source_set_time_relative(s, source->look_usec);
                (void)sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
                source->look_usec *= LOOK_FACTOR;
        }
        source->kills_at_event = kills;
        source->func(source->userdata, kills);
        return 0;
}

static void begin_to_look(OomSource *source)
{
        sd_event *event = sd_event_source_get_event(source->source);

        source->look_usec = LOOK_FIRST_USEC * LOOK_FACTOR;
        if (source->timer) {
                (void)sd_event_source_set_time_relative(source->timer, LOOK_FIRST_USEC);
                (void)sd_event_source_set_enabled(source->timer, SD_EVENT_ONESHOT);
                return;
        }
        (void)sd_event_add_time_relative(event, &source->timer, CLOCK_MONOTONIC, LOOK_FIRST_USEC, 1,
                                         on_look, source);
}

static int on_eventfd(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        OomSource *source = userdata;
        uint64_t n, kills;

        if (read(fd, &n, sizeof(n)) < 0 && errno != EAGAIN) {
                (void)sd_event_source_set_enabled(s, SD_EVENT_OFF);
                return 0;
        }
        if (oom_source_read(source, &kills) < 0)
                return 0; /* the group was removed */
        source->kills_at_event = kills;
        begin_to_look(source);
        source->func(source->userdata, kills);
        return 0;
}

static int watch_v2(OomSource *source, sd_event *event)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/" V2_FILE, source->group_fd);
        return sd_event_add_inotify(event, &source->source, path, IN_MODIFY, on_events_changed,
                                    source);
}

static int watch_v1(OomSource *source, sd_event *event)
{
        _drop_(drop_fd) int file_fd = -EBADF;
        char line[32];
        int r;

        file_fd = openat(source->group_fd, V1_FILE, O_RDONLY | O_CLOEXEC);
        if (file_fd < 0)
                return -errno;
        source->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (source->event_fd < 0)
                return -errno;
        /* The kernel needs the file for this one write only. */
        (void)snprintf(line, sizeof(line), "%d %d", source->event_fd, file_fd);
        r = io_write_string(source->group_fd, "cgroup.event_control", line);
        if (r < 0)
                return r;
        return sd_event_add_io(event, &source->source, source->event_fd, EPOLLIN, on_eventfd,
                               source);
}

int oom_source_new_at(struct sd_event *event, CgroupMode mode, int take_group_fd, OomFunc func,
                      void *userdata, OomSource **ret)
{
        _drop_(drop_oom_source) OomSource *source = calloc(1, sizeof(*source));
        int r;

        if (!source) {
                fd_close(take_group_fd);
                return -ENOMEM;
        }
        *source = (OomSource){ .mode = mode,
                               .group_fd = take_group_fd,
                               .event_fd = -EBADF,
                               .func = func,
                               .userdata = userdata };
        r = mode == CGROUP_UNIFIED ? watch_v2(source, event) : watch_v1(source, event);
        if (r < 0)
                return r;
        /* Before PID 1's report of a job's end: it needs the counter, too. */
        r = sd_event_source_set_priority(source->source, SD_EVENT_PRIORITY_IMPORTANT);
        if (r < 0)
                return r;
        *ret = take_ptr(source);
        return 0;
}

int oom_source_new(struct sd_event *event, CgroupMode mode, const char *control_group, OomFunc func,
                   void *userdata, OomSource **ret)
{
        int fd, r;

        r = cgroup_open(mode, "memory", control_group, &fd);
        return r < 0 ? r : oom_source_new_at(event, mode, fd, func, userdata, ret);
}
