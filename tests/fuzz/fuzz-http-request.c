/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever a stranger sends: an answer, or the wish for more, but not beyond the bound; and what
 * was complete stays what it was when more follows. */

#include "ctl/http-request.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *copy = malloc(size + 1);
        int is_head = -1;
        HttpStatus status;

        PROMISE(copy);
        memcpy(copy, data, size);
        status = http_request_parse(copy, size, "/metrics", &is_head);
        PROMISE(status != HTTP_INCOMPLETE || size < HTTP_REQUEST_MAX);
        PROMISE(status != HTTP_OK || is_head == 0 || is_head == 1);
        PROMISE(status == HTTP_INCOMPLETE || http_status_to_string(status)[0]);
        if (status == HTTP_OK)
                PROMISE(memmem(copy, size, "/metrics", 8));
        free(copy);
        return 0;
}
