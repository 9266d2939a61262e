/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "basic/parse.h"
#include "ctl/terminal.h"

/* The one mutable state of this program outside of main(): exit() and signal handlers are called
 * without an argument. */
static struct {
        struct termios before;
        int fd;
        int is_known;
        volatile sig_atomic_t is_raw;
        const char *volatile leave;
} saved = { .fd = -EBADF };

/* At once, not when all output is shown: a terminal that was stopped with ^S would keep us here. */
void terminal_restore(void)
{
        int error = errno;

        if (saved.is_raw) {
                const char *leave = saved.leave;

                if (leave && write(STDOUT_FILENO, leave, strlen(leave)) < 0)
                        saved.leave = NULL; /* there is nobody to tell */
                saved.is_raw = 0;
                (void)tcsetattr(saved.fd, TCSANOW, &saved.before);
        }
        errno = error;
}

void terminal_set_leave(const char *bytes)
{
        saved.leave = bytes;
}

static void on_fatal_signal(int signal)
{
        /* SA_RESETHAND has put the default back: the second one ends us, and with a core. */
        terminal_restore();
        (void)raise(signal);
}

/* Once: what ends us without passing through the loop. TERM, HUP and so on do pass through it. */
static void guard_restore(void)
{
        static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGXCPU };
        struct sigaction action = { .sa_handler = on_fatal_signal, .sa_flags = (int)SA_RESETHAND };

        (void)sigemptyset(&action.sa_mask);
        for (size_t i = 0; i < ELEMENTSOF(fatal); i++)
                (void)sigaction(fatal[i], &action, NULL);
        (void)atexit(terminal_restore);
}

int terminal_make_raw(int fd)
{
        struct termios raw;
        pid_t foreground;

        if (!saved.is_known) {
                if (tcgetattr(fd, &saved.before) < 0)
                        return -errno;
                saved.fd = fd;
                saved.is_known = 1;
                guard_restore();
        }
        foreground = tcgetpgrp(fd);
        if (foreground >= 0 && foreground != getpgrp()) {
                saved.is_raw = 0; /* it is another's now, with a state of its own */
                return 0;
        }
        raw = saved.before;
        cfmakeraw(&raw);
        if (tcsetattr(fd, TCSANOW, &raw) < 0)
                return -errno;
        saved.is_raw = 1;
        return 0;
}

int terminal_get_size(uint32_t *ret_rows, uint32_t *ret_columns)
{
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                struct winsize size;

                /* A serial line says 0 by 0: it does not know. */
                if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
                        continue;
                *ret_rows = size.ws_row;
                *ret_columns = size.ws_col;
                return 0;
        }
        return -ENOTTY;
}

size_t terminal_get_columns(void)
{
        const char *columns = getenv("COLUMNS");
        struct winsize size;
        uint32_t n;

        if (!isatty(STDOUT_FILENO))
                return SIZE_MAX;
        if (columns && parse_u32(columns, &n) >= 0 && n > 0)
                return n;
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return 80;
        return size.ws_col;
}

int terminal_has_colors(void)
{
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

        return isatty(STDOUT_FILENO) && !(no_color && no_color[0]) && term &&
               strcmp(term, "dumb") != 0;
}

int terminal_reopen(int fd, int flags, int *ret_is_blocking)
{
        char path[32];
        int new_fd;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        new_fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (new_fd >= 0) {
                *ret_is_blocking = 0;
                return new_fd;
        }
        new_fd = fd_dup(fd);
        if (new_fd >= 0)
                *ret_is_blocking = 1;
        return new_fd;
}
