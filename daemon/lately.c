/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/lately.h"

void lately_note(struct lately *lately, const struct lately_count *total)
{
    lately->marks[lately->next] = *total;
    lately->next = (lately->next + 1) % LATELY_MINUTES;
}

/* The oldest mark is the one to be overwritten next; where there is none yet, it is zero. */
struct lately_count lately_of(const struct lately *lately, const struct lately_count *total)
{
    const struct lately_count *oldest = &lately->marks[lately->next];
    return (struct lately_count){
        .asked = total->asked - oldest->asked, .failed = total->failed - oldest->failed};
}
