#include "../sensor/service.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

/* A manager that listens, as the environment names it. */
static int listen_at(const char *name)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
        if (name[0] == '@')
                address.sun_path[0] = '\0';
        unlink(name);
        cr_assert_eq(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
        setenv("NOTIFY_SOCKET", name, 1);
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        return fd;
}

static void expect(int fd, const char *text)
{
        char got[600] = "";

        cr_assert_gt(recv(fd, got, sizeof got - 1, 0), 0, "nothing came instead of %s", text);
        cr_expect_str_eq(got, text);
}

static void expect_nothing(int fd)
{
        char got[600];

        cr_expect_eq(recv(fd, got, sizeof got, 0), -1);
        cr_expect_eq(errno, EAGAIN);
}

Test(service, without_a_manager_nothing_happens)
{
        unsetenv("NOTIFY_SOCKET");
        setenv("WATCHDOG_USEC", "1000000", 1);
        pt_service_begin();
        pt_service_ready("running");
        pt_service_turn(SECOND);
        cr_expect_eq(pt_service_patience(), INT64_MAX);
        pt_service_end();
}

Test(service, states_are_told_as_sd_notify_has_them)
{
        char path[64], got[128];
        int fd;
        long long microseconds;

        snprintf(path, sizeof path, "/tmp/test-service-%d", (int)getpid());
        fd = listen_at(path);
        pt_service_begin();
        pt_service_ready("two\ninterfaces");
        expect(fd, "READY=1\nSTATUS=two?interfaces");
        pt_service_ready(NULL);
        expect(fd, "READY=1");
        pt_service_status("eth1 is down");
        expect(fd, "STATUS=eth1 is down");
        pt_service_reloading();
        cr_assert_gt(recv(fd, memset(got, 0, sizeof got), sizeof got - 1, 0), 0);
        cr_expect_eq(sscanf(got, "RELOADING=1\nMONOTONIC_USEC=%lld", &microseconds), 1);
        pt_service_stopping();
        expect(fd, "STOPPING=1");
        expect_nothing(fd);
        pt_service_end();
        close(fd);
        unlink(path);
}

Test(service, a_name_in_the_abstract_namespace_will_do)
{
        char name[64];
        int fd;

        snprintf(name, sizeof name, "@test-service-%d", (int)getpid());
        fd = listen_at(name);
        pt_service_begin();
        pt_service_stopping();
        expect(fd, "STOPPING=1");
        pt_service_end();
        close(fd);
}

Test(service, the_watchdog_is_fed_three_times_in_its_time_and_not_more)
{
        char name[64];
        int fd;

        snprintf(name, sizeof name, "@test-service-dog-%d", (int)getpid());
        fd = listen_at(name);
        setenv("WATCHDOG_USEC", "30000000", 1);
        pt_service_begin();
        cr_expect_eq(pt_service_patience(), 10 * SECOND);
        pt_service_turn(100 * SECOND);
        expect(fd, "WATCHDOG=1");
        pt_service_turn(101 * SECOND);
        pt_service_turn(110 * SECOND - 1);
        expect_nothing(fd);
        pt_service_turn(110 * SECOND);
        expect(fd, "WATCHDOG=1");
        expect_nothing(fd);
        pt_service_end();
        close(fd);
}

Test(service, a_watchdog_of_another_process_is_not_ours)
{
        char name[64];
        int fd;

        snprintf(name, sizeof name, "@test-service-pid-%d", (int)getpid());
        fd = listen_at(name);
        setenv("WATCHDOG_USEC", "30000000", 1);
        setenv("WATCHDOG_PID", "1", 1);
        pt_service_begin();
        cr_expect_eq(pt_service_patience(), INT64_MAX);
        pt_service_turn(SECOND);
        expect_nothing(fd);
        pt_service_end();
        close(fd);
}

/* A manager that reads nothing: its queue is full after some messages, and we go on. */
Test(service, a_manager_that_does_not_read_stops_nobody, .timeout = 10)
{
        char name[64];
        int fd;

        snprintf(name, sizeof name, "@test-service-full-%d", (int)getpid());
        fd = listen_at(name);
        pt_service_begin();
        for (int i = 0; i < 10000; i++)
                pt_service_status("x");
        expect(fd, "STATUS=x");
        pt_service_end();
        close(fd);
}
