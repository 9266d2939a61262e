/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The index of a network interface of the host, by its name. Neither asks for the kernel's lock of
 * links, which a namespace that is taken apart holds for long, nor, where there is none, for a
 * module of that name: if_nametoindex(3) does, and waits for two runs of modprobe(8).
 * @name     as somebody gave it
 * Returns   the index; -ENODEV there is none; negative errno. */
int interface_index(const char *name);
