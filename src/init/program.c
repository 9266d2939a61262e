/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "init/program.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Returns the value or NULL. */
static const char *environment_get(char *const *environment, size_t n, const char *name)
{
        size_t length = strlen(name);

        for (size_t i = 0; i < n; i++)
                if (strncmp(environment[i], name, length) == 0 && environment[i][length] == '=')
                        return environment[i] + length + 1;
        return NULL;
}

/* Where the next variable goes. */
typedef struct Defaults {
        char **environment;
        size_t n;
        char *text;
        size_t room;
} Defaults;

static void defaults_add(Defaults *d, const char *name, const char *value)
{
        size_t n_name = strlen(name), n_value = strlen(value);

        if (environment_get(d->environment, d->n, name) || n_name + n_value + 2 > d->room)
                return;
        d->environment[d->n++] = d->text;
        memcpy(d->text, name, n_name);
        d->text[n_name] = '=';
        memcpy(d->text + n_name + 1, value, n_value + 1);
        d->text += n_name + n_value + 2;
        d->room -= n_name + n_value + 2;
}

size_t program_environment(const Spec *spec, const Passwd *passwd, int is_tty, char **ret,
                           char *text)
{
        Defaults d = {
                .environment = ret,
                .n = spec->n_environment,
                .text = text,
                .room = PROGRAM_TEXT_MAX,
        };

        spec_get_strings(spec, JOB_TAG_ENVIRONMENT, ret);
        defaults_add(&d, "PATH", DEFAULT_PATH);
        defaults_add(&d, "HOME", passwd->home);
        defaults_add(&d, "SHELL", passwd->shell);
        if (passwd->name[0]) {
                defaults_add(&d, "USER", passwd->name);
                defaults_add(&d, "LOGNAME", passwd->name);
        }
        if (is_tty)
                defaults_add(&d, "TERM", "xterm-256color");
        defaults_add(&d, "container", "warden");
        ret[d.n] = NULL;
        return d.n;
}

/* Whether the search goes on: the directory has no such file, or cannot be looked into. */
static int is_passed_over(int error)
{
        return error == -ENOENT || error == -ENOTDIR || error == -EACCES || error == -ESTALE ||
               error == -ENODEV || error == -ETIMEDOUT;
}

static int program_search(const char *search, char *const *argv, char *const *environment)
{
        char path[PATH_MAX];
        size_t n_name = strlen(argv[0]);
        int is_denied = 0;

        while (search) {
                const char *colon = strchr(search, ':');
                size_t n = colon ? (size_t)(colon - search) : strlen(search);

                if (n + n_name + 2 <= sizeof(path)) {
                        memcpy(path, search, n);
                        if (n > 0)
                                path[n++] = '/';
                        memcpy(path + n, argv[0], n_name + 1);
                        execve(path, argv, environment);
                        if (!is_passed_over(-errno))
                                return -errno;
                        is_denied |= errno == EACCES;
                }
                search = colon ? colon + 1 : NULL;
        }
        return is_denied ? -EACCES : -ENOENT;
}

int program_exec(const Spec *spec, const Passwd *passwd, int is_tty)
{
        size_t n = spec->n_argv + 1 + spec->n_environment + PROGRAM_DEFAULTS + 1;
        char text[PROGRAM_TEXT_MAX];
        char **argv, **environment;
        size_t n_environment;

        /* A spec may have some hundred thousand strings: too many for the stack, and the heap is
         * PID 1's, copied. */
        argv = mmap(NULL, n * sizeof(*argv), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0);
        if (argv == MAP_FAILED)
                return -errno;
        environment = argv + spec->n_argv + 1;
        spec_get_strings(spec, JOB_TAG_ARGV, argv); /* fresh pages are zero: NULL-terminated */
        n_environment = program_environment(spec, passwd, is_tty, environment, text);

        if (argv[0][0] == 0)
                return -ENOENT;
        if (strchr(argv[0], '/')) {
                execve(argv[0], argv, environment);
                return -errno;
        }
        return program_search(environment_get(environment, n_environment, "PATH"), argv,
                              environment);
}
