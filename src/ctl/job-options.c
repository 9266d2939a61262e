/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "ctl/container-options.h"
#include "ctl/dict.h"
#include "ctl/job-options.h"
#include "ctl/value.h"

enum {
        OPTION_PRIVILEGED = 256,
        OPTION_ULIMIT,
        OPTION_LOG,
        OPTION_RING_SIZE,
        OPTION_DETACH_KEYS,
};

static const Option job_options[] = {
        { 'u', "user", "USER[:GROUP]", "name or number in the container (default: root)" },
        { 'w', "workdir", "DIRECTORY", "where it starts (default: the user's home)" },
        { OPTION_ULIMIT, "ulimit", "NAME=SOFT[:HARD]", "a limit of getrlimit(2): nofile=1024" },
        { OPTION_ULIMIT, "rlimit", "NAME=SOFT[:HARD]", NULL },
        { OPTION_PRIVILEGED, "privileged", NULL, "set-user-ID programs work in it" },
};

static const Option stdio_options[] = {
        { 'i', "interactive", NULL, "pass on stdin even when it is a terminal" },
        { 't', "tty", NULL, "give it a terminal of its own; implies -i" },
        { 'd', "detach", NULL, "do not wait: print what was started" },
};

static const Option output_options[] = {
        { OPTION_LOG, "log", "WHERE", "where -d leaves the output: ring, journal, both, none" },
        { OPTION_RING_SIZE, "ring-size", "SIZE",
          "how much of the output is kept to be read later" },
};

static const Option detach_options[] = {
        { OPTION_DETACH_KEYS, "detach-keys", "KEYS",
          "to leave it running (" DETACH_KEYS_DEFAULT ")" },
};

static const Option environment_options[] = {
        { 'e', "env", "KEY[=VALUE]", "a variable for the command; without value: the one here" },
};

static int job_set(void *target, int key, const char *value, Fault *fault)
{
        JobOptions *options = target;
        JobSpec *spec = options->spec;

        switch (key) {
        case 'u':
                return options_set_string(&spec->user, value);
        case 'w':
                return options_set_string(&spec->working_directory, value);
        case 'e':
                return environment_add(&spec->environment, value, fault);
        case OPTION_ULIMIT:
                return value_parse_rlimit(value, spec, fault);
        case OPTION_PRIVILEGED:
                spec->is_privileged = 1;
                return 0;
        case 't':
                spec->is_tty = 1;
                options->is_interactive = 1;
                return 0;
        case 'i':
                options->is_interactive = 1;
                return 0;
        case OPTION_LOG:
                spec->log = job_log_from_string(value);
                if ((int)spec->log < 0)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "'%.64s' is not ring, journal, both or none", value);
                options->has_log = 1;
                return 0;
        case OPTION_RING_SIZE:
                return value_parse_bytes(value, &spec->ring_bytes, fault);
        case 'd':
                options->is_detached = 1;
                return 0;
        }
        return -EINVAL;
}

const OptionGroup job_option_group = {
        .title = "The command",
        .options = job_options,
        .n_options = ELEMENTSOF(job_options),
        .set = job_set,
};

const OptionGroup job_stdio_option_group = {
        .title = "Its input and output",
        .options = stdio_options,
        .n_options = ELEMENTSOF(stdio_options),
        .set = job_set,
};

const OptionGroup job_output_option_group = {
        .title = "Its output",
        .options = output_options,
        .n_options = ELEMENTSOF(output_options),
        .set = job_set,
};

static int detach_set(void *target, int key, const char *value, Fault *fault)
{
        return detach_keys_parse(value, target, fault);
}

const OptionGroup detach_option_group = {
        .title = "Leaving",
        .options = detach_options,
        .n_options = ELEMENTSOF(detach_options),
        .set = detach_set,
};

const OptionGroup job_environment_option_group = {
        .title = "Its environment",
        .options = environment_options,
        .n_options = ELEMENTSOF(environment_options),
        .set = job_set,
};

int job_options_init(JobOptions *options)
{
        *options = (JobOptions){ .spec = job_spec_new() };
        if (!options->spec)
                return -ENOMEM;
        return detach_keys_parse(DETACH_KEYS_DEFAULT, &options->detach_keys, NULL);
}

void job_options_done(JobOptions *options)
{
        options->spec = job_spec_free(options->spec);
}

static int has_variable(char *const *environment, const char *key)
{
        size_t n = strlen(key);

        for (; environment && *environment; environment++)
                if (strncmp(*environment, key, n) == 0 && (*environment)[n] == '=')
                        return 1;
        return 0;
}

int job_options_complete(JobOptions *options, char *const *argv, Fault *fault)
{
        JobSpec *spec = options->spec;
        char **copy;
        int r;

        r = strv_copy(argv, &copy);
        if (r < 0)
                return r;
        strv_free(spec->argv);
        spec->argv = copy;
        /* What it draws comes to the terminal that we are on. */
        if (spec->is_tty && !options->is_detached && !has_variable(spec->environment, "TERM")) {
                r = environment_add(&spec->environment, "TERM", fault);
                if (r < 0)
                        return r;
        }
        r = job_spec_validate(spec, fault);
        if (r >= 0)
                r = dict_check_strv("The argument", spec->argv, fault);
        if (r >= 0)
                r = dict_check_strv("The variable", spec->environment, fault);
        if (r >= 0)
                r = dict_check_string("The user", spec->user, fault);
        if (r >= 0)
                r = dict_check_string("The directory", spec->working_directory, fault);
        return r;
}

static int append_rlimits(sd_bus_message *m, const JobSpec *spec)
{
        int r;

        if (!spec->rlimits_set)
                return 0;
        r = dict_open_array(m, "Rlimits", "{s(tt)}");
        for (int i = 0; i < JOB_RLIMITS && r >= 0; i++)
                if (spec->rlimits_set >> i & 1)
                        r = sd_bus_message_append(m, "{s(tt)}", rlimit_to_string(i),
                                                  spec->rlimits[i].soft, spec->rlimits[i].hard);
        return r < 0 ? r : dict_close_array(m);
}

static int append_tty(sd_bus_message *m, const JobSpec *spec)
{
        int r = sd_bus_message_append(m, "{sv}", "TTY", "b", 1);

        if (r >= 0 && spec->rows > 0 && spec->columns > 0)
                r = sd_bus_message_append(m, "{sv}", "TTYSize", "(qq)", (uint16_t)spec->rows,
                                          (uint16_t)spec->columns);
        return r;
}

static int append_fds(sd_bus_message *m, const int fds[3])
{
        static const char *const keys[] = { "Stdin", "Stdout", "Stderr" };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(keys) && r >= 0; i++)
                if (fds[i] >= 0)
                        r = sd_bus_message_append(m, "{sv}", keys[i], "h", fds[i]);
        return r;
}

/* With a terminal of ours at the other end it waits for it, as on any terminal. In the background
 * it must not wait for anybody. */
static int append_output(sd_bus_message *m, const JobOptions *options)
{
        const JobSpec *spec = options->spec;
        int r = 0;

        if (options->has_log)
                r = sd_bus_message_append(m, "{sv}", "Log", "s", job_log_to_string(spec->log));
        if (r >= 0 && spec->ring_bytes > 0)
                r = sd_bus_message_append(m, "{sv}", "RingBytes", "t", spec->ring_bytes);
        if (r >= 0 && spec->is_tty && !options->is_detached)
                r = sd_bus_message_append(m, "{sv}", "Backpressure", "b", 1);
        if (r >= 0 && options->is_interactive && options->is_detached && !spec->is_tty)
                r = sd_bus_message_append(m, "{sv}", "OpenStdin", "b", 1);
        return r;
}

int job_options_append(const JobOptions *options, const int fds[3], sd_bus_message *m)
{
        const JobSpec *spec = options->spec;
        int r;

        r = sd_bus_message_append_strv(m, spec->argv);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && spec->user)
                r = sd_bus_message_append(m, "{sv}", "User", "s", spec->user);
        if (r >= 0 && spec->working_directory)
                r = sd_bus_message_append(m, "{sv}", "WorkingDirectory", "s",
                                          spec->working_directory);
        if (r >= 0)
                r = dict_append_strv(m, "Environment", spec->environment);
        if (r >= 0)
                r = append_rlimits(m, spec);
        if (r >= 0 && spec->is_privileged)
                r = sd_bus_message_append(m, "{sv}", "Privileged", "b", 1);
        if (r >= 0)
                r = spec->is_tty ? append_tty(m, spec) : append_fds(m, fds);
        if (r >= 0)
                r = append_output(m, options);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : 0;
}
