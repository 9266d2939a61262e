/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "init/server.h"

/* A request to be attached to a job's streams. What was granted tells the reply: a stream that the
 * job does not have, or a stdin that it has closed, is left out; a stdin that somebody else has is
 * a refusal, unless the request can do without. Either all of it is made or nothing. */

/* Refused are flags that mean nothing here, and a request for no stream at all. */
#define ATTACH_STREAMS (WSHD_STDIN_FD | WSHD_STDOUT_FD | WSHD_STDERR_FD)
#define ATTACH_FLAGS                                                                           \
        (ATTACH_STREAMS | WSHD_FRAMED | WSHD_KEEP_STDIN | WSHD_FROM_NOW | WSHD_STDIN_IF_FREE | \
         WSHD_UNTIL_NOW)

/* Does it.
 * @ret_flags   which streams were granted
 * @ret_fds     the client's ends, CLIENT_REPLY_FDS at most, owned by the caller
 * Returns      how many there are; -EINVAL; -EAGAIN the job has not been started yet; -EBUSY;
 *              errors of stream_attach() and input_attach(). */
int attach_job(Server *server, Job *job, const WshdMessage *m, uint32_t *ret_flags, int *ret_fds);
