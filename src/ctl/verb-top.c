/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* top: the screen of top-view.h. The library draws and reads keys; what ends us and what resizes
 * the terminal comes through a descriptor like everything else, so that the terminal is put back by
 * ordinary code. The rest (a fault of ours) is terminal.c's. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <curses.h>
#include <json-c/json.h>
#include <term.h>

/* Two of its names for capabilities are ours for other things. */
#undef columns
#undef lines

#include "basic/fd.h"
#include "basic/io.h"
#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/json.h"
#include "ctl/stats-call.h"
#include "ctl/terminal.h"
#include "ctl/text.h"
#include "ctl/top-view.h"
#include "ctl/value.h"
#include "ctl/verb.h"

#define INTERVAL_USEC (2 * USEC_PER_SEC)
#define INTERVAL_LEAST_USEC (100 * USEC_PER_MSEC)
#define CALL_USEC (30 * USEC_PER_SEC)
#define HEAD_LINES 2
#define FOOT_LINES 1
#define KEY_CONTROL_Z 26

typedef struct Top {
        sd_bus *bus;
        sd_bus_slot *call; /* under way */
        char **names;
        int signal_fd;
        uint64_t interval_usec, next_usec;
        UsageTable table;
        TopView view;
        int has_answer, has_colors, is_dirty;
        char message[256]; /* why there is nothing new; empty: there is */
} Top;

/* Drawing */

static void set_color(const Top *top, TopColor color)
{
        attr_t attributes = color == TOP_COLOR_DIM ? A_DIM : A_NORMAL;

        if (top->has_colors && color != TOP_COLOR_NONE && color != TOP_COLOR_DIM)
                attributes |= (attr_t)COLOR_PAIR((int)color);
        (void)attrset((int)attributes);
}

static void draw_line(const Top *top, int y, const TopLine *line, attr_t attributes)
{
        (void)move(y, 0);
        for (size_t i = 0; i < line->n_cells; i++) {
                set_color(top, line->cells[i].color);
                (void)attron((int)attributes);
                (void)addstr(line->cells[i].text);
                if (i + 1 < line->n_cells)
                        (void)addch(' ');
        }
        (void)attrset(A_NORMAL);
        (void)clrtoeol();
}

static void draw_text(int y, const char *text, attr_t attributes)
{
        _drop_(drop_free) char *shown = text_ellipsize(text, (size_t)MAX2(COLS - 1, 1));

        (void)move(y, 0);
        (void)attrset((int)attributes);
        if (shown)
                (void)addstr(shown);
        (void)attrset(A_NORMAL);
        (void)clrtoeol();
}

static void draw(Top *top)
{
        int n_rows = LINES - HEAD_LINES - FOOT_LINES;
        size_t width = (size_t)MAX2(COLS, 1);
        TopLine line;

        top->view.n_shown = (size_t)MAX2(n_rows, 0);
        top_view_clamp(&top->view, top->table.n_rows);
        usage_table_sort(&top->table, top->view.order, top->view.is_reverse);
        (void)erase();
        top_view_format_summary(&top->view, &top->table, width, &line);
        if (top->message[0])
                draw_text(0, top->message, A_BOLD);
        else if (top->has_answer)
                draw_line(top, 0, &line, A_BOLD);
        top_view_format_head(&top->view, width, &line);
        if (LINES > 1)
                draw_line(top, 1, &line, A_REVERSE);
        for (int i = 0; i < n_rows && top->view.first + (size_t)i < top->table.n_rows; i++) {
                top_view_format_row(&top->view, top->table.rows[top->view.first + (size_t)i], width,
                                    &line);
                draw_line(top, HEAD_LINES + i, &line, A_NORMAL);
        }
        if (LINES > HEAD_LINES)
                draw_text(LINES - 1,
                          "q quit  n c m w i t u sort by name, cpu, memory, network, io, tasks, "
                          "uptime  r reverse  space pause  arrows scroll",
                          A_DIM);
        (void)refresh();
        top->is_dirty = 0;
}

/* The screen */

static void screen_begin_colors(Top *top)
{
        static const short colors[] = { [TOP_COLOR_GOOD] = COLOR_GREEN,
                                        [TOP_COLOR_WARN] = COLOR_YELLOW,
                                        [TOP_COLOR_BAD] = COLOR_RED };

        if (!terminal_has_colors() || !has_colors() || start_color() == ERR)
                return;
        (void)use_default_colors();
        for (short i = TOP_COLOR_GOOD; i <= TOP_COLOR_BAD; i++)
                (void)init_pair(i, colors[i], -1);
        top->has_colors = 1;
}

static int screen_begin(Top *top, Fault *fault)
{
        int r;

        if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
                return fault_set(fault, FAULT_INVALID, -ENOTTY,
                                 "top needs a terminal; 'wardenctl stats' needs none");
        r = terminal_make_raw(STDIN_FILENO);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot use the terminal: %m");
        if (!newterm(NULL, stdout, stdin)) {
                terminal_restore();
                return fault_set(fault, FAULT_FAILED, -ENOTTY,
                                 "The terminal '%.60s' is not known; set TERM, or use 'wardenctl "
                                 "stats'",
                                 getenv("TERM") ? getenv("TERM") : "");
        }
        terminal_set_leave(exit_ca_mode);
        (void)raw();
        (void)noecho();
        (void)nonl();
        (void)keypad(stdscr, TRUE);
        (void)nodelay(stdscr, TRUE);
        (void)set_escdelay(25);
        (void)curs_set(0);
        screen_begin_colors(top);
        top->view.has_unicode = text_width("█") == 1 && MB_CUR_MAX > 1;
        return 0;
}

static void screen_end(void)
{
        (void)endwin();
        terminal_set_leave(NULL);
        terminal_restore();
}

/* As a shell expects it of ^Z. The signal's default is what stops us; what follows is after fg. */
static void suspend(Top *top)
{
        (void)endwin();
        terminal_restore();
        (void)raise(SIGSTOP);
        (void)terminal_make_raw(STDIN_FILENO);
        (void)clearok(stdscr, TRUE);
        (void)refresh();
        top->is_dirty = 1;
}

static void resize(Top *top)
{
        uint32_t rows, n_columns;

        if (terminal_get_size(&rows, &n_columns) < 0)
                return;
        (void)resizeterm((int)MIN2(rows, 4096U), (int)MIN2(n_columns, 4096U));
        top->is_dirty = 1;
}

/* The daemon */

static int on_stats(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        _drop_(drop_json) struct json_object *stats = NULL;
        Fault fault = FAULT_INIT;
        Top *top = userdata;

        top->call = sd_bus_slot_unref(top->call);
        top->is_dirty = 1;
        if (sd_bus_message_is_method_error(m, NULL)) {
                (void)bus_fault(&fault, sd_bus_message_get_error(m), NULL);
                (void)snprintf(top->message, sizeof(top->message), "%s", fault.text);
                return 0;
        }
        if (json_from_message(m, &stats) < 0 ||
            usage_table_update(&top->table, stats, io_now_monotonic_usec()) < 0) {
                (void)snprintf(top->message, sizeof(top->message), "Out of memory");
                return 0;
        }
        top->message[0] = 0;
        top->has_answer = 1;
        return 0;
}

/* The first question may start the daemon; watching it does not keep it from being stopped. */
static int ask(Top *top, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL;
        int r;

        top->next_usec = io_now_monotonic_usec() + top->interval_usec;
        if (top->call || top->view.is_paused)
                return 0;
        r = stats_call_new(top->bus, top->names, &m, fault);
        if (r < 0)
                return r;
        (void)sd_bus_message_set_auto_start(m, !top->has_answer);
        r = sd_bus_call_async(top->bus, &top->call, m, on_stats, top, CALL_USEC);
        return r < 0 ? bus_fault_local(fault, r, "Cannot ask for statistics") : 0;
}

/* The loop */

static void read_keys(Top *top)
{
        static const struct {
                int curses, ours;
        } keys[] = {
                { KEY_UP, TOP_KEY_UP },         { KEY_DOWN, TOP_KEY_DOWN },
                { KEY_PPAGE, TOP_KEY_PAGE_UP }, { KEY_NPAGE, TOP_KEY_PAGE_DOWN },
                { KEY_HOME, TOP_KEY_HOME },     { KEY_END, TOP_KEY_END },
                { KEY_LEFT, TOP_KEY_LEFT },     { KEY_RIGHT, TOP_KEY_RIGHT },
        };
        int key;

        while ((key = getch()) != ERR) {
                for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                        if (key == keys[i].curses)
                                key = keys[i].ours;
                if (key == KEY_CONTROL_Z)
                        suspend(top);
                else if (top_view_key(&top->view, key, top->table.n_rows))
                        top->is_dirty = 1;
        }
}

static void read_signals(Top *top)
{
        struct signalfd_siginfo info;

        while (read(top->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
                if (info.ssi_signo == SIGWINCH)
                        resize(top);
                else
                        top->view.is_ended = 1;
        }
}

static int wait_for_more(Top *top)
{
        struct pollfd p[] = {
                { .fd = STDIN_FILENO, .events = POLLIN },
                { .fd = top->signal_fd, .events = POLLIN },
                { .fd = sd_bus_get_fd(top->bus), .events = (short)sd_bus_get_events(top->bus) },
        };
        uint64_t now = io_now_monotonic_usec(), until = top->next_usec, bus_usec;

        if (sd_bus_get_timeout(top->bus, &bus_usec) >= 0)
                until = MIN2(until, bus_usec);
        if (poll(p, ELEMENTSOF(p),
                 until > now ? (int)MIN2((until - now) / USEC_PER_MSEC + 1, UINT64_C(60000)) : 0) <
            0)
                return errno == EINTR ? 0 : -errno;
        if (p[1].revents)
                read_signals(top);
        if (p[0].revents & POLLIN)
                read_keys(top);
        else if (p[0].revents) /* the terminal is gone */
                top->view.is_ended = 1;
        return 0;
}

static int top_run(Top *top, Fault *fault)
{
        int r = 0;

        while (r >= 0 && !top->view.is_ended) {
                if (io_now_monotonic_usec() >= top->next_usec) {
                        r = ask(top, fault);
                        if (r < 0)
                                return r;
                }
                r = sd_bus_process(top->bus, NULL);
                if (r > 0)
                        continue;
                if (r >= 0 && top->is_dirty)
                        draw(top);
                if (r >= 0)
                        r = wait_for_more(top);
        }
        return r < 0 ? bus_fault_local(fault, r, "Cannot go on") : 0;
}

static int top_set_option(void *target, int key, const char *value, Fault *fault)
{
        uint64_t usec;
        Top *top = target;
        int r;

        if (key == 's') {
                top->view.order = usage_order_from_string(value);
                if ((int)top->view.order < 0)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "--sort: '%.20s' is not name, cpu, memory, network, io, "
                                         "tasks or uptime",
                                         value);
                return 0;
        }
        r = value_parse_time(value, &usec, fault);
        if (r < 0)
                return r;
        if (usec < INTERVAL_LEAST_USEC || usec == USEC_INFINITY)
                return fault_set(fault, FAULT_INVALID, -ERANGE,
                                 "--interval: %.20s is not from 100ms on", value);
        top->interval_usec = usec;
        return 0;
}

static const Option top_options[] = {
        { 'i', "interval", "TIME", "between two looks; 2s, and 100ms at least" },
        { 's', "sort", "COLUMN", "name, cpu, memory, network, io, tasks or uptime" },
};

static const OptionGroup top_option_group = {
        .title = "View",
        .options = top_options,
        .n_options = ELEMENTSOF(top_options),
        .set = top_set_option,
};

static int top_show(Top *top, Fault *fault)
{
        sigset_t signals;
        int r;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGINT);
        (void)sigaddset(&signals, SIGTERM);
        (void)sigaddset(&signals, SIGHUP);
        (void)sigaddset(&signals, SIGQUIT);
        (void)sigaddset(&signals, SIGWINCH);
        (void)sigprocmask(SIG_BLOCK, &signals, NULL);
        top->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        if (top->signal_fd < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "Cannot watch for signals: %m");
        r = screen_begin(top, fault);
        if (r < 0)
                return r;
        top->is_dirty = 1;
        r = top_run(top, fault);
        screen_end();
        return r;
}

int verb_top(Command *command)
{
        Top top = { .signal_fd = -EBADF, .interval_usec = INTERVAL_USEC, .view = TOP_VIEW_INIT };
        const OptionUse uses[] = { { &top_option_group, &top } };
        _drop_(drop_bus) sd_bus *bus = NULL;
        Fault fault = FAULT_INIT;
        int r;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &top.names);
        if (r != VERB_GO)
                return r;
        r = bus_open(&bus, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        top.bus = bus;
        top.table.host_memory_bytes = stats_get_host_memory();
        r = top_show(&top, &fault);
        sd_bus_slot_unref(top.call);
        usage_table_done(&top.table);
        fd_close(top.signal_fd);
        return r < 0 ? complain_fault(r, &fault) : EXIT_SUCCESS;
}
