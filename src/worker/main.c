/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* warden-worker [WSHD [STATE-DIRECTORY…]]
 *
 * Started by wardend with its socket as descriptor 3; ends when that is closed. WSHD is what
 * becomes PID 1 of the containers; what an earlier life left to delete below the state directories
 * is deleted. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/keyctl.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "config.h"
#include "wire/worker-message.h"
#include "worker/caps.h"
#include "worker/host.h"
#include "worker/network.h"
#include "worker/remove.h"
#include "worker/server.h"

#define FILES_SOFT 1024 /* what select() can bear */
#define FILES_HARD 1048576

/* Not the journal's library: this process is forked for every operation and had better be small. */
static int fail(int error, const Fault *fault, const char *what)
{
        (void)fprintf(stderr, "<3>warden-worker: %s: %s\n", what,
                      fault && fault->text[0] ? fault->text : strerror(-error));
        return EXIT_FAILURE;
}

static int open_standard_streams(void)
{
        int fd;

        do {
                fd = open("/dev/null", O_RDWR | O_NOCTTY);
                if (fd < 0)
                        return -errno;
        } while (fd < 3 && fd != WORKER_FD);
        fd_close(fd);
        return 0;
}

static void reset_signals(void)
{
        sigset_t none;

        for (int i = 1; i < _NSIG; i++)
                (void)signal(i, SIG_DFL);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        /* Workers are reaped by the kernel; a pipe without a reader is an error like any other. */
        (void)signal(SIGCHLD, SIG_IGN);
        (void)signal(SIGPIPE, SIG_IGN);
}

/* As far as we may: in a container of somebody else's root cannot raise the hard limit. */
static void set_limit(int resource, rlim_t soft, rlim_t hard)
{
        struct rlimit limit = { soft, hard };

        if (setrlimit(resource, &limit) >= 0 || getrlimit(resource, &limit) < 0)
                return;
        limit.rlim_cur = MIN2(soft, limit.rlim_max);
        (void)setrlimit(resource, &limit);
}

/* What containers inherit from us rather than each setting it anew. Only who is root on the host
 * can raise a limit or lower a score, so that it is done here or never. */
static int set_inherited(Fault *fault)
{
        (void)setsid();
        (void)umask(0);
        reset_signals();
        set_limit(RLIMIT_NOFILE, FILES_SOFT, FILES_HARD);
        /* Tasks are bounded by the scope; this would count all containers of one uid together. */
        set_limit(RLIMIT_NPROC, RLIM_INFINITY, RLIM_INFINITY);
        /* The daemon may be protected from the OOM killer, the containers are not. Where this is
         * refused the score was a worse one, and that is not for us to better. */
        (void)io_write_string(AT_FDCWD, "/proc/self/oom_score_adj", "0");
        /* PID 1 of the containers inherits this, and wshd gives its jobs the 0 back. -17 in the
         * file of old is an oom_score_adj of -1000, "never": while the memory of a victim is on its
         * way back, the kernel would choose whoever is left, and with PID 1 all others die. A write
         * to the new file would also lower what a process may go back to by itself, and a job could
         * make itself unkillable at the host's expense. Refused where we may not. */
        (void)io_write_string(AT_FDCWD, "/proc/self/oom_adj", "-17");
        /* The daemon's keys are not the containers'. A kernel without keys has none to lose. */
        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
                return fault_set(fault, FAULT_FAILED, -errno, "session keyring: %m");
        return caps_clear_inheritable(fault);
}

static void delete_leftovers(int argc, char *argv[])
{
        if (argc <= 2 || fork() != 0)
                return;
        (void)close(WORKER_FD);
        for (int i = 2; i < argc; i++)
                remove_leftovers(argv[i]);
        network_remove_leftovers(argv + 2);
        _exit(0);
}

static int run(int argc, char *argv[])
{
        const char *program = argc > 1 ? argv[1] : WARDEN_PKGLIBDIR "/wshd";
        _drop_(host_done) Host host = HOST_INIT;
        Fault fault = FAULT_INIT;
        int r;

        r = set_inherited(&fault);
        if (r < 0)
                return fail(r, &fault, "cannot prepare");
        r = host_open(program, &host, &fault);
        if (r < 0)
                return fail(r, &fault, "cannot prepare");
        delete_leftovers(argc, argv);
        r = server_run(&host, argc > 2 ? argv + 2 : argv + argc, WORKER_FD, &fault);
        return r < 0 ? fail(r, &fault, "cannot go on") : EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
        struct stat st;
        int r;

        if (fstat(WORKER_FD, &st) < 0 || !S_ISSOCK(st.st_mode))
                return fail(-EBADF, NULL, "this is started by wardend, descriptor 3");
        r = open_standard_streams();
        if (r < 0)
                return fail(r, NULL, "/dev/null");
        r = fd_set_cloexec(WORKER_FD, 1);
        if (r < 0)
                return fail(r, NULL, "descriptor 3");
        return run(argc, argv);
}
