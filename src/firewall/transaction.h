/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* Commands of nft(8), by libnftables: what one call is given happens in the kernel at once or not
 * at all. */

typedef struct Transaction Transaction;

/* Returns 0; -ENOMEM. */
int transaction_new(Transaction **ret);
Transaction *transaction_free(Transaction *t);
DEFINE_DROP(Transaction, transaction, transaction_free);

/* Repeats it when the kernel says that somebody else was in the way.
 * Returns 0; -ENOENT: something that was named, a table for one, is not there; negative errno, with
 * the library's words in the fault. */
int transaction_run(Transaction *t, const char *text, Fault *fault);

/* kernel-part.h: for after a failure.
 * @uses     of KernelUse
 * Returns   0 when there are all; -EOPNOTSUPP with a fault that names what is missing. */
int transaction_find_missing(Transaction *t, unsigned uses, Fault *fault);
