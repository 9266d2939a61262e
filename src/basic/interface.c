/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SIOCGIFINDEX looks for a module "netdev-NAME", and then for one that is called NAME, whenever
 * somebody with the capabilities of root asks for what is not there (dev_load() in the kernel). The
 * names of interfaces that are about to vanish are asked for at each destroy, and others come from
 * clients. sysfs knows the same without that. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "basic/interface.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "basic/parse.h"

#define INDEX_FILE_MAX 16

int interface_index(const char *name)
{
        _drop_(drop_free) char *text = NULL;
        char path[sizeof("/sys/class/net/X/ifindex") + IFNAMSIZ];
        uint32_t index;
        size_t length;
        int r;

        if (!*name || name[0] == '.' || strchr(name, '/') || strlen(name) >= IFNAMSIZ)
                return -ENODEV;
        (void)snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", name);
        r = io_read_file(AT_FDCWD, path, INDEX_FILE_MAX, &text, &length);
        /* EINVAL: it is being taken apart, and has no name any more. */
        if (r < 0)
                return r == -ENOENT || r == -ENOTDIR || r == -EINVAL ? -ENODEV : r;
        text[strcspn(text, "\n")] = '\0';
        r = parse_u32(text, &index);
        if (r < 0)
                return r;
        return index > 0 && index <= INT_MAX ? (int)index : -EIO;
}
