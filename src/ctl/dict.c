/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>

#include "ctl/dict.h"
#include "ctl/text.h"

int dict_check_string(const char *what, const char *s, Fault *fault)
{
        if (!s || text_is_utf8(s))
                return 0;
        return fault_set(fault, FAULT_INVALID, -EILSEQ,
                         "%s '%.200s' is not UTF-8, and D-Bus carries nothing else", what, s);
}

int dict_check_strv(const char *what, char *const *strings, Fault *fault)
{
        for (; strings && *strings; strings++) {
                int r = dict_check_string(what, *strings, fault);

                if (r < 0)
                        return r;
        }
        return 0;
}

int dict_open_array(sd_bus_message *m, const char *key, const char *element)
{
        char type[16];
        int r;

        (void)snprintf(type, sizeof(type), "a%s", element);
        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", key);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', type);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', element);
        return r;
}

int dict_close_array(sd_bus_message *m)
{
        int r = 0;

        for (int i = 0; i < 3 && r >= 0; i++)
                r = sd_bus_message_close_container(m);
        return r;
}

int dict_append_strv(sd_bus_message *m, const char *key, char *const *strings)
{
        int r;

        if (!strings)
                return 0;
        r = dict_open_array(m, key, "s");
        for (; r >= 0 && *strings; strings++)
                r = sd_bus_message_append_basic(m, 's', *strings);
        return r < 0 ? r : dict_close_array(m);
}
