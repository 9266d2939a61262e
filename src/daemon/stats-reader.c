/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "basic/io.h"
#include "basic/log.h"
#include "basic/strv.h"
#include "cgroup/stats-queue.h"
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
        StatsRow *rows;        /* NULL: there is no child */
        size_t n_rows;
        uint64_t *packed; /* shared with the child: for each row 1 if it is gone, and its numbers */
        size_t packed_size;
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

/* The numbers are in the kernel's memory. */
static void read_disk(const Container *c, Stats *stats)
{
        DiskLimits disk = disk_limits_from(&c->spec->limits);
        uint64_t bytes, inodes;

        if (container_get_disk_usage(c, &bytes, &inodes) < 0)
                return;
        stats_set(stats, STAT_DISK_CURRENT, bytes);
        if (disk.bytes != UINT64_MAX)
                stats_set(stats, STAT_DISK_MAX, disk.bytes);
        if (inodes == UINT64_MAX)
                return;
        stats_set(stats, STAT_DISK_INODES_CURRENT, inodes);
        if (disk.inodes != UINT64_MAX)
                stats_set(stats, STAT_DISK_INODES_MAX, disk.inodes);
}

static void row_done(StatsRow *row)
{
        free(row->slice);
}

static int row_init(StatsRow *row, const Container *c)
{
        *row = (StatsRow){ .state = c->state };
        (void)snprintf(row->name, sizeof(row->name), "%s", container_name(c));
        if (!c->spec->slice)
                return 0;
        row->slice = strdup(c->spec->slice);
        return row->slice ? 0 : -ENOMEM;
}

static void read_uptime(const Container *c, Stats *stats)
{
        uint64_t now = io_now_boottime_usec();

        if (c->started_usec > 0)
                stats_set(stats, STAT_UPTIME, now > c->started_usec ? now - c->started_usec : 0);
}

/* Theirs are told under a lock that others may hold for long. */
static int has_queues(const Container *c)
{
        return c->has_network && c->spec->limits.bandwidth.set;
}

/* In the child, or at once. Returns 0; -ENOENT it has ended. */
static int container_read_stats(const Container *c, CgroupMode mode, Stats *stats)
{
        char link[sizeof(c->id) + 2];

        stats->set = 0;
        stats->n_devices = 0;
        read_disk(c, stats);
        if (!c->control_group)
                return 0;
        if (stats_read_group(mode, c->control_group, stats) == -ENOENT)
                return -ENOENT;
        (void)snprintf(link, sizeof(link), "w-%s", c->id);
        (void)stats_read_interface(link, stats);
        if (has_queues(c))
                (void)stats_read_bandwidth(link, stats);
        read_uptime(c, stats);
        return 0;
}

/* A client's pipe must not stay open by the child: it has no descriptor of ours but the directory
 * of the layers, which tells what is on the disk. */
static void keep_layers(Manager *manager)
{
        if (dup2(manager->layers_dir_fd, STDERR_FILENO + 1) < 0)
                _exit(EXIT_FAILURE);
        manager->layers_dir_fd = STDERR_FILENO + 1;
        (void)close_range(STDERR_FILENO + 2, ~0U, 0);
}

/* The registry is the child's own copy: of the same containers in the same order as the rows. */
static void __attribute__((noreturn)) child_run(Manager *manager, uint64_t *packed, pid_t parent)
{
        const Container *c;
        sigset_t none;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(EXIT_FAILURE);
        keep_layers(manager);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)signal(SIGALRM, SIG_DFL);
        (void)alarm(CHILD_SEC);
        MAP_FOREACH(c, manager->by_name) {
                Stats stats;

                if (!c->is_announced)
                        continue;
                *packed++ = container_read_stats(c, manager->cgroup_mode, &stats) == -ENOENT;
                packed += stats_pack(&stats, packed);
        }
        _exit(EXIT_SUCCESS);
}

static void drop_rows(StatsReader *reader)
{
        if (reader->packed)
                (void)munmap(reader->packed, reader->packed_size);
        for (size_t i = 0; i < reader->n_rows; i++)
                row_done(&reader->rows[i]);
        free(reader->rows);
        reader->packed = NULL;
        reader->rows = NULL;
        reader->n_rows = 0;
}

/* Rows of all containers, and room for what the child reads, of which it takes as much as is read.
 * What it writes is here when it has ended. */
static int make_rows(StatsReader *reader)
{
        size_t n = MAX2(map_size(reader->manager->by_name), (size_t)1);
        size_t size = n * (1 + STATS_PACKED_MAX) * sizeof(uint64_t);
        const Container *c;
        int r = 0;

        reader->rows = calloc(n, sizeof(StatsRow));
        if (!reader->rows)
                return -ENOMEM;
        reader->packed = mmap(NULL, size, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (reader->packed == MAP_FAILED) {
                reader->packed = NULL;
                r = -errno;
        }
        reader->packed_size = size;
        MAP_FOREACH(c, reader->manager->by_name) {
                if (r < 0)
                        break;
                if (c->is_announced)
                        r = row_init(&reader->rows[reader->n_rows++], c);
        }
        if (r < 0)
                drop_rows(reader);
        return r;
}

/* The child has ended well. */
static void find_packed(StatsReader *reader)
{
        const uint64_t *p = reader->packed;
        Stats stats;

        for (size_t i = 0; i < reader->n_rows; i++) {
                reader->rows[i].is_gone = *p++ != 0;
                reader->rows[i].packed = p;
                p += stats_unpack(p, &stats);
        }
}

/* Those of a name, each once. */
static int choose_named(StatsRequest *request, const StatsRow *rows, size_t n_rows,
                        const StatsRow **chosen, size_t *ret)
{
        _drop_(drop_map) Map *by_name = map_new();
        int r = by_name ? 0 : -ENOMEM;
        size_t n = 0;

        for (size_t i = 0; r >= 0 && i < n_rows; i++)
                r = map_put(by_name, rows[i].name, (void *)(uintptr_t)&rows[i]);
        if (r < 0)
                return r;
        for (char **name = request->names; *name; name++) {
                const StatsRow *row = map_remove(by_name, *name);

                if (row)
                        chosen[n++] = row;
        }
        *ret = n;
        return 0;
}

static void request_answer(StatsRequest *request, const StatsRow *rows, size_t n_rows)
{
        _drop_(drop_free) const StatsRow **chosen = calloc(n_rows + 1, sizeof(*chosen));
        size_t n = 0;
        int r = chosen ? 0 : -ENOMEM;

        if (r >= 0 && request->names)
                r = choose_named(request, rows, n_rows, chosen, &n);
        else if (r >= 0)
                for (; n < n_rows; n++)
                        chosen[n] = &rows[n];
        request->func(request->userdata, r < 0 ? NULL : chosen, n, r, NULL);
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
        StatsRequest *request;

        find_packed(reader);
        while ((request = reader->served)) {
                reader->served = request->next;
                request_answer(request, reader->rows, reader->n_rows);
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
                child_run(reader->manager, reader->packed, parent);

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
        uint64_t packed[ROWS_AT_ONCE][STATS_PACKED_MAX];
        const StatsRow *chosen[ROWS_AT_ONCE] = { NULL };
        StatsRow rows[ROWS_AT_ONCE];
        size_t n_chosen = 0;
        Stats stats;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                const Container *c = manager_get(reader->manager, names[i]);
                StatsRow *row = &rows[n_chosen];
                size_t earlier = 0;

                while (earlier < i && strcmp(names[earlier], names[i]) != 0)
                        earlier++;
                if (!c || earlier < i)
                        continue;
                r = row_init(row, c);
                row->is_gone = container_read_stats(c, reader->manager->cgroup_mode, &stats) ==
                               -ENOENT;
                (void)stats_pack(&stats, packed[n_chosen]);
                row->packed = packed[n_chosen];
                chosen[n_chosen++] = row;
        }
        func(userdata, r < 0 ? NULL : chosen, r < 0 ? 0 : n_chosen, r, NULL);
        for (size_t i = 0; i < n_chosen; i++)
                row_done(&rows[i]);
        return 0;
}

static int may_wait(const StatsReader *reader, char *const *names)
{
        for (; *names; names++) {
                const Container *c = manager_get(reader->manager, *names);

                if (c && has_queues(c))
                        return 1;
        }
        return 0;
}

int stats_reader_read(StatsReader *reader, char *const *names, StatsFunc func, void *userdata,
                      Fault *fault)
{
        size_t n = strv_length(names);
        StatsRequest *request;
        int r;

        if (n > 0 && n <= ROWS_AT_ONCE && !may_wait(reader, names))
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
