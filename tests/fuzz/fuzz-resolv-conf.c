/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is written for a container is understood as it was meant: it reads back the same. Pools and
 * addresses of the configuration are tried with the same bytes. */

#include "fuzz.h"
#include "model/container-spec.h"
#include "model/network.h"
#include "model/resolv-conf.h"

static void try_pool(const char *text)
{
        NetworkPoolSpec spec;
        NetworkAddresses slot = { .prefix4 = 0 };
        uint32_t last, found;
        char address[NETWORK_ADDRESS_MAX];

        if (network_pool_spec_parse(text, &spec, NULL) < 0)
                return;
        last = network_pool_spec_slots(&spec) - 1;
        PROMISE(last < NETWORK_POOL_SLOTS_MAX);
        PROMISE(network_pool_specs_overlap(&spec, &spec));
        network_addresses_name(&slot, "1j0ql8n28s6");
        network_pool_spec_slot(&spec, last, &slot);
        PROMISE(network_addresses_are_valid(&slot));
        network_format4(slot.container4, address);
        PROMISE(network_pool_spec_find(&spec, address, &found, NULL) == 0 && found == last);
        (void)network_pool_spec_find(&spec, text, &found, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = fuzz_string(data, size), *once = NULL, *twice = NULL;
        ResolvConf conf, again;

        PROMISE(resolv_conf_parse(text, &conf) == 0);
        PROMISE(strv_length(conf.servers) <= DNS_MAX);
        PROMISE(strv_length(conf.search) <= DNS_SEARCH_MAX);
        PROMISE(resolv_conf_format(&conf, &once) == 0);
        PROMISE(resolv_conf_parse(once, &again) == 0);
        PROMISE(!again.loopback);
        PROMISE(resolv_conf_format(&again, &twice) == 0);
        PROMISE(strcmp(once, twice) == 0);
        try_pool(text);
        resolv_conf_done(&conf);
        resolv_conf_done(&again);
        free(once);
        free(twice);
        free(text);
        return 0;
}
