/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* warden-firewall: applies what wardend asks for to the kernel's packet filter. A program of its
 * own, since libnftables may wait for the kernel and for others that change the filter, and since
 * the worker, which is forked for every container, is better off without it. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "config.h"

#include "basic/fd.h"
#include "firewall/server.h"
#include "wire/worker-message.h"

int main(int argc, char **argv)
{
        Fault fault = FAULT_INIT;
        int type, r;
        socklen_t size = sizeof(type);

        if (argc == 2 && strcmp(argv[1], "--version") == 0) {
                printf("warden-firewall %s\n", WARDEN_VERSION);
                return EXIT_SUCCESS;
        }
        if (argc > 1 || getsockopt(WORKER_FD, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
            type != SOCK_SEQPACKET) {
                (void)fprintf(stderr, "warden-firewall is started by wardend, with a socket.\n");
                return EXIT_FAILURE;
        }
        /* What an earlier one is still at would come after what the next one is told. A transaction
         * that has begun is the kernel's, and done whole. */
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGPIPE, SIG_IGN);
        (void)fd_set_cloexec(WORKER_FD, 1);
        r = server_run(WORKER_FD, &fault);
        if (r < 0)
                (void)fprintf(stderr, "warden-firewall: %s\n", fault.text);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
