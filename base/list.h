/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * An intrusive, doubly linked, circular list. The head is a link of its own; an empty list points
 * at itself. A link that stands in no list is zeroed or self-pointing. No ownership: the container
 * is owned elsewhere.
 */
struct list {
    struct list *next;
    struct list *prev;
};

/* The struct `type` whose member `member` is `link`. */
#define list_entry(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void list_init(struct list *head)
{
    head->next = head;
    head->prev = head;
}

static inline bool list_is_empty(const struct list *head)
{
    return head->next == head;
}

static inline bool list_is_linked(const struct list *link)
{
    return link->next != NULL && link->next != link;
}

static inline void list_append(struct list *head, struct list *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

static inline void list_prepend(struct list *head, struct list *link)
{
    list_append(head->next, link);
}

/* Takes `link` out of its list; harmless when it stands in none. */
static inline void list_remove(struct list *link)
{
    if (link->next != NULL) {
        link->next->prev = link->prev;
        link->prev->next = link->next;
    }
    list_init(link);
}

/* The first link, taken out, or NULL when the list is empty. */
static inline struct list *list_take_first(struct list *head)
{
    if (list_is_empty(head)) {
        return NULL;
    }
    struct list *link = head->next;
    list_remove(link);
    return link;
}
