/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/boot.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/log.h"
#include "conf/settings.h"
#include "daemon/events.h"

/* A lock for each worker's next few lookups, but never shards that are too small to be useful. */
#define SHARDS_PER_WORKER 8
#define SHARDS_MAX        256
#define SHARD_BYTES_MIN   (UINT64_C(4) << 20)

/* Descriptors that one worker may need besides its clients: to upstream, and to listen. */
#define DESCRIPTORS_PER_WORKER 4400
#define DESCRIPTORS_SPARE      128

void boot_prepare_signals(void)
{
    sigset_t ours;
    (void)sigemptyset(&ours);
    (void)sigaddset(&ours, SIGHUP);
    (void)sigaddset(&ours, SIGTERM);
    (void)sigaddset(&ours, SIGINT);
    (void)pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

void boot_raise_descriptors(const struct settings *settings)
{
    struct rlimit limit;
    rlim_t wanted = DESCRIPTORS_SPARE +
                    settings->workers * (DESCRIPTORS_PER_WORKER + settings->tcp_clients_max);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) {
        return;
    }
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted) {
        log_event(&event_descriptors, "limit=%ju wanted=%ju", (uintmax_t)limit.rlim_cur,
            (uintmax_t)wanted);
    }
}

uint32_t boot_shard_count(const struct settings *settings)
{
    uint64_t wanted = settings->workers == 1 ? 1 : settings->workers * SHARDS_PER_WORKER;
    uint32_t count = 1;
    while (count < wanted && count < SHARDS_MAX &&
           settings->cache_size / (count * 2) >= SHARD_BYTES_MIN) {
        count *= 2;
    }
    return count;
}
