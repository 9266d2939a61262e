/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes the inputs that fuzzing starts from, where they are not texts: `make-corpus
 * tests/fuzz/corpus`. To be run again, and its output committed, when a format has changed. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "basic/fd.h"
#include "basic/frame.h"
#include "basic/io.h"
#include "basic/strv.h"
#include "wire/container-record.h"
#include "wire/firewall-counters.h"
#include "wire/firewall-message.h"
#include "wire/job-record.h"
#include "wire/job-spec-wire.h"
#include "wire/journal-message.h"
#include "wire/plan-wire.h"
#include "wire/worker-message.h"
#include "wire/wshd-message.h"

#define ID "0123456789a"

static int check(int r, const char *what)
{
        if (r < 0) {
                fprintf(stderr, "%s: %s\n", what, strerror(-r));
                exit(EXIT_FAILURE);
        }
        return r;
}

static void save(const char *corpus, const char *noun, const char *name, const void *data,
                 size_t size)
{
        char path[4096];
        _drop_(drop_fd) int fd = -EBADF;

        (void)snprintf(path, sizeof(path), "%s/%s", corpus, noun);
        check(io_mkdir_parents(path, 0755), path);
        (void)snprintf(path, sizeof(path), "%s/%s/%s", corpus, noun, name);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        check(fd < 0 ? -errno : 0, path);
        check(io_write_full(fd, data, size), path);
}

static void save_writer(const char *corpus, const char *noun, const char *name, WireWriter *w)
{
        check(w->error, name);
        save(corpus, noun, name, w->data, w->size);
        wire_writer_done(w);
}

static void fill_spec(ContainerSpec *spec)
{
        spec->name = strdup("web");
        spec->hostname = strdup("www.example.org");
        spec->is_read_only = 1;
        check(strv_append(&spec->environment, "PATH=/bin"), "environment");
        check(container_spec_add_label(spec, "app", "shop", NULL), "label");
        check(container_spec_add_bind_mount(spec, "/data", "/mnt", "ro,idmap", NULL), "bind mount");
        check(container_spec_add_bind_mount(spec, "/srv", "/srv", "", NULL), "bind mount");
        check(container_spec_add_tmpfs(spec, "/tmp:size=1M,mode=700", NULL), "tmpfs");
        check(container_spec_set_private_users(spec, "100000:65536", NULL), "users");
        for (int i = 0; i < _LIMIT_MAX; i++)
                check(limits_set(&spec->limits, (Limit)i,
                                 i == LIMIT_CPU_WEIGHT || i == LIMIT_IO_WEIGHT ? 100 : 2000000,
                                 NULL),
                      "limit");
}

static void make_containers(const char *corpus)
{
        for (int is_full = 0; is_full < 2; is_full++) {
                _drop_(drop_container_record) ContainerRecord *record = container_record_new();
                _drop_(drop_container_record) ContainerRecord *back = NULL;
                _drop_(drop_plan) Plan *plan = NULL;
                WireWriter w = WIRE_WRITER_INIT;

                check(record ? 0 : -ENOMEM, "record");
                record->id = strdup(ID);
                record->spec->root_directory = strdup("/srv/root");
                record->state = is_full ? CONTAINER_ACTIVE : CONTAINER_CREATING;
                if (is_full) {
                        fill_spec(record->spec);
                        record->unit = strdup("warden-" ID ".scope");
                        record->leader_pid = 4242;
                        record->leader_start_ticks = 123456;
                        record->uid_base = 100000;
                        record->uid_count = 65536;
                }
                record->next_job = 1;
                check(container_record_encode(record, &w), "container-record");
                check(container_record_decode(w.data, w.size, &back), "container-record");
                save(corpus, "codec", is_full ? "full-record" : "small-record", w.data, w.size);
                save_writer(corpus, "container-record", is_full ? "full" : "small", &w);

                check(plan_new(record->spec, ID, record->uid_base, record->uid_count,
                               "/var/lib/warden", "/run/warden", &plan),
                      "plan");
                check(plan_encode(plan, &w), "plan");
                save_writer(corpus, "plan", is_full ? "full" : "small", &w);
        }
}

static void make_jobs(const char *corpus)
{
        JobRecord record = { .id = 1, .pid = 17, .start_usec = UINT64_C(1700000000000000) };
        WireWriter w = WIRE_WRITER_INIT;

        check(strv_append(&record.argv, "/bin/sh"), "argv");
        check(strv_append(&record.argv, "-c"), "argv");
        check(strv_append(&record.argv, "exit 1"), "argv");
        check(job_record_encode(&record, &w), "job-record");
        save_writer(corpus, "job-record", "running", &w);
        record.user = strdup("nobody:nogroup");
        record.identifier = strdup("backup");
        record.is_tty = record.is_ended = record.is_core = 1;
        record.signal = 11;
        record.end_usec = UINT64_C(1700000001000000);
        check(job_record_encode(&record, &w), "job-record");
        save_writer(corpus, "job-record", "dumped-core", &w);
        record.is_ended = record.is_core = 0;
        record.signal = 0;
        record.is_lost = 1;
        check(job_record_encode(&record, &w), "job-record");
        save_writer(corpus, "job-record", "lost", &w);
        strv_free(record.argv);
        free(record.user);
        free(record.identifier);
}

static void save_message(const char *corpus, const char *name, const WshdMessage *m)
{
        uint8_t buffer[WSHD_MESSAGE_MAX];
        int n = check(wshd_message_encode(m, buffer, sizeof(buffer)), name);

        save(corpus, "wshd-message", name, buffer, (size_t)n);
}

static void make_messages(const char *corpus)
{
        _drop_(drop_job_spec) JobSpec *spec = job_spec_new();
        WireWriter w = WIRE_WRITER_INIT;

        check(spec ? strv_append(&spec->argv, "true") : -ENOMEM, "spec");
        spec->user = strdup("1000:1000");
        spec->rlimits_set = 1U << 7;
        spec->umask = 022;
        check(job_spec_encode(spec, NULL, &w), "job-spec");
        save_message(corpus, "hello",
                     &(WshdMessage){ .type = WSHD_HELLO, .sequence = 1, .flags = WSHD_SUBSCRIBE });
        save_message(corpus, "spawn",
                     &(WshdMessage){ .type = WSHD_SPAWN,
                                     .sequence = 2,
                                     .flags = WSHD_TTY,
                                     .job = 1,
                                     .rows = 24,
                                     .columns = 80,
                                     .spec = w.data,
                                     .spec_size = w.size });
        save_message(corpus, "spawned",
                     &(WshdMessage){ .type = WSHD_SPAWNED, .sequence = 2, .job = 1, .pid = 2 });
        save_message(corpus, "failed",
                     &(WshdMessage){ .type = WSHD_FAILED, .error = 2, .stage = WSHD_STAGE_EXEC });
        save_message(corpus, "spawn-rings",
                     &(WshdMessage){ .type = WSHD_SPAWN,
                                     .flags = WSHD_BACKPRESSURE | WSHD_OPEN_STDIN,
                                     .job = 3,
                                     .ring_bytes = 1 << 20,
                                     .spec = w.data,
                                     .spec_size = w.size });
        save_message(corpus, "attach",
                     &(WshdMessage){ .type = WSHD_ATTACH,
                                     .flags = WSHD_STDOUT_FD | WSHD_STDERR_FD | WSHD_FRAMED,
                                     .job = 3,
                                     .stdout_position = 4711,
                                     .stderr_position = 1 });
        save_message(corpus, "attached",
                     &(WshdMessage){ .type = WSHD_OK,
                                     .flags = WSHD_STDOUT_FD | WSHD_STDOUT_OPEN,
                                     .job = 3,
                                     .stdout_bytes = 4712 });
        save_message(corpus, "output",
                     &(WshdMessage){ .type = WSHD_OUTPUT, .job = 3, .stdout_bytes = 4713 });
        save_message(corpus, "stop",
                     &(WshdMessage){ .type = WSHD_STOP, .usec = 10 * USEC_PER_SEC });
        save_message(corpus, "exited",
                     &(WshdMessage){ .type = WSHD_EXITED,
                                     .job = 1,
                                     .signal = 11,
                                     .flags = WSHD_CORE,
                                     .start_usec = 1,
                                     .end_usec = 2,
                                     .stdout_bytes = 1,
                                     .stderr_bytes = UINT64_MAX });
        save_writer(corpus, "codec", "job-spec", &w);
}

/* One datagram as a step of fuzz-wshd-request: who says it, its size, its descriptors, itself. */
static void put_step(uint8_t *steps, size_t *n_steps, int client, size_t n_fds,
                     const WshdMessage *m)
{
        uint8_t *p = steps + *n_steps;
        int n = check(wshd_message_encode(m, p + 3, 255), "step");

        p[0] = (uint8_t)(3 | client << 3);
        p[1] = (uint8_t)n;
        p[2] = (uint8_t)n_fds;
        *n_steps += 3 + (size_t)n;
}

/* What happens in between: to the process in a slot, or to a connection. */
static void put_event(uint8_t *steps, size_t *n_steps, uint8_t what, uint8_t how, uint8_t slot)
{
        steps[(*n_steps)++] = what;
        if (what != 2)
                return;
        steps[(*n_steps)++] = how;
        steps[(*n_steps)++] = slot;
}

static void make_requests(const char *corpus)
{
        static const uint8_t spec[] = "spec";
        WshdMessage spawn = { .type = WSHD_SPAWN, .spec = spec, .spec_size = sizeof(spec) };
        uint8_t steps[4096];
        size_t n = 0;

        put_step(steps, &n, 0, 0, &(WshdMessage){ .type = WSHD_HELLO, .flags = WSHD_SUBSCRIBE });
        for (uint32_t job = 1; job <= 6; job++) {
                spawn.job = spawn.sequence = job;
                spawn.flags = job % 2 ? WSHD_STDOUT_FD : 0;
                spawn.rows = job == 6 ? 13 : 0; /* which the fuzzer's fork refuses */
                put_step(steps, &n, job % 2 ? 0 : 1, job % 2, &spawn);
        }
        put_event(steps, &n, 2, 0, 0);  /* started */
        put_event(steps, &n, 2, 16, 0); /* and ended */
        put_event(steps, &n, 2, 8 | 16, 1);
        put_event(steps, &n, 2, 16 | 32, 2);
        put_step(steps, &n, 2, 0, &(WshdMessage){ .type = WSHD_HELLO, .flags = WSHD_SUBSCRIBE });
        put_event(steps, &n, 0, 0, 0); /* client 0 goes away */
        put_event(steps, &n, 2, 16, 3);
        put_step(steps, &n, 1, 0, &(WshdMessage){ .type = WSHD_RELEASE, .job = 1 });
        put_event(steps, &n, 1 | 2 << 3, 0, 0); /* client 2 reads */
        save(corpus, "wshd-request", "jobs", steps, n);

        n = 0;
        for (uint32_t type = WSHD_HELLO; type <= WSHD_STOP + 1; type++)
                put_step(steps, &n, (int)type % 3, type == WSHD_SPAWN,
                         &(WshdMessage){ .type = type,
                                         .sequence = type,
                                         .signal = 9,
                                         .flags = type == WSHD_SPAWN ? WSHD_SPEC_FD : 0,
                                         .rows = 24,
                                         .columns = 80,
                                         .usec = 1 });
        put_event(steps, &n, 1, 0, 0);
        save(corpus, "wshd-request", "all-types", steps, n);
}

static void make_job_specs(const char *corpus)
{
        _drop_(drop_job_spec) JobSpec *spec = job_spec_new();
        WireWriter w = WIRE_WRITER_INIT;

        check(spec ? strv_append(&spec->argv, "/bin/sh") : -ENOMEM, "spec");
        check(job_spec_encode(spec, NULL, &w), "job-spec");
        save_writer(corpus, "job-spec-decode", "small", &w);
        check(strv_append(&spec->argv, "-l"), "argv");
        check(strv_append(&spec->environment, "PATH=/bin"), "environment");
        check(strv_append(&spec->environment, "A="), "environment");
        spec->user = strdup("www:33");
        spec->working_directory = strdup("/srv");
        spec->rlimits_set = 1U << 7 | 1U << 15;
        spec->rlimits[7] = (JobRlimit){ 10, UINT64_MAX };
        spec->umask = 077;
        spec->nice = -5;
        check(job_spec_encode(spec, NULL, &w), "job-spec");
        save_writer(corpus, "job-spec-decode", "full", &w);
}

static void make_worker_messages(const char *corpus)
{
        WorkerMessage m = { .type = WORKER_CREATE,
                            .blob = (const uint8_t *)"plan",
                            .blob_size = 4 };
        RemoveRequest request = { NULL };
        BandwidthRequest bandwidth = { .interface = "w-" ID };
        char group[] = "/warden.slice/warden-" ID ".scope";
        WireWriter w = WIRE_WRITER_INIT;

        check(worker_message_encode(&m, &w), "create");
        save_writer(corpus, "worker-message", "create", &w);
        m = (WorkerMessage){ .type = WORKER_CLONED, .pid = 4242 };
        check(worker_message_encode(&m, &w), "cloned");
        save_writer(corpus, "worker-message", "cloned", &w);
        m = (WorkerMessage){ .type = WORKER_FAILED };
        (void)fault_set(&m.fault, FAULT_NOT_FOUND, -ENOENT, "root: no such directory");
        check(worker_message_encode(&m, &w), "failed");
        save_writer(corpus, "worker-message", "failed", &w);
        check(strv_append(&request.directories, "/var/lib/warden/containers/" ID), "directory");
        check(strv_append(&request.directories, "/run/warden/containers/" ID), "directory");
        check(remove_request_encode(&request, &w), "remove");
        save_writer(corpus, "worker-message", "remove-request", &w);
        check(quota_request_encode(&(QuotaRequest){ .directory = request.directories[0],
                                                    .project_id = 7,
                                                    .disk = { 1 << 30, 1000 } },
                                   &w),
              "quota");
        save_writer(corpus, "worker-message", "quota-request", &w);
        check(freeze_request_encode(&(FreezeRequest){ .control_group = group }, &w), "freeze");
        save_writer(corpus, "worker-message", "freeze-request", &w);
        check(bandwidth_limits_set(&bandwidth.limits, BANDWIDTH_NAME_BOTH,
                                   &(Bandwidth){ 1000000, 0 }, NULL),
              "bandwidth");
        check(bandwidth_request_encode(&bandwidth, &w), "bandwidth");
        save_writer(corpus, "worker-message", "bandwidth-request", &w);
        remove_request_done(&request);
}

static void make_firewall_messages(const char *corpus)
{
        FirewallContainer c = { .id = ID, .addresses = { .interface = "w-" ID, .prefix6 = 64 } };
        FirewallRequest request = { .action = FIREWALL_REBUILD };
        EgressRule rule = EGRESS_RULE_INIT;
        PortForward forward;
        WireWriter w = WIRE_WRITER_INIT;
        size_t n = 0;

        check(firewall_request_encode(&request, &w), "rebuild");
        save_writer(corpus, "firewall-message", "rebuild", &w);
        check(port_forward_parse("[::1]:8000-8009:80-89/udp", &forward, NULL), "forward");
        check(port_forwards_append(&c.forwards, &c.n_forwards, &forward, NULL), "forward");
        rule.protocol = NETWORK_PROTOCOL_TCP;
        check(egress_rule_add_network(&rule, "10.0.0.0/8", NULL), "network");
        check(egress_rule_add_network(&rule, "fd00::1-fd00::9", NULL), "network");
        check(egress_rule_add_ports(&rule, "80-89", NULL), "ports");
        check(egress_rules_append(&c.rules, &n, &rule, NULL), "rule");
        rule.protocol = NETWORK_PROTOCOL_ICMP;
        rule.icmp_type = 8;
        check(egress_rules_append(&c.rules, &n, &rule, NULL), "rule");
        c.n_rules = n;
        request = (FirewallRequest){ .action = FIREWALL_ADD, .containers = &c, .n_containers = 1 };
        check(firewall_request_encode(&request, &w), "add");
        save_writer(corpus, "firewall-message", "add", &w);
        egress_rules_free(c.rules, c.n_rules);
        free(c.forwards);
}

static void make_firewall_counters(const char *corpus)
{
        FirewallCounters counters = { .refused = { 3, 300 }, .forged = { 1, 90 } };
        WireWriter w = WIRE_WRITER_INIT;

        counters.rules[0].packets = UINT64_MAX;
        counters.rules[EGRESS_RULES_MAX - 1].bytes = 1;
        check(firewall_counters_encode(&counters, &w), "counters");
        save_writer(corpus, "firewall-counters", "some", &w);
}

/* Chunks with a gap between them and an end, behind the byte that fuzz-frame takes first. */
static void make_frames(const char *corpus)
{
        static const Frame frames[] = {
                { .position = 0, .size = 5 },
                { .position = 105, .missed = 100, .size = 300 },
                { .position = 405, .missed = 0, .size = 0 },
        };
        uint8_t data[1 + 3 * FRAME_HEADER + 305] = { 6 };
        size_t n = 1;

        for (size_t i = 0; i < ELEMENTSOF(frames); i++) {
                frame_encode(&frames[i], data + n);
                n += FRAME_HEADER;
                memset(data + n, 'a' + (int)i, frames[i].size);
                n += frames[i].size;
        }
        save(corpus, "frame", "gap-and-end", data, n);
        save(corpus, "frame", "cut", data, n - FRAME_HEADER - 7);
}

static void make_journal_messages(const char *corpus)
{
        JournalState state = { .version = JOURNAL_STATE_VERSION,
                               .places = { { .position = 4711, .is_continued = 1, .priority = 3 },
                                           { .position = 12, .is_ended = 1 } } };
        uint8_t buffer[JOURNAL_MESSAGE_MAX];
        JournalMessage m = { .name = "web",
                             .id = ID,
                             .unit = "warden-" ID ".scope",
                             .identifier = "sh",
                             .job = 7,
                             .is_tty = 1 };
        int n = check(journal_message_encode(&m, buffer, sizeof(buffer)), "journal-message");

        save(corpus, "journal-message", "follow", buffer, (size_t)n);
        save(corpus, "journal-message", "state", &state, sizeof(state));
}

int main(int argc, char *argv[])
{
        if (argc != 2 || argv[1][0] != '/') {
                fprintf(stderr, "usage: make-corpus /PATH/tests/fuzz/corpus\n");
                return EXIT_FAILURE;
        }
        make_containers(argv[1]);
        make_jobs(argv[1]);
        make_messages(argv[1]);
        make_requests(argv[1]);
        make_job_specs(argv[1]);
        make_worker_messages(argv[1]);
        make_firewall_messages(argv[1]);
        make_firewall_counters(argv[1]);
        make_frames(argv[1]);
        make_journal_messages(argv[1]);
        return EXIT_SUCCESS;
}
