/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/plan.h"
#include "wire/codec.h"

/* Plan to bytes and back. Decoding checks as if the other side were hostile: 0; -EBADMSG; -ENOMEM.
 */
int plan_encode(const Plan *plan, WireWriter *w);
int plan_decode(const void *data, size_t size, Plan **ret);

/* The same for the parts that the plan and the container's state file share. */
void mounts_encode(WireWriter *w, uint16_t bind_tag, uint16_t tmpfs_tag,
                   const BindMount *bind_mounts, size_t n_bind_mounts,
                   const TmpfsMount *tmpfs_mounts, size_t n_tmpfs_mounts);
int bind_mount_decode(const WireField *f, BindMount *ret);
int tmpfs_mount_decode(const WireField *f, TmpfsMount *ret);
