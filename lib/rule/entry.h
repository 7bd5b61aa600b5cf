/*
 * entry: one line of an allow list -> what it stands for.
 *
 * A line is an entry, blank, or a comment; what follows a '#' behind a blank is a comment too. An
 * address or network for clients and destinations; a name, or *.name for all names below it; a port
 * or a range of ports.
 */
#pragma once

#include "base/address.h"
#include "wire/dns.h"
#include "portent.h"

#define PT_ENTRY_SENTENCE 160

struct pt_entry {
        struct pt_allow_entry shown;
        size_t order; /* in which it was read */
        union {
                struct pt_prefix prefix; /* clients, destinations */
                struct {
                        bool below;    /* *.name: every name below it, and not itself */
                        uint8_t *wire; /* lower case, with its length in front; the entry's own */
                } name;
                struct {
                        uint16_t low, high;
                } ports;
        };
};

enum pt_entry_line {
        PT_ENTRY_NONE, /* blank, or a comment */
        PT_ENTRY_READ,
        PT_ENTRY_BAD, /* with column and sentence */
};

struct pt_entry_fault {
        unsigned column; /* 1-based, in octets */
        char sentence[PT_ENTRY_SENTENCE];
};

/*
 * Read a line, without what ends it. READ: the key of `ret` is written, and of `shown` list and
 * text, both texts newly made. 0, or -ENOMEM.
 */
int pt_entry_read(enum pt_allow_list list, const char *line, size_t length,
                  enum pt_entry_line *ret_line, struct pt_entry *ret, struct pt_entry_fault *fault);

/* Frees what the entry owns. */
void pt_entry_clear(struct pt_entry *entry);

/* An order in which equal keys of one list stand together. */
int pt_entry_compare(const struct pt_entry *a, const struct pt_entry *b);
