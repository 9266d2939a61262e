/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What decodes is encoded and decoded to the same. */

#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "wire/firewall-counters.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        FirewallCounters counters, back;
        WireWriter w = WIRE_WRITER_INIT;
        int r = firewall_counters_decode(data, size, &counters);

        PROMISE(r == 0 || r == -EBADMSG);
        if (r < 0)
                return 0;
        PROMISE(firewall_counters_encode(&counters, &w) == 0);
        PROMISE(firewall_counters_decode(w.data, w.size, &back) == 0);
        PROMISE(memcmp(&counters, &back, sizeof(back)) == 0);
        wire_writer_done(&w);
        return 0;
}
