/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stands in for wshd as PID 1 of a container, and tries what it is told over its socket: each
 * datagram is "WORD [ARGUMENT]", the answer is text, or "-N" for errno N. Static, as it has to run
 * in an empty root. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

typedef struct Command {
        const char *word;
        long (*run)(const char *argument, char *reply, size_t size);
} Command;

static long run_write(const char *argument, char *reply, size_t size)
{
        int fd = open(argument, O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK, 0644);
        long r = fd < 0 ? fd : write(fd, "x", 1);
        int saved = errno;

        (void)close(fd);
        errno = saved;
        return r;
}

static long run_read(const char *argument, char *reply, size_t size)
{
        int fd = open(argument, O_RDONLY | O_NOCTTY | O_NONBLOCK);
        long n = fd < 0 ? fd : read(fd, reply, size - 1);
        int saved = errno;

        if (n >= 0)
                reply[n] = 0;
        (void)close(fd);
        errno = saved;
        return n;
}

static long run_list(const char *argument, char *reply, size_t size)
{
        DIR *dir = opendir(argument);
        struct dirent *entry;
        size_t used = 0;

        if (!dir)
                return -1;
        reply[0] = 0;
        while ((entry = readdir(dir)))
                if (entry->d_name[0] != '.' && used + strlen(entry->d_name) + 2 < size)
                        used += (size_t)sprintf(reply + used, "%s ", entry->d_name);
        return closedir(dir);
}

static long run_hostname(const char *argument, char *reply, size_t size)
{
        struct utsname name;

        if (uname(&name) < 0)
                return -1;
        return snprintf(reply, size, "%s", name.nodename);
}

static long run_mode(const char *argument, char *reply, size_t size)
{
        struct stat st;

        if (lstat(argument, &st) < 0)
                return -1;
        return snprintf(reply, size, "%o %u %u %u:%u", st.st_mode, st.st_uid, st.st_gid,
                        major(st.st_rdev), minor(st.st_rdev));
}

static long run_mkdir(const char *argument, char *reply, size_t size)
{
        return mkdir(argument, 0755);
}

/* "DEPTH": directories in each other, deeper than any path can say. */
static long run_deep(const char *argument, char *reply, size_t size)
{
        for (long i = atol(argument); i > 0; i--)
                if (mkdir("d", 0755) < 0 || chdir("d") < 0)
                        return -1;
        return chdir("/");
}

static long run_mknod(const char *argument, char *reply, size_t size)
{
        return mknod(argument, S_IFCHR | 0666, makedev(1, 3));
}

static long run_terminal(const char *argument, char *reply, size_t size)
{
        int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY), number = -1;
        long r;

        r = fd < 0 ? fd : ioctl(fd, TIOCGPTN, &number);
        if (r >= 0)
                r = snprintf(reply, size, "%d", number);
        (void)close(fd);
        return r;
}

static long run_try(const char *argument, char *reply, size_t size)
{
        const struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };

        if (strcmp(argument, "mount") == 0)
                return mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
        if (strcmp(argument, "umount") == 0)
                return umount2("/proc/sys", MNT_DETACH);
        if (strcmp(argument, "unshare-user") == 0)
                return unshare(CLONE_NEWUSER);
        if (strcmp(argument, "unshare-cgroup") == 0)
                return unshare(CLONE_NEWCGROUP);
        if (strcmp(argument, "clone3-user") == 0)
                return syscall(SYS_clone3, &args, sizeof(args));
        if (strcmp(argument, "sethostname") == 0)
                return sethostname("other", 5);
        if (strcmp(argument, "chroot") == 0)
                return chroot("/");
        return -1;
}

static long run_getenv(const char *argument, char *reply, size_t size)
{
        const char *value = getenv(argument);

        return snprintf(reply, size, "%s", value ? value : "(none)");
}

static const Command commands[] = {
        { "write", run_write },       { "read", run_read },     { "list", run_list },
        { "hostname", run_hostname }, { "mode", run_mode },     { "mkdir", run_mkdir },
        { "deep", run_deep },         { "mknod", run_mknod },   { "terminal", run_terminal },
        { "try", run_try },           { "getenv", run_getenv },
};

/* Returns the descriptor to go on with. */
static int serve(int fd)
{
        char command[256], reply[4096] = "";
        ssize_t n = recv(fd, command, sizeof(command) - 1, 0);
        char *argument;

        if (n <= 0) {
                (void)close(fd);
                return -1;
        }
        command[n] = 0;
        argument = strchr(command, ' ');
        if (argument)
                *argument++ = 0;
        for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
                if (strcmp(commands[i].word, command) != 0)
                        continue;
                if (commands[i].run(argument ? argument : "", reply, sizeof(reply)) < 0)
                        (void)snprintf(reply, sizeof(reply), "-%d", errno);
                else if (!reply[0])
                        (void)snprintf(reply, sizeof(reply), "ok");
                (void)send(fd, reply, strlen(reply), MSG_NOSIGNAL);
                return fd;
        }
        (void)send(fd, "what?", 5, MSG_NOSIGNAL);
        return fd;
}

int main(void)
{
        int client = -1;

        for (;;) {
                struct pollfd p[2] = { { 3, POLLIN, 0 }, { client, POLLIN, 0 } };

                if (poll(p, 2, -1) < 0)
                        continue;
                if (p[1].revents)
                        client = serve(client);
                if (p[0].revents) {
                        (void)close(client);
                        client = accept(3, NULL, NULL);
                }
        }
}
