/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <asm/ioctls.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <seccomp.h>

#include "rootfs/syscalls.h"
#include "worker/seccomp-filter.h"
#include "worker/seccomp-list.h"

/* libseccomp knows the numbers; the code is written here. What it generates from the same list is
 * several times as long, since it looks for each call by itself, and the kernel translates and
 * compiles all of it for every container: 0.4 ms, more than a network namespace. The allowed
 * numbers lie close together, though: some 50 ranges hold all of x86-64's, and a search among their
 * ends is short to store and to run. Only comparisons with constants are used, so that the kernel
 * can find out, as it does, which calls are allowed whatever their arguments, and ask the filter no
 * more.
 *
 *     for each architecture:   is it? ──no──► the next one
 *                              newer than the list? ──► ENOSYS
 *                              the few calls with arguments that matter, each with its own end
 *                              search among the ranges ──► allowed | EPERM
 *     no architecture of ours: ENOSYS */

#define NAMESPACES                                                                     \
        (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
         CLONE_NEWPID | CLONE_NEWNET)

#define CODE_MAX 1024 /* of the kernel's 4096 */
#define NUMBERS_MAX 1024
#define JUMP_MAX 255

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_HALF 0
#else
#define LOW_HALF 4
#endif

#define OFFSET_NR offsetof(struct seccomp_data, nr)
#define OFFSET_ARCH offsetof(struct seccomp_data, arch)
#define OFFSET_ARGUMENT(i) (offsetof(struct seccomp_data, args) + 8 * (i) + LOW_HALF)

static const uint32_t architectures[] = {
#if defined(__x86_64__)
        SCMP_ARCH_X86_64,
        SCMP_ARCH_X86,
#elif defined(__aarch64__)
        SCMP_ARCH_AARCH64,
        SCMP_ARCH_ARM,
#else
#error "The list of system calls has not been looked at for this architecture."
#endif
};

typedef struct Writer {
        struct sock_filter code[CODE_MAX];
        size_t n_code;  /* may be larger than the room; then it is an error at the end */
        int is_too_far; /* a jump did not reach */
} Writer;

/* Where allowed turns into not allowed or back, from 0 on, which is not allowed. */
typedef struct Ranges {
        uint32_t ends[NUMBERS_MAX];
        size_t n_ends;
        uint32_t last;
} Ranges;

static void put(Writer *w, uint16_t code, uint32_t k, size_t if_true, size_t if_false)
{
        if (if_true > JUMP_MAX || if_false > JUMP_MAX)
                w->is_too_far = 1;
        if (w->n_code < CODE_MAX)
                w->code[w->n_code] = (struct sock_filter){ code, (uint8_t)if_true,
                                                           (uint8_t)if_false, k };
        w->n_code++;
}

static void put_load(Writer *w, size_t offset)
{
        put(w, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void put_return(Writer *w, uint32_t action)
{
        put(w, BPF_RET | BPF_K, action, 0, 0);
}

static void put_errno(Writer *w, int error)
{
        put_return(w, SECCOMP_RET_ERRNO | (uint32_t)error);
}

static void put_if_equal_errno(Writer *w, uint32_t value, int error)
{
        put(w, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
        put_errno(w, error);
}

static void put_if_set_errno(Writer *w, uint32_t bits, int error)
{
        put(w, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
        put_errno(w, error);
}

/* -- calls whose arguments matter: a check ends with a return or falls through to "allowed" -- */

static void check_ioctl(Writer *w)
{
        put_load(w, OFFSET_ARGUMENT(1));
        put_if_equal_errno(w, TIOCSTI, EPERM);
        put_if_equal_errno(w, TIOCLINUX, EPERM);
}

static void check_socket(Writer *w)
{
        put_load(w, OFFSET_ARGUMENT(0));
        put_if_equal_errno(w, AF_VSOCK, EAFNOSUPPORT);
        put_if_equal_errno(w, AF_ALG, EAFNOSUPPORT);
}

static void check_clone(Writer *w)
{
        put_load(w, OFFSET_ARGUMENT(0));
        put_if_set_errno(w, NAMESPACES, EPERM);
}

static void check_unshare(Writer *w)
{
        put_load(w, OFFSET_ARGUMENT(0));
        put_if_set_errno(w, (NAMESPACES & ~CLONE_NEWCGROUP) | CLONE_NEWTIME, EPERM);
}

/* Linux, as 32 bits, as an old version, both; and the question which it is. */
static void check_personality(Writer *w)
{
        static const uint32_t allowed[] = { 0x0, 0x8, 0x20000, 0x20008, 0xffffffff };

        put_load(w, OFFSET_ARGUMENT(0));
        for (size_t i = 0; i < ELEMENTSOF(allowed); i++) {
                put(w, BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
                put_return(w, SECCOMP_RET_ALLOW);
        }
        put_errno(w, EPERM);
}

/* Nothing to look at, or nothing that a filter can: the C libraries know another way. */
static void check_unseen(Writer *w)
{
        put_errno(w, ENOSYS);
}

static const struct {
        const char *name;
        void (*check)(Writer *w);
} checks[] = {
        { "ioctl", check_ioctl },       { "socket", check_socket },
        { "clone", check_clone },       { "unshare", check_unshare },
        { "clone3", check_unseen },     { "personality", check_personality },
        { "socketcall", check_unseen },
};

static void put_checks(Writer *w, uint32_t arch)
{
        for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
                int nr = seccomp_list_resolve(arch, checks[i].name);
                size_t mark = w->n_code;

                if (nr < 0)
                        continue;
                put(w, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 0);
                checks[i].check(w);
                put_return(w, SECCOMP_RET_ALLOW);
                if (w->n_code <= CODE_MAX)
                        w->code[mark].jf = (uint8_t)(w->n_code - mark - 1);
        }
}

/* -- the search -- */

static void ranges_fill(Ranges *ranges, uint32_t arch)
{
        uint8_t is_allowed[NUMBERS_MAX] = { 0 };

        *ranges = (Ranges){ 0 };
        for (const char *const *name = seccomp_allowed; *name; name++) {
                int nr = seccomp_list_resolve(arch, *name);

                if (nr < 0 || nr >= NUMBERS_MAX - 1)
                        continue;
                is_allowed[nr] = 1;
                ranges->last = MAX2(ranges->last, (uint32_t)nr);
        }
        for (uint32_t nr = 0; nr <= ranges->last; nr++)
                if (is_allowed[nr] != (nr > 0 && is_allowed[nr - 1]))
                        ranges->ends[ranges->n_ends++] = nr;
}

/* Writes a tree over the ends from @first to @first + @n - 1; a tree over n ends has n nodes.
 * Leaves are the two returns behind the whole, at @allow and behind it. A leaf left of an end with
 * an even index lies outside of a range. */
static void put_tree(Writer *w, const Ranges *ranges, size_t first, size_t n, size_t allow)
{
        size_t n_left = n / 2, n_right = n - n_left - 1;
        size_t middle = first + n_left, next = w->n_code + 1;
        size_t left = n_left > 0 ? next : middle % 2 ? allow : allow + 1;
        size_t right = n_right > 0 ? next + n_left : middle % 2 ? allow + 1 : allow;

        put(w, BPF_JMP | BPF_JGE | BPF_K, ranges->ends[middle], right - next, left - next);
        if (n_left > 0)
                put_tree(w, ranges, first, n_left, allow);
        if (n_right > 0)
                put_tree(w, ranges, middle + 1, n_right, allow);
}

static void put_architecture(Writer *w, uint32_t arch)
{
        Ranges ranges;
        size_t mark;

        ranges_fill(&ranges, arch);
        put_load(w, OFFSET_ARCH);
        put(w, BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0);
        mark = w->n_code;
        put(w, BPF_JMP | BPF_JA, 0, 0, 0);
        put_load(w, OFFSET_NR);
        put(w, BPF_JMP | BPF_JGT | BPF_K, ranges.last, 0, 1);
        put_errno(w, ENOSYS); /* x32 as well: its numbers have a high bit set */
        put_checks(w, arch);
        put_tree(w, &ranges, 0, ranges.n_ends, w->n_code + ranges.n_ends);
        put_return(w, SECCOMP_RET_ALLOW);
        put_errno(w, EPERM);
        if (w->n_code <= CODE_MAX)
                w->code[mark].k = (uint32_t)(w->n_code - mark - 1);
}

int seccomp_filter_compile(SeccompFilter *ret, Fault *fault)
{
        _drop_(drop_free) Writer *w = calloc(1, sizeof(*w));
        struct sock_filter *code;

        if (!w)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "cannot compile the filter: %m");
        for (size_t i = 0; i < ELEMENTSOF(architectures); i++)
                put_architecture(w, architectures[i]);
        put_errno(w, ENOSYS);
        if (w->n_code > CODE_MAX || w->is_too_far)
                return fault_set(fault, FAULT_FAILED, -E2BIG, "cannot compile the filter: %m");
        code = malloc(w->n_code * sizeof(*code));
        if (!code)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "cannot compile the filter: %m");
        memcpy(code, w->code, w->n_code * sizeof(*code));
        *ret = (SeccompFilter){ code, w->n_code };
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
