/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Names are given by clients, ids by us. A name may be used again after its container is gone; an
 * id never is, so units, sockets and directories carry the id. */

#define CONTAINER_NAME_MAX 63
#define CONTAINER_ID_LENGTH 11 /* base 32, as Warden's */

/* [A-Za-z0-9][A-Za-z0-9_.-]{0,62} */
int name_is_valid(const char *name);
int id_is_valid(const char *id);

/* 64 hostname characters at most, labels of letters, digits and inner '-', joined by dots. */
int hostname_is_valid(const char *name);

/* The same up to 253 characters, and with a dot at the end, as in a list of domains to search. */
int domain_is_valid(const char *name);

/* 55 bits as 11 characters of 0-9a-v. */
void id_format(uint64_t number, char ret[CONTAINER_ID_LENGTH + 1]);
