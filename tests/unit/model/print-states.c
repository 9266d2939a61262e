/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Prints doc/states.md from the table that the daemon runs on:
 *
 *     ninja -C build && build/tests/unit/model/print-states >doc/states.md */

#include <stdio.h>

#include "model/state.h"

static void print_state(ContainerState state)
{
        printf("| **%s** |", container_state_to_string(state));
        for (int e = 0; e < _CONTAINER_EVENT_MAX; e++) {
                int next = container_state_next(state, (ContainerEvent)e, NULL);

                if (next < 0)
                        printf(" |");
                else if (next == (int)state)
                        printf(" = |");
                else
                        printf(" %s |", container_state_to_string((ContainerState)next));
        }
        printf("\n");
}

int main(void)
{
        printf("<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->\n"
               "<!-- Printed by tests/unit/model/print-states.c: change src/model/state.c, not "
               "this. -->\n\n"
               "# The life of a container\n\n"
               "Rows are states, columns events; a cell is the next state. `=` stays in the "
               "state, an empty cell is\nrefused with `org.warden.Warden1.Error.BadState`, "
               "naming both. What clients ask for is *create*,\n*spawn*, *limit*, *stop*, *start*, "
               "*freeze*, *thaw* and *destroy*; the others are what happens.\n\n| |");
        for (int e = 0; e < _CONTAINER_EVENT_MAX; e++)
                printf(" %s |", container_event_to_string((ContainerEvent)e));
        printf("\n|---|");
        for (int e = 0; e < _CONTAINER_EVENT_MAX; e++)
                printf("---|");
        printf("\n");
        for (int s = 0; s < _CONTAINER_STATE_MAX; s++)
                print_state((ContainerState)s);
        return ferror(stdout) || fflush(stdout) != 0;
}
