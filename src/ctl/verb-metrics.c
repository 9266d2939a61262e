/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* metrics: OpenMetrics text, once, or as the answer to one HTTP request on our input, a socket that
 * systemd has accepted (warden-metrics.socket). The process that speaks to strangers lives for one
 * answer and may ask the daemon for nothing else. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <json-c/json.h>

#include "basic/io.h"
#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/http-request.h"
#include "ctl/json.h"
#include "ctl/openmetrics.h"
#include "ctl/stats-call.h"
#include "ctl/verb.h"

#define REQUEST_USEC (5 * USEC_PER_SEC)
#define STATS_USEC (8 * USEC_PER_SEC) /* before a scraper's own patience ends, which is 10 s */
#define PAGE "/metrics"

enum {
        OPTION_HTTP = 256,
};

static const Option metrics_options[] = {
        { OPTION_HTTP, "http", NULL, "answer one HTTP request on standard input and output" },
};

static int metrics_set(void *target, int key, const char *value, Fault *fault)
{
        int *is_http = target;

        *is_http = 1;
        return 0;
}

static const OptionGroup metrics_option_group = {
        .title = "Metrics",
        .options = metrics_options,
        .n_options = ELEMENTSOF(metrics_options),
        .set = metrics_set,
};

/* A daemon that was stopped is not started by being watched. */
static int get_stats(struct json_object **ret, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        _drop_(drop_bus) sd_bus *bus = NULL;
        char *names[] = { NULL };
        int r;

        r = bus_open(&bus, fault);
        if (r >= 0)
                r = stats_call_new(bus, names, &m, fault);
        if (r < 0)
                return r;
        (void)sd_bus_message_set_auto_start(m, 0);
        r = bus_call(bus, m, STATS_USEC, NULL, &reply, fault);
        if (r < 0)
                return r;
        r = json_from_message(reply, ret);
        return r < 0 ? bus_fault_local(fault, r, "Cannot read the statistics") : 0;
}

/* Reads until the head is there. */
static HttpStatus read_request(int fd, int *ret_is_head)
{
        uint64_t until_usec = io_now_monotonic_usec() + REQUEST_USEC;
        char data[HTTP_REQUEST_MAX];
        HttpStatus status = HTTP_INCOMPLETE;
        size_t size = 0;

        while (status == HTTP_INCOMPLETE) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                uint64_t now = io_now_monotonic_usec();
                ssize_t n;

                if (now >= until_usec ||
                    poll(&p, 1, (int)((until_usec - now) / USEC_PER_MSEC) + 1) == 0)
                        return HTTP_REQUEST_TIMEOUT;
                n = read(fd, data + size, sizeof(data) - size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return HTTP_BAD_REQUEST;
                size += (size_t)n;
                status = http_request_parse(data, size, PAGE, ret_is_head);
        }
        return status;
}

/* Whoever does not read the answer is not waited for for ever. */
static int write_answer(int fd, HttpStatus status, const char *type, const char *body, int is_head)
{
        const struct timeval patience = { .tv_sec = REQUEST_USEC / USEC_PER_SEC };
        char head[512];
        int n, r;

        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        n = snprintf(head, sizeof(head),
                     "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
                     "Connection: close\r\n\r\n",
                     (int)status, http_status_to_string(status), type, strlen(body),
                     status == HTTP_METHOD_NOT_ALLOWED ? "Allow: GET, HEAD\r\n" : "");
        r = io_write_full(fd, head, (size_t)n);
        if (r >= 0 && !is_head)
                r = io_write_full(fd, body, strlen(body));
        (void)shutdown(fd, SHUT_WR);
        return r;
}

static char *make_page(void)
{
        _drop_(drop_json) struct json_object *stats = NULL;
        Fault fault = FAULT_INIT;
        char *text = NULL;
        size_t size;
        FILE *f;

        if (get_stats(&stats, &fault) < 0)
                complain("%s", fault.text);
        f = open_memstream(&text, &size);
        if (!f)
                return NULL;
        openmetrics_print(f, stats);
        if (fclose(f) == 0)
                return text;
        free(text);
        return NULL;
}

/* A stranger's mistake is no failure of ours: the unit would be listed as failed. */
static int serve(void)
{
        _drop_(drop_free) char *page = NULL;
        char refusal[64];
        HttpStatus status;
        int is_head = 0;

        (void)signal(SIGPIPE, SIG_IGN);
        status = read_request(STDIN_FILENO, &is_head);
        if (status != HTTP_OK) {
                (void)snprintf(refusal, sizeof(refusal), "%s\n", http_status_to_string(status));
                (void)write_answer(STDOUT_FILENO, status, "text/plain", refusal, is_head);
                return EXIT_SUCCESS;
        }
        page = make_page();
        if (!page) {
                complain("Out of memory");
                return EXIT_CODE_OURS;
        }
        (void)write_answer(STDOUT_FILENO, HTTP_OK, OPENMETRICS_CONTENT_TYPE, page, is_head);
        return EXIT_SUCCESS;
}

int verb_metrics(Command *command)
{
        _drop_(drop_json) struct json_object *stats = NULL;
        Fault fault = FAULT_INIT;
        int is_http = 0, r;
        const OptionUse uses[] = { { &metrics_option_group, &is_http } };
        char **arguments;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r != VERB_GO)
                return r;
        if (is_http)
                return serve();
        r = get_stats(&stats, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        openmetrics_print(stdout, stats);
        return EXIT_SUCCESS;
}
