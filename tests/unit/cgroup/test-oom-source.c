/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "cgroup/oom-source.h"

/* The kernel's part is played with files of the same names. */
typedef struct Group {
        char path[64];
        int fd;
        sd_event *event;
        OomSource *source;
        uint64_t kills;
        unsigned n_calls;
} Group;

static void on_oom(void *userdata, uint64_t kills)
{
        Group *group = userdata;

        group->kills = kills;
        group->n_calls++;
}

static void write_file(const Group *group, const char *name, const char *text)
{
        int fd = openat(group->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        /* Never shorter than before, so that the file is at no time without its counter. */
        assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
        fd_close(fd);
}

static int setup(void **state)
{
        Group *group = calloc(1, sizeof(*group));

        if (!group)
                return -1;
        (void)snprintf(group->path, sizeof(group->path), "/tmp/warden-oom-XXXXXX");
        if (!mkdtemp(group->path))
                return -1;
        group->fd = open(group->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *state = group;
        write_file(group, "memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n");
        write_file(group, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
        return group->fd < 0 ? -1 : sd_event_new(&group->event);
}

static int teardown(void **state)
{
        Group *group = *state;

        oom_source_free(group->source);
        sd_event_unref(group->event);
        (void)io_remove_tree(AT_FDCWD, group->path);
        fd_close(group->fd);
        free(group);
        return 0;
}

static void watch(Group *group, CgroupMode mode)
{
        int fd = fd_dup(group->fd);

        assert_int_equal(oom_source_new_at(group->event, mode, fd, on_oom, group, &group->source),
                         0);
}

/* Until it was called so often, for 10 s at most. */
static void run_until(Group *group, unsigned n_calls)
{
        uint64_t until = io_now_monotonic_usec() + 10 * USEC_PER_SEC;

        while (group->n_calls < n_calls && io_now_monotonic_usec() < until)
                assert_true(sd_event_run(group->event, USEC_PER_SEC) >= 0);
        assert_true(group->n_calls >= n_calls);
}

/* What is there already, and nothing else. */
static void run_rest(Group *group)
{
        while (sd_event_run(group->event, 0) > 0)
                ;
}

static void test_v2(void **state)
{
        Group *group = *state;

        watch(group, CGROUP_UNIFIED);
        run_rest(group);
        assert_int_equal(group->n_calls, 0);
        write_file(group, "memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 0\n");
        run_until(group, 1);
        assert_int_equal(group->kills, 0);
        write_file(group, "memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 3\n");
        run_until(group, 2);
        assert_int_equal(group->kills, 3);
}

static void test_v2_gone(void **state)
{
        Group *group = *state;
        uint64_t kills = 42;

        watch(group, CGROUP_UNIFIED);
        assert_int_equal(unlinkat(group->fd, "memory.events", 0), 0);
        run_rest(group);
        assert_int_equal(group->n_calls, 0);
        assert_int_equal(oom_source_read(group->source, &kills), -ENOENT);
        assert_int_equal(kills, 42);
}

/* As the kernel does, by the descriptor that it was given. */
static void fire_v1(const Group *group)
{
        _drop_(drop_free) char *line = NULL;
        uint64_t one = 1;
        int event_fd, file_fd;

        assert_int_equal(io_read_file(group->fd, "cgroup.event_control", 64, &line, NULL), 0);
        assert_int_equal(sscanf(line, "%d %d", &event_fd, &file_fd), 2);
        assert_int_equal(write(event_fd, &one, sizeof(one)), sizeof(one));
}

static void watch_v1(Group *group)
{
        write_file(group, "cgroup.event_control", "");
        watch(group, CGROUP_LEGACY);
        run_rest(group);
        assert_int_equal(group->n_calls, 0);
}

static void test_v1(void **state)
{
        Group *group = *state;

        watch_v1(group);
        write_file(group, "memory.oom_control", "oom_kill_disable 0\nunder_oom 1\noom_kill 1\n");
        fire_v1(group);
        run_until(group, 1);
        assert_int_equal(group->kills, 1);
}

static void test_v1_late(void **state)
{
        Group *group = *state;

        watch_v1(group);
        fire_v1(group);
        run_until(group, 2);
        assert_int_equal(group->kills, 0);
        write_file(group, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
        for (unsigned n = 3; group->kills == 0; n++)
                run_until(group, n);
        assert_int_equal(group->kills, 2);
}

/* Memory was short and nobody died, or a stranger: the looks come to an end. */
static void test_v1_nothing(void **state)
{
        Group *group = *state;
        unsigned n;

        watch_v1(group);
        fire_v1(group);
        do {
                n = group->n_calls;
                assert_true(sd_event_run(group->event, USEC_PER_SEC) >= 0);
        } while (group->n_calls > n);
        assert_in_range(group->n_calls, 2, 10);
        assert_int_equal(group->kills, 0);
}

static void test_v1_gone(void **state)
{
        Group *group = *state;

        watch_v1(group);
        assert_int_equal(unlinkat(group->fd, "memory.oom_control", 0), 0);
        fire_v1(group);
        assert_int_equal(sd_event_run(group->event, 10 * USEC_PER_SEC), 1);
        run_rest(group);
        assert_int_equal(group->n_calls, 0);
}

static void test_no_group(void **state)
{
        Group *group = *state;
        OomSource *source = NULL;
        int r;

        r = oom_source_new(group->event, cgroup_mode(), "/warden-no-such.slice", on_oom, group,
                           &source);
        assert_true(r == -ENOENT || r == -EOPNOTSUPP);
        assert_int_equal(unlinkat(group->fd, "memory.oom_control", 0), 0);
        assert_int_equal(oom_source_new_at(group->event, CGROUP_LEGACY, fd_dup(group->fd), on_oom,
                                           group, &source),
                         -ENOENT);
        assert_null(source);
}

static void test_oomd(void **state)
{
        assert_int_equal(oom_source_parse_oomd("1", 1), 1);
        assert_int_equal(oom_source_parse_oomd("17", 2), 17);
        assert_int_equal(oom_source_parse_oomd("17", 1), 1);
        assert_int_equal(oom_source_parse_oomd("", 0), 0);
        assert_int_equal(oom_source_parse_oomd("-1", 2), 0);
        assert_int_equal(oom_source_parse_oomd("1x", 2), 0);
        assert_int_equal(oom_source_parse_oomd("123456789012345678901234", 24), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "reads v2's counter whenever the file has changed", test_v2, setup, teardown,
                  NULL },
                { "is silent when v2's group is removed", test_v2_gone, setup, teardown, NULL },
                { "reads v1's counter when the eventfd fires", test_v1, setup, teardown, NULL },
                { "looks again when v1's counter is behind the event", test_v1_late, setup,
                  teardown, NULL },
                { "stops looking when nothing was killed", test_v1_nothing, setup, teardown, NULL },
                { "is silent when v1's group is removed", test_v1_gone, setup, teardown, NULL },
                { "refuses a group that is not there", test_no_group, setup, teardown, NULL },
                { "reads systemd-oomd's note, and no other text", test_oomd, NULL, NULL, NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
