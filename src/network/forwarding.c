/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What was changed is a line each in the file of notes: "PATH OLD NEW". */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "network/forwarding.h"

#define SYSCTL "/proc/sys/net"
#define NOTES ".changed"
#define NOTES_MAX_BYTES (256U << 10)
#define VALUE_MAX 16
#define NAME_MAX_LENGTH 64

/* Opens the directory of claims, makes it if need be, and locks it until it is closed. */
static int claims_open(const char *directory)
{
        _drop_(drop_fd) int fd = -EBADF;
        int r;

        r = io_mkdir_parents(directory, 0700);
        if (r < 0)
                return r;
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || flock(fd, LOCK_EX) < 0)
                return -errno;
        return take_fd(&fd);
}

/* Returns 1 when there is at least one claim; 0; negative errno. */
static int claims_are_there(int fd)
{
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = 0;
        DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;

        if (!dir) {
                int error = -errno;

                fd_close(copy);
                return error;
        }
        while (!found && (entry = readdir(dir)))
                found = entry->d_name[0] != '.';
        (void)closedir(dir);
        return found;
}

static int value_read(int sysctl_fd, const char *path, char ret[VALUE_MAX])
{
        _drop_(drop_free) char *text = NULL;
        int r;

        r = io_read_file(sysctl_fd, path, 256, &text, NULL);
        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = 0;
        return snprintf(ret, VALUE_MAX, "%s", text) < VALUE_MAX ? 0 : -EBADMSG;
}

/* Noted before it is done: a note too many does no harm. */
static int value_change(int sysctl_fd, const char *path, const char *from, const char *to,
                        FILE *notes)
{
        char old[VALUE_MAX];
        int r;

        r = value_read(sysctl_fd, path, old);
        if (r < 0)
                return r;
        if (strcmp(old, from) != 0)
                return 0;
        (void)fprintf(notes, "%s %s %s\n", path, old, to);
        if (fflush(notes) != 0)
                return -EIO;
        return io_write_string(sysctl_fd, path, to);
}

/* Interfaces come and go while we look. */
static int keep_advertisements(int sysctl_fd, FILE *notes)
{
        int fd = openat(sysctl_fd, "ipv6/conf", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        if (!dir) {
                int error = -errno;

                fd_close(fd);
                return error;
        }
        while ((entry = readdir(dir))) {
                char path[NAME_MAX_LENGTH + 32];

                if (entry->d_name[0] == '.' || strcmp(entry->d_name, "all") == 0 ||
                    strcmp(entry->d_name, "lo") == 0 || strlen(entry->d_name) > NAME_MAX_LENGTH ||
                    strcspn(entry->d_name, " \n") != strlen(entry->d_name))
                        continue;
                (void)snprintf(path, sizeof(path), "ipv6/conf/%s/accept_ra", entry->d_name);
                (void)value_change(sysctl_fd, path, "1", "2", notes);
        }
        (void)closedir(dir);
        return 0;
}

static int forwarding_enable(int sysctl_fd, int claims_fd, int has_six)
{
        char value[VALUE_MAX];
        FILE *notes;
        int fd, r;

        fd = openat(claims_fd, NOTES, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        notes = fd < 0 ? NULL : fdopen(fd, "a");
        if (!notes) {
                int error = -errno;

                fd_close(fd);
                return error;
        }
        r = value_change(sysctl_fd, "ipv4/ip_forward", "0", "1", notes);
        if (r >= 0 && has_six)
                r = value_read(sysctl_fd, "ipv6/conf/all/forwarding", value);
        if (r >= 0 && has_six && strcmp(value, "0") == 0) {
                r = keep_advertisements(sysctl_fd, notes);
                if (r >= 0)
                        r = value_change(sysctl_fd, "ipv6/conf/all/forwarding", "0", "1", notes);
        }
        if (fclose(notes) != 0 && r >= 0)
                r = -EIO;
        return r;
}

/* One line of the notes: what is as we have left it goes back. */
static void note_undo(int sysctl_fd, char *line)
{
        char *path = strsep(&line, " "), *old = strsep(&line, " "), *new = line;
        char value[VALUE_MAX];

        if (!new || strncmp(path, "ipv", 3) != 0 || strstr(path, ".."))
                return;
        if (value_read(sysctl_fd, path, value) >= 0 && strcmp(value, new) == 0)
                (void)io_write_string(sysctl_fd, path, old);
}

/* The last change first: the switch for all before what single interfaces had. */
static int forwarding_disable(int sysctl_fd, int claims_fd)
{
        _drop_(drop_free) char *text = NULL;
        size_t size;
        int r;

        r = io_read_file(claims_fd, NOTES, NOTES_MAX_BYTES, &text, &size);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        while (size > 0) {
                text[size - 1] = 0; /* the newline */
                while (size > 0 && text[size - 1] != '\n')
                        size--;
                note_undo(sysctl_fd, text + size);
        }
        return unlinkat(claims_fd, NOTES, 0) < 0 ? -errno : 0;
}

int forwarding_claim_in(int sysctl_fd, const char *directory, const char *id, int has_six,
                        Fault *fault)
{
        _drop_(drop_fd) int fd = -EBADF, claim_fd = -EBADF;
        int r;

        r = fd = claims_open(directory);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot use the directory %s: %m",
                                 directory);
        claim_fd = openat(fd, id, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (claim_fd < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "cannot make %s/%s: %m", directory,
                                 id);
        /* Each time: somebody else may have turned it off, or only IPv4 may be on so far. */
        r = forwarding_enable(sysctl_fd, fd, has_six);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "cannot let the host forward: %m");
        return 0;
}

int forwarding_release(const char *directory, const char *id)
{
        _drop_(drop_fd) int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0 || unlinkat(fd, id, 0) < 0)
                return errno == ENOENT ? 0 : -errno;
        return 0;
}

int forwarding_settle_in(int sysctl_fd, const char *directory)
{
        _drop_(drop_fd) int fd = -EBADF;
        int r;

        if (access(directory, F_OK) < 0)
                return errno == ENOENT ? 0 : -errno;
        r = fd = claims_open(directory);
        if (r >= 0)
                r = claims_are_there(fd);
        return r != 0 ? MIN2(r, 0) : forwarding_disable(sysctl_fd, fd);
}

static int sysctl_open(void)
{
        int fd = open(SYSCTL, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int forwarding_claim(const char *directory, const char *id, int has_six, Fault *fault)
{
        _drop_(drop_fd) int fd = sysctl_open();

        if (fd < 0)
                return fault_set(fault, FAULT_FAILED, fd, "cannot open %s: %m", SYSCTL);
        return forwarding_claim_in(fd, directory, id, has_six, fault);
}

int forwarding_settle(const char *directory)
{
        _drop_(drop_fd) int fd = sysctl_open();

        return fd < 0 ? fd : forwarding_settle_in(fd, directory);
}
