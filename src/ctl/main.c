/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "basic/macro.h"
#include "config.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/verb.h"

/* Descriptors that we open must not become 0, 1 or 2, or a job would be given them as its stdio. */
static int open_missing_stdio(void)
{
        for (;;) {
                int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

                if (fd < 0)
                        return -errno;
                if (fd > STDERR_FILENO) {
                        (void)close(fd);
                        return 0;
                }
        }
}

/* What a full disk or a closed pipe swallowed must not look like success. */
static int finish_output(int exit_code)
{
        if (fflush(stdout) == 0 && !ferror(stdout))
                return exit_code;
        if (exit_code == EXIT_SUCCESS) {
                complain("Cannot write the output: %s", strerror(errno));
                return EXIT_CODE_OURS;
        }
        return exit_code;
}

enum {
        OPTION_VERSION = 256,
};

static const Option program_options[] = {
        { OPTION_VERSION, "version", NULL, "show the version" },
};

static int program_set(void *target, int key, const char *value, Fault *fault)
{
        int *arg_is_version = target;

        *arg_is_version = 1;
        return 0;
}

static const OptionGroup program_option_group = {
        .title = "Program",
        .options = program_options,
        .n_options = ELEMENTSOF(program_options),
        .set = program_set,
};

static int run(int argc, char **argv)
{
        Command command = { 0 };
        Fault fault = FAULT_INIT;
        int is_version = 0, first, r;
        const OptionUse uses[] = {
                { &program_option_group, &is_version },
                { &output_option_group, &command.output },
        };

        r = options_parse(uses, ELEMENTSOF(uses), 1, argc, argv, &first, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        if (r == OPTIONS_HELP) {
                verb_print_list(stdout);
                return EXIT_SUCCESS;
        }
        if (is_version) {
                printf("wardenctl %s\n", WARDEN_VERSION);
                return EXIT_SUCCESS;
        }
        if (first >= argc) {
                verb_print_list(stderr);
                return EXIT_CODE_OURS;
        }
        command.verb = verb_find(argv[first]);
        if (!command.verb)
                return verb_complain_unknown(argv[first]);
        command.argc = argc - first;
        command.argv = argv + first;
        return command.verb->run(&command);
}

int main(int argc, char **argv)
{
        int r;

        (void)setlocale(LC_ALL, "");
        r = open_missing_stdio();
        if (r < 0) {
                complain("Cannot open /dev/null: %s", strerror(-r));
                return EXIT_CODE_OURS;
        }
        return finish_output(run(argc, argv));
}
