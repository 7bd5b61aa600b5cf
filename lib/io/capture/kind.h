/*
 * kind: what a file is, by its first octets. Names and suffixes are not asked.
 *
 * A new format is recognised here: its magic in the table of kind.c, a kind of its own if something
 * reads it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum pt_kind {
        PT_KIND_UNKNOWN,
        PT_KIND_CLASSIC, /* pcap */
        PT_KIND_BLOCK,   /* pcapng */
        PT_KIND_LOG,     /* perhaps: columns of Zeek's, or JSON. log.h says */
        PT_KIND_GZIP,
        PT_KIND_ZSTD,
        PT_KIND_XZ,
        PT_KIND_PACKED,  /* compressed in a way that is not read */
        PT_KIND_FOREIGN, /* a capture in a format that is not read */
};

#define PT_KIND_OCTETS 16 /* this many are looked at */

/*
 * What begins with these octets. `ret_name` is what people call it, NULL if that is unknown. Where
 * fewer octets are given than PT_KIND_OCTETS, it is judged by what there is.
 */
enum pt_kind pt_kind_of(const uint8_t *bytes, size_t length, const char **ret_name);
