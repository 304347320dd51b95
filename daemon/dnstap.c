/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/dnstap.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <fstrm.h>

#include "base/clock.h"
#include "base/text.h"
#include "resolver/observer.h"
#include "resolver/port.h"
#include "daemon/dnstap_frame.h"
#include "daemon/dnstap_way.h"

#define CONTENT_TYPE  "protobuf:dnstap.Dnstap"
#define QUEUE_FRAMES  4096 /* Of each worker; a power of 2. */
#define REOPEN_S      5
#define IDENTITY_SIZE 256

struct dnstap {
    char identity[IDENTITY_SIZE];
    char version[IDENTITY_SIZE];
    struct dnstap_way way; /* The thread's. */
    _Atomic uint64_t handed_over;
    struct fstrm_iothr *thread;
    size_t worker_count;
    struct fstrm_iothr_queue **queues; /* One for each worker. */
};

bool dnstap_is_built_in(void)
{
    return true;
}

/* ---- The connection, as libfstrm wants it ---- */

static fstrm_res way_on_open(void *world)
{
    struct dnstap *dnstap = world;
    return dnstap_way_open(&dnstap->way) ? fstrm_res_success : fstrm_res_failure;
}

static fstrm_res way_on_close(void *world)
{
    struct dnstap *dnstap = world;
    dnstap_way_close(&dnstap->way);
    return fstrm_res_success;
}

static fstrm_res way_on_read(void *world, void *bytes_out, size_t size)
{
    struct dnstap *dnstap = world;
    bool has_ended = false;
    if (dnstap_way_read(&dnstap->way, bytes_out, size, &has_ended)) {
        return fstrm_res_success;
    }
    return has_ended ? fstrm_res_stop : fstrm_res_failure;
}

/* What libfstrm's queues rest on are memory barriers of its own. So that whoever checks our threads
 * (a sanitizer, a reader) need not know them, frames are released and acquired here as well. */
static fstrm_res way_on_write(void *world, const struct iovec *parts, int count)
{
    struct dnstap *dnstap = world;
    (void)atomic_load_explicit(&dnstap->handed_over, memory_order_acquire);
    bool is_written = dnstap_way_write(&dnstap->way, parts, (size_t)count);
    return is_written ? fstrm_res_success : fstrm_res_failure;
}

static struct fstrm_writer *writer_new(struct dnstap *dnstap)
{
    struct fstrm_rdwr *ends = fstrm_rdwr_init(dnstap);
    struct fstrm_writer_options *options = fstrm_writer_options_init();
    (void)fstrm_writer_options_add_content_type(options, CONTENT_TYPE, sizeof CONTENT_TYPE - 1);
    fstrm_rdwr_set_open(ends, way_on_open);
    fstrm_rdwr_set_close(ends, way_on_close);
    fstrm_rdwr_set_read(ends, way_on_read);
    fstrm_rdwr_set_write(ends, way_on_write);
    struct fstrm_writer *writer = fstrm_writer_init(options, &ends);
    fstrm_writer_options_destroy(&options);
    return writer;
}

/* ---- Made and ended ---- */

/* The new thread inherits the mask: no signal is ever delivered to it. */
static struct fstrm_iothr *thread_start(struct fstrm_writer **writer, size_t worker_count)
{
    sigset_t all;
    sigset_t before;
    struct fstrm_iothr_options *options = fstrm_iothr_options_init();
    (void)fstrm_iothr_options_set_num_input_queues(options, (unsigned)worker_count);
    (void)fstrm_iothr_options_set_input_queue_size(options, QUEUE_FRAMES);
    (void)fstrm_iothr_options_set_queue_model(options, FSTRM_IOTHR_QUEUE_MODEL_SPSC);
    (void)fstrm_iothr_options_set_reopen_interval(options, REOPEN_S);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    struct fstrm_iothr *thread = fstrm_iothr_init(options, writer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    fstrm_iothr_options_destroy(&options);
    return thread;
}

static bool dnstap_take_queues(struct dnstap *dnstap)
{
    dnstap->queues = calloc(dnstap->worker_count, sizeof(struct fstrm_iothr_queue *));
    for (size_t i = 0; dnstap->queues != NULL && i < dnstap->worker_count; i++) {
        dnstap->queues[i] = fstrm_iothr_get_input_queue_idx(dnstap->thread, i);
        if (dnstap->queues[i] == NULL) {
            return false;
        }
    }
    return dnstap->queues != NULL;
}

static void word_copy(const char *word, char copy_out[IDENTITY_SIZE])
{
    struct text text;
    text_init(&text, copy_out, IDENTITY_SIZE);
    text_add(&text, word);
}

struct dnstap *dnstap_new(const struct dnstap_options *options)
{
    struct dnstap *dnstap = calloc(1, sizeof *dnstap);
    struct fstrm_writer *writer = NULL;
    if (dnstap != NULL && dnstap_way_init(&dnstap->way, options->path)) {
        writer = writer_new(dnstap);
    }
    if (writer == NULL) {
        free(dnstap);
        return NULL;
    }
    word_copy(options->identity, dnstap->identity);
    word_copy(options->version, dnstap->version);
    dnstap->worker_count = options->worker_count;
    dnstap->thread = thread_start(&writer, options->worker_count);
    if (dnstap->thread == NULL) {
        (void)fstrm_writer_destroy(&writer);
    }
    if (dnstap->thread == NULL || !dnstap_take_queues(dnstap)) {
        dnstap_free(&dnstap);
    }
    return dnstap;
}

void dnstap_free(struct dnstap **dnstap)
{
    if (dnstap == NULL || *dnstap == NULL) {
        return;
    }
    if ((*dnstap)->thread != NULL) {
        fstrm_iothr_destroy(&(*dnstap)->thread);
    }
    free((*dnstap)->queues);
    free(*dnstap);
    *dnstap = NULL;
}

static bool dnstap_submit(struct dnstap *dnstap, size_t index, struct dnstap_frame *frame)
{
    frame->identity = dnstap->identity;
    frame->version = dnstap->version;
    uint8_t *bytes = malloc(dnstap_frame_size_max(frame));
    if (bytes == NULL) {
        return false;
    }
    size_t len = dnstap_frame_write(frame, bytes);
    (void)atomic_fetch_add_explicit(&dnstap->handed_over, 1, memory_order_release);
    bool is_taken = fstrm_iothr_submit(dnstap->thread, dnstap->queues[index], bytes, len,
                        fstrm_free_wrapper, NULL) == fstrm_res_success;
    if (!is_taken) {
        free(bytes);
    }
    return is_taken;
}

/* From the clock that durations are measured by to the one of the calendar. */
static int64_t wall_of(int64_t at)
{
    return clock_wall() - (clock_now() - at);
}

bool dnstap_note_query(struct dnstap *dnstap, size_t index, const struct dnstap_query *query)
{
    struct dnstap_frame frame = {
        .type = DNSTAP_CLIENT_QUERY,
        .client = &query->client->address,
        .is_stream = query->client->is_stream,
        .asked_us = wall_of(query->asked_at),
        .message = query->bytes,
        .message_len = query->len,
    };
    return dnstap_submit(dnstap, index, &frame);
}

bool dnstap_note_answer(struct dnstap *dnstap, size_t index, const struct observed *observed)
{
    int64_t asked_us = wall_of(observed->asked_at);
    struct dnstap_frame frame = {
        .type = DNSTAP_CLIENT_RESPONSE,
        .client = &observed->client->address,
        .is_stream = observed->client->is_stream,
        .asked_us = asked_us,
        .answered_us = asked_us + (observed->answered_at - observed->asked_at),
        .message = observed->answer,
        .message_len = observed->answer_len,
    };
    return dnstap_submit(dnstap, index, &frame);
}
