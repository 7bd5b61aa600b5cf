/*
 * medium: the link types that are read, under both their numbers: those of the file format's
 * registry (LINKTYPE_..., which packet.h and files use) and those of libpcap on this system
 * (DLT_...).
 */
#pragma once

#include <stdbool.h>

bool pt_medium_is_read(int linktype);

/* libpcap's number for a link type of a file; the same number where we know none. */
int pt_medium_dlt(int linktype);

/* And the other way round. */
int pt_medium_of_dlt(int dlt);

/* What libpcap calls it, as "EN10MB"; NULL if it does not know it. */
const char *pt_medium_name(int linktype);
