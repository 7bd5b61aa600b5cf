#include "io/output/resolve.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define STACK_SIZE ((size_t)512 << 10) /* getaddrinfo and the modules of nsswitch.conf */

enum state {
        RUNNING,
        DONE,
        ABANDONED, /* the thread frees it */
};

struct pt_resolve {
        char *host;
        char *service;
        struct addrinfo *addresses;
        int error; /* of getaddrinfo */
        atomic_int state;
};

static struct pt_resolve *destroy(struct pt_resolve *resolve)
{
        if (resolve->addresses)
                freeaddrinfo(resolve->addresses);
        free(resolve->host);
        free(resolve->service);
        free(resolve);
        return NULL;
}

static void ask(struct pt_resolve *resolve, int flags)
{
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};

        resolve->error = getaddrinfo(resolve->host, resolve->service, &hints, &resolve->addresses);
}

static void *run(void *context)
{
        struct pt_resolve *resolve = context;
        int running = RUNNING;

        /* Not AI_ADDRCONFIG: it leaves out 127.0.0.1 where that is the only IPv4 address. */
        ask(resolve, 0);
        if (!atomic_compare_exchange_strong(&resolve->state, &running, DONE))
                destroy(resolve);
        return NULL;
}

/* Signals are for the thread that has the loop. */
static int start_thread(struct pt_resolve *resolve)
{
        sigset_t all, before;
        pthread_attr_t attributes;
        pthread_t thread;
        int r = pthread_attr_init(&attributes);

        if (r)
                return -r;
        sigfillset(&all);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, STACK_SIZE);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&thread, &attributes, run, resolve);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
        return -r;
}

int pt_resolve_start(const char *host, const char *service, struct pt_resolve **ret)
{
        struct pt_resolve *resolve = calloc(1, sizeof(*resolve));
        int r = 0;

        if (!resolve)
                return -ENOMEM;
        atomic_init(&resolve->state, RUNNING);
        resolve->host = strdup(host);
        resolve->service = strdup(service);
        if (!resolve->host || !resolve->service) {
                destroy(resolve);
                return -ENOMEM;
        }
        ask(resolve, AI_NUMERICHOST | AI_NUMERICSERV);
        if (!resolve->error)
                atomic_store(&resolve->state, DONE);
        else
                r = start_thread(resolve);
        if (r) {
                destroy(resolve);
                return r;
        }
        *ret = resolve;
        return 0;
}

int pt_resolve_result(struct pt_resolve *resolve, const struct addrinfo **ret, const char **ret_why)
{
        if (atomic_load(&resolve->state) != DONE)
                return -EINPROGRESS;
        if (resolve->error) {
                *ret_why = gai_strerror(resolve->error);
                return -EHOSTUNREACH;
        }
        *ret = resolve->addresses;
        return 0;
}

struct pt_resolve *pt_resolve_free(struct pt_resolve *resolve)
{
        int running = RUNNING;

        if (!resolve || atomic_compare_exchange_strong(&resolve->state, &running, ABANDONED))
                return NULL;
        return destroy(resolve);
}
