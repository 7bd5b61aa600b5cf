/*
 * zeek: lines of Zeek's dns.log and conn.log, as tab-separated columns with their header or as
 * JSON.
 *
 * Of a dns.log: answers with an address, of servers on port 53. Its addresses stand under no name,
 * and its time is that of the query, with the time that the answer took beside it. Of a conn.log:
 * TCP connections whose SYN was seen, and what a client sent over UDP to port 443. A connection is
 * logged when it ends, with the time of its beginning.
 */
#pragma once

#include <jansson.h>

#include "io/logs/said.h"

#define PT_ZEEK_COLUMNS 256

/* The header of a file with columns. All zeros before it was read. */
struct pt_zeek {
        char separator;
        char set_separator;
        char unset[32];
        uint8_t field[PT_ZEEK_COLUMNS]; /* which field each column is */
        size_t columns;                 /* 0: no header yet */
        bool dns, conn;                 /* what its columns are those of */
};

/* A line that begins with "#". False if it makes no sense. */
bool pt_zeek_header(struct pt_zeek *zeek, const char *line, size_t length);

enum pt_said_kind pt_zeek_line(const struct pt_zeek *zeek, const char *line, size_t length,
                               struct pt_said *said);

/* Does this look like a line of Zeek's? Then what it says. */
bool pt_zeek_is(const json_t *object);
enum pt_said_kind pt_zeek_json(const json_t *object, struct pt_said *said);
