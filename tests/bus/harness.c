/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-bus.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "harness.h"

#define PATIENCE_USEC (10 * USEC_PER_SEC)
#define NAME "org.warden.Warden1"

static void path_in(const Harness *h, const char *name, char *ret, size_t size)
{
        int n = snprintf(ret, size, "%s/%s", h->directory, name);

        assert_true(n > 0 && (size_t)n < size);
}

static const char *need_env(const char *name)
{
        const char *value = getenv(name);

        if (!value)
                fail_msg("$%s is not set: run by meson test", name);
        return value;
}

/* Containers that an earlier wardend left: fake-worker has put each one's file there. */
static int enter_groups(const char *top)
{
        DIR *d = opendir(top);
        struct dirent *entry;

        if (!d)
                return -errno;
        while ((entry = readdir(d))) {
                char path[512], target[64];

                if (strncmp(entry->d_name, "of-", 3) != 0)
                        continue;
                (void)snprintf(path, sizeof(path), "%s/%s", top, entry->d_name);
                (void)snprintf(target, sizeof(target), "/proc/%.16s/cgroup", entry->d_name + 3);
                (void)mount(path, target, NULL, MS_BIND, NULL); /* fails for those that are gone */
        }
        (void)closedir(d);
        return 0;
}

/* In the child that becomes wardend: the fake worker is its child and sees the same. */
static void enter_cgroup(const Harness *h)
{
        char top[96];
        int r = 0;

        if (h->cgroup == HARNESS_CGROUP_HOST)
                return;
        path_in(h, "cgroup", top, sizeof(top));
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                r = -errno;
        if (r >= 0 && h->cgroup == HARNESS_CGROUP_UNIFIED)
                r = mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0 ? -errno : 0;
        if (r >= 0 && h->cgroup == HARNESS_CGROUP_LEGACY)
                r = mount(top, "/sys/fs/cgroup", NULL, MS_BIND, NULL) < 0 ? -errno : 0;
        if (r >= 0 && h->cgroup == HARNESS_CGROUP_LEGACY)
                r = enter_groups(top);
        if (r >= 0 && h->cgroup == HARNESS_CGROUP_LEGACY)
                r = setenv("WARDEN_FAKE_CGROUP", "/sys/fs/cgroup", 1) < 0 ? -errno : 0;
        if (r < 0) {
                (void)dprintf(2, "cannot mount control groups: %s\n", strerror(-r));
                _exit(126);
        }
}

/* The child's output goes to a file of its name in the directory. */
static pid_t spawn(Harness *h, const char *log_name, char *const argv[])
{
        char log[96];
        pid_t pid;

        path_in(h, log_name, log, sizeof(log));
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

                (void)dup2(fd, 1);
                (void)dup2(fd, 2);
                if (strcmp(log_name, "wardend.log") == 0)
                        enter_cgroup(h);
                (void)execv(argv[0], argv);
                (void)dprintf(2, "cannot execute %s: %s\n", argv[0], strerror(errno));
                _exit(127);
        }
        return pid;
}

static void write_bus_config(const Harness *h, const char *path)
{
        FILE *f = fopen(path, "we");

        assert_non_null(f);
        (void)fprintf(f,
                      "<busconfig><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>\n"
                      "<policy context='default'><allow user='*'/><allow own='*'/>"
                      "<allow send_type='method_call'/><allow send_type='signal'/>"
                      "<allow send_requested_reply='true' send_type='method_return'/>"
                      "<allow send_requested_reply='true' send_type='error'/>"
                      "<allow receive_type='method_call'/><allow receive_type='signal'/>"
                      "<allow receive_type='method_return'/><allow receive_type='error'/>"
                      "</policy>\n"
                      /* The bus's own default is 128: our bounds would never be reached. */
                      "<limit name='max_replies_per_connection'>50000</limit>"
                      "<include>%s</include>\n",
                      h->directory, need_env("BUS_POLICY"));
        /* Who runs the tests plays root's part. */
        if (geteuid() != 0)
                (void)fprintf(f,
                              "<policy user='%u'><allow send_destination='org.warden.Warden1'/>"
                              "<allow receive_sender='org.warden.Warden1'/></policy>\n",
                              geteuid());
        (void)fputs("</busconfig>\n", f);
        assert_int_equal(fclose(f), 0);
}

static void wait_for_socket(const char *path)
{
        for (int i = 0; i < 6000; i++) {
                struct sockaddr_un address = { .sun_family = AF_UNIX };
                int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

                strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
                r = connect(fd, (struct sockaddr *)&address, sizeof(address));
                fd_close(fd);
                if (r == 0)
                        return;
                (void)usleep(10000);
        }
        fail_msg("nobody listens at %s", path);
}

static void start_bus(Harness *h)
{
        char config[96], option[160], socket_path[96];
        char *argv[] = {
                (char *)"/usr/bin/dbus-daemon", option, (char *)"--nofork", (char *)"--nopidfile",
                (char *)"--nosyslog",           NULL
        };

        path_in(h, "bus.conf", config, sizeof(config));
        path_in(h, "bus", socket_path, sizeof(socket_path));
        (void)snprintf(option, sizeof(option), "--config-file=%s", config);
        (void)snprintf(h->address, sizeof(h->address), "unix:path=%s", socket_path);
        write_bus_config(h, config);
        assert_int_equal(setenv("DBUS_SYSTEM_BUS_ADDRESS", h->address, 1), 0);
        h->bus_pid = spawn(h, "bus.log", argv);
        wait_for_socket(socket_path);
        assert_true(sd_bus_open_system(&h->bus) >= 0);
}

static void open_notify(Harness *h)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        path_in(h, "notify", address.sun_path, sizeof(address.sun_path));
        h->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_true(h->notify_fd >= 0);
        assert_int_equal(bind(h->notify_fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

void harness_new_bus(Harness *h)
{
        char worker_file[128];

        *h = (Harness){ .notify_fd = -EBADF, .systemd_mode = "ok" };
        (void)snprintf(h->directory, sizeof(h->directory), "/tmp/warden-bus-XXXXXX");
        assert_non_null(mkdtemp(h->directory));
        assert_int_equal(chmod(h->directory, 0755), 0);
        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        (void)signal(SIGPIPE, SIG_IGN);
        open_notify(h);
        start_bus(h);
        path_in(h, "worker-mode", worker_file, sizeof(worker_file));
        assert_int_equal(setenv("WARDEN_FAKE_WORKER", worker_file, 1), 0);
        assert_int_equal(setenv("WARDEN_FAKE_JOURNAL", h->directory, 1), 0);
        harness_start_systemd(h);
}

void harness_new(Harness *h)
{
        harness_new_bus(h);
        harness_start_wardend(h);
}

int harness_new_with_cgroup(Harness *h, HarnessCgroup cgroup)
{
        char path[96];

        if (geteuid() != 0)
                return -1;
        harness_new_bus(h);
        h->cgroup = cgroup;
        path_in(h, "cgroup", path, sizeof(path));
        assert_int_equal(mkdir(path, 0755), 0);
        harness_start_wardend(h);
        return 0;
}

/* Of the one entry there is in the slice. */
static int group_file(const Harness *h, const char *controller, const char *file, char *ret,
                      size_t size)
{
        char slice[160];
        struct dirent *entry;
        DIR *d;

        (void)snprintf(slice, sizeof(slice), "%s/cgroup/%s/warden.slice", h->directory, controller);
        d = opendir(slice);
        if (!d)
                return -errno;
        while ((entry = readdir(d)) && entry->d_name[0] == '.')
                ;
        if (entry)
                (void)snprintf(ret, size, "%s/%s/%s", slice, entry->d_name, file);
        (void)closedir(d);
        return entry ? 0 : -ENOENT;
}

char *harness_read_group(Harness *h, const char *controller, const char *file)
{
        char path[512], *text = NULL;

        assert_int_equal(group_file(h, controller, file, path, sizeof(path)), 0);
        assert_int_equal(io_read_file(AT_FDCWD, path, 4096, &text, NULL), 0);
        return text;
}

void harness_write_group(Harness *h, const char *controller, const char *file, const char *text)
{
        char path[512];
        FILE *f;

        assert_int_equal(group_file(h, controller, file, path, sizeof(path)), 0);
        f = fopen(path, "we");
        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fclose(f), 0);
}

static int name_has_owner(Harness *h, const char *name)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int has = 0;

        if (sd_bus_call_method(h->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                               "org.freedesktop.DBus", "NameHasOwner", NULL, &reply, "s",
                               name) >= 0)
                (void)sd_bus_message_read(reply, "b", &has);
        return has;
}

static void wait_for_name(Harness *h, const char *name, int is_there)
{
        for (int i = 0; i < 6000; i++) {
                if (name_has_owner(h, name) == is_there)
                        return;
                (void)usleep(10000);
        }
        fail_msg("%s is %s the bus", name, is_there ? "not on" : "still on");
}

void harness_start_systemd(Harness *h)
{
        char *argv[] = { (char *)need_env("FAKE_SYSTEMD"), h->systemd_mode, h->systemd_unit,
                         h->systemd_unit_state, NULL };

        if (!*h->systemd_unit)
                argv[2] = NULL;
        h->systemd_pid = spawn(h, "systemd.log", argv);
        wait_for_name(h, "org.freedesktop.systemd1", 1);
}

void harness_stop_systemd(Harness *h)
{
        (void)kill(h->systemd_pid, SIGKILL);
        (void)waitpid(h->systemd_pid, NULL, 0);
        h->systemd_pid = 0;
        wait_for_name(h, "org.freedesktop.systemd1", 0);
}

/* What a case has written stays. Without pools nobody has an interface, for which there would have
 * to be a packet filter. */
static void make_config(const char *path)
{
        static const char text[] = "[Manager]\nNetworkPool=\n";
        int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

        if (fd < 0) {
                assert_int_equal(errno, EEXIST);
                return;
        }
        assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
        fd_close(fd);
}

void harness_configure(Harness *h, const char *conf)
{
        char path[128];
        int fd;

        path_in(h, "wardend.conf", path, sizeof(path));
        fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(io_write_full(fd, conf, strlen(conf)), 0);
        fd_close(fd);
}

void harness_reload_wardend(Harness *h)
{
        h->is_ready = 0;
        assert_int_equal(kill(h->wardend_pid, SIGHUP), 0);
        harness_read_notify(h, 10 * USEC_PER_SEC);
        assert_int_equal(h->is_ready, 1);
}

void harness_launch_wardend(Harness *h)
{
        char worker[256], wshd[256], journal[256], firewall[256], state[160], runtime[160],
                config[160], notify[128];
        char *argv[] = { (char *)need_env("WARDEND"),
                         worker,
                         wshd,
                         journal,
                         firewall,
                         state,
                         runtime,
                         config,
                         (char *)"--log-target=console",
                         (char *)"--log-level=debug",
                         NULL };

        (void)snprintf(worker, sizeof(worker), "--worker=%s", need_env("FAKE_WORKER"));
        (void)snprintf(wshd, sizeof(wshd), "--wshd=%s", need_env("WSHD"));
        (void)snprintf(journal, sizeof(journal), "--journal=%s", need_env("FAKE_JOURNAL"));
        (void)snprintf(firewall, sizeof(firewall), "--firewall=%s", need_env("FAKE_WORKER"));
        (void)snprintf(state, sizeof(state), "--state-directory=%s/state", h->directory);
        (void)snprintf(runtime, sizeof(runtime), "--runtime-directory=%s/run", h->directory);
        (void)snprintf(config, sizeof(config), "--config=%s/wardend.conf", h->directory);
        make_config(config + strlen("--config="));
        h->is_ready = 0;
        /* Not for the others: dbus-daemon says READY=1 as well. */
        path_in(h, "notify", notify, sizeof(notify));
        assert_int_equal(setenv("NOTIFY_SOCKET", notify, 1), 0);
        h->wardend_pid = spawn(h, "wardend.log", argv);
        assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
}

void harness_start_wardend(Harness *h)
{
        harness_launch_wardend(h);
        harness_read_notify(h, PATIENCE_USEC);
        if (!h->is_ready)
                fail_msg("wardend is not ready in time; see %s/wardend.log", h->directory);
}

/* Asked politely it ends well; a sanitizer's complaint is an exit status, too. */
static void end_wardend(Harness *h, int signal)
{
        int status = 0;
        pid_t pid = 0;

        (void)kill(h->wardend_pid, signal);
        for (int i = 0; i < 6000 && pid == 0; i++) {
                pid = waitpid(h->wardend_pid, &status, WNOHANG);
                if (pid == 0)
                        (void)usleep(10000);
        }
        if (pid != h->wardend_pid)
                fail_msg("wardend does not end");
        h->wardend_pid = 0;
        if (signal == SIGTERM && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
                fail_msg("wardend ended with status %d; see %s/wardend.log", status, h->directory);
}

void harness_kill_wardend(Harness *h, int signal)
{
        end_wardend(h, signal);
        wait_for_name(h, NAME, 0);
}

static void take_notify(Harness *h, const char *text)
{
        const char *status = strstr(text, "STATUS=");

        if (strstr(text, "READY=1"))
                h->is_ready = 1;
        if (status) {
                (void)snprintf(h->status, sizeof(h->status), "%s", status + strlen("STATUS="));
                h->status[strcspn(h->status, "\n")] = 0;
        }
}

void harness_read_notify(Harness *h, uint64_t usec)
{
        uint64_t end = io_now_monotonic_usec() + usec;

        h->is_ready = 0;
        while (!h->is_ready) {
                struct pollfd p = { .fd = h->notify_fd, .events = POLLIN };
                uint64_t now = io_now_monotonic_usec();
                char text[1024];
                ssize_t n;

                if (now >= end || poll(&p, 1, (int)((end - now) / 1000 + 1)) <= 0)
                        return;
                n = recv(h->notify_fd, text, sizeof(text) - 1, 0);
                if (n <= 0)
                        continue;
                text[n] = 0;
                take_notify(h, text);
        }
}

/* Ends every descendant: what dies leaves its children to us, so again until there is none. */
static void reap_everything(void)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
        for (int i = 0; i < 6000; i++) {
                _drop_(drop_free) char *text = NULL;
                char *word, *save = NULL;

                while (waitpid(-1, NULL, WNOHANG) > 0)
                        ;
                if (io_read_file(AT_FDCWD, path, 1U << 20, &text, NULL) < 0 || !*text)
                        return;
                for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
                        (void)kill((pid_t)strtol(word, NULL, 10), SIGKILL);
                (void)usleep(1000);
        }
}

static size_t count_descendants(pid_t pid)
{
        _drop_(drop_free) char *text = NULL;
        char path[64], *word, *save = NULL;
        size_t n = 0;

        (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
        if (io_read_file(AT_FDCWD, path, 1U << 20, &text, NULL) < 0)
                return 0;
        for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
                pid_t child = (pid_t)strtol(word, NULL, 10);

                if (harness_is_alive(child))
                        n += 1 + count_descendants(child);
        }
        return n;
}

void harness_until_processes(Harness *h, size_t n)
{
        uint64_t end = io_now_monotonic_usec() + PATIENCE_USEC;

        while (count_descendants(getpid()) != n) {
                if (io_now_monotonic_usec() > end)
                        fail_msg("there are %zu processes and not %zu", count_descendants(getpid()),
                                 n);
                (void)usleep(5000);
        }
}

void harness_free(Harness *h)
{
        if (h->wardend_pid > 0)
                end_wardend(h, SIGTERM);
        h->bus = sd_bus_flush_close_unref(h->bus);
        reap_everything();
        h->notify_fd = fd_close(h->notify_fd);
        if (!getenv("WARDEN_KEEP"))
                (void)io_remove_tree(AT_FDCWD, h->directory);
}

void harness_set_worker(Harness *h, const char *mode)
{
        _drop_(drop_fd) int fd = open(h->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

        assert_int_equal(io_write_file_atomic(fd, "worker-mode", mode, strlen(mode)), 0);
}

static void call_fake(Harness *h, const char *method, const char *argument, sd_bus_message **ret)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_call_method(h->bus, "org.freedesktop.systemd1", "/org/warden/Test1",
                               "org.warden.Test1", method, &error, ret, argument ? "s" : NULL,
                               argument);
        if (r < 0)
                fail_msg("fake systemd: %s: %s", method, error.message);
}

void harness_set_systemd(Harness *h, const char *mode)
{
        (void)snprintf(h->systemd_mode, sizeof(h->systemd_mode), "%s", mode);
        call_fake(h, "SetMode", mode, NULL);
}

void harness_systemd(Harness *h, const char *method)
{
        call_fake(h, method, NULL, NULL);
}

int harness_systemd_was_asked(Harness *h, const char *text)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *line;
        int found = 0;

        call_fake(h, "GetCalls", NULL, &reply);
        assert_true(sd_bus_message_enter_container(reply, 'a', "s") > 0);
        while (sd_bus_message_read(reply, "s", &line) > 0)
                found |= strstr(line, text) != NULL;
        return found;
}

int harness_call(Harness *h, const char *object, const char *interface, const char *method,
                 sd_bus_error *error, sd_bus_message **ret, const char *types, ...)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        va_list ap;
        int r;

        r = sd_bus_message_new_method_call(h->bus, &m, NAME, object ? object : WARDEN_PATH,
                                           interface, method);
        assert_true(r >= 0);
        if (types) {
                va_start(ap, types);
                r = sd_bus_message_appendv(m, types, ap);
                va_end(ap);
                assert_true(r >= 0);
        }
        r = sd_bus_call(h->bus, m, 60 * USEC_PER_SEC, error, ret);
        return r < 0 ? r : 0;
}

int harness_create(Harness *h, const char *name, sd_bus_error *error)
{
        return harness_call(h, NULL, MANAGER, "CreateContainer", error, NULL, "a{sv}", 2, "Name",
                            "s", name, "RootDirectory", "s", "/");
}

int harness_spawn(Harness *h, const char *name, const char *command, char **ret,
                  sd_bus_error *error)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _drop_(drop_free) char *path = NULL;
        const char *job;
        int r;

        assert_true(sd_bus_path_encode(WARDEN_PATH "/container", name, &path) >= 0);
        r = harness_call(h, path, CONTAINER, "SpawnJob", error, &reply, "asa{sv}", 3, "/bin/sh",
                         "-c", command, 0);
        if (r < 0)
                return r;
        assert_true(sd_bus_message_read(reply, "o", &job) >= 0);
        *ret = strdup(job);
        return 0;
}

char *harness_get_string(Harness *h, const char *path, const char *interface, const char *property)
{
        char *s = NULL;

        if (sd_bus_get_property_string(h->bus, NAME, path, interface, property, NULL, &s) < 0)
                s = strdup("");
        assert_non_null(s);
        return s;
}

int32_t harness_get_int(Harness *h, const char *path, const char *interface, const char *property)
{
        int32_t value = INT32_MIN;

        (void)sd_bus_get_property_trivial(h->bus, NAME, path, interface, property, NULL, 'i',
                                          &value);
        return value;
}

uint32_t harness_get_unsigned(Harness *h, const char *path, const char *interface,
                              const char *property)
{
        uint32_t value = UINT32_MAX;

        (void)sd_bus_get_property_trivial(h->bus, NAME, path, interface, property, NULL, 'u',
                                          &value);
        return value;
}

void harness_until(Harness *h, int (*condition)(void *userdata), void *userdata)
{
        uint64_t end = io_now_monotonic_usec() + PATIENCE_USEC;

        while (!condition(userdata)) {
                int r = sd_bus_process(h->bus, NULL);

                assert_true(r >= 0);
                if (r == 0)
                        (void)sd_bus_wait(h->bus, 20 * USEC_PER_MSEC);
                if (io_now_monotonic_usec() > end)
                        fail_msg("it did not happen within 10 s");
        }
}

void harness_until_string(Harness *h, const char *path, const char *interface, const char *property,
                          const char *value)
{
        uint64_t end = io_now_monotonic_usec() + PATIENCE_USEC;

        for (;;) {
                _drop_(drop_free) char *s = harness_get_string(h, path, interface, property);

                if (strcmp(s, value) == 0)
                        return;
                if (io_now_monotonic_usec() > end)
                        fail_msg("%s of %s is '%s', not '%s'", property, path, s, value);
                (void)usleep(5000);
        }
}

size_t harness_count_state(Harness *h)
{
        char path[128];
        struct dirent *entry;
        size_t n = 0;
        DIR *d;

        path_in(h, "run/containers", path, sizeof(path));
        d = opendir(path);
        if (!d)
                return 0;
        while ((entry = readdir(d)))
                n += entry->d_name[0] != '.';
        (void)closedir(d);
        return n;
}

void harness_until_ignores(pid_t pid, int signal)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
        for (int i = 0; i < 6000; i++) {
                _drop_(drop_free) char *text = NULL;
                const char *mask;

                if (io_read_file(AT_FDCWD, path, 65536, &text, NULL) >= 0 &&
                    (mask = strstr(text, "\nSigIgn:")) &&
                    (strtoull(mask + strlen("\nSigIgn:"), NULL, 16) >> (signal - 1) & 1))
                        return;
                (void)usleep(5000);
        }
        fail_msg("process %d does not ignore signal %d", (int)pid, signal);
}

int harness_is_alive(pid_t pid)
{
        _drop_(drop_free) char *text = NULL;
        char path[64], *p;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        if (io_read_file(AT_FDCWD, path, 4096, &text, NULL) < 0)
                return 0;
        p = strrchr(text, ')');
        return p && p[1] == ' ' && p[2] != 'Z' && p[2] != 'X';
}
