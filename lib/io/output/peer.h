/*
 * peer: how a reader is named, as unix:PATH or tcp:HOST:PORT, and what is no such name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Is this such a destination? Then 0; -EINVAL with a sentence if it is none that can be; 1 if it is
 * a file. */
int pt_peer_check(const char *destination, char sentence[256]);

/* "HOST:PORT" or "[ADDRESS]:PORT". False if it is neither, or longer than there is room for. */
bool pt_peer_split(const char *text, char *host, size_t host_size, char *service,
                   size_t service_size);
