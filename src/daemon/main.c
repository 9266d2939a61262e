/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* wardend: what belongs to the process and not to the manager. The order of things at start
 * matters:
 *
 *   signals blocked      before the first library can make a thread or we a child
 *   bus, matches         systemd shall tell us of its jobs before a last life is undone
 *   manager, restore     containers are known again
 *   objects, then name   nobody can reach us before there is something to reach
 *   READY=1              when the name is ours and every restored container has answered */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "basic/io.h"
#include "basic/log.h"
#include "config.h"
#include "daemon/bus/bus.h"
#include "daemon/orphan-links.h"
#include "daemon/orphan-scopes.h"

/* STATUS= is for people: it may lag, but must not cost anything when a thousand jobs end at
 * once. */
#define STATUS_DELAY_USEC (500 * USEC_PER_MSEC)

static const char *arg_config = NULL;
static const char *arg_worker = NULL;
static const char *arg_wshd = NULL;
static const char *arg_journal = NULL;
static const char *arg_firewall = NULL;
static const char *arg_state_directory = NULL;
static const char *arg_runtime_directory = NULL;
static const char *arg_bus_introspect = NULL;
static LogTarget arg_log_target = LOG_TARGET_AUTO;
static int arg_log_level = LOG_INFO;

typedef struct Daemon {
        sd_event *event;
        struct sd_bus *bus;
        SystemdClient *systemd;
        Manager *manager;
        BusServer *server;
        sd_event_source *status_source; /* armed while STATUS= is behind */
        int is_named, is_ready;
} Daemon;

/* In reverse of the start. Containers and their processes are not touched. */
static void daemon_done(Daemon *d)
{
        d->status_source = sd_event_source_disable_unref(d->status_source);
        if (d->server)
                bus_server_detach(d->server);
        d->manager = manager_free(d->manager);
        d->server = bus_server_free(d->server);
        d->systemd = systemd_client_free(d->systemd);
        d->bus = bus_close(d->bus);
        d->event = sd_event_unref(d->event);
}

static void daemon_show_status(const Daemon *d)
{
        size_t n_containers = 0, n_jobs = 0;
        Container *c;

        MAP_FOREACH(c, d->manager->by_name) {
                n_containers += c->is_announced ? 1 : 0;
                n_jobs += map_size(c->jobs);
        }
        (void)sd_notifyf(0, "STATUS=%zu containers, %zu jobs", n_containers, n_jobs);
}

static int on_status(sd_event_source *s, uint64_t usec, void *userdata)
{
        Daemon *d = userdata;

        d->status_source = sd_event_source_disable_unref(d->status_source);
        daemon_show_status(d);
        return 0;
}

static void on_counted(void *userdata)
{
        Daemon *d = userdata;

        if (d->status_source)
                return;
        (void)sd_event_add_time_relative(d->event, &d->status_source, CLOCK_MONOTONIC,
                                         STATUS_DELAY_USEC, 0, on_status, d);
}

static void daemon_tell_ready(Daemon *d)
{
        if (d->is_ready || !d->is_named || !manager_is_settled(d->manager))
                return;
        d->is_ready = 1;
        (void)sd_notify(0, "READY=1");
        daemon_show_status(d);
        log_info("wardend " WARDEN_VERSION " is ready: %zu containers",
                 map_size(d->manager->by_name));
}

static void on_settled(void *userdata)
{
        daemon_tell_ready(userdata);
}

static void on_named(void *userdata, int error)
{
        Daemon *d = userdata;

        if (error < 0) {
                (void)sd_event_exit(d->event, error);
                return;
        }
        d->is_named = 1;
        manager_set_public(d->manager);
        daemon_tell_ready(d);
}

static int replace_string(char **s, const char *value)
{
        char *copy;

        if (!value)
                return 0;
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        free(*s);
        *s = copy;
        return 0;
}

/* The files, and the command line over them. */
static int load_conf(Conf *conf, Fault *fault)
{
        int r;

        r = conf_load(conf, arg_config, fault);
        if (r < 0)
                return r;
        r = replace_string(&conf->worker_program, arg_worker);
        if (r >= 0)
                r = replace_string(&conf->wshd_program, arg_wshd);
        if (r >= 0)
                r = replace_string(&conf->journal_program, arg_journal);
        if (r >= 0)
                r = replace_string(&conf->firewall_program, arg_firewall);
        if (r >= 0)
                r = replace_string(&conf->state_directory, arg_state_directory);
        if (r >= 0)
                r = replace_string(&conf->runtime_directory, arg_runtime_directory);
        if (r < 0)
                conf_done(conf);
        return r;
}

static int string_differs(const char *a, const char *b)
{
        return strcmp(a ? a : "", b ? b : "") != 0;
}

static void apply_networks(Conf *old, Conf *new)
{
        IpRange *allow = old->allow_networks, *deny = old->deny_networks;

        old->allow_networks = new->allow_networks;
        old->n_allow_networks = new->n_allow_networks;
        old->deny_networks = new->deny_networks;
        old->n_deny_networks = new->n_deny_networks;
        new->allow_networks = allow;
        new->deny_networks = deny;
        old->port_pool_base = new->port_pool_base;
        old->port_pool_count = new->port_pool_count;
}

/* What is in use by containers, or was made at start, stays: directories, uids, the number of
 * workers. The rest is read anew each time. */
static void apply_conf(Conf *old, Conf *new)
{
        char *slice = old->slice;

        if (string_differs(old->state_directory, new->state_directory) ||
            string_differs(old->runtime_directory, new->runtime_directory) ||
            old->uid_pool_base != new->uid_pool_base ||
            old->uid_pool_count != new->uid_pool_count || old->workers_max != new->workers_max)
                log_notice("Directories, UIDPool= and WorkersMax= change with the next start only");

        old->slice = new->slice;
        new->slice = slice;
        apply_networks(old, new);
        old->grace_usec = new->grace_usec;
        old->create_timeout_usec = new->create_timeout_usec;
        old->containers_max = new->containers_max;
        old->jobs_max = new->jobs_max;
        old->ended_jobs_max = new->ended_jobs_max;
        old->ended_jobs_usec = new->ended_jobs_usec;
        old->ring_bytes = new->ring_bytes;
        old->ring_bytes_max = new->ring_bytes_max;
}

/* The messages of Type=notify-reload, which systemd 252 does not have: it takes them as they
 * are. */
static int on_sighup(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata)
{
        Daemon *d = userdata;
        Fault fault = FAULT_INIT;
        Conf conf = { 0 };
        int r;

        (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
                         (unsigned long long)io_now_monotonic_usec());
        r = load_conf(&conf, &fault);
        if (r < 0) {
                log_error(r, "Cannot reload the configuration: %s",
                          fault.kind != FAULT_NONE ? fault.text : strerror(-r));
        } else {
                apply_conf(&d->manager->conf, &conf);
                manager_apply_retention(d->manager);
                manager_apply_networks(d->manager);
                conf_done(&conf);
                log_info("Configuration reloaded");
        }
        if (d->is_ready)
                (void)sd_notify(0, "READY=1");
        return 0;
}

static int daemon_watch(Daemon *d)
{
        int r;

        r = sd_event_add_signal(d->event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(d->event, NULL, SIGINT, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(d->event, NULL, SIGHUP, on_sighup, d);
        if (r >= 0)
                r = sd_event_set_watchdog(d->event, 1);
        return r;
}

static int daemon_start(Daemon *d, Fault *fault)
{
        const BusServerEvents events = {
                .named = on_named,
                .settled = on_settled,
                .counted = on_counted,
                .userdata = d,
        };
        Conf conf = { 0 };
        int r;

        r = load_conf(&conf, fault);
        if (r < 0)
                return r;
        r = sd_event_default(&d->event);
        if (r >= 0)
                r = bus_open(d->event, &d->bus);
        if (r < 0) {
                conf_done(&conf);
                return fault_set(fault, FAULT_FAILED, r, "Cannot connect to the system bus: %m");
        }
        r = systemd_client_new(d->bus, &d->systemd);
        if (r < 0) {
                conf_done(&conf);
                return fault_set(fault, FAULT_FAILED, r, "Cannot talk to systemd: %m");
        }
        r = manager_new(d->event, &conf, d->systemd, &d->manager, fault);
        if (r < 0)
                return r;
        r = daemon_watch(d);
        if (r < 0)
                return r;
        r = manager_restore(d->manager);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot restore the containers: %m");
        r = orphan_scopes_stop(d->manager);
        if (r < 0)
                log_warning(r, "Cannot look for scopes that nobody knows: %m");
        r = orphan_links_await(d->manager);
        if (r < 0)
                log_warning(r, "Cannot look for interfaces that nobody knows: %m");
        r = bus_server_new(d->bus, d->manager, &events, &d->server);
        if (r >= 0)
                r = bus_server_request_name(d->server);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot put the objects on the bus: %m");
        return 0;
}

/* A pidfd, a socket and two directories for each container, and a pidfd for each job. */
static void raise_nofile(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
                return;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                log_warning(-errno, "Cannot raise the number of open files: %m");
}

static int run(void)
{
        _drop_(daemon_done) Daemon d = { 0 };
        Fault fault = FAULT_INIT;
        int r;

        raise_nofile();
        r = daemon_start(&d, &fault);
        if (r < 0) {
                (void)sd_notifyf(0, "ERRNO=%d", -r);
                return log_error(r, "%s", fault.kind != FAULT_NONE ? fault.text : strerror(-r));
        }
        r = sd_event_loop(d.event);
        (void)sd_notify(0, "STOPPING=1");
        if (r != 0) /* positive: the bus went away */
                return log_error(r < 0 ? r : -ENOTCONN, "wardend ends: %m");
        log_info("wardend ends; containers go on");
        return 0;
}

static int help(void)
{
        (void)printf("wardend [OPTIONS...]\n\n"
                     "Makes containers and runs jobs in them, for clients on D-Bus.\n\n"
                     "  -h --help                     Show this text\n"
                     "     --version                  Show the version\n"
                     "     --config=PATH              Read this file, and no other\n"
                     "     --worker=PATH              Program that sets containers up\n"
                     "     --wshd=PATH                Program that is PID 1 in containers\n"
                     "     --journal=PATH             Program that feeds the journal\n"
                     "     --firewall=PATH            Program that sets the packet filter\n"
                     "     --state-directory=PATH     Upper layers, " WARDEN_STATE_DIRECTORY "\n"
                     "     --runtime-directory=PATH   State and sockets, " WARDEN_RUNTIME_DIRECTORY
                     "\n"
                     "     --log-level=LEVEL          emerg … debug\n"
                     "     --log-target=TARGET        auto, journal, console, null\n"
                     "     --bus-introspect=PATH      Print an object's interfaces as XML, or\n"
                     "                                the paths there are for \"list\"\n");
        return 1;
}

static int set_log_level(const char *value)
{
        arg_log_level = log_level_from_string(value);
        if (arg_log_level >= 0)
                return 0;
        (void)fprintf(stderr, "wardend: there is no log level '%s'\n", value);
        return -EINVAL;
}

static int set_log_target(const char *value)
{
        arg_log_target = log_target_from_string(value);
        if ((int)arg_log_target >= 0)
                return 0;
        (void)fprintf(stderr, "wardend: there is no log target '%s'\n", value);
        return -EINVAL;
}

enum {
        OPTION_VERSION = 256,
        OPTION_LOG_LEVEL,
        OPTION_LOG_TARGET,
        OPTION_STRING, /* and beyond: index into string_options */
};

static const struct {
        const char *name;
        const char **value;
} string_options[] = {
        { "config", &arg_config },
        { "worker", &arg_worker },
        { "wshd", &arg_wshd },
        { "journal", &arg_journal },
        { "firewall", &arg_firewall },
        { "state-directory", &arg_state_directory },
        { "runtime-directory", &arg_runtime_directory },
        { "bus-introspect", &arg_bus_introspect },
};

/* Returns 1 to end the program well, 0 to go on. */
static int handle_option(int option)
{
        switch (option) {
        case 'h':
                return help();
        case OPTION_VERSION:
                (void)printf("wardend %s\n", WARDEN_VERSION);
                return 1;
        case OPTION_LOG_LEVEL:
                return set_log_level(optarg);
        case OPTION_LOG_TARGET:
                return set_log_target(optarg);
        case '?':
                return -EINVAL;
        default:
                *string_options[option - OPTION_STRING].value = optarg;
                return 0;
        }
}

static int parse_argv(int argc, char *argv[])
{
        struct option options[ELEMENTSOF(string_options) + 5] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, OPTION_VERSION },
                { "log-level", required_argument, NULL, OPTION_LOG_LEVEL },
                { "log-target", required_argument, NULL, OPTION_LOG_TARGET },
        };
        int option, r;

        for (size_t i = 0; i < ELEMENTSOF(string_options); i++)
                options[4 + i] = (struct option){ string_options[i].name, required_argument, NULL,
                                                  OPTION_STRING + (int)i };
        while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
                r = handle_option(option);
                if (r != 0)
                        return r;
        }
        if (optind < argc) {
                (void)fprintf(stderr, "wardend: takes no arguments, only options\n");
                return -EINVAL;
        }
        return 0;
}

int main(int argc, char *argv[])
{
        sigset_t set;
        int r;

        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGTERM);
        (void)sigaddset(&set, SIGINT);
        (void)sigaddset(&set, SIGHUP);
        (void)sigaddset(&set, SIGCHLD);
        (void)sigprocmask(SIG_BLOCK, &set, NULL);
        (void)signal(SIGPIPE, SIG_IGN);

        r = parse_argv(argc, argv);
        if (r != 0)
                return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        log_open("wardend", arg_log_target, arg_log_level);
        if (arg_bus_introspect) {
                r = bus_introspect(arg_bus_introspect, stdout);
                if (r < 0)
                        log_error(r, "Cannot introspect %s: %m", arg_bus_introspect);
        } else {
                r = run();
        }
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
