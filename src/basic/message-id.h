/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* MESSAGE_ID= of the events that an administrator may look for; doc/messages.md describes them. */

#define MESSAGE_CONTAINER_CREATED "5a0c1f6c37c84fd0a7d7f2b0d9a4e301"
#define MESSAGE_CONTAINER_STOPPED "5a0c1f6c37c84fd0a7d7f2b0d9a4e302"
#define MESSAGE_CONTAINER_DESTROYED "5a0c1f6c37c84fd0a7d7f2b0d9a4e303"
#define MESSAGE_CONTAINER_FAILED "5a0c1f6c37c84fd0a7d7f2b0d9a4e304"
#define MESSAGE_CONTAINER_OOM "5a0c1f6c37c84fd0a7d7f2b0d9a4e305"
#define MESSAGE_JOB_OOM "5a0c1f6c37c84fd0a7d7f2b0d9a4e306"
#define MESSAGE_FIREWALL_REPAIRED "5a0c1f6c37c84fd0a7d7f2b0d9a4e307"
#define MESSAGE_POOL_REFUSED "5a0c1f6c37c84fd0a7d7f2b0d9a4e308"
#define MESSAGE_INTERFACE_LOST "5a0c1f6c37c84fd0a7d7f2b0d9a4e309"
