/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* wsh: a command in a container, asked of its PID 1 without wardend. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

#include "basic/fd.h"
#include "ctl/exit-code.h"
#include "shell/container-find.h"
#include "shell/options.h"
#include "shell/session.h"

#define EXIT_CODE_BROKEN 255 /* as Warden's wsh, and ssh */

static int complain(const char *text)
{
        (void)fprintf(stderr, "wsh: %s\n", text);
        return EXIT_CODE_OURS;
}

static int complain_fault(int error, const Fault *fault)
{
        (void)complain(fault->text[0] ? fault->text : strerror(-error));
        return error == -ECONNRESET || error == -EPIPE ? EXIT_CODE_BROKEN
                                                       : exit_code_from_fault(fault->kind);
}

static int run_session(Session *session, const Options *options, const ContainerRecord *record)
{
        Fault fault = FAULT_INIT;
        uint32_t code, signal;
        int r;

        r = session_start(session, options->spec, record->spec->environment, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        r = session_wait(session, &code, &signal);
        session_done(session); /* first of all the terminal: what follows may say something */
        if (r == -EINTR)
                return complain("The command may still run: it was asked to end and has not");
        if (r < 0) {
                (void)complain("The connection to the container broke");
                return EXIT_CODE_BROKEN;
        }
        return exit_code_from_job((int)code, (int)signal);
}

static int run(const Options *options)
{
        _drop_(drop_container_record) ContainerRecord *record = NULL;
        _drop_(drop_fd) int dir_fd = -EBADF;
        Session session = SESSION_INIT;
        Fault fault = FAULT_INIT;
        int r;

        r = container_find(options->runtime_directory, options->container, &dir_fd, &record,
                           &fault);
        if (r >= 0)
                r = container_state_next(record->state, EVENT_SPAWN, &fault);
        if (r >= 0)
                r = link_open(&session.link, dir_fd, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        r = run_session(&session, options, record);
        session_done(&session);
        return r;
}

int main(int argc, char **argv)
{
        int is_interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
        Fault fault = FAULT_INIT;
        Options options;
        int r;

        r = options_parse(&options, argc, argv, is_interactive, &fault);
        if (r < 0) {
                /* getopt has said it for what it does not know. */
                r = complain_fault(r, &fault);
        } else if (options.is_help) {
                options_print_help();
        } else if (options.is_version) {
                printf("wsh %s\n", WARDEN_VERSION);
        } else {
                r = run(&options);
        }
        options_done(&options);
        return r;
}
