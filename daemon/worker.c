/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <ev.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/random.h"
#include "conf/settings.h"
#include "resolver/port.h"
#include "resolver/resolver.h"
#include "daemon/listen_tcp.h"
#include "daemon/listen_udp.h"
#include "daemon/out.h"
#include "daemon/out_stream.h"
#include "daemon/out_udp.h"
#include "daemon/sockets.h"
#include "daemon/stats.h"
#include "daemon/witness.h"

/* Nothing from the environment may pick another kind of loop; signals belong to the main thread. */
#define LOOP_FLAGS                                                                                 \
    (EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_NOSIGMASK | EVFLAG_NOTIMERFD | EVFLAG_NOINOTIFY)

/* Passes over due work in one turn; what makes itself due again waits for the next. */
#define DUE_PASSES_MAX 4

/* Ways out, from the number of questions that can wait: each has one exchange under way, and some a
 * second one. The bounds leave descriptors for everything else. */
#define EXCHANGES_SPARE   64
#define EXCHANGES_MAX     4096
#define SOCKETS_MAX       2048
#define STREAMS_MAX       128
#define SECONDS(us)       ((double)(us) / (double)CLOCK_US_PER_S)
#define TIMER_FAR_AWAY_US (INT64_C(3600) * CLOCK_US_PER_S)

/* A call from the main thread; `lock` guards all of it. */
struct call {
    pthread_mutex_t lock;
    pthread_cond_t is_done_changed;
    worker_function *function;
    void *context;
    bool is_done;
};

struct worker {
    struct ev_loop *loop;
    struct random random;
    struct daemon_stats stats;
    struct witness witness;
    struct resolver *resolver;
    struct listen_udp *listen_udp;
    struct listen_tcp *listen_tcp;
    struct out_udp *out_udp;
    struct out_stream *out_stream;
    const struct settings *next; /* While there is a change: what it is made for. */
    struct resolver_change *change;
    ev_prepare turn;
    ev_timer due;
    ev_async called;
    int64_t due_at; /* What `due` is set to; INT64_MAX: not set. */
    _Atomic uint64_t turns;
    pthread_t thread;
    bool is_running; /* Main thread's. */
    struct call call;
};

static void worker_deliver(
    void *world, const struct client *client, const uint8_t *message, size_t len)
{
    struct worker *worker = world;
    if (client->is_stream) {
        listen_tcp_deliver(worker->listen_tcp, client, message, len);
    } else {
        listen_udp_deliver(worker->listen_udp, client, message, len);
    }
}

static bool worker_transmit(
    void *world, const struct transmission *transmission, uint64_t *line_out)
{
    struct worker *worker = world;
    return transmission->is_stream ? out_stream_send(worker->out_stream, transmission, line_out)
                                   : out_udp_send(worker->out_udp, transmission, line_out);
}

static void worker_withdraw(void *world, uint64_t line, bool is_stream)
{
    struct worker *worker = world;
    if (is_stream) {
        out_stream_withdraw(worker->out_stream, line);
    } else {
        out_udp_withdraw(worker->out_udp, line);
    }
}

static bool worker_on_reply(void *world, uint64_t exchange, const uint8_t *bytes, size_t len)
{
    struct worker *worker = world;
    return resolver_on_reply(worker->resolver, exchange, bytes, len, clock_now());
}

static void worker_on_lost(void *world, uint64_t exchange, enum line_end end)
{
    struct worker *worker = world;
    resolver_on_line_lost(worker->resolver, exchange, end, clock_now());
}

/* Sets the timer; the loop's own idea of the time is as old as the turn, so it is told the new one
 * first, or the timer would fire early. */
static void worker_arm(struct worker *worker, int64_t next, int64_t now)
{
    if (next == worker->due_at && (next == INT64_MAX || ev_is_active(&worker->due))) {
        return;
    }
    worker->due_at = next;
    ev_timer_stop(worker->loop, &worker->due);
    if (next == INT64_MAX) {
        return;
    }
    int64_t wait_us = next > now ? next - now : 0;
    wait_us = wait_us > TIMER_FAR_AWAY_US ? TIMER_FAR_AWAY_US : wait_us;
    ev_now_update(worker->loop);
    ev_timer_set(&worker->due, SECONDS(wait_us), 0.);
    ev_timer_start(worker->loop, &worker->due);
}

/* The end of each turn, before the loop sleeps. */
static void worker_on_turn(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    (void)loop;
    (void)events;
    struct worker *worker = watcher->data;
    int64_t now = clock_now();
    for (unsigned i = 0; i < DUE_PASSES_MAX; i++) {
        if (resolver_next_deadline(worker->resolver) <= now) {
            resolver_run_due(worker->resolver, now);
        }
        listen_tcp_flush(worker->listen_tcp, now);
    }
    listen_udp_flush(worker->listen_udp);
    worker_arm(worker, resolver_next_deadline(worker->resolver), now);
    counter_set(&worker->stats.upstream_sockets, out_udp_open(worker->out_udp));
    counter_set(&worker->stats.upstream_connections, out_stream_open(worker->out_stream));
    atomic_fetch_add_explicit(&worker->turns, 1, memory_order_relaxed);
}

/* The work itself is done by worker_on_turn(); this one only wakes the loop. */
static void worker_on_due(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct worker *worker = watcher->data;
    worker->due_at = INT64_MAX;
}

static void worker_on_called(struct ev_loop *loop, ev_async *watcher, int events)
{
    (void)loop;
    (void)events;
    struct worker *worker = watcher->data;
    struct call *call = &worker->call;
    (void)pthread_mutex_lock(&call->lock);
    worker_function *function = call->function;
    void *context = call->context;
    call->function = NULL;
    (void)pthread_mutex_unlock(&call->lock);
    if (function == NULL) {
        return;
    }
    function(worker, context);
    (void)pthread_mutex_lock(&call->lock);
    call->is_done = true;
    (void)pthread_cond_signal(&call->is_done_changed);
    (void)pthread_mutex_unlock(&call->lock);
}

static bool worker_open_ways_out(struct worker *worker, const struct settings *settings)
{
    uint64_t exchanges = settings->questions_max + EXCHANGES_SPARE;
    uint32_t exchanges_max = (uint32_t)(exchanges < EXCHANGES_MAX ? exchanges : EXCHANGES_MAX);
    struct out_events events = {
        .world = worker, .on_reply = worker_on_reply, .on_lost = worker_on_lost};
    worker->out_udp = out_udp_new(&(struct out_udp_options){
        .loop = worker->loop,
        .random = &worker->random,
        .stats = &worker->stats,
        .events = events,
        .questions_max = exchanges_max,
        .sockets_max = SOCKETS_MAX,
    });
    worker->out_stream = out_stream_new(&(struct out_stream_options){
        .loop = worker->loop,
        .events = events,
        .connections_max = STREAMS_MAX,
        .exchanges_max = exchanges_max,
    });
    return worker->out_udp != NULL && worker->out_stream != NULL;
}

static bool worker_open_listeners(struct worker *worker, const struct worker_options *options)
{
    worker->listen_udp = listen_udp_new(&(struct listen_udp_options){
        .loop = worker->loop,
        .settings = options->settings,
        .resolver = worker->resolver,
        .stats = &worker->stats,
        .addresses = options->sockets->udp_addresses,
        .fds = options->sockets->udp,
        .count = options->sockets->udp_count,
    });
    worker->listen_tcp = listen_tcp_new(&(struct listen_tcp_options){
        .loop = worker->loop,
        .settings = options->settings,
        .resolver = worker->resolver,
        .stats = &worker->stats,
        .fds = options->sockets->tcp,
        .count = options->sockets->tcp_count,
    });
    return worker->listen_udp != NULL && worker->listen_tcp != NULL;
}

static bool worker_open(struct worker *worker, const struct worker_options *options)
{
    if (!worker_open_ways_out(worker, options->settings)) {
        return false;
    }
    worker->resolver = resolver_new(&(struct resolver_options){
        .settings = options->settings,
        .cache = options->cache,
        .random = &worker->random,
        .port =
            {
                .world = worker,
                .deliver = worker_deliver,
                .transmit = worker_transmit,
                .withdraw = worker_withdraw,
            },
        .version = options->version,
        .observer =
            witness_init(&worker->witness, options->witnesses, options->index, &worker->stats),
    });
    return worker->resolver != NULL && worker_open_listeners(worker, options);
}

static void worker_add_watchers(struct worker *worker)
{
    ev_prepare_init(&worker->turn, worker_on_turn);
    worker->turn.data = worker;
    /* After every other watcher of the turn. */
    ev_set_priority(&worker->turn, EV_MINPRI);
    ev_prepare_start(worker->loop, &worker->turn);
    ev_timer_init(&worker->due, worker_on_due, 0., 0.);
    worker->due.data = worker;
    worker->due_at = INT64_MAX;
    ev_async_init(&worker->called, worker_on_called);
    worker->called.data = worker;
    ev_async_start(worker->loop, &worker->called);
}

struct worker *worker_new(const struct worker_options *options)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) {
        return NULL;
    }
    (void)pthread_mutex_init(&worker->call.lock, NULL);
    (void)pthread_cond_init(&worker->call.is_done_changed, NULL);
    random_init_system(&worker->random);
    worker->loop = ev_loop_new(LOOP_FLAGS);
    if (worker->loop == NULL || !worker_open(worker, options)) {
        worker_free(&worker);
        return NULL;
    }
    worker_add_watchers(worker);
    return worker;
}

void worker_free(struct worker **worker)
{
    if (worker == NULL || *worker == NULL) {
        return;
    }
    must(!(*worker)->is_running);
    /* The resolver goes first: it withdraws its lines. */
    resolver_free(&(*worker)->resolver);
    listen_udp_free(&(*worker)->listen_udp);
    listen_tcp_free(&(*worker)->listen_tcp);
    out_udp_free(&(*worker)->out_udp);
    out_stream_free(&(*worker)->out_stream);
    if ((*worker)->loop != NULL) {
        ev_loop_destroy((*worker)->loop);
    }
    (void)pthread_cond_destroy(&(*worker)->call.is_done_changed);
    (void)pthread_mutex_destroy(&(*worker)->call.lock);
    free(*worker);
    *worker = NULL;
}

static void *worker_run(void *context)
{
    struct worker *worker = context;
    (void)ev_run(worker->loop, 0);
    return NULL;
}

bool worker_start(struct worker *worker)
{
    /* A new thread inherits the mask: no signal is ever delivered to a worker. */
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    worker->is_running = pthread_create(&worker->thread, NULL, worker_run, worker) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return worker->is_running;
}

void worker_call(struct worker *worker, worker_function *function, void *context)
{
    if (!worker->is_running) {
        function(worker, context);
        return;
    }
    struct call *call = &worker->call;
    (void)pthread_mutex_lock(&call->lock);
    call->function = function;
    call->context = context;
    call->is_done = false;
    ev_async_send(worker->loop, &worker->called);
    while (!call->is_done) {
        (void)pthread_cond_wait(&call->is_done_changed, &call->lock);
    }
    (void)pthread_mutex_unlock(&call->lock);
}

static void worker_break(struct worker *worker, void *context)
{
    (void)context;
    ev_break(worker->loop, EVBREAK_ALL);
}

void worker_stop(struct worker *worker)
{
    if (!worker->is_running) {
        return;
    }
    worker_call(worker, worker_break, NULL);
    (void)pthread_join(worker->thread, NULL);
    worker->is_running = false;
}

uint64_t worker_turns(const struct worker *worker)
{
    return atomic_load_explicit(&worker->turns, memory_order_relaxed);
}

void worker_nudge(struct worker *worker)
{
    ev_async_send(worker->loop, &worker->called);
}

void worker_begin_drain(struct worker *worker)
{
    listen_udp_stop(worker->listen_udp);
    listen_tcp_stop(worker->listen_tcp);
}

bool worker_is_quiet(const struct worker *worker)
{
    return resolver_waiting(worker->resolver) == 0 && listen_tcp_is_quiet(worker->listen_tcp);
}

bool worker_prepare_settings(struct worker *worker, const struct settings *settings)
{
    must(worker->change == NULL);
    worker->next = settings;
    worker->change = resolver_prepare(worker->resolver, settings);
    return worker->change != NULL;
}

void worker_take_settings(struct worker *worker)
{
    listen_udp_set_settings(worker->listen_udp, worker->next);
    listen_tcp_set_settings(worker->listen_tcp, worker->next);
    resolver_take(worker->resolver, &worker->change, clock_now());
}

void worker_leave_settings(struct worker *worker)
{
    resolver_change_free(&worker->change);
}

struct resolver *worker_resolver(struct worker *worker)
{
    return worker->resolver;
}

void worker_note_kernel(struct worker *worker)
{
    listen_udp_note_lost(worker->listen_udp);
}

const struct daemon_stats *worker_stats(const struct worker *worker)
{
    return &worker->stats;
}
