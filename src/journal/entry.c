/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The identifying fields come from the daemon's message alone, and journald adds _PID=, _UID= and
 * the other trusted ones, which are this program's: nothing that a job writes can look like the
 * host's or like another container's. OBJECT_SYSTEMD_UNIT= of a process of root is what makes
 * `journalctl -u warden-ID.scope` show the entries. */

#define SD_JOURNAL_SUPPRESS_LOCATION

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <systemd/sd-journal.h>

#include "basic/macro.h"
#include "journal/entry.h"

static const char *const stream_names[] = { "stdout", "stderr" };

int entry_head_init(EntryHead *head, const JournalMessage *m)
{
        size_t size;
        char *p;

        *head = (EntryHead){ 0 };
        /* NUL ends a field here, as none of them has one. */
        if (asprintf(&head->text,
                     "CONTAINER=%s%cCONTAINER_NAME=%s%cCONTAINER_ID=%s%cCONTAINER_JOB=%" PRIu32
                     "%cOBJECT_SYSTEMD_UNIT=%s%cSYSLOG_IDENTIFIER=%s%cSYSLOG_FACILITY=%d",
                     m->name, 0, m->name, 0, m->id, 0, m->job, 0, m->unit, 0, m->identifier, 0,
                     LOG_DAEMON >> 3) < 0) {
                head->text = NULL;
                return -ENOMEM;
        }
        p = head->text;
        for (size_t i = 0; i < 7; i++) {
                size = strlen(p);
                head->fields[head->n_fields++] = (struct iovec){ .iov_base = p, .iov_len = size };
                p += size + 1;
        }
        return 0;
}

void entry_head_done(EntryHead *head)
{
        free(head->text);
        *head = (EntryHead){ 0 };
}

static void add(Entry *entry, void *data, size_t size)
{
        entry->fields[entry->n_fields++] = (struct iovec){ .iov_base = data, .iov_len = size };
}

static void begin(Entry *entry, const EntryHead *head, int stream, uint64_t position, int priority)
{
        entry->n_fields = 0;
        for (size_t i = 0; i < head->n_fields; i++)
                entry->fields[entry->n_fields++] = head->fields[i];
        (void)snprintf(entry->stream, sizeof(entry->stream), "CONTAINER_STREAM=%s",
                       stream_names[stream]);
        (void)snprintf(entry->position, sizeof(entry->position),
                       "CONTAINER_STREAM_POSITION=%" PRIu64, position);
        (void)snprintf(entry->priority, sizeof(entry->priority), "PRIORITY=%d", priority);
        add(entry, entry->stream, strlen(entry->stream));
        add(entry, entry->position, strlen(entry->position));
        add(entry, entry->priority, strlen(entry->priority));
}

static void add_message(Entry *entry, const void *text, size_t size)
{
        static const char key[] = "MESSAGE=";

        size = MIN2(size, (size_t)LINE_BYTES_MAX);
        memcpy(entry->message, key, sizeof(key) - 1);
        if (size > 0)
                memcpy(entry->message + sizeof(key) - 1, text, size);
        add(entry, entry->message, sizeof(key) - 1 + size);
}

void entry_make_line(Entry *entry, const EntryHead *head, int stream, const Line *line)
{
        static char partial[] = "CONTAINER_PARTIAL_MESSAGE=true";

        begin(entry, head, stream, line->position, line->priority);
        if (line->is_partial)
                add(entry, partial, sizeof(partial) - 1);
        add_message(entry, line->text, line->size);
}

void entry_make_gap(Entry *entry, const EntryHead *head, int stream, uint64_t position,
                    uint64_t missed_bytes)
{
        char text[128];

        begin(entry, head, stream, position, LOG_WARNING);
        (void)snprintf(entry->missed, sizeof(entry->missed), "CONTAINER_MISSED_BYTES=%" PRIu64,
                       missed_bytes);
        add(entry, entry->missed, strlen(entry->missed));
        (void)snprintf(text, sizeof(text),
                       "%" PRIu64 " bytes of %s are missing here: they came faster "
                       "than the journal takes them",
                       missed_bytes, stream_names[stream]);
        add_message(entry, text, strlen(text));
}

int entry_send(const Entry *entry)
{
        return sd_journal_sendv(entry->fields, (int)entry->n_fields);
}
