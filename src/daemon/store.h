/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"
#include "daemon/job.h"
#include "wire/container-record.h"
#include "wire/job-record.h"

/* The state files under runtime_directory/containers/ID: `state`, and `jobs/N` for each job. They
 * are on a tmpfs, so that saving is a matter of microseconds and nothing waits for a disk. All
 * return 0 or a negative errno. */

/* Makes the directories of a new container, mode 0700, and opens them into it. */
int store_open_container(Container *c);

int store_save_container(const Container *c);
int store_save_job(const Job *job);
int store_forget_job(const Job *job);

/* @id   a name from the directory; checked */
int store_load_container(int containers_dir_fd, const char *id, ContainerRecord **ret);
int store_load_job(const Container *c, const char *name, JobRecord **ret);
