/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a program by tests/live/test_faults_memory.py, it makes allocations fail: those
 * from number `first` on, `count` of them, as a page that is shared with the test says. The page is
 * the file that FAILING_MALLOC names. Threads are counted together. The C library's own search for
 * a user is spared, for glibc 2.36 reads through NULL there (nss_database_check_reload_and_get),
 * and so is what the address sanitizer wants to know of a new thread.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/failing_plan.h"

struct plan {
    _Atomic int64_t seen; /* Allocations since the test set it to 0. */
    _Atomic int64_t first;
    _Atomic int64_t count;
    _Atomic int64_t failed;
};

static struct plan *plan;
static _Thread_local bool is_spared;

/* glibc's own, and those of the address sanitizer where there is one. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern __attribute__((weak)) void *__interceptor_malloc(size_t size);
extern __attribute__((weak)) void *__interceptor_calloc(size_t count, size_t size);
extern __attribute__((weak)) void *__interceptor_realloc(void *old, size_t size);

__attribute__((constructor)) static void plan_open(void)
{
    plan = failing_plan_open("FAILING_MALLOC", sizeof *plan);
}

static bool plan_fails(void)
{
    if (plan == NULL || is_spared) {
        return false;
    }
    int64_t number = atomic_fetch_add(&plan->seen, 1);
    int64_t first = atomic_load(&plan->first);
    if (first < 0 || number < first || number - first >= atomic_load(&plan->count)) {
        return false;
    }
    atomic_fetch_add(&plan->failed, 1);
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    if (plan_fails()) {
        return NULL;
    }
    return __interceptor_malloc != NULL ? __interceptor_malloc(size) : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (plan_fails()) {
        return NULL;
    }
    return __interceptor_calloc != NULL ? __interceptor_calloc(count, size)
                                        : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    if (plan_fails()) {
        return NULL;
    }
    return __interceptor_realloc != NULL ? __interceptor_realloc(old, size)
                                         : __libc_realloc(old, size);
}

struct passwd *getpwnam(const char *name)
{
    struct passwd *(*next)(const char *) = NULL;
    is_spared = true;
    *(void **)&next = dlsym(RTLD_NEXT, "getpwnam");
    struct passwd *entry = next == NULL ? NULL : next(name);
    is_spared = false;
    return entry;
}

int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
    int (*next)(pthread_t, pthread_attr_t *) = NULL;
    is_spared = true;
    *(void **)&next = dlsym(RTLD_NEXT, "pthread_getattr_np");
    int error = next == NULL ? ENOSYS : next(thread, attributes);
    is_spared = false;
    return error;
}
