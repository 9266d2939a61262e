/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a container looks like, from the inside and from the host. Needs root. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "inside.h"

/* Whether a line of a /proc/PID/status has this value. */
static int status_is(const Inside *in, const char *key, const char *value)
{
        _drop_(drop_free) char *status = harness_proc(&in->made, "status");
        char line[128];

        assert_non_null(status);
        (void)snprintf(line, sizeof(line), "\n%s:\t%s\n", key, value);
        if (strstr(status, line))
                return 1;
        print_message("# no '%s: %s'\n", key, value);
        return 0;
}

static void test_is_pid_1(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        {
                _drop_(drop_free) char *status = harness_proc(&in.made, "status");
                char line[64];

                (void)snprintf(line, sizeof(line), "\nNSpid:\t%d\t1\n", in.made.pid);
                assert_non_null(strstr(status, line));
                (void)snprintf(line, sizeof(line), "\nNSsid:\t");
                assert_non_null(strstr(status, line));
        }
        inside_leave(&in);
}

static void test_says_what_it_is(void **state)
{
        char first[64];
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        assert_string_equal(ask(&in, "getenv container"), "warden");
        (void)snprintf(first, sizeof(first), "%s\n", ask(&in, "getenv container_uuid"));
        assert_int_equal(strlen(first), 37);
        assert_string_equal(ask(&in, "read /run/host/container-uuid"), first);
        assert_string_equal(ask(&in, "read /run/host/container-manager"), "warden\n");
        assert_string_equal(ask(&in, "write /run/host/x"), errno_text(EROFS));
        assert_string_equal(ask(&in, "hostname"), "inside");
        inside_leave(&in);
}

static void test_maps_users(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        {
                _drop_(drop_free) char *uids = harness_proc(&in.made, "uid_map");
                _drop_(drop_free) char *gids = harness_proc(&in.made, "gid_map");

                assert_string_equal(uids, "         0    1000000      65536\n");
                assert_string_equal(gids, "         0    1000000      65536\n");
        }
        assert_true(status_is(&in, "Uid", "1000000\t1000000\t1000000\t1000000"));
        assert_true(status_is(&in, "Gid", "1000000\t1000000\t1000000\t1000000"));
        assert_true(status_is(&in, "Groups", " "));
        inside_leave(&in);
}

static ino_t namespace_of(pid_t pid, const char *name)
{
        char path[64];
        struct stat st;

        (void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
        assert_int_equal(stat(path, &st), 0);
        return st.st_ino;
}

static void test_has_own_namespaces(void **state)
{
        static const char *const names[] = { "user", "mnt", "pid", "net", "ipc", "uts", "cgroup" };
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_true(namespace_of(in.made.pid, names[i]) !=
                            namespace_of(getpid(), names[i]));
        assert_non_null(strstr(ask(&in, "read /proc/net/if_inet6"), " lo\n"));
        inside_leave(&in);
}

/* The mount point is the fifth field. */
static void test_shows_no_mount_of_the_host(void **state)
{
        static const char *const expected[] = {
                "/",         "/proc",     "/sys",        "/dev",         "/dev/null",
                "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
                "/dev/pts",  "/dev/shm",  "/dev/mqueue", "/run",         "/run/host",
        };
        char *line, *rest, point[256];
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        {
                _drop_(drop_free) char *mounts = harness_proc(&in.made, "mountinfo");
                unsigned seen = 0, n_roots = 0;

                assert_null(strstr(mounts, in.h->directory));
                assert_null(strstr(mounts, "shared:"));
                assert_null(strstr(mounts, "master:"));
                for (line = strtok_r(mounts, "\n", &rest); line;
                     line = strtok_r(NULL, "\n", &rest)) {
                        assert_int_equal(sscanf(line, "%*s %*s %*s %*s %255s", point), 1);
                        n_roots += strcmp(point, "/") == 0;
                        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                                if (strcmp(expected[i], point) == 0)
                                        seen |= 1U << i;
                        if (strncmp(point, "/proc/", 6) != 0 && strncmp(point, "/sys/", 5) != 0) {
                                size_t i = 0;

                                while (i < ELEMENTSOF(expected) && strcmp(expected[i], point) != 0)
                                        i++;
                                if (i == ELEMENTSOF(expected))
                                        fail_msg("mounted: %s", line);
                        }
                }
                assert_int_equal(seen, (1U << ELEMENTSOF(expected)) - 1);
                assert_int_equal(n_roots, 1);
        }
        inside_leave(&in);
}

/* As nsenter and machined do: where the kernel puts who comes is the top of the namespace's root,
 * and nothing of how it was made may lie there. */
static void test_shows_itself_to_who_enters(void **state)
{
        int status;
        Inside in;
        pid_t pid;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        assert_string_equal(ask(&in, "write /etc/mine"), "ok");
        pid = fork();
        if (pid == 0) {
                if (setns(in.made.pid_fd, CLONE_NEWUSER | CLONE_NEWNS) < 0)
                        _exit(1);
                if (access("/etc/mine", F_OK) < 0 || access("etc/mine", F_OK) < 0)
                        _exit(2);
                if (access("/proc/self", F_OK) == 0) /* not of that pid namespace */
                        _exit(3);
                _exit(access("/../etc/mine", F_OK) < 0 || access("/layer", F_OK) == 0 ? 4 : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        inside_leave(&in);
}

static void test_bounds_capabilities(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        assert_true(status_is(&in, "CapInh", "0000000000000000"));
        assert_true(status_is(&in, "CapAmb", "0000000000000000"));
        assert_true(status_is(&in, "CapBnd", "00000000a80425fb"));
        assert_true(status_is(&in, "CapEff", "00000000a80425fb"));
        assert_true(status_is(&in, "CapPrm", "00000000a80425fb"));
        inside_leave(&in);
}

static void test_filters_system_calls(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        assert_true(status_is(&in, "Seccomp", "2"));
        assert_true(status_is(&in, "NoNewPrivs", "0"));
        assert_string_equal(ask(&in, "try mount"), errno_text(EPERM));
        assert_string_equal(ask(&in, "try umount"), errno_text(EPERM));
        assert_string_equal(ask(&in, "try unshare-user"), errno_text(EPERM));
        assert_string_equal(ask(&in, "try unshare-cgroup"), errno_text(EPERM));
        assert_string_equal(ask(&in, "try clone3-user"), errno_text(ENOSYS));
        assert_string_equal(ask(&in, "try sethostname"), errno_text(EPERM));
        assert_string_equal(ask(&in, "try chroot"), "ok");
        inside_leave(&in);
}

/* Before anybody connects: 0 to 2 are /dev/null of the container, 3 is the socket. */
static void test_inherits_four_descriptors(void **state)
{
        struct dirent *entry;
        char path[64];
        unsigned seen = 0;
        Inside in;
        DIR *dir;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        assert_int_equal(harness_create(in.h, in.plan, &in.made), WORKER_DONE);
        (void)snprintf(path, sizeof(path), "/proc/%d/fd", in.made.pid);
        dir = opendir(path);
        assert_non_null(dir);
        while ((entry = readdir(dir))) {
                char target[128] = "";

                if (entry->d_name[0] == '.')
                        continue;
                assert_true(readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1) > 0);
                seen |= 1U << atoi(entry->d_name);
                if (atoi(entry->d_name) < 3)
                        assert_string_equal(target, "/dev/null");
                else
                        assert_int_equal(strncmp(target, "socket:", 7), 0);
        }
        (void)closedir(dir);
        assert_int_equal(seen, 0xf);
        inside_leave(&in);
}

static void test_runs_a_sealed_copy(void **state)
{
        char path[64], target[128] = "";
        int seals, fd;
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        (void)snprintf(path, sizeof(path), "/proc/%d/exe", in.made.pid);
        assert_true(readlink(path, target, sizeof(target) - 1) > 0);
        assert_int_equal(strncmp(target, "/memfd:wshd", 11), 0);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        seals = fcntl(fd, F_GET_SEALS);
        assert_int_equal(seals & (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
                         F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        fd_close(fd);
        /* ETXTBSY as long as it runs, EPERM by the seal: no. */
        assert_true(open(path, O_WRONLY | O_CLOEXEC) < 0);
        assert_string_not_equal(ask(&in, "write /proc/self/exe"), "ok");
        inside_leave(&in);
}

static void test_hides_the_host_in_proc(void **state)
{
        static const char *const files[] = { "kcore", "keys", "timer_list", "latency_stats" };
        char command[64];
        struct stat st;
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                (void)snprintf(command, sizeof(command), "/proc/%s", files[i]);
                if (stat(command, &st) < 0)
                        continue;
                (void)snprintf(command, sizeof(command), "mode /proc/%s", files[i]);
                assert_non_null(strstr(ask(&in, command), " 1:3"));
                (void)snprintf(command, sizeof(command), "read /proc/%s", files[i]);
                assert_string_equal(ask(&in, command), "ok"); /* nothing */
        }
        if (stat("/proc/acpi", &st) >= 0)
                assert_string_equal(ask(&in, "list /proc/acpi"), "ok");
        if (stat("/sys/firmware", &st) >= 0)
                assert_string_equal(ask(&in, "list /sys/firmware"), "ok");
        assert_string_equal(ask(&in, "write /sys/firmware/x"), errno_text(EROFS));
        assert_non_null(strstr(ask(&in, "list /proc"), "1 "));
        inside_leave(&in);
}

/* A file that this kernel has: the owner is looked at before the mount, so that either may be what
 * stops the writer. */
static void assert_unwritable(Inside *in, const char *path)
{
        char command[128];
        const char *reply;

        if (access(path, F_OK) < 0)
                return;
        (void)snprintf(command, sizeof(command), "write %s", path);
        reply = ask(in, command);
        if (strcmp(reply, errno_text(EACCES)) != 0)
                assert_string_equal(reply, errno_text(EROFS));
}

static void test_refuses_writes_to_the_kernel(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        assert_unwritable(&in, "/proc/sysrq-trigger");
        assert_unwritable(&in, "/proc/sys/kernel/hostname");
        assert_unwritable(&in, "/proc/sys/kernel/core_pattern");
        assert_unwritable(&in, "/proc/irq/default_smp_affinity");
        assert_unwritable(&in, "/sys/kernel/uevent_seqnum");
        inside_leave(&in);
}

static void test_has_devices(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        assert_string_equal(ask(&in, "mode /dev/null"), "20666 65534 65534 1:3");
        assert_string_equal(ask(&in, "write /dev/null"), "ok");
        assert_string_equal(ask(&in, "write /dev/full"), errno_text(ENOSPC));
        assert_string_equal(ask(&in, "mode /dev/zero"), "20666 65534 65534 1:5");
        assert_string_equal(ask(&in, "terminal"), "0");
        assert_string_equal(ask(&in, "mode /dev/pts/ptmx"), "20666 0 0 5:2");
        assert_int_equal(strncmp(ask(&in, "mode /dev/shm"), "41777 0 0 ", 10), 0);
        /* The kernel made it when the namespace had no users yet. */
        assert_int_equal(strncmp(ask(&in, "mode /dev/mqueue"), "41777 65534 65534 ", 18), 0);
        assert_string_equal(ask(&in, "write /dev/shm/x"), "ok");
        assert_string_equal(ask(&in, "write /dev/x"), "ok");
        assert_string_equal(ask(&in, "mknod /dev/y"), errno_text(EPERM));
        assert_int_equal(strncmp(ask(&in, "mode /run"), "40755 0 0 ", 10), 0);
        assert_string_equal(ask(&in, "write /run/x"), "ok");
        inside_leave(&in);
}

static void test_writes_to_its_own_layer(void **state)
{
        char path[256];
        struct stat st;
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        assert_string_equal(ask(&in, "write /etc/mine"), "ok");
        assert_string_equal(ask(&in, "mode /etc/mine"), "100644 0 0 0:0");
        assert_string_equal(ask(&in, "mode /"), "40755 0 0 0:0");
        (void)snprintf(path, sizeof(path), "%s/upper/etc/mine", in.made.layer);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_uid, 0);
        (void)snprintf(path, sizeof(path), "%s/etc/mine", in.h->root);
        assert_int_equal(stat(path, &st), -1);
        assert_int_equal(stat(in.made.layer, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        inside_leave(&in);
}

static void test_keeps_a_read_only_root(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        in.plan->is_read_only = 1;
        inside_enter(&in);
        assert_string_equal(ask(&in, "write /etc/mine"), errno_text(EROFS));
        assert_string_equal(ask(&in, "write /run/mine"), "ok");
        assert_string_equal(ask(&in, "write /dev/shm/mine"), "ok");
        inside_leave(&in);
}

static void test_keeps_its_layer_over_a_restart(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        {
                _drop_(drop_free) char *uuid = strdup(ask(&in, "getenv container_uuid"));

                assert_string_equal(ask(&in, "write /etc/mine"), "ok");
                fd_close(in.fd);
                harness_end(&in.made);
                inside_enter(&in);
                assert_string_equal(ask(&in, "read /etc/mine"), "x");
                assert_string_equal(ask(&in, "getenv container_uuid"), uuid);
        }
        inside_leave(&in);
}

static void test_does_without_a_user_namespace(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        in.plan->uid_count = 0;
        inside_enter(&in);
        assert_true(namespace_of(in.made.pid, "user") == namespace_of(getpid(), "user"));
        assert_true(namespace_of(in.made.pid, "net") != namespace_of(getpid(), "net"));
        assert_true(status_is(&in, "CapBnd", "00000000a00425fb"));
        assert_true(status_is(&in, "CapInh", "0000000000000000"));
        assert_true(status_is(&in, "Seccomp", "2"));
        assert_string_equal(ask(&in, "mknod /dev/y"), errno_text(EPERM));
        assert_string_equal(ask(&in, "write /proc/sys/kernel/core_pattern"), errno_text(EROFS));
        assert_unwritable(&in, "/sys/kernel/rcu_expedited");
        assert_unwritable(&in, "/proc/sysrq-trigger");
        assert_string_equal(ask(&in, "try mount"), errno_text(EPERM));
        assert_string_equal(ask(&in, "write /etc/mine"), "ok");
        assert_string_equal(ask(&in, "terminal"), "0");
        inside_leave(&in);
}

static void test_shares_the_hosts_network(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        in.plan->network = NETWORK_HOST;
        inside_enter(&in);
        assert_true(namespace_of(in.made.pid, "net") == namespace_of(getpid(), "net"));
        assert_true(namespace_of(in.made.pid, "user") != namespace_of(getpid(), "user"));
        assert_non_null(strstr(ask(&in, "list /sys"), "class"));
        assert_unwritable(&in, "/sys/kernel/uevent_seqnum");
        assert_string_equal(ask(&in, "list /sys/fs/cgroup"), "ok");
        inside_leave(&in);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "is PID 1 of its namespace", test_is_pid_1 },
                { "says what it is and who", test_says_what_it_is },
                { "maps its users to the leased range", test_maps_users },
                { "has namespaces of its own, and lo is up", test_has_own_namespaces },
                { "shows no mount of the host", test_shows_no_mount_of_the_host },
                { "shows itself to who enters from outside", test_shows_itself_to_who_enters },
                { "bounds its capabilities", test_bounds_capabilities },
                { "filters system calls", test_filters_system_calls },
                { "inherits four descriptors", test_inherits_four_descriptors },
                { "runs a sealed copy of its PID 1", test_runs_a_sealed_copy },
                { "hides the host in /proc and /sys", test_hides_the_host_in_proc },
                { "refuses writes to the kernel", test_refuses_writes_to_the_kernel },
                { "has devices and terminals", test_has_devices },
                { "writes to its own layer", test_writes_to_its_own_layer },
                { "keeps a read-only root", test_keeps_a_read_only_root },
                { "keeps its layer and uuid over a restart", test_keeps_its_layer_over_a_restart },
                { "does without a user namespace", test_does_without_a_user_namespace },
                { "shares the host's network when asked to", test_shares_the_hosts_network },
        };

        return cmocka_run_group_tests_name("worker/room", tests, harness_setup, harness_teardown);
}
