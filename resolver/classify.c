/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/classify.h"

#include "wire/types.h"
#include "mail/list_zone.h"
#include "cache/key.h"

enum question_class classify_type(uint16_t type, bool is_list)
{
    if (is_list) {
        return QUESTION_CLASS_LIST;
    }
    switch (type) {
    case TYPE_MX:
        return QUESTION_CLASS_MX;
    case TYPE_A:
        return QUESTION_CLASS_A;
    case TYPE_AAAA:
        return QUESTION_CLASS_AAAA;
    case TYPE_PTR:
        return QUESTION_CLASS_PTR;
    case TYPE_TXT:
        return QUESTION_CLASS_TXT;
    case TYPE_TLSA:
        return QUESTION_CLASS_TLSA;
    }
    return QUESTION_CLASS_OTHER;
}

enum question_class classify_question(const struct cache_key *key, struct list_question *list_out)
{
    return classify_type(
        key->type, list_question_of(key->name, key->name_len, key->type, list_out));
}
