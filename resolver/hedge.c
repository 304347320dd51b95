/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/hedge.h"

static void hedge_add(struct hedge *hedge, int64_t amount)
{
    hedge->saved += amount;
    if (hedge->saved > HEDGE_SAVED_MAX) {
        hedge->saved = HEDGE_SAVED_MAX;
    }
}

void hedge_earn(struct hedge *hedge, unsigned permille)
{
    hedge_add(hedge, permille);
}

bool hedge_spend(struct hedge *hedge)
{
    if (hedge->saved < HEDGE_ONE) {
        return false;
    }
    hedge->saved -= HEDGE_ONE;
    return true;
}

void hedge_return(struct hedge *hedge)
{
    hedge_add(hedge, 2 * HEDGE_ONE);
}
