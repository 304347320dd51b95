/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a program by tests/live/calls.py, it makes system calls fail, or do less than they
 * were asked for, and shifts two clocks, as a page that is shared with the test says. The page is
 * the file that FAILING_CALLS names. A rule holds for one kind of call: from number `first` on, of
 * a thousand such calls `per_mille` meet `error`, until `left` have. CLOCK_MONOTONIC is never
 * shifted: it stands still while a host sleeps.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/failing_plan.h"

/* The order is calls.py's. */
enum call {
    CALL_SEND_UDP,
    CALL_SEND_TCP,
    CALL_SENDMMSG,
    CALL_RECV_UDP,
    CALL_RECV_TCP,
    CALL_RECVMMSG,
    CALL_ACCEPT,
    CALL_CONNECT,
    CALL_SOCKET,
    CALL_READ,
    CALL_WRITE,
    CALL_FSYNC,
    CALL_RENAME,
    CALL_OPEN,
    CALL_CLOSE,
    CALL_EPOLL_WAIT,
    CALLS,
};

/* In the place of an error: of what was asked for one byte, or one message, is done. */
#define SHORT (-1)

struct rule {
    _Atomic int64_t error;
    _Atomic int64_t per_mille;
    _Atomic int64_t first;
    _Atomic int64_t left;
    _Atomic int64_t seen; /* Since the test set it to 0. */
    _Atomic int64_t failed;
};

struct plan {
    _Atomic int64_t real_us; /* Added to the wall clock. */
    _Atomic int64_t boot_us; /* Added to the clock that goes on while the host sleeps. */
    struct rule rules[CALLS];
};

static struct plan *plan;

__attribute__((constructor)) static void plan_open(void)
{
    plan = failing_plan_open("FAILING_CALLS", sizeof *plan);
}

/* Spread evenly, and the same in each run. */
static bool is_one_of(int64_t number, int64_t per_mille)
{
    return (int64_t)((uint64_t)number * UINT64_C(0x9e3779b97f4a7c15) >> 32) % 1000 < per_mille;
}

/* 0, an error, or SHORT. */
static int plan_of(enum call call)
{
    struct rule *rule = plan == NULL ? NULL : &plan->rules[call];
    int64_t number = rule == NULL ? 0 : atomic_fetch_add(&rule->seen, 1);
    if (rule == NULL || number < atomic_load(&rule->first) ||
        !is_one_of(number, atomic_load(&rule->per_mille)) ||
        atomic_fetch_sub(&rule->left, 1) <= 0) {
        return 0;
    }
    atomic_fetch_add(&rule->failed, 1);
    return (int)atomic_load(&rule->error);
}

static bool plan_fails(enum call call)
{
    int error = plan_of(call);
    if (error > 0) {
        errno = error;
    }
    return error > 0;
}

/* Of `size` bytes or messages, how many are moved; 0: the call fails. */
static size_t plan_size(enum call call, size_t size)
{
    int error = plan_of(call);
    if (error > 0) {
        errno = error;
        return 0;
    }
    return error == SHORT ? 1 : size;
}

static bool is_of_type(int fd, int type)
{
    int found = 0;
    socklen_t len = sizeof found;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &found, &len) == 0 && found == type;
}

static bool is_file(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
}

/* The function that would have been called, in a variable `next` of its type. */
#define NEXT(name)                                                                                 \
    __typeof__(name) *next = NULL;                                                                 \
    *(void **)&next = dlsym(RTLD_NEXT, #name)

/* ---- Sockets ---- */

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    NEXT(send);
    if (len == 0) {
        return next(fd, bytes, len, flags);
    }
    if (is_of_type(fd, SOCK_DGRAM)) {
        return plan_fails(CALL_SEND_UDP) ? -1 : next(fd, bytes, len, flags);
    }
    size_t size = plan_size(CALL_SEND_TCP, len);
    return size == 0 ? -1 : next(fd, bytes, size, flags);
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
    NEXT(sendmmsg);
    size_t size = plan_size(CALL_SENDMMSG, count);
    return size == 0 ? -1 : next(fd, messages, (unsigned)size, flags);
}

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
    NEXT(recv);
    if (len == 0) {
        return next(fd, bytes, len, flags);
    }
    if (is_of_type(fd, SOCK_DGRAM)) {
        return plan_fails(CALL_RECV_UDP) ? -1 : next(fd, bytes, len, flags);
    }
    size_t size = plan_size(CALL_RECV_TCP, len);
    return size == 0 ? -1 : next(fd, bytes, size, flags);
}

int recvmmsg(
    int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout)
{
    NEXT(recvmmsg);
    size_t size = plan_size(CALL_RECVMMSG, count);
    return size == 0 ? -1 : next(fd, messages, (unsigned)size, flags, timeout);
}

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    NEXT(accept4);
    return plan_fails(CALL_ACCEPT) ? -1 : next(fd, address, len, flags);
}

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    NEXT(connect);
    return plan_fails(CALL_CONNECT) ? -1 : next(fd, address, len);
}

int socket(int domain, int type, int protocol)
{
    NEXT(socket);
    return plan_fails(CALL_SOCKET) ? -1 : next(domain, type, protocol);
}

int epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
    NEXT(epoll_wait);
    return plan_fails(CALL_EPOLL_WAIT) ? -1 : next(fd, events, count, timeout);
}

/* ---- Files, and TLS, which reads and writes its sockets ---- */

ssize_t read(int fd, void *bytes, size_t len)
{
    NEXT(read);
    bool is_planned = len > 0 && (is_file(fd) || is_of_type(fd, SOCK_STREAM));
    size_t size = is_planned ? plan_size(is_file(fd) ? CALL_READ : CALL_RECV_TCP, len) : len;
    return is_planned && size == 0 ? -1 : next(fd, bytes, size);
}

/* Standard output and error are left alone. */
ssize_t write(int fd, const void *bytes, size_t len)
{
    NEXT(write);
    bool is_planned = len > 0 && fd > 2 && (is_file(fd) || is_of_type(fd, SOCK_STREAM));
    size_t size = is_planned ? plan_size(is_file(fd) ? CALL_WRITE : CALL_SEND_TCP, len) : len;
    return is_planned && size == 0 ? -1 : next(fd, bytes, size);
}

int fsync(int fd)
{
    NEXT(fsync);
    return plan_fails(CALL_FSYNC) ? -1 : next(fd);
}

int rename(const char *from, const char *to)
{
    NEXT(rename);
    return plan_fails(CALL_RENAME) ? -1 : next(from, to);
}

int open(const char *path, int flags, ...)
{
    NEXT(open);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return plan_fails(CALL_OPEN) ? -1 : next(path, flags, mode);
}

/* Of files only. As on Linux, the descriptor is gone whatever the error. */
int close(int fd)
{
    NEXT(close);
    bool is_planned = is_file(fd);
    int result = next(fd);
    return result == 0 && is_planned && plan_fails(CALL_CLOSE) ? -1 : result;
}

/* ---- Clocks ---- */

static int64_t shift_of(clockid_t id)
{
    if (plan == NULL) {
        return 0;
    }
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) {
        return atomic_load(&plan->real_us);
    }
    return id == CLOCK_BOOTTIME ? atomic_load(&plan->boot_us) : 0;
}

int clock_gettime(clockid_t id, struct timespec *time)
{
    NEXT(clock_gettime);
    int result = next(id, time);
    int64_t shift_us = result == 0 ? shift_of(id) : 0;
    if (shift_us != 0) {
        int64_t us = (int64_t)time->tv_sec * 1000000 + time->tv_nsec / 1000 + shift_us;
        *time = (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    }
    return result;
}

time_t time(time_t *time_out)
{
    struct timespec now;
    time_t seconds = clock_gettime(CLOCK_REALTIME, &now) == 0 ? now.tv_sec : (time_t)-1;
    if (time_out != NULL) {
        *time_out = seconds;
    }
    return seconds;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return -1;
    }
    *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}
