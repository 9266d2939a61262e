/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <seccomp.h>

#include "basic/fd.h"
#include "worker/seccomp-filter.h"
#include "worker/seccomp-list.h"

/* -- what the code says, by a machine of our own -- */

/* Runs the few instructions that the filter is made of. */
static uint32_t evaluate(const SeccompFilter *filter, const struct seccomp_data *data)
{
        uint32_t a = 0;

        for (size_t i = 0; i < filter->n_code; i++) {
                const struct sock_filter *f = &filter->code[i];
                int is_true = 0;

                switch (f->code) {
                case BPF_LD | BPF_W | BPF_ABS:
                        assert_true(f->k + 4 <= sizeof(*data));
                        memcpy(&a, (const uint8_t *)data + f->k, 4);
                        continue;
                case BPF_RET | BPF_K:
                        return f->k;
                case BPF_JMP | BPF_JA:
                        i += f->k;
                        continue;
                case BPF_JMP | BPF_JEQ | BPF_K:
                        is_true = a == f->k;
                        break;
                case BPF_JMP | BPF_JGT | BPF_K:
                        is_true = a > f->k;
                        break;
                case BPF_JMP | BPF_JGE | BPF_K:
                        is_true = a >= f->k;
                        break;
                case BPF_JMP | BPF_JSET | BPF_K:
                        is_true = (a & f->k) != 0;
                        break;
                default:
                        fail_msg("instruction %#x", f->code);
                }
                i += is_true ? f->jt : f->jf;
        }
        fail_msg("the code ends without a return");
        return 0;
}

static uint32_t ask(const SeccompFilter *filter, uint32_t arch, int nr, uint64_t a0, uint64_t a1)
{
        const struct seccomp_data data = { .nr = nr, .arch = arch, .args = { a0, a1 } };

        return evaluate(filter, &data);
}

static uint32_t by_name(const SeccompFilter *filter, uint32_t arch, const char *name, uint64_t a0,
                        uint64_t a1)
{
        int nr = seccomp_list_resolve(arch, name);

        assert_true(nr >= 0);
        return ask(filter, arch, nr, a0, a1);
}

#define ERRNO(error) (SECCOMP_RET_ERRNO | (uint32_t)(error))

#if defined(__x86_64__)
static const uint32_t architectures[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86 };
#else
static const uint32_t architectures[] = { SCMP_ARCH_AARCH64, SCMP_ARCH_ARM };
#endif

static int setup(void **state)
{
        SeccompFilter *filter = calloc(1, sizeof(*filter));

        *state = filter;
        return filter ? seccomp_filter_compile(filter, NULL) : -ENOMEM;
}

static int teardown(void **state)
{
        seccomp_filter_done(*state);
        free(*state);
        return 0;
}

static void test_allows_the_list_and_nothing_else(void **state)
{
        for (size_t a = 0; a < ELEMENTSOF(architectures); a++) {
                uint8_t is_listed[1024] = { 0 };
                int last = 0;

                for (const char *const *name = seccomp_allowed; *name; name++) {
                        int nr = seccomp_list_resolve(architectures[a], *name);

                        if (nr >= 0) {
                                is_listed[nr] = 1;
                                last = nr > last ? nr : last;
                        }
                }
                /* All of them, with arguments that nobody minds. */
                for (int nr = 0; nr < 1024; nr++) {
                        uint32_t wanted = nr > last       ? ERRNO(ENOSYS)
                                          : is_listed[nr] ? SECCOMP_RET_ALLOW
                                                          : ERRNO(EPERM);
                        uint32_t found = ask(*state, architectures[a], nr, 0, 0);

                        if (nr == seccomp_list_resolve(architectures[a], "clone3") ||
                            nr == seccomp_list_resolve(architectures[a], "socketcall"))
                                wanted = ERRNO(ENOSYS);
                        if (nr == seccomp_list_resolve(architectures[a], "personality"))
                                wanted = SECCOMP_RET_ALLOW;
                        if (found != wanted)
                                fail_msg("%zu: call %d: %#x, not %#x", a, nr, found, wanted);
                }
        }
}

static void test_denies_by_name(void **state)
{
        static const char *const names[] = {
                "mount",
                "umount2",
                "pivot_root",
                "setns",
                "kexec_load",
                "bpf",
                "keyctl",
                "perf_event_open",
                "add_key",
                "request_key",
                "open_by_handle_at",
                "reboot",
                "swapon",
                "init_module",
                "finit_module",
                "userfaultfd",
                "io_uring_setup",
                "io_uring_enter",
                "move_mount",
                "open_tree",
                "fsopen",
                "mount_setattr",
                "settimeofday",
                "clock_settime",
                "quotactl",
                "acct",
                "syslog",
                "mbind",
                "lookup_dcookie",
                "vhangup",
                "delete_module",
        };

        for (size_t a = 0; a < ELEMENTSOF(architectures); a++)
                for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                        int nr = seccomp_list_resolve(architectures[a], names[i]);

                        if (nr >= 0)
                                assert_int_equal(ask(*state, architectures[a], nr, 0, 0),
                                                 ERRNO(EPERM));
                }
}

static void test_looks_at_low_halves_only(void **state)
{
        const uint64_t high = UINT64_C(1) << 32;

        for (size_t i = 0; i < ELEMENTSOF(architectures); i++) {
                uint32_t arch = architectures[i];

                assert_int_equal(by_name(*state, arch, "ioctl", 0, TIOCSTI), ERRNO(EPERM));
                assert_int_equal(by_name(*state, arch, "ioctl", 0, high | TIOCSTI), ERRNO(EPERM));
                assert_int_equal(by_name(*state, arch, "ioctl", 0, TIOCLINUX), ERRNO(EPERM));
                assert_int_equal(by_name(*state, arch, "ioctl", 0, TCGETS), SECCOMP_RET_ALLOW);
                assert_int_equal(by_name(*state, arch, "ioctl", TIOCSTI, TCGETS),
                                 SECCOMP_RET_ALLOW);
                assert_int_equal(by_name(*state, arch, "socket", AF_VSOCK, 0), ERRNO(EAFNOSUPPORT));
                assert_int_equal(by_name(*state, arch, "socket", high | AF_VSOCK, 0),
                                 ERRNO(EAFNOSUPPORT));
                assert_int_equal(by_name(*state, arch, "socket", AF_ALG, 0), ERRNO(EAFNOSUPPORT));
                assert_int_equal(by_name(*state, arch, "socket", AF_INET6, 0), SECCOMP_RET_ALLOW);
                assert_int_equal(by_name(*state, arch, "personality", high | 0x40000, 0),
                                 ERRNO(EPERM));
                assert_int_equal(by_name(*state, arch, "personality", 0x20008, 0),
                                 SECCOMP_RET_ALLOW);
        }
}

static void test_denies_namespaces(void **state)
{
        static const uint64_t flags[] = { CLONE_NEWNS,   CLONE_NEWUTS, CLONE_NEWIPC,
                                          CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET };

        for (size_t a = 0; a < ELEMENTSOF(architectures); a++) {
                uint32_t arch = architectures[a];

                for (size_t i = 0; i < ELEMENTSOF(flags); i++) {
                        assert_int_equal(by_name(*state, arch, "clone", flags[i] | SIGCHLD, 0),
                                         ERRNO(EPERM));
                        assert_int_equal(by_name(*state, arch, "unshare", flags[i] | CLONE_FS, 0),
                                         ERRNO(EPERM));
                }
                assert_int_equal(by_name(*state, arch, "clone", CLONE_NEWCGROUP, 0), ERRNO(EPERM));
                assert_int_equal(by_name(*state, arch, "unshare", CLONE_NEWCGROUP, 0),
                                 SECCOMP_RET_ALLOW);
                assert_int_equal(by_name(*state, arch, "unshare", CLONE_NEWTIME, 0), ERRNO(EPERM));
                assert_int_equal(by_name(*state, arch, "clone",
                                         CLONE_VM | CLONE_FS | CLONE_THREAD | CLONE_SIGHAND, 0),
                                 SECCOMP_RET_ALLOW);
                assert_int_equal(by_name(*state, arch, "clone3", 0, 0), ERRNO(ENOSYS));
        }
}

static void test_knows_no_other_architecture(void **state)
{
        assert_int_equal(ask(*state, SCMP_ARCH_RISCV64, 0, 0, 0), ERRNO(ENOSYS));
        assert_int_equal(ask(*state, 0, 0, 0, 0), ERRNO(ENOSYS));
        /* x32 is x86-64 with a bit in the number. */
        assert_int_equal(ask(*state, architectures[0], 0x40000000, 0, 0), ERRNO(ENOSYS));
        assert_int_equal(ask(*state, architectures[0], -1, 0, 0), ERRNO(ENOSYS));
}

static void test_is_short(void **state)
{
        const SeccompFilter *filter = *state;

        print_message("# %zu instructions\n", filter->n_code);
        assert_true(filter->n_code < 320);
}

/* -- what the kernel makes of it -- */

/* Runs in a process under the filter; exits with the number of what is not as it should be. */
static void run_filtered(void **state, int (*fn)(void))
{
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                    seccomp_filter_install(*state, NULL) < 0)
                        _exit(200);
                _exit(fn());
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

static int is_refused(long r, int error)
{
        return r < 0 && errno == error;
}

static int deny_natively(void)
{
        struct clone_args args = { .exit_signal = SIGCHLD };

        if (!is_refused(mount("none", "/tmp", "tmpfs", 0, NULL), EPERM))
                return 1;
        if (!is_refused(unshare(CLONE_NEWUSER), EPERM))
                return 2;
        if (!is_refused(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL), EPERM))
                return 3;
        if (!is_refused(syscall(SYS_clone3, &args, sizeof(args)), ENOSYS))
                return 4;
        if (!is_refused(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -3, 0), EPERM))
                return 5;
        if (!is_refused(syscall(SYS_bpf, 0, NULL, 0), EPERM))
                return 6;
        if (!is_refused(socket(AF_VSOCK, SOCK_STREAM, 0), EAFNOSUPPORT))
                return 7;
        if (!is_refused(ioctl(0, TIOCSTI, "x"), EPERM))
                return 8;
        if (!is_refused(syscall(SYS_ioctl, 0, UINT64_C(0x100000000) | TIOCSTI, "x"), EPERM))
                return 9;
        if (!is_refused(personality(ADDR_NO_RANDOMIZE), EPERM))
                return 10;
        if (!is_refused(syscall(SYS_io_uring_setup, 1, NULL), EPERM))
                return 11;
        if (!is_refused(syscall(1000), ENOSYS))
                return 12;
        return 0;
}

static void test_denies_in_earnest(void **state)
{
        run_filtered(state, deny_natively);
}

static int allow_natively(void)
{
        int fd = open("/dev/null", O_WRONLY | O_CLOEXEC), status;
        pid_t pid;

        if (fd < 0 || write(fd, "x", 1) != 1)
                return 1;
        pid = fork();
        if (pid == 0) {
                execl("/bin/true", "true", NULL);
                _exit(1);
        }
        if (waitpid(pid, &status, 0) != pid || status != 0)
                return 2;
        if (socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0)
                return 3;
        if (personality(0xffffffff) < 0)
                return 4;
        pid = fork();
        if (pid == 0)
                _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0);
        return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 5;
}

static void test_lets_programs_run(void **state)
{
        run_filtered(state, allow_natively);
}

#if defined(__x86_64__)
/* As a program of 32 bits does. */
static long call_32(long nr, long a, long b, long c)
{
        long r;

        __asm__ volatile("int $0x80"
                         : "=a"(r)
                         : "a"(nr), "b"(a), "c"(b), "d"(c)
                         : "memory", "r8", "r9", "r10", "r11");
        return (int)r;
}

static int deny_compat(void)
{
        if (call_32(20, 0, 0, 0) == -ENOSYS) /* getpid: no 32-bit programs on this kernel */
                return 0;
        if (call_32(20, 0, 0, 0) != getpid())
                return 1;
        if (call_32(359, AF_VSOCK, SOCK_STREAM, 0) != -EAFNOSUPPORT)
                return 2;
        if (call_32(359, AF_UNIX, SOCK_STREAM, 0) < 0)
                return 3;
        if (call_32(102, 1, 0, 0) != -ENOSYS) /* socketcall */
                return 4;
        if (call_32(310, CLONE_NEWUSER, 0, 0) != -EPERM) /* unshare */
                return 5;
        if (call_32(54, 0, TIOCSTI, 0) != -EPERM) /* ioctl */
                return 6;
        if (call_32(21, 0, 0, 0) != -EPERM) /* mount */
                return 7;
        if (call_32(288, 0, 0, 0) != -EPERM) /* keyctl */
                return 8;
        return 0;
}

static void test_holds_for_32_bit_programs(void **state)
{
        run_filtered(state, deny_compat);
}
#endif

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "allows the list and nothing else, whatever the number",
                  test_allows_the_list_and_nothing_else },
                { "denies what must not be, by name", test_denies_by_name },
                { "looks at the low halves of arguments", test_looks_at_low_halves_only },
                { "denies new namespaces", test_denies_namespaces },
                { "knows no other architecture", test_knows_no_other_architecture },
                { "is short", test_is_short },
                { "denies in earnest", test_denies_in_earnest },
                { "lets programs run", test_lets_programs_run },
#if defined(__x86_64__)
                { "holds for 32-bit programs", test_holds_for_32_bit_programs },
#endif
        };

        return cmocka_run_group_tests_name("worker/seccomp-filter", tests, setup, teardown);
}
