/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "basic/io.h"
#include "made-tree.h"

int made_tree_setup(void **state, const char *name_template)
{
        char *top = strdup(name_template);

        if (!top)
                return -1;
        *state = mkdtemp(top);
        return *state ? 0 : -1;
}

int made_tree_teardown(void **state)
{
        (void)io_remove_tree(AT_FDCWD, *state);
        free(*state);
        return 0;
}

void made_tree_put(const char *top, const char *name, const char *text)
{
        char path[512];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s", top, name);
        *strrchr(path, '/') = 0;
        assert_int_equal(io_mkdir_parents(path, 0700), 0);
        path[strlen(path)] = '/';
        f = fopen(path, "we");
        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fclose(f), 0);
}
