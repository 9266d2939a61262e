/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the verbs ask of the daemon, and what they show of its answers. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "harness.h"

static void assert_log_has(const char *text)
{
        char *log = harness_take_log();

        if (!strstr(log, text))
                fail_msg("no '%s' in the calls: %.2000s", text, log);
        free(log);
}

static void test_create(void **state)
{
        static const char *const expected[] = {
                "\"Name\":\"full\"",
                "\"Hostname\":\"host.example\"",
                "\"RootDirectory\":\"/srv\"",
                "\"ReadOnly\":true",
                "\"Environment\":[\"A=1\",\"B=x y\"]",
                "\"Labels\":{\"tier\":\"web\",\"empty\":\"\"}",
                "\"BindMounts\":[[\"/usr\",\"/mnt/usr\",\"ro\"],[\"/etc\",\"/mnt/etc\",\"\"]]",
                "\"TemporaryFileSystem\":[\"/scratch:size=64M\"]",
                "\"Network\":\"none\"",
                "\"PrivateUsers\":\"100000:65536\"",
                "\"GraceUSec\":1500000",
                "\"OOMPolicy\":\"kill\"",
                "\"MemoryPressureThresholdUSec\":150000",
                "\"MemoryMax\":536870912",
                "\"MemoryHigh\":419430400",
                "\"CPUWeight\":200",
                "\"CPUQuotaPerSecUSec\":1500000",
                "\"TasksMax\":50",
                "\"IOWeight\":300",
        };
        char *log;

        free(harness_take_log());
        assert_run(0, "full\n", NULL, "create", "--name", "full", "--hostname=host.example",
                   "--read-only", "-eA=0", "-eA=1", "-eB=x y", "--label=tier=web", "--label=empty",
                   "-v/usr:/mnt/usr:ro", "--bind=/etc/:/mnt/etc", "--tmpfs=/scratch:size=64M",
                   "--network=none", "--private-users=100000:65536", "--stop-timeout=1.5s",
                   "--oom-policy=kill", "--memory-pressure=150ms", "-m512m", "-pMemoryHigh=400M",
                   "--cpu-weight=200", "--cpus=1.5", "--pids-limit=50", "--io-weight=300", "/srv/");
        log = harness_take_log();
        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                if (!strstr(log, expected[i]))
                        fail_msg("no %s in %s", expected[i], log);
        free(log);
}

/* What was not asked for is the daemon's, and its administrator's, to choose. */
static void test_create_sends_no_defaults(void **state)
{
        free(harness_take_log());
        assert_run(0, "0123456789a\n", NULL, "create", "/srv");
        assert_log_has("CreateContainer /org/warden/Warden1 [{\"RootDirectory\":\"/srv\"}]\n");
        assert_run(0, NULL, NULL, "rm", "0123456789a");
}

static void test_create_errors(void **state)
{
        static const struct {
                const char *option, *text;
        } cases[] = {
                { "--memory=much", "MemoryMax: 'much' is not a size such as 512M" },
                { "--cpus=two", "'two' is not a number of processors" },
                { "--cpu-weight=0", "CPUWeight: 0 is not from 1 to 10000" },
                { "--property=MemoryMx=1G", "Did you mean MemoryMax?" },
                { "--property=MemoryMax", "is not NAME=VALUE" },
                { "--network=bridge", "is not 'private', 'host', 'none'" },
                { "--oom-policy=panic", "is not stop, kill or continue" },
                { "--memory-pressure=2s", "MemoryPressureThresholdUSec: 2000000 is not from 1000" },
                { "--memory-pressure=much", "much" },
                { "--private-users=0:65536", "PrivateUsers: " },
                { "--bind=/usr", "is not SRC:DST" },
                { "--bind=/usr:relative", "BindMounts" },
                { "--bind=no/such/dir:/x", "Cannot bind 'no/such/dir': No such file" },
                { "--tmpfs=/x:size=", "TemporaryFileSystem" },
                { "--label==x", "Labels: a key is empty" },
                { "--env==x", "is not KEY=VALUE" },
                { "--name=-x", "Name: '-x'" },
                { "--hostname=a..b", "Hostname: 'a..b'" },
                { "--memroy=1G", "Did you mean --memory?" },
                { "--read-only=yes", "--read-only takes no value" },
                { "-Z", "There is no option -Z" },
        };

        free(harness_take_log());
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_run(125, NULL, cases[i].text, "create", cases[i].option, "/srv");
        {
                char *log = harness_take_log();

                assert_string_equal(log, ""); /* the daemon was not bothered */
                free(log);
        }
        assert_run(125, NULL, "No such file", "create", "no-such-root");
        assert_run(125, NULL, "--memory needs a value: BYTES", "create", "/srv", "--memory");
        assert_run(125, NULL, "Too many arguments", "create", "/srv", "/usr");
}

static void test_daemon_errors(void **state)
{
        assert_run(125, NULL, "You must be root", "create", "--name", "denied", "/srv");
        assert_run(0, NULL, NULL, "create", "--name", "twice", "/srv");
        assert_run(125, NULL, "wardenctl: Name: there is a container 'twice'", "create", "--name",
                   "twice", "/srv");
        assert_run(125, NULL, "start: twice is active", "start", "twice");
        assert_run(0, NULL, NULL, "rm", "twice");
}

static void test_unreachable(void **state)
{
        char *address = strdup(getenv("DBUS_SYSTEM_BUS_ADDRESS"));

        (void)setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
        assert_run(125, NULL, "Cannot reach the system bus", "list");
        assert_run(125, "wardenctl ", "Cannot reach the system bus", "version");
        (void)setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
        free(address);
}

static void test_life(void **state)
{
        assert_run(0, NULL, NULL, "create", "--name", "one", "/srv");
        assert_run(0, NULL, NULL, "create", "--name", "two", "/srv");
        free(harness_take_log());
        assert_run(0, "", NULL, "stop", "-t", "2", "one", "two");
        assert_log_has("Stop /org/warden/Warden1/container/two [{\"KillUSec\":2000000}]\n");
        assert_run(0, NULL, NULL, "start", "one");
        assert_run(0, NULL, NULL, "stop", "--no-block", "one");
        assert_log_has("Stop /org/warden/Warden1/container/one [{\"Background\":true}]\n");
        assert_run(0, "", NULL, "freeze", "one", "two");
        assert_log_has("Freeze /org/warden/Warden1/container/two []\n");
        assert_run(0, "", NULL, "unpause", "one");
        assert_log_has("Thaw /org/warden/Warden1/container/one []\n");
        assert_run(0, NULL, NULL, "kill", "-s", "HUP", "one");
        assert_log_has("Kill /org/warden/Warden1/container/one [1]\n");
        assert_run(0, NULL, NULL, "kill", "one");
        assert_log_has("Kill /org/warden/Warden1/container/one [15]\n");
        assert_run(125, NULL, "'NONE' is not a signal", "kill", "-s", "NONE", "one");
        assert_run(125, NULL, "'soon' is not a time", "stop", "-t", "soon", "one");
        /* Every name is tried. */
        assert_run(125, NULL, "No container 'gone'", "destroy", "one", "gone", "two");
        assert_run(125, NULL, "No container 'one'", "info", "one");
        assert_run(125, NULL, "No container 'two'", "info", "two");
        assert_run(0, "", NULL, "rm", "-f", "gone");
}

static void test_list(void **state)
{
        Run *run;

        assert_run(0, NULL, NULL, "create", "--name", "beta", "/srv");
        assert_run(0, NULL, NULL, "create", "--name", "alpha", "/usr");
        run = run_to_end("list", NULL);
        assert_non_null(strstr(run->output, "NAME "));
        assert_non_null(strstr(run->output, "\nalpha  active  "));
        assert_non_null(strstr(run->output, "  3min  "));
        assert_true(strstr(run->output, "alpha") < strstr(run->output, "beta"));
        assert_non_null(strstr(run->output, " containers.\n"));
        assert_null(strchr(run->output, '\033'));
        run_free(run);

        run = run_to_end("ps", "-q", NULL);
        assert_non_null(strstr(run->output, "alpha\nbeta\n"));
        run_free(run);

        run = run_to_end("--no-legend", "ls", NULL);
        assert_null(strstr(run->output, "NAME"));
        assert_null(strstr(run->output, "containers."));
        run_free(run);

        assert_run(0, "\"Name\":\"alpha\"", NULL, "list", "--json");
        assert_run(0, "\"Path\":\"/org/warden/Warden1/container/beta\"", NULL, "--json", "list");
        assert_run(125, NULL, "Too many arguments", "list", "alpha");
}

static void test_list_on_terminal(void **state)
{
        Run *run;

        assert_run(0, NULL, NULL, "create", "--name", "deep-in-the-tree-of-directories-of-this",
                   "/usr/lib");
        (void)setenv("COLUMNS", "50", 1);
        run = run_start_on_terminal("list", NULL);
        assert_int_equal(run_wait(run), 0);
        assert_non_null(strstr(run->output, "\033[32mactive\033[0m"));
        assert_non_null(strstr(run->output, "\xe2\x80\xa6"));
        run_free(run);
        (void)setenv("NO_COLOR", "1", 1);
        run = run_start_on_terminal("list", NULL);
        assert_int_equal(run_wait(run), 0);
        assert_null(strchr(run->output, '\033'));
        for (char *line = strtok(run->output, "\r\n"); line; line = strtok(NULL, "\r\n"))
                assert_true(strlen(line) <= 50 + 4); /* an ellipsis has three bytes */
        run_free(run);
        (void)unsetenv("NO_COLOR");
        (void)unsetenv("COLUMNS");
}

static void test_info(void **state)
{
        Run *run = run_to_end("exec", "-d", "alpha", "sh", "-c", "sleep 60", "", NULL);

        run_free(run);
        run = run_to_end("info", "alpha", NULL);
        assert_int_equal(run->exit_code, 0);
        assert_non_null(strstr(run->output, "          Name: alpha\n"));
        assert_non_null(strstr(run->output, "         State: active\n"));
        assert_non_null(strstr(run->output, "; 3min ")); /* and some seconds, where all is slow */
        assert_non_null(strstr(run->output, "MemoryMax=512M\n"));
        assert_non_null(strstr(run->output, "CPUQuota=150%\n"));
        assert_non_null(strstr(run->output, "running as PID "));
        assert_non_null(strstr(run->output, ": sh -c 'sleep 60' ''\n"));
        /* What a label says is not what a terminal does. */
        assert_null(strchr(run->output, '\033'));
        assert_non_null(strstr(run->output, "tier=a\\x1b[31mb"));
        run_free(run);
        assert_run(0, "\"Argv\":[\"sh\",\"-c\",\"sleep 60\",\"\"]", NULL, "status", "--json",
                   "alpha");
        assert_run(125, "Name: alpha", "No container 'gone'", "info", "gone", "alpha");
        assert_run(0, NULL, NULL, "kill", "-s", "KILL", "alpha");
}

static void test_json_of_new_things(void **state)
{
        assert_run(0, "{\"Name\":\"js\",\"Path\":\"/org/warden/Warden1/container/js\"}\n", NULL,
                   "create", "--json", "--name", "js", "/srv");
        assert_run(0, "\"Name\":\"js\",\"Job\":", NULL, "exec", "--json", "-d", "js", "true");
        assert_run(0, "\"Version\":\"0.0-fake\"", NULL, "version", "--json");
        assert_run(0, NULL, NULL, "rm", "js");
        assert_run(0, "\"Job\":", NULL, "run", "-d", "--json", "--name", "js", "/srv", "true");
        assert_run(0, NULL, NULL, "rm", "js");
}

static void test_help(void **state)
{
        static const char *const verbs[] = { "run",  "exec", "shell",   "create", "start",
                                             "stop", "kill", "destroy", "wait",   "list",
                                             "info", "help", "version" };

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                char usage[64];

                (void)snprintf(usage, sizeof(usage), "Usage: wardenctl %s ", verbs[i]);
                assert_run(0, usage, NULL, verbs[i], "--help");
                assert_run(0, usage, NULL, "help", verbs[i]);
                (void)snprintf(usage, sizeof(usage), "\n  %s", verbs[i]);
                assert_run(0, usage, NULL, "--help");
        }
        assert_run(0, "--memory BYTES", NULL, "help", "run");
        assert_run(0, "Also called 'rm'", NULL, "rm", "--help");
        assert_run(0, "wardenctl ", NULL, "--version");
        assert_run(0, "wardend 0.0-fake (cgroup mode: hybrid)", NULL, "version");
}

/* Every long option that the help of a verb lists is in the manual. */
static void test_manual(void **state)
{
        static const char *const verbs[] = { "run",   "exec",    "shell", "create",  "stop",
                                             "kill",  "destroy", "wait",  "list",    "attach",
                                             "jobs",  "logs",    "stats", "metrics", "limit",
                                             "slice", "top" };
        char *manual = NULL, option[64], entry[80];
        size_t room = 0, n_options = 0;
        FILE *f = fopen(getenv("MANUAL"), "re");

        assert_non_null(f);
        assert_true(getdelim(&manual, &room, 0, f) > 0);
        (void)fclose(f);
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                Run *run = run_to_end(verbs[i], "--help", NULL);

                for (const char *p = run->output; (p = strstr(p, " --")); p++, n_options++) {
                        if (sscanf(p, " --%60[a-z-]", option) != 1 || strcmp(option, "help") == 0)
                                continue;
                        (void)snprintf(entry, sizeof(entry), "-%s ", option);
                        if (!strstr(manual, entry)) {
                                (void)snprintf(entry, sizeof(entry), "-%s\n", option);
                                if (!strstr(manual, entry))
                                        fail_msg("the manual does not know --%s", option);
                        }
                }
                run_free(run);
        }
        assert_true(n_options > 40);
        free(manual);
}

static void test_unknown(void **state)
{
        assert_run(125, NULL, "Did you mean 'list'?", "lsit");
        assert_run(125, NULL, "Did you mean 'destroy'?", "dest");
        assert_run(125, NULL, "'wardenctl help' lists", "frobnicate");
        assert_run(125, NULL, "Did you mean 'exec'?", "help", "exce");
        assert_run(125, NULL, "Usage: wardenctl", NULL);
        assert_run(125, NULL, "There is no option '--frob'", "--frob");
}

static void test_full_output(void **state)
{
        Run *run = run_start("list", NULL);

        run_free(run); /* our ends are closed: it must not hang or crash the next */
        assert_run(0, NULL, NULL, "list");
}

/* The whole way of the completion, as bash goes it. */
static void check_completion(const char *line, const char *expected)
{
        char script[1024], result[2048];
        size_t n;
        FILE *f;

        (void)snprintf(script, sizeof(script),
                       "bash --norc -c 'source %s; COMP_WORDS=(%s); "
                       "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _wardenctl %s; "
                       "echo \" ${COMPREPLY[*]} \"' 2>&1",
                       getenv("COMPLETION"), line, getenv("WARDENCTL"));
        f = popen(script, "re");
        assert_non_null(f);
        n = fread(result, 1, sizeof(result) - 1, f);
        result[n] = 0;
        (void)pclose(f);
        if (!strstr(result, expected))
                fail_msg("%s: no '%s' in '%s'", line, expected, result);
}

static void test_completion(void **state)
{
        check_completion("wardenctl \"\"", " run exec shell attach create start stop freeze pause "
                                           "thaw unpause kill destroy rm ");
        check_completion("wardenctl --j", " --json ");
        check_completion("wardenctl inf", " info ");
        check_completion("wardenctl stop alp", " alpha ");
        check_completion("wardenctl exec -t -u root alp", " alpha ");
        check_completion("wardenctl run --mem", " --memory ");
        check_completion("wardenctl run --network \"\"", " private host none container: netns: ");
        check_completion("wardenctl create /usr/lo", " /usr/local ");
        check_completion("wardenctl kill -s US", " USR1 USR2 ");
        check_completion("wardenctl exec --ulimit nof", " nofile= ");
        check_completion("wardenctl create -p Tas", " TasksMax= ");
        check_completion("wardenctl help exe", " exec ");
        check_completion("wardenctl wait alpha \"\"", " 1 ");
}

static void test_completion_knows_all_limits(void **state)
{
        /* The one list that it has itself. */
        check_completion("wardenctl create -p \"\"",
                         " MemoryMax= MemoryHigh= MemorySwapMax= CPUWeight= CPUQuota= "
                         "CPUQuotaPerSecUSec= AllowedCPUs= TasksMax= IOWeight= IOReadBandwidthMax= "
                         "IOWriteBandwidthMax= IOReadIOPSMax= IOWriteIOPSMax= DiskMax= "
                         "DiskInodesMax= BandwidthMax= BandwidthReceiveMax= "
                         "BandwidthTransmitMax= ");
        check_completion("wardenctl limit web Tas", " TasksMax= ");
        check_completion("wardenctl slice li", " list limit ");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "asks for a container as its options say", test_create },
                { "leaves to the daemon what was not said", test_create_sends_no_defaults },
                { "explains wrong options without asking the daemon", test_create_errors },
                { "says what to do about the daemon's errors", test_daemon_errors },
                { "says what to do when there is no daemon", test_unreachable },
                { "starts, stops, kills and destroys", test_life },
                { "lists containers by name", test_list },
                { "fits the list to the terminal", test_list_on_terminal },
                { "shows all about a container", test_info },
                { "prints what it made as JSON", test_json_of_new_things },
                { "helps with every verb", test_help },
                { "has every option in the manual", test_manual },
                { "suggests the nearest verb", test_unknown },
                { "does not hang on a closed output", test_full_output },
                { "completes verbs, options, values and names", test_completion },
                { "completes the names of all limits", test_completion_knows_all_limits },
        };

        return cmocka_run_group_tests_name("ctl/verbs", tests, harness_begin, harness_end);
}
