/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* warden-journal: carries the output of jobs from the rings of their PID 1 to the journal, so that
 * none of it passes through wardend. Started and watched by wardend; see wire/journal-message.h. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "config.h"

#include "basic/fd.h"
#include "basic/log.h"
#include "journal/server.h"
#include "wire/journal-message.h"

/* Two descriptors a job; epoll knows no bound, so there is no reason for the soft one. */
static void raise_descriptors(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) >= 0) {
                limit.rlim_cur = limit.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &limit);
        }
}

int main(int argc, char **argv)
{
        int type, r;
        socklen_t size = sizeof(type);

        if (argc == 2 && strcmp(argv[1], "--version") == 0) {
                printf("warden-journal %s\n", WARDEN_VERSION);
                return EXIT_SUCCESS;
        }
        log_open("warden-journal", LOG_TARGET_AUTO, LOG_INFO);
        if (argc > 1 || getsockopt(JOURNAL_FD, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
            type != SOCK_SEQPACKET) {
                (void)fprintf(stderr, "warden-journal is started by wardend, with a socket.\n");
                return EXIT_FAILURE;
        }
        /* The next wardend starts another one, and two must not carry the same stream: we are not
         * to outlive this one, not even by what is left to do before its socket is read again. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGPIPE, SIG_IGN);
        (void)fd_set_cloexec(JOURNAL_FD, 1);
        raise_descriptors();
        r = server_run(JOURNAL_FD);
        if (r < 0)
                log_error(r, "warden-journal failed: %m");
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
