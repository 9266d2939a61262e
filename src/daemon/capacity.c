/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>

#include "basic/io.h"
#include "basic/parse.h"
#include "daemon/capacity.h"
#include "daemon/network-pool.h"
#include "daemon/port-table.h"
#include "daemon/uid-pool.h"

#define MEMINFO_MAX_BYTES (64U << 10)

static const char *const capacity_table[_CAPACITY_MAX] = {
        [CAPACITY_MEMORY] = "CapacityMemory",
        [CAPACITY_MEMORY_FREE] = "CapacityMemoryFree",
        [CAPACITY_DISK] = "CapacityDisk",
        [CAPACITY_DISK_FREE] = "CapacityDiskFree",
        [CAPACITY_CONTAINERS] = "CapacityContainers",
        [CAPACITY_CONTAINERS_FREE] = "CapacityContainersFree",
        [CAPACITY_USERS] = "CapacityUsers",
        [CAPACITY_USERS_FREE] = "CapacityUsersFree",
        [CAPACITY_PORTS] = "CapacityPorts",
        [CAPACITY_PORTS_FREE] = "CapacityPortsFree",
        [CAPACITY_NETWORKS] = "CapacityNetworks",
        [CAPACITY_NETWORKS_FREE] = "CapacityNetworksFree",
};

const char *capacity_to_string(Capacity capacity)
{
        return (int)capacity >= 0 && capacity < _CAPACITY_MAX ? capacity_table[capacity] : NULL;
}

Capacity capacity_from_string(const char *s)
{
        for (int i = 0; i < _CAPACITY_MAX; i++)
                if (strcmp(capacity_table[i], s) == 0)
                        return (Capacity)i;
        return _CAPACITY_INVALID;
}

int capacity_parse_meminfo(const char *text, const char *key, uint64_t *ret)
{
        size_t n = strlen(key);

        for (const char *line = text; line; line = strchr(line, '\n')) {
                char number[24];
                uint64_t kilobytes;
                size_t length;

                line += *line == '\n';
                if (strncmp(line, key, n) != 0 || line[n] != ':')
                        continue;
                line += n + 1;
                line += strspn(line, " ");
                length = strspn(line, "0123456789");
                if (length >= sizeof(number) || strncmp(line + length, " kB", 3) != 0)
                        return -ENODATA;
                memcpy(number, line, length);
                number[length] = 0;
                if (parse_u64(number, &kilobytes) < 0 || kilobytes > UINT64_MAX / 1024)
                        return -ENODATA;
                *ret = kilobytes * 1024;
                return 0;
        }
        return -ENODATA;
}

static int get_memory(const char *key, uint64_t *ret)
{
        _drop_(drop_free) char *text = NULL;
        int r;

        r = io_read_file(AT_FDCWD, "/proc/meminfo", MEMINFO_MAX_BYTES, &text, NULL);
        return r < 0 ? r : capacity_parse_meminfo(text, key, ret);
}

/* The daemon and its workers write there all the time: a file system that answers late would be
 * felt elsewhere first. */
static int get_disk(const Manager *manager, int is_free, uint64_t *ret)
{
        struct statvfs s;

        if (statvfs(manager->conf.state_directory, &s) < 0)
                return -errno;
        *ret = (uint64_t)(is_free ? s.f_bavail : s.f_blocks) * s.f_frsize;
        return 0;
}

/* By id: those that are being made or destroyed count too. */
static uint64_t count_free_containers(const Manager *manager)
{
        size_t n = map_size(manager->by_id);

        return manager->conf.containers_max > n ? manager->conf.containers_max - n : 0;
}

int capacity_get(const Manager *manager, Capacity capacity, uint64_t *ret)
{
        switch (capacity) {
        case CAPACITY_MEMORY:
                return get_memory("MemTotal", ret);
        case CAPACITY_MEMORY_FREE:
                return get_memory("MemAvailable", ret);
        case CAPACITY_DISK:
                return get_disk(manager, 0, ret);
        case CAPACITY_DISK_FREE:
                return get_disk(manager, 1, ret);
        case CAPACITY_CONTAINERS:
                *ret = manager->conf.containers_max;
                return 0;
        case CAPACITY_CONTAINERS_FREE:
                *ret = count_free_containers(manager);
                return 0;
        case CAPACITY_USERS:
                *ret = manager->conf.uid_pool_count / UID_BLOCK;
                return 0;
        case CAPACITY_USERS_FREE:
                *ret = uid_pool_count_free(manager->uids);
                return 0;
        case CAPACITY_PORTS:
                *ret = manager->conf.port_pool_count;
                return 0;
        case CAPACITY_PORTS_FREE:
                *ret = port_table_count_free(manager->ports);
                return 0;
        case CAPACITY_NETWORKS:
                *ret = network_pools_count(manager->networks, 0);
                return 0;
        case CAPACITY_NETWORKS_FREE:
                *ret = network_pools_count(manager->networks, 1);
                return 0;
        case _CAPACITY_MAX:
        case _CAPACITY_INVALID:
                break;
        }
        return -EINVAL;
}
