/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The order of the stages: the spec first, since all others need it; then the descriptors, so that
 * whatever happens later nothing of PID 1's is open any more; limits while we are still root; the
 * container's user database, which is hostile, but by then there is nothing left to take; the
 * directory as the user, so that it reaches what the user may reach and no more; exec.
 *
 * The process is not dumpable, which it inherits from PID 1 and keeps until exec: root of the
 * container cannot attach to it, nor open what its /proc/PID/fd shows, while it still holds
 * descriptors of the host's side (CVE-2016-9962). */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd.h"
#include "init/child.h"
#include "init/passwd.h"
#include "init/program.h"
#include "init/spec.h"
#include "wire/wshd-message.h"

#define ERROR_FD 3 /* above the job's own three; everything beyond is closed */

#define DEFAULT_NOFILE_SOFT 1024
#define DEFAULT_NOFILE_HARD 524288
#define DEFAULT_UMASK 0022

/* One struct for all stages, so that they have one signature. */
typedef struct ChildState {
        const Child *child;
        int error_fd;
        Spec spec;
        Passwd passwd;
} ChildState;

typedef int (*ChildStage)(ChildState *state);

/* Unsealed, the spec could change or shrink while it is read, and the latter is a SIGBUS. */
static int spec_map(int fd, const void **ret, size_t *ret_size)
{
        int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
        struct stat st;
        int seals;
        void *p;

        seals = fcntl(fd, F_GET_SEALS);
        if (seals < 0)
                return -errno;
        if ((seals & wanted) != wanted)
                return -EPERM;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size <= 0 || st.st_size > (off_t)WSHD_JOB_SPEC_MAX)
                return -E2BIG;
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
                return -errno;
        *ret = p;
        *ret_size = (size_t)st.st_size;
        return 0;
}

static int child_spec(ChildState *state)
{
        const Child *child = state->child;
        const void *data = child->spec;
        size_t size = child->spec_size;
        int r;

        if (child->spec_fd >= 0) {
                r = spec_map(child->spec_fd, &data, &size);
                if (r < 0)
                        return r;
        }
        return spec_decode(data, size, &state->spec);
}

/* TIOCGPTPEER opens the other end of just this pty, whatever the container has mounted where its
 * path would lead. */
static int child_tty(ChildState *state)
{
        int fd;

        if (state->child->master_fd < 0)
                return 0;
        fd = ioctl(state->child->master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (ioctl(fd, TIOCSCTTY, 0) < 0)
                return -errno;
        for (int i = 0; i < 3; i++)
                if (dup2(fd, i) < 0)
                        return -errno;
        return 0;
}

static int child_stdio(ChildState *state)
{
        for (int i = 0; i < 3; i++)
                if (state->child->stdio_fds[i] >= 0 && dup2(state->child->stdio_fds[i], i) < 0)
                        return -errno;
        if (state->error_fd != ERROR_FD) {
                if (dup3(state->error_fd, ERROR_FD, O_CLOEXEC) < 0)
                        return -errno;
                state->error_fd = ERROR_FD;
        }
        if (syscall(SYS_close_range, ERROR_FD + 1, ~0U, 0) < 0)
                return -errno;
        return 0;
}

static int rlimit_set(int resource, uint64_t soft, uint64_t hard)
{
        struct rlimit limit = { .rlim_cur = (rlim_t)soft, .rlim_max = (rlim_t)hard };

        return setrlimit((__typeof__(RLIMIT_NOFILE))resource, &limit) < 0 ? -errno : 0;
}

/* PID 1 has raised its own soft limit; programs expect the old one, since select() ends there. */
static int rlimit_set_default_nofile(void)
{
        struct rlimit own;
        uint64_t hard;

        if (getrlimit(RLIMIT_NOFILE, &own) < 0)
                return -errno;
        hard = MIN2((uint64_t)own.rlim_max, (uint64_t)DEFAULT_NOFILE_HARD);
        return rlimit_set(RLIMIT_NOFILE, MIN2((uint64_t)DEFAULT_NOFILE_SOFT, hard), hard);
}

/* PID 1 is spared by the OOM killer as long as it can be, its jobs are not. No mount is possible in
 * here, so that the path is the kernel's. Who may not write is not PID 1 of a container, or has a
 * score that is worse than 0 already. */
static int oom_score_reset(void)
{
        _drop_(drop_fd) int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

        if (fd >= 0 && write(fd, "0", 1) >= 0)
                return 0;
        return errno == EACCES || errno == ENOENT ? 0 : -errno;
}

static int child_rlimits(ChildState *state)
{
        const Spec *spec = &state->spec;
        int r;

        r = oom_score_reset();
        if (r < 0)
                return r;
        if (!(spec->rlimits_set >> RLIMIT_NOFILE & 1)) {
                r = rlimit_set_default_nofile();
                if (r < 0)
                        return r;
        }
        for (int i = 0; i < SPEC_RLIMITS; i++) {
                if (!(spec->rlimits_set >> i & 1))
                        continue;
                r = rlimit_set(i, spec->rlimits[i].soft, spec->rlimits[i].hard);
                if (r < 0)
                        return r;
        }
        if (spec->nice != SPEC_NO_NICE && setpriority(PRIO_PROCESS, 0, spec->nice) < 0)
                return -errno;
        (void)umask(spec->umask >= 0 ? (mode_t)spec->umask : DEFAULT_UMASK);
        return 0;
}

static int child_user(ChildState *state)
{
        return passwd_lookup("/etc/passwd", "/etc/group", state->spec.user, &state->passwd);
}

/* A user namespace that one user made for itself refuses setgroups() altogether; there, having the
 * right groups already has to do. */
static int groups_set(const gid_t *groups, size_t n)
{
        gid_t current[PASSWD_GROUPS_MAX];
        int n_current;

        if (setgroups(n, groups) >= 0)
                return 0;
        if (errno != EPERM)
                return -errno;
        n_current = getgroups(ELEMENTSOF(current), current);
        if (n_current < 0 || (size_t)n_current > n)
                return -EPERM;
        return memcmp(current, groups, (size_t)n_current * sizeof(*groups)) == 0 ? 0 : -EPERM;
}

static int child_credentials(ChildState *state)
{
        const Passwd *passwd = &state->passwd;
        int r;

        /* The pty, and the pipes, belong to who works with them: programs open them again by their
         * path, which /dev/stdout is one of. The group that devpts gave it stays. */
        for (int i = 0; i < 3; i++) {
                int is_own = state->child->is_own[i] || (i == 0 && state->child->master_fd >= 0);

                if (is_own && fchown(i, passwd->uid, (gid_t)-1) < 0)
                        return -errno;
        }
        r = groups_set(passwd->groups, passwd->n_groups);
        if (r < 0)
                return r;
        if (setresgid(passwd->gid, passwd->gid, passwd->gid) < 0)
                return -errno;
        if (setresuid(passwd->uid, passwd->uid, passwd->uid) < 0)
                return -errno;
        if (!state->child->is_privileged && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        return 0;
}

static int child_directory(ChildState *state)
{
        if (state->spec.directory)
                return chdir(state->spec.directory) < 0 ? -errno : 0;
        if (chdir(state->passwd.home) >= 0 || chdir("/") >= 0)
                return 0;
        return -errno;
}

static int child_exec(ChildState *state)
{
        return program_exec(&state->spec, &state->passwd, state->child->master_fd >= 0);
}

static const struct {
        WshdStage stage;
        ChildStage run;
} stages[] = {
        { WSHD_STAGE_SPEC, child_spec },           { WSHD_STAGE_TTY, child_tty },
        { WSHD_STAGE_STDIO, child_stdio },         { WSHD_STAGE_RLIMIT, child_rlimits },
        { WSHD_STAGE_USER, child_user },           { WSHD_STAGE_CREDENTIALS, child_credentials },
        { WSHD_STAGE_DIRECTORY, child_directory }, { WSHD_STAGE_EXEC, child_exec },
};

static _noreturn_ void child_fail(const ChildState *state, WshdStage stage, int error)
{
        ChildError report = { .stage = stage, .error = (uint32_t)-error };

        /* Nobody may be left to hear it; the exit code has to do then. */
        (void)signal(SIGPIPE, SIG_IGN);
        (void)!write(state->error_fd, &report, sizeof(report));
        if (stage != WSHD_STAGE_EXEC)
                _exit(125);
        _exit(error == -ENOENT ? 127 : 126);
}

void child_run(const Child *child)
{
        ChildState state = { .child = child, .error_fd = child->error_fd };
        sigset_t none;
        int r;

        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)setsid();
        for (size_t i = 0; i < ELEMENTSOF(stages); i++) {
                r = stages[i].run(&state);
                if (r < 0)
                        child_fail(&state, stages[i].stage, r);
        }
        _exit(125);
}
