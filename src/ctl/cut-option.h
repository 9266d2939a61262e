/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/options.h"

/* --cut, of the verbs that take something back by which connections may live on. */

typedef struct CutOption {
        int is_cutting;
} CutOption;

extern const OptionGroup cut_option_group;
