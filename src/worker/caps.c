/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/caps.h"

#define BIT(cap) (UINT64_C(1) << (cap))

uint64_t caps_default(int has_user_namespace)
{
        uint64_t caps = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) | BIT(CAP_FOWNER) |
                        BIT(CAP_NET_RAW) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETFCAP) |
                        BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT) |
                        BIT(CAP_KILL) | BIT(CAP_AUDIT_WRITE);

        return has_user_namespace ? caps | BIT(CAP_MKNOD) : caps;
}

int caps_bound(uint64_t keep, Fault *fault)
{
        for (unsigned cap = 0; cap < 64; cap++) {
                if (keep & BIT(cap))
                        continue;
                if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) >= 0)
                        continue;
                if (errno == EINVAL) /* behind the last one that this kernel has */
                        return 0;
                return fault_set(fault, FAULT_FAILED, -errno,
                                 "cannot take capability %u from the bounding set: %m", cap);
        }
        return 0;
}

int caps_clear_inheritable(Fault *fault)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot read capabilities: %m");
        for (unsigned i = 0; i < ELEMENTSOF(data); i++)
                data[i].inheritable = 0;
        if (syscall(SYS_capset, &header, data) < 0)
                return fault_set(fault, FAULT_FAILED, -errno,
                                 "cannot clear inheritable capabilities: %m");
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                return fault_set(fault, FAULT_FAILED, -errno,
                                 "cannot clear ambient capabilities: %m");
        return 0;
}
