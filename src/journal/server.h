/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The loop of warden-journal. */

/* Serves until the other end of @fd is closed. Returns 0; negative errno. */
int server_run(int fd);
