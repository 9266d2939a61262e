/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Mounts that clients ask for, roots that mean harm, and everything that can go wrong. Needs root.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "inside.h"

/* -- mounts -- */

static void plan_bind(Plan *plan, const char *source, const char *destination, const char *options)
{
        BindMount bind;

        assert_int_equal(bind_mount_parse(source, destination, options, &bind, NULL), 0);
        assert_int_equal(bind_mounts_append(&plan->bind_mounts, &plan->n_bind_mounts, &bind), 0);
}

static void plan_tmpfs(Plan *plan, const char *text)
{
        TmpfsMount tmpfs;

        assert_int_equal(tmpfs_mount_parse(text, &tmpfs, NULL), 0);
        assert_int_equal(tmpfs_mounts_append(&plan->tmpfs_mounts, &plan->n_tmpfs_mounts, &tmpfs),
                         0);
}

/* A path in the harness's directory; lasts until the fourth call after. */
static const char *below(const Harness *h, const char *name)
{
        static char paths[4][256];
        static unsigned i;
        char *path = paths[i++ % 4];

        (void)snprintf(path, sizeof(paths[0]), "%s/%s", h->directory, name);
        return path;
}

static void make_directory(const char *path)
{
        assert_true(mkdir(path, 0777) == 0 || errno == EEXIST);
        assert_int_equal(chmod(path, 0777), 0);
}

static void make_file(const char *path, const char *text)
{
        _drop_(drop_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

        assert_true(fd >= 0);
        assert_int_equal(fchmod(fd, 0666), 0);
        assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
}

static int exists(const char *path)
{
        return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_binds_directories(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        make_directory(below(in.h, "shared"));
        make_file(below(in.h, "shared/f"), "hello");
        plan_bind(in.plan, below(in.h, "shared"), "/srv/rw", "");
        plan_bind(in.plan, below(in.h, "shared"), "/srv/ro", "ro,nosuid,nodev,noexec");
        inside_enter(&in);
        assert_string_equal(ask(&in, "read /srv/rw/f"), "hello");
        assert_string_equal(ask(&in, "read /srv/ro/f"), "hello");
        assert_string_equal(ask(&in, "write /srv/ro/f"), errno_text(EROFS));
        assert_string_equal(ask(&in, "write /srv/rw/g"), "ok");
        assert_true(exists(below(in.h, "shared/g")));
        {
                _drop_(drop_free) char *mounts = harness_proc(&in.made, "mountinfo");

                assert_non_null(strstr(mounts, " /srv/ro ro,nosuid,nodev,noexec,"));
                assert_non_null(strstr(mounts, " /srv/rw rw,"));
        }
        inside_leave(&in);
}

static void test_binds_files_and_makes_destinations(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        make_file(below(in.h, "file"), "hello");
        make_directory(below(in.h, "shared"));
        plan_bind(in.plan, below(in.h, "file"), "/etc/new/deep/file", "ro");
        plan_bind(in.plan, below(in.h, "shared"), "/opt/new/deep", "");
        inside_enter(&in);
        assert_string_equal(ask(&in, "read /etc/new/deep/file"), "hello");
        assert_string_equal(ask(&in, "write /etc/new/deep/file"), errno_text(EROFS));
        assert_int_equal(strncmp(ask(&in, "mode /etc/new"), "40755 0 0 ", 10), 0);
        assert_int_equal(strncmp(ask(&in, "mode /opt/new/deep"), "40777 ", 6), 0);
        inside_leave(&in);
}

static void test_shifts_owners_when_asked(void **state)
{
        struct stat st;
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        make_directory(below(in.h, "mapped"));
        plan_bind(in.plan, below(in.h, "mapped"), "/srv/mapped", "idmap");
        plan_bind(in.plan, below(in.h, "mapped"), "/srv/plain", "noidmap");
        inside_enter(&in);
        assert_int_equal(strncmp(ask(&in, "mode /srv/mapped"), "40777 0 0 ", 10), 0);
        assert_int_equal(strncmp(ask(&in, "mode /srv/plain"), "40777 65534 65534 ", 18), 0);
        assert_string_equal(ask(&in, "write /srv/mapped/f"), "ok");
        assert_int_equal(stat(below(in.h, "mapped/f"), &st), 0);
        assert_int_equal(st.st_uid, 0);
        assert_string_equal(ask(&in, "write /srv/plain/g"), "ok");
        assert_int_equal(stat(below(in.h, "mapped/g"), &st), 0);
        assert_int_equal(st.st_uid, HARNESS_UID_BASE);
        inside_leave(&in);
}

/* Whatever the order and the kind in which they were asked for. */
static void test_mounts_parents_first(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        make_directory(below(in.h, "shared"));
        make_file(below(in.h, "shared/f"), "hello");
        plan_bind(in.plan, below(in.h, "shared"), "/srv/a/b/c", "");
        plan_tmpfs(in.plan, "/srv/a/b:size=1M,mode=755");
        plan_bind(in.plan, below(in.h, "shared"), "/srv/a", "");
        inside_enter(&in);
        assert_string_equal(ask(&in, "read /srv/a/f"), "hello");
        assert_string_equal(ask(&in, "read /srv/a/b/c/f"), "hello");
        assert_int_equal(strncmp(ask(&in, "mode /srv/a/b"), "40755 0 0 ", 10), 0);
        inside_leave(&in);
}

static void test_mounts_memory(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        plan_tmpfs(in.plan, "/srv/one:size=64K,mode=1770");
        plan_tmpfs(in.plan, "/srv/two:ro");
        plan_tmpfs(in.plan, "/srv/three:exec");
        inside_enter(&in);
        assert_string_equal(ask(&in, "write /srv/one/x"), "ok");
        assert_string_equal(ask(&in, "write /srv/two/x"), errno_text(EROFS));
        assert_int_equal(strncmp(ask(&in, "mode /srv/one"), "41770 0 0 ", 10), 0);
        {
                _drop_(drop_free) char *mounts = harness_proc(&in.made, "mountinfo");

                assert_non_null(strstr(mounts, " /srv/one rw,nosuid,nodev,noexec,"));
                assert_non_null(strstr(mounts, "size=64k,mode=1770"));
                assert_non_null(strstr(mounts, " /srv/two ro,nosuid,nodev,noexec,"));
                assert_non_null(strstr(mounts, " /srv/three rw,nosuid,nodev,relatime"));
        }
        inside_leave(&in);
}

/* More than a socket takes in one datagram, and more descriptors than one message carries. */
static void test_takes_long_plans(void **state)
{
        char destination[512], filler[300];
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        make_directory(below(in.h, "shared"));
        make_file(below(in.h, "shared/f"), "hello");
        memset(filler, 'x', sizeof(filler));
        filler[250] = 0;
        for (int i = 0; i < BIND_MOUNTS_MAX; i++) {
                (void)snprintf(destination, sizeof(destination), "/srv/%s/%d", filler, i);
                plan_bind(in.plan, below(in.h, "shared"), destination, "");
        }
        inside_enter(&in);
        (void)snprintf(destination, sizeof(destination), "read /srv/%.200s/255/f", filler);
        assert_string_equal(ask(&in, destination), errno_text(ENOENT));
        assert_non_null(strstr(ask(&in, "list /srv"), filler));
        {
                _drop_(drop_free) char *mounts = NULL;
                char path[64];

                (void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", in.made.pid);
                assert_int_equal(io_read_file(AT_FDCWD, path, 1 << 20, &mounts, NULL), 0);
                assert_non_null(strstr(mounts, "xx/255 rw"));
        }
        inside_leave(&in);
}

/* -- roots that mean harm -- */

/* A root of its own for the plan, to be spoilt. */
static void plan_own_root(Inside *in, const char *name)
{
        static const char *const directories[] = { "", "etc", "srv" };

        free(in->plan->root_directory);
        in->plan->root_directory = strdup(below(in->h, name));
        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                char path[512];

                (void)snprintf(path, sizeof(path), "%s/%s", in->plan->root_directory,
                               directories[i]);
                make_directory(path);
        }
}

static void plant_link(const Inside *in, const char *name, const char *target)
{
        char path[512];

        (void)snprintf(path, sizeof(path), "%s/%s", in->plan->root_directory, name);
        assert_int_equal(symlink(target, path), 0);
}

static void test_refuses_links_as_mount_points(void **state)
{
        static const char *const names[] = { "proc", "sys", "dev", "run" };

        SKIP_UNLESS_ROOT(state);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                Inside in = inside_prepare(state);
                char what[128], root[32];

                (void)snprintf(root, sizeof(root), "evil-%s", names[i]);
                plan_own_root(&in, root);
                make_directory(below(in.h, "victim"));
                plant_link(&in, names[i], below(in.h, "victim"));
                (void)snprintf(what, sizeof(what),
                               "mount /%s: /%s of the root directory is a symbolic link", names[i],
                               names[i]);
                inside_expect_failure(&in, FAULT_INVALID, what);
                /* Empty, as it was. */
                assert_int_equal(rmdir(below(*state, "victim")), 0);
        }
}

static void test_refuses_files_as_mount_points(void **state)
{
        char path[512];
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        plan_own_root(&in, "evil-file");
        (void)snprintf(path, sizeof(path), "%s/proc", in.plan->root_directory);
        make_file(path, "");
        inside_expect_failure(&in, FAULT_INVALID,
                              "mount /proc: /proc of the root directory is not");
}

/* A link is resolved as the container would: "/" is the root directory, and ".." stops there. */
static void test_resolves_destinations_inside(void **state)
{
        char outside[300];
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        plan_own_root(&in, "evil-links");
        make_directory(below(in.h, "victim"));
        make_directory(below(in.h, "shared"));
        make_file(below(in.h, "shared/f"), "hello");
        plant_link(&in, "absolute", "/srv");
        (void)snprintf(outside, sizeof(outside), "../../../../../../../../..%s", "/srv");
        plant_link(&in, "relative", outside);
        plan_bind(in.plan, below(in.h, "shared"), "/absolute/one", "");
        plan_bind(in.plan, below(in.h, "shared"), "/relative/two", "");
        inside_enter(&in);
        assert_string_equal(ask(&in, "read /srv/one/f"), "hello");
        assert_string_equal(ask(&in, "read /srv/two/f"), "hello");
        assert_false(exists("/srv/one"));
        assert_false(exists("/srv/two"));
        inside_leave(&in);
}

static void test_refuses_links_to_nowhere(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        plan_own_root(&in, "evil-nowhere");
        make_directory(below(in.h, "victim"));
        make_directory(below(in.h, "shared"));
        /* On the host it is somewhere; in the container it is not. */
        plant_link(&in, "escape", below(in.h, "victim"));
        plan_bind(in.plan, below(in.h, "shared"), "/escape/new", "");
        inside_expect_failure(&in, FAULT_INVALID, "symbolic link to nowhere");
        assert_int_equal(rmdir(below(*state, "victim")), 0);
}

static void test_refuses_mounts_in_proc(void **state)
{
        static const char *const destinations[] = { "/proc", "/proc/sys", "/proc/self/attr",
                                                    "/link" };

        SKIP_UNLESS_ROOT(state);
        for (size_t i = 0; i < ELEMENTSOF(destinations); i++) {
                Inside in = inside_prepare(state);

                plan_own_root(&in, i < 3 ? "evil-below" : "evil-below-link");
                if (i == ELEMENTSOF(destinations) - 1)
                        plant_link(&in, "link", "/proc/sys/kernel");
                make_directory(below(in.h, "shared"));
                plan_bind(in.plan, below(in.h, "shared"), destinations[i], "");
                inside_expect_failure(&in, FAULT_INVALID, "is in /proc");
        }
}

/* The links of procfs that lead straight to somebody's root or file. */
static void test_refuses_magic_links(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        plan_own_root(&in, "evil-magic");
        plant_link(&in, "magic", "/proc/self/root");
        make_directory(below(in.h, "shared"));
        plan_bind(in.plan, below(in.h, "shared"), "/magic/srv/new", "");
        inside_expect_failure(&in, FAULT_INVALID, "symbolic link");
}

/* -- failures -- */

static void test_names_a_missing_root(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        free(in.plan->root_directory);
        in.plan->root_directory = strdup("/nonexistent/root");
        inside_expect_failure(&in, FAULT_NOT_FOUND,
                              "root directory: cannot open '/nonexistent/root'");
}

static void test_names_a_missing_source(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        plan_bind(in.plan, "/nonexistent/source", "/srv", "");
        inside_expect_failure(&in, FAULT_NOT_FOUND, "mount: cannot open '/nonexistent/source'");
}

static void test_names_a_missing_runtime_directory(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        assert_int_equal(rmdir(in.plan->runtime_directory), 0);
        inside_expect_failure(&in, FAULT_FAILED, "socket: cannot open");
}

static void test_refuses_a_plan_that_cannot_be(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        in.plan->uid_base = UINT32_MAX - 10;
        inside_expect_failure(&in, FAULT_INVALID, "cannot read the plan");
}

static void test_gives_up_in_time(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        in.plan->timeout_usec = 100 * USEC_PER_MSEC;
        assert_int_equal(harness_begin(in.h, in.plan, &in.made), 0);
        assert_int_equal(harness_next(&in.made), WORKER_CLONED);
        assert_int_equal(harness_next(&in.made), WORKER_FAILED);
        assert_int_equal(in.made.last.fault.kind, FAULT_TIMED_OUT);
        assert_non_null(strstr(in.made.last.fault.text, "gate"));
        inside_expect_nothing(&in);
        harness_end(&in.made);
        plan_free(in.plan);
}

static void wait_for_undo(const Inside *in)
{
        for (int i = 0; i < 500 && exists(in->made.layer); i++)
                (void)usleep(10000);
}

static void test_undoes_when_the_daemon_leaves(void **state)
{
        SKIP_UNLESS_ROOT(state);
        for (int has_cloned = 0; has_cloned < 2; has_cloned++) {
                Inside in = inside_prepare(state);

                assert_int_equal(harness_begin(in.h, in.plan, &in.made), 0);
                if (has_cloned)
                        assert_int_equal(harness_next(&in.made), WORKER_CLONED);
                else
                        (void)usleep(50000);
                in.made.fd = fd_close(in.made.fd);
                (void)usleep(50000);
                wait_for_undo(&in);
                inside_expect_nothing(&in);
                harness_end(&in.made);
                plan_free(in.plan);
        }
}

/* Either it has been reported, then it lives; or nothing of it does. We hang up by half, so that
 * the answer can still be heard. */
static void test_undoes_or_reports_behind_the_gate(void **state)
{
        int n_lives = 0;

        SKIP_UNLESS_ROOT(state);
        for (int i = 0; i < 40; i++) {
                Inside in = inside_prepare(state);
                int r;

                assert_int_equal(harness_begin(in.h, in.plan, &in.made), 0);
                assert_int_equal(harness_next(&in.made), WORKER_CLONED);
                assert_int_equal(harness_open_gate(&in.made), 0);
                (void)usleep((unsigned)(i * 200));
                assert_int_equal(shutdown(in.made.fd, SHUT_WR), 0);
                r = harness_next(&in.made);
                if (r == WORKER_DONE) {
                        in.fd = harness_connect(&in.made);
                        assert_true(in.fd >= 0);
                        assert_string_equal(ask(&in, "hostname"), "inside");
                        inside_leave(&in);
                        n_lives++;
                        continue;
                }
                assert_int_equal(r, WORKER_FAILED);
                inside_expect_nothing(&in);
                harness_end(&in.made);
                plan_free(in.plan);
        }
        print_message("# %d of 40 lived\n", n_lives);
}

static void test_notices_when_the_child_is_killed(void **state)
{
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        assert_int_equal(harness_begin(in.h, in.plan, &in.made), 0);
        assert_int_equal(harness_next(&in.made), WORKER_CLONED);
        assert_int_equal(kill(in.made.pid, 9), 0);
        assert_int_equal(harness_next(&in.made), WORKER_FAILED);
        inside_expect_nothing(&in);
        harness_end(&in.made);
        plan_free(in.plan);
}

static void test_keeps_a_layer_that_was_there(void **state)
{
        char path[256];
        Inside in;

        SKIP_UNLESS_ROOT(state);
        in = inside_prepare(state);
        inside_enter(&in);
        assert_string_equal(ask(&in, "write /etc/mine"), "ok");
        fd_close(in.fd);
        harness_end(&in.made);
        plan_bind(in.plan, "/nonexistent/source", "/srv", "");
        assert_int_equal(harness_create(in.h, in.plan, &in.made), WORKER_FAILED);
        (void)snprintf(path, sizeof(path), "%s/upper/etc/mine", in.made.layer);
        assert_true(exists(path));
        in.fd = -EBADF;
        inside_leave(&in);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "binds directories, for reading or writing", test_binds_directories },
                { "binds files and makes destinations", test_binds_files_and_makes_destinations },
                { "shifts owners when asked", test_shifts_owners_when_asked },
                { "mounts parents first", test_mounts_parents_first },
                { "mounts memory as it was asked for", test_mounts_memory },
                { "takes plans of any length", test_takes_long_plans },
                { "refuses links as mount points", test_refuses_links_as_mount_points },
                { "refuses files as mount points", test_refuses_files_as_mount_points },
                { "resolves destinations inside the root", test_resolves_destinations_inside },
                { "refuses links to nowhere", test_refuses_links_to_nowhere },
                { "refuses mounts in /proc", test_refuses_mounts_in_proc },
                { "refuses magic links", test_refuses_magic_links },
                { "names a missing root", test_names_a_missing_root },
                { "names a missing source", test_names_a_missing_source },
                { "names a missing runtime directory", test_names_a_missing_runtime_directory },
                { "refuses a plan that cannot be", test_refuses_a_plan_that_cannot_be },
                { "gives up in time", test_gives_up_in_time },
                { "undoes when the daemon leaves", test_undoes_when_the_daemon_leaves },
                { "undoes or reports behind the gate", test_undoes_or_reports_behind_the_gate },
                { "notices when the child is killed", test_notices_when_the_child_is_killed },
                { "keeps a layer that was there", test_keeps_a_layer_that_was_there },
        };

        return cmocka_run_group_tests_name("worker/create", tests, harness_setup, harness_teardown);
}
