/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "basic/log.h"
#include "basic/strv.h"
#include "daemon/container-disk.h"
#include "daemon/stats-reader.h"

/* One container is twenty files, of about ten microseconds each. */
#define ROWS_AT_ONCE 4

/* The child is at the mercy of the kernel only. */
#define CHILD_SEC 60

typedef struct StatsRequest StatsRequest;
struct StatsRequest {
        char **names; /* NULL: all */
        StatsFunc func;
        void *userdata;
        StatsRequest *next;
};

struct StatsReader {
        Manager *manager;
        StatsRequest *waiting; /* for the next child */
        StatsRequest *served;  /* by this one */
        StatsRow *rows;        /* shared with the child; NULL: there is none */
        size_t n_rows, n_mapped;
        sd_event_source *child_source;
};

static StatsRequest *request_free(StatsRequest *request)
{
        strv_free(request->names);
        free(request);
        return NULL;
}

int stats_reader_new(Manager *manager, StatsReader **ret)
{
        StatsReader *reader = calloc(1, sizeof(*reader));

        if (!reader)
                return -ENOMEM;
        reader->manager = manager;
        *ret = reader;
        return 0;
}

/* By the daemon itself, which knows the layer; the numbers are in the kernel's memory. */
static void row_set_disk(StatsRow *row, const Container *c)
{
        DiskLimits disk = disk_limits_from(&c->spec->limits);
        uint64_t bytes, inodes;

        if (container_get_disk_usage(c, &bytes, &inodes) < 0)
                return;
        stats_set(&row->stats, STAT_DISK_CURRENT, bytes);
        if (disk.bytes != UINT64_MAX)
                stats_set(&row->stats, STAT_DISK_MAX, disk.bytes);
        if (inodes == UINT64_MAX)
                return;
        stats_set(&row->stats, STAT_DISK_INODES_CURRENT, inodes);
        if (disk.inodes != UINT64_MAX)
                stats_set(&row->stats, STAT_DISK_INODES_MAX, disk.inodes);
}

static void row_init(StatsRow *row, const Container *c)
{
        *row = (StatsRow){ .start_ticks = c->leader_start_ticks, .state = c->state };
        (void)snprintf(row->name, sizeof(row->name), "%s", container_name(c));
        (void)snprintf(row->id, sizeof(row->id), "%s", c->id);
        row_set_disk(row, c);
        if (c->control_group && strlen(c->control_group) < sizeof(row->control_group))
                (void)snprintf(row->control_group, sizeof(row->control_group), "%s",
                               c->control_group);
}

static void read_uptime(const StatsRow *row, Stats *stats)
{
        uint64_t ticks_per_sec = (uint64_t)sysconf(_SC_CLK_TCK);
        uint64_t now, start = row->start_ticks * (USEC_PER_SEC / ticks_per_sec);
        struct timespec ts;

        if (row->start_ticks == 0 || clock_gettime(CLOCK_BOOTTIME, &ts) < 0)
                return;
        now = (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
        stats_set(stats, STAT_UPTIME, now > start ? now - start : 0);
}

/* In the child, or at once. Nothing of the daemon's but the row is touched. */
static void row_read(StatsRow *row, CgroupMode mode)
{
        char link[sizeof(row->id) + 2];

        if (!row->control_group[0])
                return;
        if (stats_read_group(mode, row->control_group, &row->stats) == -ENOENT) {
                row->is_gone = 1;
                return;
        }
        (void)snprintf(link, sizeof(link), "w-%s", row->id);
        (void)stats_read_interface(link, &row->stats);
        read_uptime(row, &row->stats);
}

/* What is asked of the kernel with a descriptor that only the daemon has does not belong into
 * row_read(): the child closes them all, so that a client's pipe does not stay open by it. */
static void __attribute__((noreturn))
child_run(StatsRow *rows, size_t n_rows, CgroupMode mode, pid_t parent)
{
        sigset_t none;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(EXIT_FAILURE);
        (void)close_range(3, ~0U, 0);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)signal(SIGALRM, SIG_DFL);
        (void)alarm(CHILD_SEC);
        for (size_t i = 0; i < n_rows; i++)
                row_read(&rows[i], mode);
        _exit(EXIT_SUCCESS);
}

static void drop_rows(StatsReader *reader)
{
        if (reader->rows)
                (void)munmap(reader->rows, reader->n_mapped * sizeof(StatsRow));
        reader->rows = NULL;
        reader->n_rows = reader->n_mapped = 0;
}

/* Rows of all containers. Shared with a child: what it writes is here when it has ended. */
static int make_rows(StatsReader *reader)
{
        size_t n = MAX2(map_size(reader->manager->by_name), (size_t)1), i = 0;
        StatsRow *rows;
        Container *c;

        rows = mmap(NULL, n * sizeof(StatsRow), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                    -1, 0);
        if (rows == MAP_FAILED)
                return -errno;
        MAP_FOREACH(c, reader->manager->by_name)
                if (c->is_announced && i < n)
                        row_init(&rows[i++], c);
        reader->rows = rows;
        reader->n_rows = i;
        reader->n_mapped = n;
        return 0;
}

static void request_answer(StatsRequest *request, Map *by_name, const StatsRow *rows, size_t n_rows)
{
        _drop_(drop_free) const StatsRow **chosen = NULL;
        size_t n = 0;

        chosen = calloc(n_rows + 1, sizeof(*chosen));
        if (!chosen) {
                request->func(request->userdata, NULL, 0, -ENOMEM, NULL);
                return;
        }
        if (!request->names)
                for (; n < n_rows; n++)
                        chosen[n] = &rows[n];
        /* A name that is given twice is found once: it leaves the map for as long. */
        for (char **name = request->names; name && *name; name++) {
                StatsRow *row = map_remove(by_name, *name);

                if (row)
                        chosen[n++] = row;
        }
        for (size_t i = 0; request->names && i < n; i++)
                (void)map_put(by_name, chosen[i]->name, (void *)(uintptr_t)chosen[i]);
        request->func(request->userdata, chosen, n, 0, NULL);
}

static void fail_all(StatsRequest **list, int error, const Fault *fault)
{
        StatsRequest *request;

        while ((request = *list)) {
                *list = request->next;
                request->func(request->userdata, NULL, 0, error, fault);
                request_free(request);
        }
}

static void answer_all(StatsReader *reader)
{
        _drop_(drop_map) Map *by_name = map_new();
        StatsRequest *request;
        int r = by_name ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < reader->n_rows; i++)
                r = map_put(by_name, reader->rows[i].name, &reader->rows[i]);
        if (r < 0) {
                fail_all(&reader->served, r, NULL);
                return;
        }
        while ((request = reader->served)) {
                reader->served = request->next;
                request_answer(request, by_name, reader->rows, reader->n_rows);
                request_free(request);
        }
}

static int reader_begin(StatsReader *reader, Fault *fault);

static int on_child_exit(sd_event_source *s, const siginfo_t *si, void *userdata)
{
        StatsReader *reader = userdata;
        Fault fault = FAULT_INIT;
        int r;

        reader->child_source = sd_event_source_disable_unref(reader->child_source);
        if (si->si_code == CLD_EXITED && si->si_status == EXIT_SUCCESS) {
                answer_all(reader);
        } else {
                r = fault_set(&fault, FAULT_FAILED, -EIO,
                              "The process that reads statistics ended by signal %d",
                              si->si_status);
                (void)log_error(r, "%s", fault.text);
                fail_all(&reader->served, r, &fault);
        }
        drop_rows(reader);

        if (reader->waiting) {
                fault = FAULT_INIT;
                r = reader_begin(reader, &fault);
                if (r < 0)
                        fail_all(&reader->waiting, r, &fault);
        }
        return 0;
}

/* Makes the child for all who wait. */
static int reader_begin(StatsReader *reader, Fault *fault)
{
        pid_t parent = getpid(), pid;
        int r;

        r = make_rows(reader);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot make room for statistics: %m");
        pid = fork();
        if (pid < 0) {
                r = fault_set(fault, FAULT_FAILED, -errno,
                              "Cannot make a process to read statistics: %m");
                drop_rows(reader);
                return r;
        }
        if (pid == 0)
                child_run(reader->rows, reader->n_rows, reader->manager->cgroup_mode, parent);

        r = sd_event_add_child(reader->manager->event, &reader->child_source, pid, WEXITED,
                               on_child_exit, reader);
        if (r >= 0)
                r = sd_event_source_set_child_process_own(reader->child_source, 1);
        if (r < 0) {
                /* It ends by itself, and is reaped with the daemon. */
                (void)kill(pid, SIGKILL);
                reader->child_source = sd_event_source_disable_unref(reader->child_source);
                drop_rows(reader);
                return fault_set(fault, FAULT_FAILED, r, "Cannot watch a process: %m");
        }
        reader->served = take_ptr(reader->waiting);
        return 0;
}

static int read_at_once(StatsReader *reader, char *const *names, size_t n, StatsFunc func,
                        void *userdata)
{
        const StatsRow *chosen[ROWS_AT_ONCE];
        StatsRow rows[ROWS_AT_ONCE];
        size_t n_chosen = 0;

        for (size_t i = 0; i < n; i++) {
                Container *c = manager_get(reader->manager, names[i]);
                StatsRow *row = &rows[n_chosen];
                size_t earlier = 0;

                while (earlier < i && strcmp(names[earlier], names[i]) != 0)
                        earlier++;
                if (!c || earlier < i)
                        continue;
                row_init(row, c);
                row_read(row, reader->manager->cgroup_mode);
                chosen[n_chosen++] = row;
        }
        func(userdata, chosen, n_chosen, 0, NULL);
        return 0;
}

int stats_reader_read(StatsReader *reader, char *const *names, StatsFunc func, void *userdata,
                      Fault *fault)
{
        size_t n = strv_length(names);
        StatsRequest *request;
        int r;

        if (n > 0 && n <= ROWS_AT_ONCE)
                return read_at_once(reader, names, n, func, userdata);
        request = calloc(1, sizeof(*request));
        r = !request ? -ENOMEM : n > 0 ? strv_copy(names, &request->names) : 0;
        if (r < 0) {
                free(request);
                return fault_set(fault, FAULT_FAILED, r, "Out of memory");
        }
        request->func = func;
        request->userdata = userdata;
        request->next = reader->waiting;
        reader->waiting = request;
        if (reader->rows)
                return 0;
        r = reader_begin(reader, fault);
        if (r < 0) {
                reader->waiting = request->next;
                request_free(request);
        }
        return r;
}

StatsReader *stats_reader_free(StatsReader *reader)
{
        Fault fault = FAULT_INIT;

        if (!reader)
                return NULL;
        (void)fault_set(&fault, FAULT_FAILED, -ECANCELED, "wardend ends; ask again in a moment");
        reader->child_source = sd_event_source_disable_unref(reader->child_source);
        fail_all(&reader->served, fault.error, &fault);
        fail_all(&reader->waiting, fault.error, &fault);
        drop_rows(reader);
        free(reader);
        return NULL;
}
