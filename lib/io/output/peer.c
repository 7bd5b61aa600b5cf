#include "io/output/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static int refuse(char sentence[256], const char *destination, const char *why)
{
        snprintf(sentence, 256, "%.150s: %s", destination, why);
        return -EINVAL;
}

bool pt_peer_split(const char *text, char *host, size_t host_size, char *service,
                   size_t service_size)
{
        const char *colon = strrchr(text, ':'), *end = colon;

        if (!colon || colon == text || !colon[1] || strlen(colon + 1) >= service_size)
                return false;
        if (text[0] == '[') {
                text++;
                end--;
                if (*end != ']')
                        return false;
        } else if (memchr(text, ':', (size_t)(colon - text))) {
                return false; /* an IPv6 address without brackets: where would its port begin? */
        }
        if (end <= text || (size_t)(end - text) >= host_size)
                return false;
        memcpy(host, text, (size_t)(end - text));
        host[end - text] = '\0';
        memcpy(service, colon + 1, strlen(colon + 1) + 1);
        return true;
}

/* 1 to 65535, in digits: getaddrinfo takes more. */
static bool is_port(const char *text)
{
        unsigned long port = strspn(text, "0123456789") == strlen(text) && strlen(text) <= 5
                                     ? strtoul(text, NULL, 10)
                                     : 0;

        return port >= 1 && port <= 65535;
}

/*
 * "tpc:host:1", "unx:/run/reader", "UDP:host:514": a slip, or something that there is not, would be
 * a file of that name, and nobody would look there.
 */
static bool is_scheme(const char *text)
{
        size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789");

        return length && text[length] == ':' && strspn(text, "0123456789") < length;
}

int pt_peer_check(const char *destination, char sentence[256])
{
        char host[256], service[32];

        if (!strncmp(destination, "unix:", 5)) {
                if (!destination[5])
                        return refuse(sentence, destination,
                                      "a path is missing, as unix:/run/reader");
                if (strlen(destination + 5) >= sizeof((struct sockaddr_un){0}.sun_path))
                        return refuse(sentence, destination,
                                      "the path of a socket has 107 octets at most");
                return 0;
        }
        if (strncmp(destination, "tcp:", 4) != 0) {
                if (!is_scheme(destination))
                        return 1;
                return refuse(sentence, destination,
                              "there are unix:PATH and tcp:HOST:PORT; a file is said as ./NAME");
        }
        if (!pt_peer_split(destination + 4, host, sizeof(host), service, sizeof(service)) ||
            !is_port(service))
                return refuse(sentence, destination,
                              "tcp:HOST:PORT is expected, as tcp:logs.example.net:5044, or "
                              "tcp:[2001:db8::1]:5044");
        return 0;
}
