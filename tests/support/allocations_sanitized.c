/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/allocations.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Of the sanitizers' runtimes; not every compiler brings their header. */
extern int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void *memory, size_t size),
    void (*on_free)(const volatile void *memory));

static _Atomic uint64_t allocations;

static void allocations_on_malloc(const volatile void *memory, size_t size)
{
    (void)memory;
    (void)size;
    atomic_fetch_add(&allocations, 1);
}

static void allocations_on_free(const volatile void *memory)
{
    (void)memory;
}

void allocations_begin(void)
{
    static bool is_hooked;
    if (!is_hooked) {
        is_hooked = true;
        (void)__sanitizer_install_malloc_and_free_hooks(allocations_on_malloc, allocations_on_free);
    }
    atomic_store(&allocations, 0);
}

uint64_t allocations_count(void)
{
    return atomic_load(&allocations);
}
