/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "basic/fd.h"
#include "basic/strv.h"
#include "worker/interfaces.h"
#include "worker/network.h"
#include "worker/remove.h"
#include "worker/storage.h"
#include "worker/trash.h"

#define NICE 10 /* somebody waits for every create and for no delete */

/* All are put away before the first is deleted: the client waits for that alone. */
static int remove_put_all(char *const *directories, TrashEntry *entries, Fault *fault)
{
        int r = 0;

        for (size_t i = 0; directories[i]; i++) {
                int k;

                storage_forget_project(directories[i]);
                k = trash_put(directories[i], &entries[i], fault);

                if (k < 0 && r >= 0)
                        r = k;
        }
        return r;
}

static void remove_reply(int client_fd, int error, Fault *fault)
{
        WorkerMessage reply = { .type = error < 0 ? WORKER_FAILED : WORKER_DONE,
                                .fault = FAULT_INIT };

        if (error < 0) {
                (void)fault_set(fault, FAULT_FAILED, error, "cannot read the request: %m");
                (void)fault_prefix(fault, "remove");
                reply.fault = *fault;
        }
        (void)worker_send(client_fd, &reply, NULL, 0, 0);
}

static void remove_device(const char *directory)
{
        NetworkAddresses addresses;

        network_addresses_name(&addresses, strrchr(directory, '/') + 1);
        (void)network_unlimit(addresses.interface);
}

int remove_run(int client_fd, const WorkerPacket *packet)
{
        _drop_(remove_request_done) RemoveRequest request = { .directories = NULL };
        _drop_(drop_free) TrashEntry *entries = NULL;
        Fault fault = FAULT_INIT;
        size_t n = 0;
        int r;

        r = remove_request_decode(packet->message.blob, packet->message.blob_size, &request);
        if (r >= 0) {
                n = strv_length(request.directories);
                entries = malloc(n * sizeof(*entries));
                if (!entries)
                        r = -ENOMEM;
        }
        /* They are missed, and nothing of the container is a reason to keep them. */
        if (r >= 0 && request.interfaces)
                (void)interfaces_return(request.directories[n - 1], request.interfaces, NULL);
        if (r >= 0) {
                for (size_t i = 0; i < n; i++)
                        entries[i] = TRASH_ENTRY_INIT;
                r = remove_put_all(request.directories, entries, &fault);
        }
        if (r >= 0 && request.has_network)
                (void)network_release(request.directories[n - 1]);
        remove_reply(client_fd, r, &fault);
        /* It takes as long as the kernel needs to see that nobody uses it. */
        if (r >= 0 && request.has_bandwidth)
                remove_device(request.directories[n - 1]);

        (void)setpriority(PRIO_PROCESS, 0, NICE);
        for (size_t i = 0; entries && i < n; i++) {
                (void)trash_delete(&entries[i]);
                trash_entry_done(&entries[i]);
        }
        return r;
}

void remove_leftovers(const char *directory)
{
        char path[PATH_MAX];
        int n = snprintf(path, sizeof(path), "%s/containers", directory);

        (void)setpriority(PRIO_PROCESS, 0, NICE);
        (void)trash_empty(directory);
        if (n > 0 && (size_t)n < sizeof(path))
                (void)trash_empty(path);
        (void)network_settle(directory);
}
