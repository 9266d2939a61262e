/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <asm/ioctls.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <seccomp.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "rootfs/syscalls.h"
#include "worker/seccomp-list.h"
#include "worker/seccomp-filter.h"

/* libseccomp finds the names in a tree; what it has no words for stands in a prologue of our own,
 * before its code. Jumps are relative, so that the two can be put together as they are. */

#define NAMESPACES                                                                     \
        (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
         CLONE_NEWPID | CLONE_NEWNET)

#define CODE_MAX 4096 /* the kernel's bound: BPF_MAXINSNS */
#define PROLOGUE_MAX 128

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_HALF 0
#else
#define LOW_HALF 4
#endif

#define OFFSET_NR offsetof(struct seccomp_data, nr)
#define OFFSET_ARCH offsetof(struct seccomp_data, arch)
#define OFFSET_ARGUMENT(i) (offsetof(struct seccomp_data, args) + 8 * (i) + LOW_HALF)

typedef struct Prologue {
        struct sock_filter code[PROLOGUE_MAX];
        size_t n_code;
} Prologue;

static const uint32_t architectures[] = {
#if defined(__x86_64__)
        SCMP_ARCH_X86_64,
        SCMP_ARCH_X86,
#elif defined(__aarch64__)
        SCMP_ARCH_AARCH64,
        SCMP_ARCH_ARM,
#else
        SCMP_ARCH_NATIVE,
#endif
};

/* personality: Linux, as 32 bits, as an old version, both; and the question. */
static const uint64_t personalities[] = { 0x0, 0x8, 0x20000, 0x20008, 0xffffffff };

static int filter_add_names(scmp_filter_ctx context)
{
        for (const char *const *name = seccomp_allowed; *name; name++) {
                int nr = seccomp_syscall_resolve_name(*name);
                int r;

                if (nr == __NR_SCMP_ERROR)
                        continue;
                r = seccomp_rule_add(context, SCMP_ACT_ALLOW, nr, 0);
                /* EDOM: on none of these architectures. */
                if (r < 0 && r != -EDOM)
                        return r;
        }
        for (size_t i = 0; i < ELEMENTSOF(personalities); i++) {
                int r = seccomp_rule_add(
                        context, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1,
                        SCMP_A0_64(SCMP_CMP_MASKED_EQ, 0xffffffff, personalities[i]));

                if (r < 0)
                        return r;
        }
        return 0;
}

static int filter_fill(scmp_filter_ctx context)
{
        int r;

        for (size_t i = 0; i < ELEMENTSOF(architectures); i++) {
                r = seccomp_arch_add(context, architectures[i]);
                if (r < 0 && r != -EEXIST)
                        return r;
        }
        r = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
        if (r < 0)
                return r;
        /* A binary tree: 312 cycles for any call, where a list takes up to 2,000. */
        r = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        if (r < 0)
                return r;
        return filter_add_names(context);
}

static void put(Prologue *p, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
        if (p->n_code < PROLOGUE_MAX)
                p->code[p->n_code] = (struct sock_filter){ code, if_true, if_false, k };
        p->n_code++;
}

static void put_load(Prologue *p, size_t offset)
{
        put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void put_errno(Prologue *p, int error)
{
        put(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error, 0, 0);
}

static void put_if_equal_errno(Prologue *p, uint32_t value, int error)
{
        put(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
        put_errno(p, error);
}

/* Begins a block for one system call; the number is in the accumulator. Returns a mark for
 * put_end(). */
static size_t put_call(Prologue *p, uint32_t arch, const char *name)
{
        size_t mark = p->n_code;
        int nr = seccomp_syscall_resolve_name_arch(arch, name);

        /* No such call on this architecture: pseudo numbers are negative and match nothing. */
        put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 0);
        return mark;
}

static void put_end(Prologue *p, size_t mark)
{
        put_load(p, OFFSET_NR);
        if (p->n_code <= PROLOGUE_MAX)
                p->code[mark].jf = (uint8_t)(p->n_code - mark - 1);
}

/* The highest number that the list of names reaches here: what comes after it is news to us. */
static uint32_t last_known(uint32_t arch)
{
        int last = 0;

        for (const char *const *name = seccomp_allowed; *name; name++) {
                int nr = seccomp_syscall_resolve_name_arch(arch, *name);

                if (nr > last)
                        last = nr;
        }
        return (uint32_t)last;
}

static void put_calls(Prologue *p, uint32_t arch)
{
        size_t mark;

        put_load(p, OFFSET_NR);
        put(p, BPF_JMP | BPF_JGT | BPF_K, last_known(arch), 0, 1);
        put_errno(p, ENOSYS); /* x32 as well: its numbers have a high bit set */

        mark = put_call(p, arch, "ioctl");
        put_load(p, OFFSET_ARGUMENT(1));
        put_if_equal_errno(p, TIOCSTI, EPERM);
        put_if_equal_errno(p, TIOCLINUX, EPERM);
        put_end(p, mark);

        mark = put_call(p, arch, "socket");
        put_load(p, OFFSET_ARGUMENT(0));
        put_if_equal_errno(p, AF_VSOCK, EAFNOSUPPORT);
        put_if_equal_errno(p, AF_ALG, EAFNOSUPPORT);
        put_end(p, mark);

        mark = put_call(p, arch, "clone");
        put_load(p, OFFSET_ARGUMENT(0));
        put(p, BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1);
        put_errno(p, EPERM);
        put_end(p, mark);

        mark = put_call(p, arch, "unshare");
        put_load(p, OFFSET_ARGUMENT(0));
        put(p, BPF_JMP | BPF_JSET | BPF_K, (NAMESPACES & ~CLONE_NEWCGROUP) | CLONE_NEWTIME, 0, 1);
        put_errno(p, EPERM);
        put_end(p, mark);

        mark = put_call(p, arch, "clone3");
        put_errno(p, ENOSYS);
        put_end(p, mark);

        /* Its arguments are in memory, where a filter cannot look for AF_VSOCK. */
        mark = put_call(p, arch, "socketcall");
        put_errno(p, ENOSYS);
        put_end(p, mark);
}

/* One block for each architecture, skipped by the others. */
static int prologue_fill(Prologue *p)
{
        *p = (Prologue){ 0 };
        for (size_t i = 0; i < ELEMENTSOF(architectures); i++) {
                uint32_t arch = architectures[i];
                size_t mark;

                if (arch == SCMP_ARCH_NATIVE)
                        arch = seccomp_arch_native();
                put_load(p, OFFSET_ARCH);
                mark = p->n_code;
                put(p, BPF_JMP | BPF_JEQ | BPF_K, arch, 0, 0);
                put_calls(p, arch);
                if (p->n_code > PROLOGUE_MAX)
                        return -E2BIG;
                p->code[mark].jf = (uint8_t)(p->n_code - mark - 1);
        }
        return 0;
}

/* The tree's code is had through a file only. */
static int filter_export(scmp_filter_ctx context, const Prologue *p, SeccompFilter *ret)
{
        _drop_(drop_fd) int fd = memfd_create("warden-seccomp", MFD_CLOEXEC);
        _drop_(drop_free) struct sock_filter *code = NULL;
        size_t n_prologue = p->n_code * sizeof(*code);
        struct stat st;
        ssize_t n;
        int r;

        if (fd < 0)
                return -errno;
        r = io_write_full(fd, p->code, n_prologue);
        if (r < 0)
                return r;
        r = seccomp_export_bpf(context, fd);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        if ((size_t)st.st_size / sizeof(*code) > CODE_MAX)
                return -E2BIG;
        code = malloc((size_t)st.st_size);
        if (!code)
                return -ENOMEM;
        n = pread(fd, code, (size_t)st.st_size, 0);
        if (n != st.st_size)
                return n < 0 ? -errno : -EIO;
        *ret = (SeccompFilter){ take_ptr(code), (size_t)n / sizeof(*code) };
        return 0;
}

int seccomp_filter_compile(SeccompFilter *ret, Fault *fault)
{
        scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        Prologue prologue;
        int r;

        if (!context)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "cannot begin a filter: %m");
        r = filter_fill(context);
        if (r >= 0)
                r = prologue_fill(&prologue);
        if (r >= 0)
                r = filter_export(context, &prologue, ret);
        seccomp_release(context);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot compile the filter: %m");
        return 0;
}

/* The size comes first, so that a child that was killed half-way is noticed. */
static _noreturn_ void compile_and_write(int fd)
{
        SeccompFilter filter;
        uint64_t size;

        if (seccomp_filter_compile(&filter, NULL) < 0)
                _exit(1);
        size = filter.n_code * sizeof(*filter.code);
        if (io_write_full(fd, &size, sizeof(size)) < 0)
                _exit(1);
        _exit(io_write_full(fd, filter.code, size) < 0);
}

static int filter_read(int fd, SeccompFilter *ret)
{
        _drop_(drop_free) struct sock_filter *code = NULL;
        uint64_t size;
        ssize_t n;

        n = io_read_full(fd, &size, sizeof(size));
        if (n != sizeof(size))
                return n < 0 ? (int)n : -EIO;
        if (size == 0 || size % sizeof(*code) != 0 || size > CODE_MAX * sizeof(*code))
                return -EBADMSG;
        code = malloc(size);
        if (!code)
                return -ENOMEM;
        n = io_read_full(fd, code, size);
        if (n < 0 || (uint64_t)n != size)
                return n < 0 ? (int)n : -EIO;
        *ret = (SeccompFilter){ take_ptr(code), size / sizeof(*code) };
        return 0;
}

int seccomp_filter_compile_apart(SeccompFilter *ret, Fault *fault)
{
        _drop_(drop_fd) int read_fd = -EBADF, write_fd = -EBADF;
        int ends[2];
        pid_t pid;
        int r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot make a pipe: %m");
        read_fd = ends[0];
        write_fd = ends[1];
        pid = fork();
        if (pid < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot fork: %m");
        if (pid == 0)
                compile_and_write(write_fd);
        write_fd = fd_close(write_fd);
        r = filter_read(read_fd, ret);
        /* With SIGCHLD ignored this waits and then fails with ECHILD. */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot compile the filter: %m");
        return 0;
}

void seccomp_filter_done(SeccompFilter *filter)
{
        free(filter->code);
        *filter = (SeccompFilter){ 0 };
}

int seccomp_filter_install(const SeccompFilter *filter, Fault *fault)
{
        struct sock_fprog program = {
                .len = (unsigned short)filter->n_code,
                .filter = filter->code,
        };

        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "seccomp: %m");
        return 0;
}
