/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-journal.h>

#include "basic/io.h"
#include "basic/macro.h"
#include "basic/parse.h"
#include "ctl/journal-logs.h"

/* After a job has ended its last lines are still on the way from PID 1 over the journal to us. */
#define QUIET_MSEC 300

#define STREAMS 2

/* Up to where a stream of a job has been printed. */
typedef struct Printed {
        uint32_t job;
        uint64_t next_positions[STREAMS]; /* a line at or behind it is new */
} Printed;

typedef struct Printer {
        const JournalLogs *logs;
        sd_journal *journal;
        Printed *printed;
        size_t n_printed;
} Printer;

static void drop_journal(sd_journal **journal)
{
        sd_journal_close(*journal);
}

/* The value of a field of the current entry; not ended by NUL. Returns 0; negative errno. */
static int get_data(Printer *p, const char *field, const char **ret, size_t *ret_size)
{
        size_t n = strlen(field) + 1, size;
        const void *data;
        int r;

        r = sd_journal_get_data(p->journal, field, &data, &size);
        if (r < 0)
                return r;
        if (size < n)
                return -EBADMSG;
        *ret = (const char *)data + n;
        *ret_size = size - n;
        return 0;
}

static int get_u64(Printer *p, const char *field, uint64_t *ret)
{
        const char *data;
        char text[24];
        size_t size;
        int r;

        r = get_data(p, field, &data, &size);
        if (r < 0)
                return r;
        if (size >= sizeof(text))
                return -EBADMSG;
        memcpy(text, data, size);
        text[size] = 0;
        return parse_u64(text, ret);
}

static Printed *find_printed(Printer *p, uint32_t job)
{
        Printed *all;

        for (size_t i = 0; i < p->n_printed; i++)
                if (p->printed[i].job == job)
                        return &p->printed[i];
        all = reallocarray(p->printed, p->n_printed + 1, sizeof(*all));
        if (!all)
                return NULL;
        p->printed = all;
        all[p->n_printed] = (Printed){ .job = job };
        return &all[p->n_printed++];
}

/* Returns 1 when the entry has not been printed; 0; -ENOMEM. */
static int take_position(Printer *p, int stream)
{
        uint64_t job = 0, position = 0;
        Printed *printed;

        if (get_u64(p, "CONTAINER_JOB", &job) < 0 || job > UINT32_MAX ||
            get_u64(p, "CONTAINER_STREAM_POSITION", &position) < 0)
                return 1; /* of another version: shown rather than hidden */
        printed = find_printed(p, (uint32_t)job);
        if (!printed)
                return -ENOMEM;
        if (position < printed->next_positions[stream])
                return 0;
        printed->next_positions[stream] = position + 1;
        return 1;
}

/* Returns 0; -EPIPE. */
static int print_entry(Printer *p)
{
        const char *message, *name, *ignored;
        size_t size, n;
        int is_stderr, r;
        FILE *out;

        r = get_data(p, "MESSAGE", &message, &size);
        if (r < 0)
                return 0;
        is_stderr = get_data(p, "CONTAINER_STREAM", &name, &n) >= 0 && n == 6 &&
                    memcmp(name, "stderr", n) == 0;
        r = take_position(p, is_stderr);
        if (r <= 0)
                return r;
        out = is_stderr ? p->logs->err : p->logs->out;
        if (get_data(p, "CONTAINER_MISSED_BYTES", &ignored, &n) >= 0)
                out = p->logs->err;
        /* Asked for again: the journal keeps one window for the last field that was asked for. */
        if (get_data(p, "MESSAGE", &message, &size) < 0)
                return 0;
        if (fwrite(message, 1, size, out) != size)
                return -EPIPE;
        if (get_data(p, "CONTAINER_PARTIAL_MESSAGE", &ignored, &n) < 0 && putc('\n', out) == EOF)
                return -EPIPE;
        return 0;
}

static int print_rest(Printer *p)
{
        int r;

        while ((r = sd_journal_next(p->journal)) > 0) {
                r = print_entry(p);
                if (r < 0)
                        return r;
        }
        if (r >= 0 && (fflush(p->logs->out) == EOF || fflush(p->logs->err) == EOF))
                r = -EPIPE;
        return r;
}

static int add_match(sd_journal *journal, const char *field, const char *value)
{
        char text[256];

        (void)snprintf(text, sizeof(text), "%s=%s", field, value);
        return sd_journal_add_match(journal, text, 0);
}

/* Anybody on the host may write an entry with our fields; nobody but root has that _UID=. */
static int add_matches(Printer *p)
{
        char job[16];
        int r;

        r = add_match(p->journal, "CONTAINER_ID", p->logs->container_id);
        if (r >= 0)
                r = add_match(p->journal, "_UID", "0");
        if (r >= 0)
                r = add_match(p->journal, "CONTAINER_STREAM", "stdout");
        if (r >= 0)
                r = add_match(p->journal, "CONTAINER_STREAM", "stderr");
        if (r < 0 || p->logs->job == 0)
                return r;
        (void)snprintf(job, sizeof(job), "%" PRIu32, p->logs->job);
        return add_match(p->journal, "CONTAINER_JOB", job);
}

/* So that the next sd_journal_next() gives the first entry that is wanted. */
static int seek(Printer *p)
{
        const JournalLogs *logs = p->logs;
        uint64_t skipped = 0;
        int r;

        if (logs->n_lines == UINT64_MAX)
                return logs->since_usec > 0
                               ? sd_journal_seek_realtime_usec(p->journal, logs->since_usec)
                               : sd_journal_seek_head(p->journal);
        r = sd_journal_seek_tail(p->journal);
        while (r >= 0 && skipped < logs->n_lines) {
                uint64_t usec;

                r = sd_journal_previous(p->journal);
                if (r <= 0)
                        break;
                if (logs->since_usec > 0 && sd_journal_get_realtime_usec(p->journal, &usec) >= 0 &&
                    usec < logs->since_usec)
                        return 0; /* next() leaves this one behind */
                skipped++;
        }
        if (r < 0)
                return r;
        if (skipped == 0) /* none is wanted: behind the last one */
                return sd_journal_previous(p->journal);
        if (r == 0)
                return sd_journal_seek_head(p->journal);
        /* On the first that is wanted; one further back, so that next() gives it. */
        r = sd_journal_previous(p->journal);
        return r == 0 ? sd_journal_seek_head(p->journal) : r;
}

static int get_timeout_msec(Printer *p, int is_over, uint64_t wake_usec)
{
        uint64_t usec = USEC_INFINITY, now = io_now_monotonic_usec();

        if (is_over)
                return QUIET_MSEC;
        if (sd_journal_get_timeout(p->journal, &usec) < 0)
                usec = USEC_INFINITY;
        usec = MIN2(usec, wake_usec);
        if (usec == USEC_INFINITY)
                return -1;
        return usec > now ? (int)MIN2((usec - now + 999) / USEC_PER_MSEC, (uint64_t)INT32_MAX) : 0;
}

/* Returns 0 when it is over. */
static int follow(Printer *p)
{
        int is_over = 0, r;

        for (;;) {
                uint64_t wake_usec = USEC_INFINITY;
                struct pollfd pollfds[] = {
                        { .fd = sd_journal_get_fd(p->journal),
                          .events = (short)sd_journal_get_events(p->journal) },
                        { .fd = p->logs->wake_fd, .events = POLLIN },
                };

                if (!is_over)
                        is_over = p->logs->is_over(p->logs->userdata, &wake_usec);
                if (is_over)
                        pollfds[1].fd = -1;
                r = poll(pollfds, ELEMENTSOF(pollfds), get_timeout_msec(p, is_over, wake_usec));
                if (r < 0 && errno != EINTR)
                        return -errno;
                if (r == 0 && is_over)
                        return 0;
                r = sd_journal_process(p->journal);
                if (r >= 0)
                        r = print_rest(p);
                if (r < 0)
                        return r;
        }
}

int journal_logs_print(const JournalLogs *logs, Fault *fault)
{
        _drop_(drop_journal) sd_journal *journal = NULL;
        _drop_(drop_free) Printed *printed = NULL;
        Printer printer = { .logs = logs };
        int r;

        r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot open the journal: %m");
        (void)sd_journal_set_data_threshold(journal, 0); /* lines as long as they are */
        printer.journal = journal;
        if (logs->is_following) {
                r = sd_journal_get_fd(
                        journal); /* before the seek: what comes in between wakes us */
                if (r < 0)
                        return fault_set(fault, FAULT_FAILED, r, "Cannot watch the journal: %m");
        }
        r = add_matches(&printer);
        if (r >= 0)
                r = seek(&printer);
        if (r >= 0)
                r = print_rest(&printer);
        if (r >= 0 && logs->is_following)
                r = follow(&printer);
        printed = printer.printed;
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r,
                                 r == -EPIPE ? "Cannot write: %m" : "Cannot read the journal: %m");
        return 0;
}
