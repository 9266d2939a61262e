/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The messages are put together here: of libnl's objects that for tbf takes rates of 31 bits. */

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/tc_act/tc_mirred.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "basic/fd.h"
#include "basic/interface.h"
#include "network/link.h"
#include "network/shaper.h"

#define HANDLE_TBF (1U << 16)          /* 1: */
#define HANDLE_INGRESS (0xffffU << 16) /* ffff: */
#define HANDLE_FILTER 0x80000800U      /* 800::800, what the first of u32 gets by itself */
#define FILTER_INFO TC_H_MAKE(1U << 16, htons(ETH_P_ALL))
#define NEW (NLM_F_CREATE | NLM_F_EXCL)

void shaper_device(const char *interface, char ret[NETWORK_INTERFACE_MAX])
{
        (void)snprintf(ret, NETWORK_INTERFACE_MAX, "i%s", interface + 1);
}

static struct nl_msg *new_message(int type, int flags, int index, uint32_t parent, uint32_t handle,
                                  const char *kind)
{
        const struct tcmsg header = {
                .tcm_family = AF_UNSPEC,
                .tcm_ifindex = index,
                .tcm_parent = parent,
                .tcm_handle = handle,
                .tcm_info = type == RTM_NEWTFILTER ? FILTER_INFO : 0,
        };
        struct nl_msg *message = nlmsg_alloc_simple(type, flags);

        if (message &&
            nlmsg_append(message, (void *)(uintptr_t)&header, sizeof(header), NLMSG_ALIGNTO) >= 0 &&
            (!kind || nla_put_string(message, TCA_KIND, kind) >= 0))
                return message;
        nlmsg_free(message);
        return NULL;
}

/* @module   what a kernel without it would not know the kind of. Takes the message. */
static int call(Netlink *netlink, struct nl_msg *take_message, const char *what, const char *module,
                Fault *fault)
{
        Fault words = FAULT_INIT;
        int r;

        if (!take_message)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "no memory");
        r = netlink_call(netlink, take_message, what, &words);
        if (r == -ENOENT || r == -EOPNOTSUPP)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "this kernel is without '%s' (try 'modprobe -a %s'): %s", module,
                                 module, words.text);
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "%s", words.text) : 0;
}

static int get_mtu(const char *interface, uint32_t *ret, Fault *fault)
{
        _drop_(drop_fd) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = { .ifr_mtu = 0 };

        (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
        if (fd < 0 || ioctl(fd, SIOCGIFMTU, &request) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot get the MTU of %s: %m",
                                 interface);
        *ret = (uint32_t)request.ifr_mtu;
        return 0;
}

/* The burst goes in bytes, so that the kernel computes the times and needs no table of us; what is
 * below 2^32 is also the rate of the struct, which may not be 0. */
static int put_bucket(struct nl_msg *message, const Bandwidth *bandwidth, uint32_t mtu)
{
        uint64_t burst = bandwidth_burst(bandwidth, mtu);
        struct tc_tbf_qopt options = {
                .rate = { .linklayer = TC_LINKLAYER_ETHERNET,
                          .rate = (uint32_t)MIN2(bandwidth->rate, (uint64_t)UINT32_MAX) },
                .limit = (uint32_t)(burst + bandwidth_queue(bandwidth, mtu)),
        };
        struct nlattr *nest = nla_nest_start(message, TCA_OPTIONS);

        if (!nest || nla_put(message, TCA_TBF_PARMS, sizeof(options), &options) < 0 ||
            nla_put_u32(message, TCA_TBF_BURST, (uint32_t)burst) < 0 ||
            (bandwidth->rate > UINT32_MAX &&
             nla_put_u64(message, TCA_TBF_RATE64, bandwidth->rate) < 0))
                return -ENOMEM;
        nla_nest_end(message, nest);
        return 0;
}

static int set_bucket(Netlink *netlink, int index, const Bandwidth *bandwidth, uint32_t mtu,
                      Fault *fault)
{
        struct nl_msg *message = new_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, index,
                                             TC_H_ROOT, HANDLE_TBF, "tbf");

        if (message && put_bucket(message, bandwidth, mtu) < 0) {
                nlmsg_free(message);
                message = NULL;
        }
        return call(netlink, message, "make the token bucket", "sch_tbf", fault);
}

/* What is not there is none to remove: the kernel has several words for it. */
static int remove_queue(Netlink *netlink, int index, uint32_t parent, uint32_t handle, Fault *fault)
{
        struct nl_msg *message = new_message(RTM_DELQDISC, 0, index, parent, handle, NULL);
        int r;

        if (!message)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "no memory");
        r = netlink_call(netlink, message, NULL, NULL);
        if (r == -ENOENT || r == -EINVAL || r == -ENODEV)
                return 0;
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "cannot remove the queue: %m") : 0;
}

static int put_mirred(struct nl_msg *message, int device)
{
        const struct tc_mirred mirred = {
                .action = TC_ACT_STOLEN,
                .eaction = TCA_EGRESS_REDIR,
                .ifindex = (uint32_t)device,
        };
        struct nlattr *list = nla_nest_start(message, TCA_U32_ACT), *action, *options;

        action = list ? nla_nest_start(message, 1) : NULL;
        if (!action || nla_put_string(message, TCA_ACT_KIND, "mirred") < 0)
                return -ENOMEM;
        options = nla_nest_start(message, TCA_ACT_OPTIONS);
        if (!options || nla_put(message, TCA_MIRRED_PARMS, sizeof(mirred), &mirred) < 0)
                return -ENOMEM;
        nla_nest_end(message, options);
        nla_nest_end(message, action);
        nla_nest_end(message, list);
        return 0;
}

/* One key that compares nothing, all zero, behind the selector: cls_matchall says the same and is
 * not in every kernel. */
static int put_filter(struct nl_msg *message, int device)
{
        const struct tc_u32_sel selector = { .flags = TC_U32_TERMINAL, .nkeys = 1 };
        uint8_t all[sizeof(selector) + sizeof(struct tc_u32_key)] = { 0 };
        struct nlattr *nest = nla_nest_start(message, TCA_OPTIONS);

        memcpy(all, &selector, sizeof(selector));
        if (!nest || nla_put(message, TCA_U32_SEL, sizeof(all), all) < 0 ||
            put_mirred(message, device) < 0)
                return -ENOMEM;
        nla_nest_end(message, nest);
        return 0;
}

static int redirect(Netlink *netlink, int index, int device, Fault *fault)
{
        struct nl_msg *message;
        Fault there = FAULT_INIT;
        int r;

        message = new_message(RTM_NEWQDISC, NEW, index, TC_H_INGRESS, HANDLE_INGRESS, "ingress");
        r = call(netlink, message, "make the queue of arrivals", "sch_ingress", &there);
        if (r < 0 && r != -EEXIST)
                return fault_set(fault, there.kind, r, "%s", there.text);
        message = new_message(RTM_NEWTFILTER, NEW, index, HANDLE_INGRESS, HANDLE_FILTER, "u32");
        if (message && put_filter(message, device) < 0) {
                nlmsg_free(message);
                message = NULL;
        }
        there = FAULT_INIT;
        r = call(netlink, message, "redirect arrivals", "cls_u32 act_mirred", &there);
        return r < 0 && r != -EEXIST ? fault_set(fault, there.kind, r, "%s", there.text) : 0;
}

/* What is new must be led there anew, too. @ret_is_new: it was not there before. */
static int make_device(Netlink *netlink, const char *name, int index, int *ret_is_new, Fault *fault)
{
        Fault there = FAULT_INIT;
        int r;

        r = link_make(netlink, name, "ifb", &there);
        if (r == -EOPNOTSUPP)
                return fault_set(fault, FAULT_NOT_SUPPORTED, r,
                                 "this kernel is without 'ifb' (try 'modprobe ifb'): %s",
                                 there.text);
        if (r < 0 && r != -EEXIST)
                return fault_set(fault, FAULT_FAILED, r, "%s", there.text);
        *ret_is_new = r >= 0;
        return r < 0 ? 0 : remove_queue(netlink, index, TC_H_INGRESS, HANDLE_INGRESS, fault);
}

static int limit_device(Netlink *netlink, const char *name, int index, const Bandwidth *bandwidth,
                        uint32_t mtu, Fault *fault)
{
        int device = link_find(name, fault), r;

        if (device < 0)
                return device;
        r = link_raise(netlink, (unsigned)device, 0, fault);
        if (r >= 0)
                r = set_bucket(netlink, device, bandwidth, mtu, fault);
        return r < 0 ? r : redirect(netlink, index, device, fault);
}

/* A device that was made for nothing goes again: the pair may have vanished meanwhile, and then
 * nobody would. */
static int apply_transmit(Netlink *netlink, const char *interface, int index,
                          const Bandwidth *bandwidth, uint32_t mtu, Fault *fault)
{
        char name[NETWORK_INTERFACE_MAX];
        int is_new = 0, r;

        shaper_device(interface, name);
        if (bandwidth->rate == UINT64_MAX) {
                r = remove_queue(netlink, index, TC_H_INGRESS, HANDLE_INGRESS, fault);
                if (r >= 0)
                        r = link_remove(netlink, name);
                return r < 0 ? fault_set(fault, FAULT_FAILED, r, "cannot remove %s: %m", name) : 0;
        }
        r = make_device(netlink, name, index, &is_new, fault);
        if (r >= 0)
                r = limit_device(netlink, name, index, bandwidth, mtu, fault);
        if (r < 0 && is_new) {
                (void)remove_queue(netlink, index, TC_H_INGRESS, HANDLE_INGRESS, NULL);
                (void)link_remove(netlink, name);
        }
        return r;
}

int shaper_apply(Netlink *netlink, const char *interface, BandwidthDirection direction,
                 const Bandwidth *bandwidth, Fault *fault)
{
        const char *name = bandwidth_direction_to_string(direction);
        uint32_t mtu = 0;
        int index, r;

        r = index = interface_index(interface);
        if (r == -ENODEV)
                r = fault_set(
                        fault, FAULT_FAILED, r,
                        "the interface %s is gone from the host; stop and start the container",
                        interface);
        if (r >= 0)
                r = get_mtu(interface, &mtu, fault);
        if (r >= 0 && bandwidth->rate != UINT64_MAX &&
            bandwidth_burst(bandwidth, mtu) < bandwidth_packet(mtu))
                r = fault_set(fault, FAULT_INVALID, -EINVAL,
                              "a burst of %u is less than the %u bytes of a packet with MTU %u",
                              (unsigned)bandwidth->burst, bandwidth_packet(mtu), mtu);
        if (r >= 0 && direction == BANDWIDTH_TRANSMIT)
                r = apply_transmit(netlink, interface, index, bandwidth, mtu, fault);
        else if (r >= 0 && bandwidth->rate == UINT64_MAX)
                r = remove_queue(netlink, index, TC_H_ROOT, HANDLE_TBF, fault);
        else if (r >= 0)
                r = set_bucket(netlink, index, bandwidth, mtu, fault);
        if (r < 0)
                (void)fault_prefix(fault, name);
        return r;
}

int shaper_remove(Netlink *netlink, const char *interface)
{
        int index = interface_index(interface);
        char name[NETWORK_INTERFACE_MAX];

        if (index >= 0)
                (void)remove_queue(netlink, index, TC_H_INGRESS, HANDLE_INGRESS, NULL);
        shaper_device(interface, name);
        return link_remove(netlink, name);
}
