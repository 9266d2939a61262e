/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Speaks as warden-journal does (wire/journal-message.h), and writes what jobs have written to the
 * file "journal" of the folder that $WARDEN_FAKE_JOURNAL names. The file "journal-mode" in there,
 * read for each job, holds one word:
 *
 *     take    (also when there is no such file) reads a job to its end and says so
 *     hold    reads nothing of it */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/frame.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "wire/fd-socket.h"
#include "wire/journal-message.h"

static int is_holding(int dir_fd)
{
        _drop_(drop_free) char *text = NULL;

        return io_read_file(dir_fd, "journal-mode", 64, &text, NULL) >= 0 &&
               strncmp(text, "hold", 4) == 0;
}

/* Copies a framed stream; returns 1 when its last frame has come. */
static int copy_stream(int fd, int out_fd)
{
        uint8_t header[FRAME_HEADER];
        Frame frame;

        while (io_read_full(fd, header, sizeof(header)) == (ssize_t)sizeof(header)) {
                _drop_(drop_free) char *data = NULL;

                if (frame_decode(header, &frame) < 0)
                        return 0;
                if (frame.size == 0)
                        return 1;
                data = malloc(frame.size);
                if (!data || io_read_full(fd, data, frame.size) != (ssize_t)frame.size ||
                    io_write_full(out_fd, data, frame.size) < 0)
                        return 0;
        }
        return 0;
}

static void take(int dir_fd, const JournalMessage *m, const int *fds)
{
        int out_fd = openat(dir_fd, "journal", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        JournalState state = { .version = JOURNAL_STATE_VERSION };
        char key[JOURNAL_KEY_SIZE];

        for (int i = 0; i < 2; i++)
                state.places[i].is_ended = (uint32_t)copy_stream(fds[i], out_fd);
        fd_close(out_fd);
        if (pwrite(fds[2], &state, sizeof(state), 0) < 0)
                return;
        journal_key_format(m->id, m->job, key);
        (void)fd_socket_send(JOURNAL_FD, key, strlen(key), NULL, 0, 0);
}

int main(void)
{
        const char *folder = getenv("WARDEN_FAKE_JOURNAL");
        int dir_fd = open(folder ? folder : "/nowhere", O_PATH | O_DIRECTORY | O_CLOEXEC);

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGCHLD, SIG_IGN);
        if (dir_fd < 0)
                return EXIT_FAILURE;
        for (;;) {
                int fds[JOURNAL_MESSAGE_FDS];
                size_t n_fds = ELEMENTSOF(fds);
                uint8_t buffer[JOURNAL_MESSAGE_MAX];
                JournalMessage m;
                ssize_t n = fd_socket_receive(JOURNAL_FD, buffer, sizeof(buffer), fds, &n_fds, 0);

                if (n <= 0)
                        return EXIT_SUCCESS;
                if (n_fds != ELEMENTSOF(fds) || journal_message_decode(buffer, (size_t)n, &m) < 0)
                        return EXIT_FAILURE;
                if (is_holding(dir_fd))
                        continue; /* the descriptors stay open until we are killed */
                take(dir_fd, &m, fds);
                for (size_t i = 0; i < n_fds; i++)
                        fd_close(fds[i]);
        }
}
