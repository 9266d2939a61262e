/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the kernel alone takes for a private network, without any manager: the floor under what
 * Network=private adds to a container. A pair, its addresses of both families and the routes are
 * one message each, inside and outside, as the worker and the container's own process send them.
 *
 *   bench-network one N GAP_MS     N times, one after the other; the namespace is left to die
 *   bench-network many N           N processes at once; one sample, the time of all of them
 *
 * One line of JSON a kind: "namespace" is unshare(), which a container without a network pays, too;
 * "pair" is all the rest. Needs root. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/parse.h"
#include "model/network.h"
#include "network/address.h"
#include "network/link.h"
#include "network/route.h"
#include "samples.h"

#define OWN_NAMESPACE "/proc/self/ns/net"
#define POOL "bench 10.251.0.0/16 fd00:251::/64"
#define MTU 1500

typedef struct Bench {
        NetworkPoolSpec pool;
        Netlink *host;
        int host_fd;
} Bench;

static void name_slot(const Bench *bench, unsigned i, NetworkAddresses *ret)
{
        char id[16];

        *ret = (NetworkAddresses){ .prefix4 = NETWORK_SLOT_PREFIX4 };
        (void)snprintf(id, sizeof(id), "nb%u", i);
        network_addresses_name(ret, id);
        network_pool_spec_slot(&bench->pool, i, ret);
}

static int attach(const Bench *bench, const NetworkAddresses *a, int fd, Fault *fault)
{
        int index, r;

        r = link_make_pair(bench->host, a, NETWORK_INTERFACE_INSIDE, fd, MTU, fault);
        if (r < 0)
                return r;
        r = index = link_find(a->interface, fault);
        if (r >= 0)
                r = link_raise(bench->host, (unsigned)index, 0, fault);
        if (r >= 0)
                r = address_add(bench->host, (unsigned)index, AF_INET, &a->host4, a->prefix4,
                                fault);
        if (r >= 0)
                r = address_add(bench->host, (unsigned)index, AF_INET6, a->host6, a->prefix6,
                                fault);
        return r;
}

static int configure(const NetworkAddresses *a, Fault *fault)
{
        _drop_(drop_netlink) Netlink *inside = NULL;
        int index, r;

        r = netlink_open(&inside, fault);
        if (r < 0)
                return r;
        r = index = link_find(NETWORK_INTERFACE_INSIDE, fault);
        if (r >= 0)
                r = link_raise(inside, (unsigned)index, 0, fault);
        if (r >= 0)
                r = address_add(inside, (unsigned)index, AF_INET, &a->container4, a->prefix4,
                                fault);
        if (r >= 0)
                r = route_add_default(inside, (unsigned)index, AF_INET, &a->host4, fault);
        if (r >= 0)
                r = address_add(inside, (unsigned)index, AF_INET6, a->container6, a->prefix6,
                                fault);
        return r < 0 ? r : route_add_default(inside, (unsigned)index, AF_INET6, a->host6, fault);
}

/* Ends in the host's namespace again. */
static int make_one(const Bench *bench, unsigned i, uint64_t ret_usec[2], Fault *fault)
{
        _drop_(drop_fd) int fd = -EBADF;
        NetworkAddresses addresses;
        uint64_t start = io_now_monotonic_usec();
        int r;

        name_slot(bench, i, &addresses);
        if (unshare(CLONE_NEWNET) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "unshare: %m");
        ret_usec[0] = io_now_monotonic_usec() - start;
        start += ret_usec[0];
        fd = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(bench->host_fd, CLONE_NEWNET) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot go back: %m");
        r = attach(bench, &addresses, fd, fault);
        if (r >= 0 && setns(fd, CLONE_NEWNET) < 0)
                r = fault_set(fault, FAULT_FAILED, -errno, "cannot go inside: %m");
        if (r >= 0)
                r = configure(&addresses, fault);
        ret_usec[1] = io_now_monotonic_usec() - start;
        if (setns(bench->host_fd, CLONE_NEWNET) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot go back: %m");
        return r;
}

static int verb_one(const Bench *bench, unsigned n, unsigned gap_msec, Fault *fault)
{
        _drop_(samples_done) Samples namespaces = { 0 }, pairs = { 0 };
        const struct timespec gap = { gap_msec / 1000, (long)(gap_msec % 1000) * 1000000 };
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < n; i++) {
                uint64_t usec[2];

                r = make_one(bench, i, usec, fault);
                if (r >= 0)
                        r = samples_add(&namespaces, usec[0]);
                if (r >= 0)
                        r = samples_add(&pairs, usec[1]);
                if (gap_msec > 0)
                        (void)nanosleep(&gap, NULL);
        }
        samples_print(&namespaces, "namespace", stdout);
        samples_print(&pairs, "pair", stdout);
        return r;
}

/* Each with a socket of its own, as workers have. Does not return. */
static void many_child(const Bench *parent, unsigned i, int start_fd)
{
        Bench bench = *parent;
        Fault fault = FAULT_INIT;
        uint64_t usec[2];
        char byte;
        int r;

        r = netlink_open(&bench.host, &fault);
        /* The end of the pipe is the start. */
        if (r >= 0 && read(start_fd, &byte, 1) < 0)
                r = -errno;
        if (r >= 0)
                r = make_one(&bench, i, usec, &fault);
        if (r < 0)
                (void)fprintf(stderr, "bench-network: %s\n", fault.text);
        _exit(r < 0);
}

static int verb_many(const Bench *bench, unsigned n, Fault *fault)
{
        _drop_(samples_done) Samples samples = { 0 };
        uint64_t start;
        int ends[2], status, n_failed = 0;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "pipe: %m");
        for (unsigned i = 0; i < n; i++) {
                pid_t pid = fork();

                if (pid == 0) {
                        close(ends[1]);
                        many_child(bench, i, ends[0]);
                }
                n_failed += pid < 0;
        }
        close(ends[0]);
        start = io_now_monotonic_usec();
        close(ends[1]);
        while (wait(&status) > 0)
                n_failed += status != 0;
        if (n_failed > 0)
                return fault_set(fault, FAULT_FAILED, -EIO, "%d of %u failed", n_failed, n);
        if (samples_add(&samples, io_now_monotonic_usec() - start) < 0)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "no memory");
        samples_print(&samples, "many", stdout);
        return 0;
}

static int run(int argc, char **argv, Fault *fault)
{
        _drop_(drop_netlink) Netlink *host = NULL;
        _drop_(drop_fd) int host_fd = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
        Bench bench = { .host_fd = host_fd };
        uint32_t n, gap;
        int r;

        if (argc < 3 || parse_u32(argv[2], &n) < 0)
                return -EINVAL;
        if (host_fd < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot open the namespace: %m");
        r = network_pool_spec_parse(POOL, &bench.pool, fault);
        if (r >= 0)
                r = netlink_open(&host, fault);
        if (r < 0)
                return r;
        bench.host = host;
        if (strcmp(argv[1], "one") == 0 && argc == 4 && parse_u32(argv[3], &gap) >= 0)
                return verb_one(&bench, n, gap, fault);
        if (strcmp(argv[1], "many") == 0 && argc == 3)
                return verb_many(&bench, n, fault);
        return -EINVAL;
}

int main(int argc, char **argv)
{
        Fault fault = FAULT_INIT;
        int r = run(argc, argv, &fault);

        if (r == -EINVAL && fault.kind == FAULT_NONE)
                (void)fprintf(stderr, "usage: bench-network one N GAP_MS | many N\n");
        else if (r < 0)
                (void)fprintf(stderr, "bench-network: %s\n", fault.text);
        return r < 0 ? 1 : 0;
}
