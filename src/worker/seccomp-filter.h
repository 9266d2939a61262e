/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <linux/filter.h>
#include <stddef.h>

#include "basic/fault.h"

/* The system call filter of all containers: compiled once, kept as the kernel's bytecode and
 * installed in PID 1, from which every job inherits it.
 *
 *   allowed    what programs use: seccomp-list.h
 *   ENOSYS     clone3, whose flags a filter cannot see; what is newer than the list; x32;
 *              socketcall of 32-bit programs. The C libraries fall back to what is allowed.
 *   EPERM      new namespaces (but a cgroup namespace, which needs CAP_SYS_ADMIN anyway), mounts,
 *              modules, keys, bpf, perf, userfaultfd, io_uring ... : all else; TIOCSTI,
 *              TIOCLINUX
 *   EAFNOSUPPORT   sockets of AF_VSOCK, which would reach the hypervisor, and AF_ALG
 *
 * 32-bit arguments are compared as such: the kernel ignores the upper halves, so a comparison that
 * does not could be got around. */

typedef struct SeccompFilter {
        struct sock_filter *code;
        size_t n_code;
} SeccompFilter;

/* @ret   emptied by seccomp_filter_done(). Returns 0; negative errno with a fault. */
int seccomp_filter_compile(SeccompFilter *ret, Fault *fault);
void seccomp_filter_done(SeccompFilter *filter);

/* For this process and all it starts, for good. Needs CAP_SYS_ADMIN in the user namespace or
 * no_new_privs. Returns 0; negative errno with a fault. */
int seccomp_filter_install(const SeccompFilter *filter, Fault *fault);
