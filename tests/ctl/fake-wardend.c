/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Speaks for wardend on a private bus: containers are only names, but jobs are real processes of
 * the host with real pipes, pseudo-terminals and exit statuses, so that what wardenctl relays is
 * real.
 *
 * usage: fake-wardend LOG    every call is a line in LOG: MEMBER PATH [ARGUMENTS as JSON]
 *
 * Some names of containers make it behave badly:
 *   early    Exited is sent before the reply of SpawnJob
 *   crash    it leaves the bus after SpawnJob's reply, the job ends unseen, and it comes back
 *   forget   the same, but it has forgotten the job
 *   lost     Exited says that nobody knows
 *   denied   CreateContainer is refused by the bus policy
 *   slow     CreateContainer takes half a second */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "basic/io.h"
#include "ctl/bus.h"
#include "ctl/json.h"
#include "fake-job.h"
#include "fake-network.h"

sd_bus *fake_bus;
sd_event *fake_event;
FILE *fake_log;
static FakeContainer *containers[FAKE_CONTAINERS_MAX];

void fake_log_call(sd_bus_message *m)
{
        _drop_(drop_json) json_object *all = json_object_new_array();
        json_object *value;

        while (json_from_message(m, &value) >= 0)
                json_object_array_add(all, value);
        (void)sd_bus_message_rewind(m, 1);
        fprintf(fake_log, "%s %s %s\n", sd_bus_message_get_member(m), sd_bus_message_get_path(m),
                json_object_to_json_string_ext(all, JSON_C_TO_STRING_NOSLASHESCAPE));
        fflush(fake_log);
}

static FakeContainer *find_container(const char *name)
{
        for (size_t i = 0; i < FAKE_CONTAINERS_MAX; i++)
                if (containers[i] && strcmp(containers[i]->name, name) == 0)
                        return containers[i];
        return NULL;
}

static int find_container_object(sd_bus *b, const char *path, const char *interface, void *userdata,
                                 void **ret_found, sd_bus_error *error)
{
        for (size_t i = 0; i < FAKE_CONTAINERS_MAX; i++)
                if (containers[i] && strcmp(containers[i]->path, path) == 0) {
                        *ret_found = containers[i];
                        return 1;
                }
        return 0;
}

static int enumerate(sd_bus *b, const char *prefix, void *userdata, char ***ret_nodes,
                     sd_bus_error *error)
{
        char **nodes = NULL;

        for (size_t i = 0; i < FAKE_CONTAINERS_MAX; i++)
                if (containers[i])
                        (void)strv_append(&nodes, containers[i]->path);
        for (size_t i = 0; i < FAKE_JOBS_MAX; i++)
                if (fake_jobs[i])
                        (void)strv_append(&nodes, fake_jobs[i]->path);
        *ret_nodes = nodes;
        return 0;
}

/* Containers */

static void kill_jobs(FakeContainer *c, int signal)
{
        for (size_t i = 0; i < FAKE_JOBS_MAX; i++)
                if (fake_jobs[i] && fake_jobs[i]->container == c && fake_jobs[i]->is_running)
                        (void)kill(fake_jobs[i]->pid, signal);
}

static int set_state(FakeContainer *c, const char *state)
{
        free(c->state);
        c->state = strdup(state);
        return sd_bus_emit_properties_changed(fake_bus, c->path, WARDEN_CONTAINER, "State", NULL);
}

static int method_start(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        FakeContainer *c = userdata;

        fake_log_call(m);
        if (strcmp(c->state, "stopped") != 0)
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("BadState"), "start: %s is %s",
                                                  c->name, c->state);
        (void)set_state(c, "active");
        return sd_bus_reply_method_return(m, "");
}

static int method_stop(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        fake_log_call(m);
        kill_jobs(userdata, SIGTERM);
        (void)set_state(userdata, "stopped");
        return sd_bus_reply_method_return(m, "");
}

static int method_freeze(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        fake_log_call(m);
        (void)set_state(userdata, "frozen");
        return sd_bus_reply_method_return(m, "");
}

static int method_thaw(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        fake_log_call(m);
        (void)set_state(userdata, "active");
        return sd_bus_reply_method_return(m, "");
}

static int method_kill(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        int32_t signal;

        fake_log_call(m);
        if (sd_bus_message_read(m, "i", &signal) >= 0)
                kill_jobs(userdata, signal);
        return sd_bus_reply_method_return(m, "");
}

static void destroy_container(FakeContainer *c)
{
        kill_jobs(c, SIGKILL);
        for (size_t i = 0; i < FAKE_CONTAINERS_MAX; i++)
                if (containers[i] == c)
                        containers[i] = NULL;
        (void)sd_bus_emit_signal(fake_bus, WARDEN_PATH, WARDEN_MANAGER, "ContainerRemoved", "so",
                                 c->name, c->path);
}

static int method_destroy(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        fake_log_call(m);
        destroy_container(userdata);
        return sd_bus_reply_method_return(m, "");
}

static int container_get_jobs(sd_bus *b, const char *path, const char *interface,
                              const char *property, sd_bus_message *reply, void *userdata,
                              sd_bus_error *error)
{
        int r = sd_bus_message_open_container(reply, 'a', "o");

        for (size_t i = 0; r >= 0 && i < FAKE_JOBS_MAX; i++)
                if (fake_jobs[i] && fake_jobs[i]->container == userdata)
                        r = sd_bus_message_append(reply, "o", fake_jobs[i]->path);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int container_get(sd_bus *b, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        FakeContainer *c = userdata;

        if (strcmp(property, "Name") == 0)
                return sd_bus_message_append(reply, "s", c->name);
        if (strcmp(property, "State") == 0)
                return sd_bus_message_append(reply, "s", c->state);
        if (strcmp(property, "RootDirectory") == 0)
                return sd_bus_message_append(reply, "s", c->root);
        if (strcmp(property, "Leader") == 0)
                return sd_bus_message_append(reply, "u", (uint32_t)getpid());
        if (strcmp(property, "CreatedTimestamp") == 0)
                return sd_bus_message_append(reply, "t", c->created_usec);
        if (strcmp(property, "Labels") == 0)
                return sd_bus_message_append(reply, "a{ss}", 1, "tier", "a\033[31mb");
        return sd_bus_message_append(reply, "a{sv}", 2, "MemoryMax", "t", UINT64_C(512) << 20,
                                     "CPUQuotaPerSecUSec", "t", UINT64_C(1500000));
}

static const sd_bus_vtable container_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Start", "", "", method_start, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Stop", "a{sv}", "", method_stop, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Destroy", "", "", method_destroy, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Freeze", "", "", method_freeze, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Thaw", "", "", method_thaw, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Kill", "i", "", method_kill, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("SpawnJob", "asa{sv}", "o", fake_job_spawn, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ForwardPort", "a{sv}", "qq", fake_network_method_forward,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("UnforwardPort", "a{sv}", "", fake_network_method_change,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("AllowEgress", "a{sv}", "", fake_network_method_change,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("DenyEgress", "a{sv}", "", fake_network_method_change,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetEgressCounters", "", "aa{sv}a{sv}", fake_network_method_count,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("SetSegment", "a{sv}", "", fake_network_method_change,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("ContainerAddress", "s", fake_network_get, 0, 0),
        SD_BUS_PROPERTY("Segment", "s", fake_network_get, 0, 0),
        SD_BUS_PROPERTY("ForwardedPorts", "aa{sv}", fake_network_get, 0, 0),
        SD_BUS_PROPERTY("EgressRules", "aa{sv}", fake_network_get, 0, 0),
        SD_BUS_PROPERTY("Name", "s", container_get, 0, 0),
        SD_BUS_PROPERTY("State", "s", container_get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("RootDirectory", "s", container_get, 0, 0),
        SD_BUS_PROPERTY("Leader", "u", container_get, 0, 0),
        SD_BUS_PROPERTY("CreatedTimestamp", "t", container_get, 0, 0),
        SD_BUS_PROPERTY("Labels", "a{ss}", container_get, 0, 0),
        SD_BUS_PROPERTY("Limits", "a{sv}", container_get, 0, 0),
        SD_BUS_PROPERTY("Jobs", "ao", container_get_jobs, 0, 0),
        SD_BUS_VTABLE_END,
};

/* Manager */

/* Takes the two keys that matter out of the spec. */
static int read_spec(sd_bus_message *m, const char **ret_name, const char **ret_root)
{
        int r = sd_bus_message_enter_container(m, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *key;

                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0 && strcmp(key, "Name") == 0)
                        r = sd_bus_message_read(m, "v", "s", ret_name);
                else if (r >= 0 && strcmp(key, "RootDirectory") == 0)
                        r = sd_bus_message_read(m, "v", "s", ret_root);
                else if (r >= 0)
                        r = sd_bus_message_skip(m, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r;
}

static int method_create(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const char *name = "0123456789a", *root = "";
        FakeContainer *c;
        size_t i;

        fake_log_call(m);
        if (read_spec(m, &name, &root) < 0)
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("InvalidSpec"), "cannot be read");
        if (strcmp(name, "denied") == 0)
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_ACCESS_DENIED,
                                                  "Rejected send message");
        if (find_container(name))
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("NameExists"),
                                                  "Name: there is a container '%s'", name);
        if (strcmp(name, "slow") == 0)
                (void)usleep(500000);
        for (i = 0; i < FAKE_CONTAINERS_MAX && containers[i]; i++)
                ;
        if (i == FAKE_CONTAINERS_MAX)
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("LimitReached"), "no room");
        c = calloc(1, sizeof(*c));
        c->name = strdup(name);
        c->root = strdup(root);
        c->state = strdup("active");
        c->created_usec = io_now_realtime_usec() - 3 * 60 * USEC_PER_SEC;
        (void)sd_bus_path_encode(WARDEN_CONTAINERS, name, &c->path);
        containers[i] = c;
        return sd_bus_reply_method_return(m, "o", c->path);
}

static int method_destroy_container(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        FakeContainer *c;
        const char *name;

        fake_log_call(m);
        c = sd_bus_message_read(m, "s", &name) >= 0 ? find_container(name) : NULL;
        if (!c)
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("NoSuchContainer"),
                                                  "no such container");
        destroy_container(c);
        return sd_bus_reply_method_return(m, "");
}

/* Half a processor for as long as the machine is up, and the rest made up. */
static int append_stats(sd_bus_message *reply, const FakeContainer *c)
{
        uint64_t cpu = io_now_monotonic_usec() * 500;

        if (strcmp(c->state, "active") != 0)
                return sd_bus_message_append(reply, "{sa{sv}}", c->name, 1, "State", "s", c->state);
        return sd_bus_message_append(
                reply, "{sa{sv}}", c->name, 15, "State", "s", c->state, "Slice", "s",
                "warden-web.slice", "CPUUsageNSec", "t", cpu, "MemoryCurrent", "t",
                UINT64_C(40) << 20, "MemoryInactiveFile", "t", UINT64_C(8) << 20, "MemoryMax", "t",
                UINT64_C(64) << 20, "TasksCurrent", "t", UINT64_C(7), "TasksMax", "t", UINT64_C(50),
                "OOMKills", "t", UINT64_C(1), "NetworkReceiveBytes", "t", UINT64_C(3) << 10,
                "NetworkTransmitBytes", "t", UINT64_C(1) << 10, "IOReadBytes", "t",
                UINT64_C(5) << 20, "IOWriteBytes", "t", UINT64_C(2) << 20, "UptimeUSec", "t",
                UINT64_C(90000000), "IODevices", "a(uutttt)", 1, 8, 16, UINT64_C(5) << 20,
                UINT64_C(2) << 20, UINT64_C(11), UINT64_C(12));
}

static int method_get_stats(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        sd_bus_message *reply = NULL;
        char **names = NULL;
        int r;

        fake_log_call(m);
        r = sd_bus_message_read_strv(m, &names);
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{sa{sv}}");
        for (size_t i = 0; r >= 0 && i < FAKE_CONTAINERS_MAX; i++) {
                int is_wanted = !names || !names[0];

                for (char **name = names; containers[i] && name && *name; name++)
                        is_wanted |= strcmp(*name, containers[i]->name) == 0;
                if (containers[i] && is_wanted)
                        r = append_stats(reply, containers[i]);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        strv_free(names);
        return r;
}

static int manager_get_capacity(sd_bus *b, const char *path, const char *interface,
                                const char *property, sd_bus_message *reply, void *userdata,
                                sd_bus_error *error)
{
        size_t n = strlen(property);
        int is_free = n > 4 && strcmp(property + n - 4, "Free") == 0;

        return sd_bus_message_append(reply, "t", UINT64_C(2048) << 20 >> is_free);
}

static int manager_get(sd_bus *b, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        return sd_bus_message_append(reply, "s",
                                     strcmp(property, "Version") == 0 ? "0.0-fake" : "hybrid");
}

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("CreateContainer", "a{sv}", "o", method_create, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("DestroyContainer", "s", "", method_destroy_container,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Version", "s", manager_get, 0, 0),
        SD_BUS_METHOD("GetStats", "as", "a{sa{sv}}", method_get_stats, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("CgroupMode", "s", manager_get, 0, 0),
        SD_BUS_PROPERTY("CapacityMemory", "t", manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityMemoryFree", "t", manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityContainers", "t", manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityContainersFree", "t", manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityPorts", "t", manager_get_capacity, 0, 0),
        SD_BUS_PROPERTY("CapacityPortsFree", "t", manager_get_capacity, 0, 0),
        SD_BUS_SIGNAL("ContainerRemoved", "so", 0),
        SD_BUS_VTABLE_END,
};

static int export(void)
{
        int r;

        r = sd_bus_add_object_vtable(fake_bus, NULL, WARDEN_PATH, WARDEN_MANAGER, manager_vtable,
                                     NULL);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(fake_bus, NULL, WARDEN_CONTAINERS, WARDEN_CONTAINER,
                                               container_vtable, find_container_object, NULL);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(fake_bus, NULL, WARDEN_CONTAINERS, WARDEN_JOB,
                                               fake_job_vtable, fake_job_find, NULL);
        if (r >= 0)
                r = sd_bus_add_node_enumerator(fake_bus, NULL, WARDEN_CONTAINERS, enumerate, NULL);
        if (r >= 0)
                r = sd_bus_add_object_manager(fake_bus, NULL, WARDEN_PATH);
        return r;
}

int main(int argc, char **argv)
{
        sigset_t set;
        int r;

        if (argc != 2 || !(fake_log = fopen(argv[1], "ae")))
                return EXIT_FAILURE;
        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGCHLD);
        (void)sigprocmask(SIG_BLOCK, &set, NULL);
        r = sd_event_default(&fake_event);
        if (r >= 0)
                r = sd_bus_open_system(&fake_bus);
        if (r >= 0)
                r = sd_bus_attach_event(fake_bus, fake_event, 0);
        if (r >= 0)
                r = export();
        if (r >= 0)
                r = sd_bus_request_name(fake_bus, WARDEN_NAME, 0);
        if (r >= 0)
                r = sd_event_loop(fake_event);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
