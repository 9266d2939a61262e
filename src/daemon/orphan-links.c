/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "daemon/network-pool.h"
#include "daemon/orphan-links.h"
#include "model/name.h"

#define PREFIX "w-"

int orphan_links_await(Manager *manager)
{
        struct ifaddrs *list;

        if (network_pools_are_empty(manager->networks))
                return 0;
        if (getifaddrs(&list) < 0)
                return -errno;
        for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
                struct sockaddr_in address;

                if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
                    strncmp(i->ifa_name, PREFIX, strlen(PREFIX)) != 0 ||
                    !id_is_valid(i->ifa_name + strlen(PREFIX)))
                        continue;
                memcpy(&address, i->ifa_addr, sizeof(address));
                network_pools_await(manager->networks, i->ifa_name, address.sin_addr.s_addr);
        }
        freeifaddrs(list);
        return 0;
}
