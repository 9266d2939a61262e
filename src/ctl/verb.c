/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "basic/macro.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/text.h"
#include "ctl/verb.h"

#define VERBS_MAX 64

enum {
        OPTION_JSON = 256,
        OPTION_NO_LEGEND,
};

static const Option output_options[] = {
        { OPTION_JSON, "json", NULL, "print JSON" },
        { 'q', "quiet", NULL, "print names only" },
        { OPTION_NO_LEGEND, "no-legend", NULL, "leave out the head of the table" },
};

static int output_set(void *target, int key, const char *value, Fault *fault)
{
        Output *output = target;

        switch (key) {
        case OPTION_JSON:
                output->is_json = 1;
                break;
        case 'q':
                output->is_quiet = 1;
                break;
        case OPTION_NO_LEGEND:
                output->is_without_legend = 1;
                break;
        }
        return 0;
}

const OptionGroup output_option_group = {
        .title = "Output",
        .options = output_options,
        .n_options = ELEMENTSOF(output_options),
        .set = output_set,
};

const OptionGroup json_option_group = {
        .title = "Output",
        .options = output_options,
        .n_options = 1,
        .set = output_set,
};

const Verb *verb_find(const char *name)
{
        for (const Verb *verb = verb_table; verb->name; verb++) {
                if (strcmp(verb->name, name) == 0)
                        return verb;
                for (size_t i = 0; i < VERB_ALIASES_MAX && verb->aliases[i]; i++)
                        if (strcmp(verb->aliases[i], name) == 0)
                                return verb;
        }
        return NULL;
}

int verb_complain_unknown(const char *name)
{
        const char *names[VERBS_MAX * (1 + VERB_ALIASES_MAX) + 1];
        const char *nearest;
        size_t n = 0;

        for (const Verb *verb = verb_table; verb->name && n + 4 < ELEMENTSOF(names); verb++) {
                names[n++] = verb->name;
                for (size_t i = 0; i < VERB_ALIASES_MAX && verb->aliases[i]; i++)
                        names[n++] = verb->aliases[i];
        }
        names[n] = NULL;
        nearest = text_nearest(name, names);
        if (nearest)
                complain("There is no verb '%.100s'. Did you mean '%s'?", name, nearest);
        else
                complain("There is no verb '%.100s'. 'wardenctl help' lists what there is.", name);
        return EXIT_CODE_OURS;
}

void verb_print_list(FILE *out)
{
        const char *section = "";

        fprintf(out,
                "Usage: wardenctl [--json] [--quiet] [--no-legend] VERB [OPTION…] [ARGUMENT…]\n"
                "\nMakes and manages containers of wardend.\n");
        for (const Verb *verb = verb_table; verb->name; verb++) {
                char names[64];
                int n;

                if (strcmp(section, verb->section) != 0)
                        fprintf(out, "\n%s:\n", verb->section);
                section = verb->section;
                n = snprintf(names, sizeof(names), "%s", verb->name);
                for (size_t i = 0; i < VERB_ALIASES_MAX && verb->aliases[i]; i++)
                        n += snprintf(names + n, sizeof(names) - (size_t)n, ", %s",
                                      verb->aliases[i]);
                fprintf(out, "  %-16s %s\n", names, verb->help);
        }
        fprintf(out,
                "\n'wardenctl VERB --help' tells the options of a verb. wardenctl(1) has more.\n");
}

static void verb_print_help(const Verb *verb, const OptionUse *uses, size_t n_uses)
{
        printf("Usage: wardenctl %s %s\n\n%s\n", verb->name, verb->usage, verb->help);
        for (size_t i = 0; i < VERB_ALIASES_MAX && verb->aliases[i]; i++)
                printf("Also called '%s'.\n", verb->aliases[i]);
        options_print(stdout, uses, n_uses);
}

int verb_parse(Command *command, const OptionUse *uses, size_t n_uses, char ***ret_arguments)
{
        const Verb *verb = command->verb;
        Fault fault = FAULT_INIT;
        int first, n, r;

        r = options_parse(uses, n_uses, verb->is_strict, command->argc, command->argv, &first,
                          &fault);
        if (r == OPTIONS_HELP) {
                verb_print_help(verb, uses, n_uses);
                return EXIT_SUCCESS;
        }
        if (r < 0)
                return complain_fault(r, &fault);
        n = command->argc - first;
        if (n < verb->min_arguments ||
            (verb->max_arguments != VERB_MANY && n > verb->max_arguments)) {
                complain("Too %s arguments. Usage: wardenctl %s %s",
                         n < verb->min_arguments ? "few" : "many", verb->name, verb->usage);
                return EXIT_CODE_OURS;
        }
        *ret_arguments = command->argv + first;
        return VERB_GO;
}
