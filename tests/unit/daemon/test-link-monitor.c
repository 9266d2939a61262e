/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "daemon/link-monitor.h"

typedef struct Datagram {
        _Alignas(8) uint8_t data[1024];
        size_t size;
} Datagram;

typedef struct Heard {
        char names[128]; /* each with a space */
        unsigned n;
} Heard;

static void on_gone(void *userdata, const char *interface)
{
        Heard *heard = userdata;

        heard->n++;
        (void)strncat(heard->names, interface ?: "(any)",
                      sizeof(heard->names) - strlen(heard->names) - 2);
        (void)strcat(heard->names, " ");
}

/* @size   of the name's attribute: less than the name and its NUL is a name without one */
static struct nlmsghdr *add(Datagram *d, uint16_t type, const char *name, size_t size)
{
        struct nlmsghdr *h = (void *)(d->data + d->size);
        struct rtattr *a = (void *)((uint8_t *)h + NLMSG_LENGTH(sizeof(struct ifinfomsg)));

        h->nlmsg_type = type;
        a->rta_type = IFLA_IFNAME;
        a->rta_len = (uint16_t)RTA_LENGTH(size);
        memcpy(RTA_DATA(a), name, size);
        h->nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(struct ifinfomsg)) + RTA_ALIGN(a->rta_len));
        d->size += NLMSG_ALIGN(h->nlmsg_len);
        return h;
}

static void expect(const Datagram *d, const char *names)
{
        Heard heard = { .n = 0 };

        link_monitor_parse(d->data, d->size, on_gone, &heard);
        assert_string_equal(heard.names, names);
}

static void test_gone(void **state)
{
        Datagram d = { .size = 0 };

        add(&d, RTM_DELLINK, "w-one", 6);
        add(&d, RTM_NEWLINK, "w-new", 6);
        add(&d, RTM_DELLINK, "w-two", 6);
        expect(&d, "w-one w-two ");
}

static void test_without_name(void **state)
{
        Datagram d = { .size = 0 };
        struct nlmsghdr *h;

        /* The length of a message and of its attribute say less than there is. */
        h = add(&d, RTM_DELLINK, "w-one", 6);
        h->nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg));
        expect(&d, "");
        h->nlmsg_len = NLMSG_LENGTH(4);
        expect(&d, "");
        d.size = 0;
        memset(d.data, 'x', sizeof(d.data));
        add(&d, RTM_DELLINK, "w-one", 5);
        expect(&d, "");
}

static void test_wrong_lengths(void **state)
{
        Datagram d = { .size = 0 };
        struct nlmsghdr *h = add(&d, RTM_DELLINK, "w-one", 6);
        struct rtattr *a = (void *)((uint8_t *)h + NLMSG_LENGTH(sizeof(struct ifinfomsg)));
        uint32_t length = h->nlmsg_len;

        for (size_t size = d.size; size-- > 0;) {
                Datagram cut = d;

                cut.size = size;
                expect(&cut, "");
        }
        h->nlmsg_len = 0;
        expect(&d, "");
        h->nlmsg_len = UINT32_MAX;
        expect(&d, "");
        h->nlmsg_len = length;
        a->rta_len = UINT16_MAX;
        expect(&d, "");
        a->rta_len = 0;
        expect(&d, "");
}

/* An interface that is gone when its descriptor is. Returns it; negative: not possible here. */
static int make_link(const char *name)
{
        struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
        int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

        (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
        if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) < 0)
                fd = fd_close(fd);
        return fd;
}

enum {
        KERNEL_OK,
        KERNEL_FAILED,
        KERNEL_SKIP = 77,
};

/* In a namespace of its own, by a process of its own. */
static int hear_kernel(void)
{
        LinkMonitor *monitor = NULL;
        sd_event *event = NULL;
        Heard heard = { .n = 0 };
        int fd;

        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
                return KERNEL_SKIP;
        if (sd_event_new(&event) < 0 ||
            link_monitor_new(event, on_gone, &heard, &monitor, NULL) < 0)
                return KERNEL_FAILED;
        fd = make_link("w-one");
        if (fd < 0)
                return KERNEL_SKIP;
        /* That it is there now is nothing to wake up for. */
        if (sd_event_run(event, 0) != 0)
                return KERNEL_FAILED;
        (void)close(fd);
        if (sd_event_run(event, 0) <= 0 || strcmp(heard.names, "w-one ") != 0)
                return KERNEL_FAILED;
        link_monitor_free(monitor);
        sd_event_unref(event);
        return KERNEL_OK;
}

static void test_kernel(void **state)
{
        int status;
        pid_t pid = fork();

        if (pid == 0)
                _exit(hear_kernel());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == KERNEL_SKIP) {
                print_message("# no namespaces or no tun devices for this user\n");
                skip();
        }
        assert_int_equal(status, KERNEL_OK);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "tells of each that has vanished, and of no other", test_gone, NULL, NULL, NULL },
                { "tells of none without a name", test_without_name, NULL, NULL, NULL },
                { "trusts no length", test_wrong_lengths, NULL, NULL, NULL },
                { "sleeps when the kernel makes one, wakes when it is gone", test_kernel, NULL,
                  NULL, NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
