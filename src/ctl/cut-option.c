/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "basic/macro.h"
#include "ctl/cut-option.h"

static const Option cut_options[] = {
        { 256, "cut", NULL, "end connections that there are, too, when something is taken back" },
};

static int cut_set(void *target, int key, const char *value, Fault *fault)
{
        CutOption *option = target;

        option->is_cutting = 1;
        return 0;
}

const OptionGroup cut_option_group = {
        .title = "Connections",
        .options = cut_options,
        .n_options = ELEMENTSOF(cut_options),
        .set = cut_set,
};
