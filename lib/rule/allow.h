/*
 * allow: allow lists, the connections that the operator knows and wants.
 *
 * They describe the connection, not the arithmetic: who connects, where to (address, name, port).
 * Asked only about what is a match already, so a set costs a SYN nothing. A look is a few binary
 * searches, one for each length of prefix that occurs, and one for each label of a name.
 */
#pragma once

#include "rule/entry.h"

/* An entry for this connection, or NULL: clients first, then destinations, then ports. The
 * destination as on the wire, and as hosts looks it up. */
struct pt_allow_entry *pt_allow_connection(const struct pt_allow *allow,
                                           const struct pt_address *client,
                                           const struct pt_address *destination,
                                           const struct pt_address *key, uint16_t port);

/* An entry for this name, or NULL. */
struct pt_allow_entry *pt_allow_name(const struct pt_allow *allow, const struct pt_dns_name *name);

/*
 * The entries that allowed most, up to `room` of them, the busiest first. Returns how many there
 * are; `ret_used` is how many entries ever allowed anything, `ret_entries` how many there are.
 */
size_t pt_allow_most(const struct pt_allow *allow, struct pt_allow_entry *ret, size_t room,
                     size_t *ret_used, size_t *ret_entries);

/* "client", "destination", "name", "port" */
const char *pt_allow_list_name(enum pt_allow_list list);
