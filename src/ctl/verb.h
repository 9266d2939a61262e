/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/options.h"

/* What wardenctl can be told to do. main.c has the one table of verbs. */

/* How a result is printed; given before the verb or after it. */
typedef struct Output {
        int is_json;
        int is_quiet; /* names only */
        int is_without_legend;
} Output;

extern const OptionGroup output_option_group; /* all of it */
extern const OptionGroup json_option_group;   /* --json alone */

typedef struct Verb Verb;

/* One call of a verb. */
typedef struct Command {
        const Verb *verb;
        Output output;
        int argc;
        char **argv; /* argv[0] is the verb as it was typed */
} Command;

#define VERB_ALIASES_MAX 2
#define VERB_MANY (-1)

struct Verb {
        const char *name;
        const char *aliases[VERB_ALIASES_MAX];
        const char *usage; /* after "wardenctl NAME " */
        const char *help;  /* one line */
        int min_arguments, max_arguments;
        int is_strict; /* the first argument ends the options: what follows is a command line */
        int (*run)(Command *command); /* returns the exit code */
        const char *section;          /* in the list of verbs */
};

/* The table, ended by a verb without a name. */
extern const Verb verb_table[];

const Verb *verb_find(const char *name);

/* Complains, with a suggestion where one is near. Returns the exit code. */
int verb_complain_unknown(const char *name);

void verb_print_list(FILE *out);

#define VERB_GO (-1)

/* Parses the options and counts the arguments. Returns VERB_GO with the arguments, which point into
 * argv and are NULL-terminated, or the exit code when help was printed or something is wrong. */
int verb_parse(Command *command, const OptionUse *uses, size_t n_uses, char ***ret_arguments);

/* Of verb-*.c */
int verb_create(Command *command);
int verb_run(Command *command);
int verb_exec(Command *command);
int verb_shell(Command *command);
int verb_attach(Command *command);
int verb_logs(Command *command);
int verb_jobs(Command *command);
int verb_start(Command *command);
int verb_stop(Command *command);
int verb_freeze(Command *command);
int verb_thaw(Command *command);
int verb_kill(Command *command);
int verb_destroy(Command *command);
int verb_limit(Command *command);
int verb_list(Command *command);
int verb_slice(Command *command);
int verb_info(Command *command);
int verb_port(Command *command);
int verb_egress(Command *command);
int verb_segment(Command *command);
int verb_stats(Command *command);
int verb_capacity(Command *command);
int verb_metrics(Command *command);
int verb_top(Command *command);
int verb_wait(Command *command);
int verb_version(Command *command);
int verb_help(Command *command);
