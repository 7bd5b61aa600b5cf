/*
 * resolve: the addresses of a name, asked for by a thread, because getaddrinfo(3) may take half a
 * minute. The thread lives for one question; one that is not wanted any more is left to end by
 * itself.
 */
#pragma once

#include <netdb.h>

struct pt_resolve;

/* Numeric addresses are answered at once. 0, or a negative errno. */
int pt_resolve_start(const char *host, const char *service, struct pt_resolve **ret);

/*
 * -EINPROGRESS; or 0: the addresses, which stay the resolver's; or -EHOSTUNREACH and `*ret_why` in
 * words.
 */
int pt_resolve_result(struct pt_resolve *resolve, const struct addrinfo **ret,
                      const char **ret_why);

/* Takes NULL. Returns NULL. */
struct pt_resolve *pt_resolve_free(struct pt_resolve *resolve);
