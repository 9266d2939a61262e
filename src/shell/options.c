/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

#include "basic/macro.h"
#include "basic/parse.h"
#include "shell/options.h"

enum {
        OPTION_UMASK = 256,
        OPTION_NICE,
        OPTION_RUNTIME_DIRECTORY,
        OPTION_VERSION,
};

static const struct option long_options[] = {
        { "user", required_argument, NULL, 'u' },
        { "tty", no_argument, NULL, 't' },
        { "workdir", required_argument, NULL, 'w' },
        { "env", required_argument, NULL, 'e' },
        { "rlimit", required_argument, NULL, 'r' },
        { "privileged", no_argument, NULL, 'p' },
        { "umask", required_argument, NULL, OPTION_UMASK },
        { "nice", required_argument, NULL, OPTION_NICE },
        { "runtime-directory", required_argument, NULL, OPTION_RUNTIME_DIRECTORY },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, OPTION_VERSION },
        { NULL },
};

void options_print_help(void)
{
        printf("usage: wsh NAME [OPTION…] [--] [COMMAND [ARGUMENT…]]\n"
               "\n"
               "Runs a command in a container by asking the container's PID 1 itself: it works "
               "while\n"
               "wardend is stopped. Without a command: a login shell.\n"
               "\n"
               "  -u, --user USER[:GROUP]        name or number in the container (default: root)\n"
               "  -t, --tty                      give it a terminal of its own\n"
               "  -w, --workdir DIRECTORY        where it starts (default: the user's home)\n"
               "  -e, --env KEY[=VALUE]          a variable; without value: the one here\n"
               "  -r, --rlimit NAME=SOFT[:HARD]  a limit of getrlimit(2): nofile=1024\n"
               "  -p, --privileged               set-user-ID programs work in it\n"
               "      --umask OCTAL\n"
               "      --nice NUMBER              from -20 to 19\n"
               "      --runtime-directory PATH   of wardend (default: %s)\n"
               "  -h, --help\n"
               "      --version\n"
               "\n"
               "Exit code: the command's own; 128+N when signal N ended it; 127 not found; 126 "
               "not\n"
               "executable; 255 when the connection broke; 125 for what wsh itself could not do.\n",
               WARDEN_RUNTIME_DIRECTORY);
}

static int set_string(char **string, const char *value)
{
        char *copy = strdup(value);

        if (!copy)
                return -ENOMEM;
        free(*string);
        *string = copy;
        return 0;
}

static int set_variable(JobSpec *spec, const char *text, Fault *fault)
{
        _drop_(drop_free) char *assignment = NULL;
        const char *value;
        int r;

        if (strchr(text, '='))
                value = NULL;
        else if (!(value = getenv(text)))
                return 0;
        if (value && asprintf(&assignment, "%s=%s", text, value) < 0) {
                assignment = NULL;
                return -ENOMEM;
        }
        r = strv_env_set(&spec->environment, assignment ?: text);
        if (r == -EINVAL)
                return fault_set(fault, FAULT_INVALID, r, "--env %s: not of the form KEY=VALUE",
                                 text);
        return r;
}

static int parse_limit_value(const char *text, uint64_t *ret)
{
        if (strcasecmp(text, "infinity") == 0 || strcasecmp(text, "unlimited") == 0) {
                *ret = UINT64_MAX;
                return 0;
        }
        return parse_u64(text, ret);
}

static int set_rlimit(JobSpec *spec, const char *text, Fault *fault)
{
        _drop_(drop_free) char *copy = strdup(text);
        char *value, *hard, *p;
        JobRlimit limit;
        int resource, r = 0;

        if (!copy)
                return -ENOMEM;
        value = copy + strcspn(copy, "=");
        if (*value)
                *value++ = 0;
        for (p = copy; *p; p++)
                if (*p >= 'a' && *p <= 'z')
                        *p = (char)(*p - 'a' + 'A');
        hard = value + strcspn(value, ":");
        if (*hard)
                *hard++ = 0;
        else
                hard = value;
        resource = rlimit_from_string(copy);
        if (resource >= 0)
                r = parse_limit_value(value, &limit.soft);
        if (resource >= 0 && r >= 0)
                r = parse_limit_value(hard, &limit.hard);
        if (resource < 0 || r < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "--rlimit %s: not of the form NAME=SOFT[:HARD]", text);
        spec->rlimits[resource] = limit;
        spec->rlimits_set |= 1U << resource;
        return 0;
}

/* @base 8 or 10. */
static int set_number(int *ret, const char *name, const char *text, int base, long min, long max,
                      Fault *fault)
{
        char *end;
        long value;

        errno = 0;
        value = strtol(text, &end, base);
        if (errno || end == text || *end || value < min || value > max)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "--%s %s: not a valid value", name,
                                 text);
        *ret = (int)value;
        return 0;
}

static int set_option(Options *options, int key, const char *value, Fault *fault)
{
        JobSpec *spec = options->spec;

        switch (key) {
        case 'u':
                return set_string(&spec->user, value);
        case 'w':
                return set_string(&spec->working_directory, value);
        case 'e':
                return set_variable(spec, value, fault);
        case 'r':
                return set_rlimit(spec, value, fault);
        case 't':
                spec->is_tty = 1;
                return 0;
        case 'p':
                spec->is_privileged = 1;
                return 0;
        case OPTION_UMASK:
                return set_number(&spec->umask, "umask", value, 8, 0, 0777, fault);
        case OPTION_NICE:
                return set_number(&spec->nice, "nice", value, 10, -20, 19, fault);
        case OPTION_RUNTIME_DIRECTORY:
                options->runtime_directory = value;
                return 0;
        case 'h':
                options->is_help = 1;
                return 0;
        case OPTION_VERSION:
                options->is_version = 1;
                return 0;
        }
        return fault_set(fault, FAULT_INVALID, -EINVAL, "--help lists the options");
}

/* Options may stand before the name and behind it, as with the wsh of old, but not behind the
 * command: those are the command's. getopt is stopped by the name and started again after it. */
static int take_options(Options *options, int argc, char **argv, Fault *fault)
{
        int c, r;

        while ((c = getopt_long(argc, argv, "+u:tw:e:r:ph", long_options, NULL)) != -1) {
                r = set_option(options, c, optarg, fault);
                if (r < 0 || options->is_help || options->is_version)
                        return r;
        }
        if (optind >= argc)
                return 0;
        if (!options->container) {
                /* A name behind "--" is followed by the command at once. */
                int is_over = optind > 1 && strcmp(argv[optind - 1], "--") == 0;

                options->container = argv[optind++];
                if (!is_over)
                        return take_options(options, argc, argv, fault);
        }
        return 0;
}

static int set_command(Options *options, char **argv, int is_interactive)
{
        JobSpec *spec = options->spec;
        const char *term = getenv("TERM");
        int r = 0;

        if (*argv) {
                r = strv_copy(argv, &spec->argv);
        } else {
                spec->is_tty = spec->is_tty || is_interactive;
                r = strv_append(&spec->argv, "/bin/sh");
                if (r >= 0)
                        r = strv_append(&spec->argv, "-l");
        }
        for (char **e = spec->environment; e && *e; e++)
                if (strncmp(*e, "TERM=", 5) == 0)
                        term = NULL;
        /* What it draws comes to the terminal that we are on. */
        if (r >= 0 && spec->is_tty && term) {
                _drop_(drop_free) char *assignment = NULL;

                if (asprintf(&assignment, "TERM=%s", term) < 0) {
                        assignment = NULL;
                        return -ENOMEM;
                }
                r = strv_env_set(&spec->environment, assignment);
        }
        return r;
}

int options_parse(Options *options, int argc, char **argv, int is_interactive, Fault *fault)
{
        int r;

        *options = (Options){ .spec = job_spec_new(),
                              .runtime_directory = WARDEN_RUNTIME_DIRECTORY };
        if (!options->spec)
                return -ENOMEM;
        optind = 0; /* glibc: begin anew */
        r = take_options(options, argc, argv, fault);
        if (r < 0 || options->is_help || options->is_version)
                return r;
        if (!options->container)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Which container? wsh --help shows how it is used");
        r = set_command(options, argv + optind, is_interactive);
        return r < 0 ? r : job_spec_validate(options->spec, fault);
}

void options_done(Options *options)
{
        options->spec = job_spec_free(options->spec);
}
