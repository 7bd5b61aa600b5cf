#include "../sensor/sandbox.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define UNKNOWN 440 /* process_madvise: harmless, and nothing that a sensor does */

/* What happens to a child that enters and then does something: its status as wait() gives it. */
static int try(int (*something)(void), bool network)
{
        pid_t child = fork();
        int status = -1;

        cr_assert_geq(child, 0);
        if (child == 0) {
                if (pt_sandbox_enter(network) < 0)
                        _exit(99);
                _exit(something());
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        return status;
}

/* ---- what ends the process ---- */

static int start_program(void)
{
        char name[] = "true", *argv[] = {name, NULL};

        return execv("/bin/true", argv);
}

static int start_shell(void)
{
        return system("true");
}

static int split(void)
{
        return fork() < 0;
}

static int trace(void)
{
        return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0;
}

static int become(void)
{
        return syscall(SYS_setuid, 1) < 0;
}

static int move(void)
{
        return syscall(SYS_unshare, 0) < 0;
}

Test(sandbox, who_starts_a_program_or_reaches_into_one_is_ended)
{
        static int (*const deeds[])(void) = {start_program, start_shell, split,
                                             trace,         become,      move};

        for (size_t i = 0; i < ROWS(deeds); i++) {
                int status = try(deeds[i], true);

                cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%zu: 0x%x", i,
                          (unsigned)status);
        }
}

/* ---- what is refused; each returns the errno ---- */

static int ask_unknown(void)
{
        return syscall(UNKNOWN, -1, 0, 0, 0, 0) < 0 ? errno : 0;
}

static int open_packet_socket(void)
{
        return socket(AF_PACKET, SOCK_RAW, 0) < 0 ? errno : 0;
}

static int open_netlink_socket(void)
{
        return socket(AF_NETLINK, SOCK_RAW, 0) < 0 ? errno : 0;
}

static int open_internet_socket(void)
{
        return socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0;
}

static int make_code(void)
{
        void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (page == MAP_FAILED)
                return 1;
        return mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0 ? errno : 0;
}

static int set_filter(void)
{
        return setsockopt(0, SOL_PACKET, PACKET_FANOUT, "", 0) < 0 ? errno : 0;
}

static int listen_somewhere(void)
{
        return listen(0, 1) < 0 ? errno : 0;
}

Test(sandbox, what_it_does_not_know_answers_enosys)
{
        static const struct {
                int (*deed)(void);
                bool network;
                int expected;
        } rows[] = {
                {ask_unknown, true, ENOSYS},         {open_packet_socket, true, ENOSYS},
                {open_netlink_socket, true, ENOSYS}, {open_internet_socket, false, ENOSYS},
                {open_internet_socket, true, 0},     {make_code, true, EPERM},
                {set_filter, true, ENOSYS},          {listen_somewhere, true, ENOSYS},
        };

        for (size_t i = 0; i < ROWS(rows); i++) {
                int status = try(rows[i].deed, rows[i].network);

                cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == rows[i].expected,
                          "row %zu: 0x%x", i, (unsigned)status);
        }
}

/* ---- what goes on ---- */

static void *think(void *context)
{
        *(int *)context = 42;
        return NULL;
}

/* A file is made, written, read, renamed and removed; a socket and a thread are made. */
static int work(void)
{
        char path[] = "/tmp/portent-sandbox-XXXXXX", other[sizeof path + 2], text[4] = "";
        int fd = mkstemp(path), thought = 0;
        pthread_t thread;
        struct stat status;

        snprintf(other, sizeof other, "%s.x", path);
        if (fd < 0 || write(fd, "abc", 3) != 3 || fsync(fd) < 0 || pread(fd, text, 3, 0) != 3)
                return 1;
        if (fstat(fd, &status) < 0 || ftruncate(fd, 1) < 0 || close(fd) < 0)
                return 2;
        if (rename(path, other) < 0 || unlink(other) < 0)
                return 3;
        if (socket(AF_UNIX, SOCK_DGRAM, 0) < 0)
                return 4;
        if (pthread_create(&thread, NULL, think, &thought) != 0 || pthread_join(thread, NULL) != 0)
                return 5;
        return thought == 42 && malloc(1 << 20) ? 0 : 6;
}

Test(sandbox, files_sockets_and_threads_work_as_before)
{
        int status = try(work, false);

        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "0x%x", (unsigned)status);
}

/* ---- capabilities ---- */

static unsigned long long capability_set(const char *name)
{
        FILE *file = fopen("/proc/self/status", "r");
        char line[256];
        unsigned long long set = ~0ull;

        while (file && fgets(line, sizeof line, file))
                if (strncmp(line, name, strlen(name)) == 0)
                        set = strtoull(line + strlen(name) + 1, NULL, 16);
        if (file)
                fclose(file);
        return set;
}

Test(sandbox, no_capability_is_left)
{
        static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapAmb"};

        cr_assert_eq(pt_sandbox_drop(), 0);
        for (size_t i = 0; i < ROWS(sets); i++)
                cr_expect_eq(capability_set(sets[i]), 0, "%s", sets[i]);
        cr_expect_eq(pt_sandbox_drop(), 0, "there is nothing to give, which is no fault");
}
