/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "conf/value.h"

/*
 * The lists of value.c, one function for a word and one for the way back. What is read is
 * untouched when the word is wrong; what is wrong has been reported then.
 */
struct address;
struct network;
struct settings_pin;
struct settings_server;

/* One word of a list, and where to complain. */
struct value_entry {
    const struct schema_row *row;
    const struct lexer_word *word;
    struct findings *findings;
};

bool value_list_read_address(const struct value_entry *entry, struct address *address_out);
bool value_list_read_network(const struct value_entry *entry, struct network *network_out);
bool value_list_read_server(const struct value_entry *entry, struct settings_server *server_out);
bool value_list_read_pin(const struct value_entry *entry, struct settings_pin *pin_out);

/* One of the words that an enum's values have. False: none of them. */
bool value_choice_read(const struct schema_row *row, const struct lexer_word *word, void *field);
const char *value_choice_name(const struct schema_row *row, const void *field);

void value_list_write_address(const struct address *address, struct text *text);
void value_list_write_network(const struct network *network, struct text *text);
void value_list_write_server(const struct settings_server *server, struct text *text);
void value_list_write_pin(const struct settings_pin *pin, struct text *text);
