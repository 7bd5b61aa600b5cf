#include "service.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "say.h"

/* There is one manager. */
static struct {
        int fd;           /* -1: nobody listens */
        int64_t interval; /* between two signs of life; 0: nobody waits for them */
        int64_t last;
} service = {.fd = -1};

/* sd_notify(3): a path, or a name in the abstract namespace behind '@'. */
static int open_socket(const char *name)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        size_t length = strlen(name);
        int fd;

        if ((name[0] != '/' && name[0] != '@') || length >= sizeof address.sun_path)
                return -EINVAL;
        memcpy(address.sun_path, name, length);
        if (name[0] == '@')
                address.sun_path[0] = '\0';
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *)&address,
                    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0) {
                int r = -errno;

                close(fd);
                return r;
        }
        return fd;
}

/* sd_watchdog_enabled(3): microseconds, meant for us alone. A third of them leaves room for delay.
 */
static int64_t read_interval(void)
{
        const char *microseconds = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
        long long value = microseconds ? strtoll(microseconds, NULL, 10) : 0;

        if (value <= 0 || value > INT64_MAX / 1000)
                return 0;
        if (pid && strtoll(pid, NULL, 10) != getpid())
                return 0;
        return (int64_t)value * 1000 / 3;
}

void pt_service_begin(void)
{
        const char *name = getenv("NOTIFY_SOCKET");

        pt_service_end();
        if (!name || !*name)
                return;
        service.fd = open_socket(name);
        if (service.fd < 0) {
                pt_say_warning("%s: %s: the service manager will not hear of us", name,
                               strerror(-service.fd));
                service.fd = -1;
                return;
        }
        service.interval = read_interval();
}

void pt_service_end(void)
{
        if (service.fd >= 0)
                close(service.fd);
        service.fd = -1;
        service.interval = 0;
        service.last = 0;
}

/* Never waits: a manager that does not read must not stop the capture. */
static void tell(const char *text)
{
        if (service.fd >= 0)
                (void)!send(service.fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void tell_with_status(const char *state, const char *status)
{
        char text[512];

        snprintf(text, sizeof text, "%sSTATUS=%s", state, status);
        for (char *c = text + strlen(state); *c; c++) {
                if ((unsigned char)*c < 0x20)
                        *c = '?';
        }
        tell(text);
}

void pt_service_ready(const char *status)
{
        if (status)
                tell_with_status("READY=1\n", status);
        else
                tell("READY=1");
}

void pt_service_status(const char *status)
{
        tell_with_status("", status);
}

void pt_service_reloading(void)
{
        struct timespec now;
        char text[64];

        clock_gettime(CLOCK_MONOTONIC, &now);
        snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                 (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
        tell(text);
}

void pt_service_stopping(void)
{
        tell("STOPPING=1");
}

void pt_service_turn(int64_t now)
{
        if (!service.interval || (service.last && now - service.last < service.interval))
                return;
        service.last = now;
        tell("WATCHDOG=1");
}

int64_t pt_service_patience(void)
{
        return service.interval ? service.interval : INT64_MAX;
}
