/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stddef.h>
#include <string.h>

#include <seccomp.h>

#include "basic/macro.h"
#include "worker/seccomp-list.h"

/* clang-format off */
const char *const seccomp_allowed[] = {
        /* files by descriptor */
        "close", "close_range", "copy_file_range", "dup", "dup2", "dup3", "fadvise64",
        "fadvise64_64", "fallocate", "fcntl", "fcntl64", "fdatasync", "flock", "fsync",
        "ftruncate", "ftruncate64", "ioctl", "lseek", "_llseek", "pread64", "preadv", "preadv2",
        "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readv", "sendfile",
        "sendfile64", "splice", "sync", "sync_file_range", "sync_file_range2", "syncfs", "tee",
        "truncate", "truncate64", "vmsplice", "write", "writev",
        /* files by name */
        "access", "chdir", "chmod", "chown", "chown32", "chroot", "creat", "faccessat",
        "faccessat2", "fchdir", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchown32",
        "fchownat", "fgetxattr", "flistxattr", "fremovexattr", "fsetxattr", "fstat", "fstat64",
        "fstatat64", "fstatfs", "fstatfs64", "futimesat", "getcwd", "getdents", "getdents64",
        "getxattr", "lchown", "lchown32", "lgetxattr", "link", "linkat", "listxattr",
        "llistxattr", "lremovexattr", "lsetxattr", "lstat", "lstat64", "mkdir", "mkdirat",
        "mknod", "mknodat", "name_to_handle_at", "newfstatat", "oldfstat", "oldlstat",
        "oldstat", "open", "openat", "openat2", "readdir", "readlink", "readlinkat",
        "removexattr", "rename", "renameat", "renameat2", "rmdir", "setxattr", "stat", "stat64",
        "statfs", "statfs64", "statx", "symlink", "symlinkat", "umask", "unlink", "unlinkat",
        "ustat", "utime", "utimensat", "utimensat_time64", "utimes",
        /* waiting for descriptors */
        "_newselect", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old",
        "epoll_pwait", "epoll_pwait2", "epoll_wait", "epoll_wait_old", "eventfd", "eventfd2",
        "fanotify_mark", "inotify_add_watch", "inotify_init", "inotify_init1",
        "inotify_rm_watch", "memfd_create", "memfd_secret", "pipe", "pipe2", "poll", "ppoll",
        "ppoll_time64", "pselect6", "pselect6_time64", "select", "signalfd", "signalfd4",
        "timerfd_create", "timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
        "timerfd_settime64",
        /* asynchronous I/O of POSIX */
        "io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_pgetevents_time64",
        "io_setup", "io_submit",
        /* memory */
        "brk", "cachestat", "madvise", "map_shadow_stack", "membarrier", "mincore", "mlock",
        "mlock2", "mlockall", "mmap", "mmap2", "mprotect", "mremap", "mseal", "msync", "munlock",
        "munlockall", "munmap", "pkey_alloc", "pkey_free", "pkey_mprotect", "process_madvise",
        "process_mrelease", "remap_file_pages",
        /* processes; clone is looked at before */
        "arch_prctl", "capget", "capset", "clone", "execve", "execveat", "exit", "exit_group",
        "fork", "get_robust_list", "get_thread_area", "getcpu", "getpgid", "getpgrp", "getpid",
        "getppid", "getpriority", "getrlimit", "getrusage", "getsid", "gettid", "ioprio_get",
        "ioprio_set", "kcmp", "modify_ldt", "pidfd_getfd", "pidfd_open", "pidfd_send_signal",
        "prctl", "prlimit64", "process_vm_readv", "process_vm_writev", "ptrace", "rseq",
        "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity",
        "sched_getattr", "sched_getparam", "sched_getscheduler", "sched_rr_get_interval",
        "sched_rr_get_interval_time64", "sched_setaffinity", "sched_setattr", "sched_setparam",
        "sched_setscheduler", "sched_yield", "seccomp", "set_robust_list", "set_thread_area",
        "set_tid_address", "setpgid", "setpriority", "setrlimit", "setsid", "sysinfo", "times",
        "ugetrlimit", "uname", "unshare", "vfork", "wait4", "waitid", "waitpid",
        /* who one is */
        "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32", "getgroups",
        "getgroups32", "getresgid", "getresgid32", "getresuid", "getresuid32", "getuid",
        "getuid32", "setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "setgid", "setgid32",
        "setgroups", "setgroups32", "setregid", "setregid32", "setresgid", "setresgid32",
        "setresuid", "setresuid32", "setreuid", "setreuid32", "setuid", "setuid32",
        "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self",
        /* signals and time */
        "alarm", "clock_adjtime", "clock_adjtime64", "clock_getres", "clock_getres_time64",
        "clock_gettime", "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64",
        "adjtimex", "futex", "futex_requeue", "futex_time64", "futex_wait", "futex_waitv",
        "futex_wake", "getitimer", "gettimeofday", "kill", "nanosleep", "pause",
        "restart_syscall", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
        "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
        "rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "setitimer", "sigaction", "sigaltstack",
        "signal", "sigpending", "sigprocmask", "sigreturn", "sigsuspend", "tgkill", "time",
        "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_gettime64",
        "timer_settime", "timer_settime64", "tkill",
        /* sockets; socket is looked at before */
        "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt",
        "listen", "recv", "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "send",
        "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "socket", "socketpair",
        /* System V and POSIX IPC, in a namespace of one's own */
        "ipc", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive",
        "mq_timedreceive_time64", "mq_timedsend", "mq_timedsend_time64", "mq_unlink", "msgctl",
        "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop", "semtimedop",
        "semtimedop_time64", "shmat", "shmctl", "shmdt", "shmget",
        /* the rest */
        "getrandom", "uretprobe",
        /* 32-bit ARM in an aarch64 container */
        "arm_fadvise64_64", "arm_sync_file_range", "breakpoint", "cacheflush", "set_tls",
        NULL,
};
/* clang-format on */

static const struct {
        const char *name;
        int nr;
} x86_table[] = {
        { "recvmmsg", 337 },   { "sendmmsg", 345 },    { "socket", 359 },
        { "socketpair", 360 }, { "bind", 361 },        { "connect", 362 },
        { "listen", 363 },     { "accept4", 364 },     { "getsockopt", 365 },
        { "setsockopt", 366 }, { "getsockname", 367 }, { "getpeername", 368 },
        { "sendto", 369 },     { "sendmsg", 370 },     { "recvfrom", 371 },
        { "recvmsg", 372 },    { "shutdown", 373 },    { "semget", 393 },
        { "semctl", 394 },     { "shmget", 395 },      { "shmctl", 396 },
        { "shmat", 397 },      { "shmdt", 398 },       { "msgget", 399 },
        { "msgsnd", 400 },     { "msgrcv", 401 },      { "msgctl", 402 },
};

int seccomp_list_resolve(uint32_t arch, const char *name)
{
        int nr;

        if (arch == SCMP_ARCH_X86)
                for (size_t i = 0; i < ELEMENTSOF(x86_table); i++)
                        if (strcmp(x86_table[i].name, name) == 0)
                                return x86_table[i].nr;
        nr = seccomp_syscall_resolve_name_arch(arch, name);
        return nr < 0 ? -1 : nr;
}
