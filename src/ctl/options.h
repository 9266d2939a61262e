/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

#include "basic/fault.h"

/* The options of a verb are some groups, each a table with the function that takes its values. One
 * table gives the parser, the help text and (through the help text) the shell completion. */

typedef struct Option {
        int key;              /* what `set` is told: the short letter, or a number from 256 */
        const char *name;     /* the long name */
        const char *argument; /* what the help calls its value; NULL: it takes none */
        const char *help;     /* NULL: another spelling of an option that is listed */
} Option;

typedef struct OptionGroup {
        const char *title;
        const Option *options;
        size_t n_options;
        /* @value   NULL when the option takes none
         * Returns  0; negative errno with a fault. */
        int (*set)(void *target, int key, const char *value, Fault *fault);
} OptionGroup;

typedef struct OptionUse {
        const OptionGroup *group;
        void *target;
} OptionUse;

#define OPTION_GROUPS_MAX 8
#define OPTIONS_MAX 64

#define OPTIONS_HELP 1 /* options_parse(): --help was given */

/* Hands every option of @argv to the group that knows it; the first group wins where two have one
 * letter. `--` ends the options.
 * @is_strict   so does the first argument that is none
 * @argv        argv[0] is skipped; permuted unless strict
 * @ret_first   index of the first argument that is no option
 * Returns      0; OPTIONS_HELP; -EINVAL or what `set` returned, with a fault. */
int options_parse(const OptionUse *uses, size_t n_uses, int is_strict, int argc, char **argv,
                  int *ret_first, Fault *fault);

/* The table for --help. */
void options_print(FILE *out, const OptionUse *uses, size_t n_uses);

/* For `set` functions: replaces the string by a copy of @value. Returns 0; -ENOMEM. */
int options_set_string(char **string, const char *value);
