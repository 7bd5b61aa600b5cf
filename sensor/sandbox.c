#include "sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* ---- capabilities ---- */

int pt_sandbox_drop(void)
{
        bool bounded = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);

        capng_clear(CAPNG_SELECT_ALL);
        /* The bounding set says what a later program could get: there is none, but who may close
         * it does. */
        if (bounded && capng_apply(CAPNG_SELECT_BOUNDS) < 0)
                return -EPERM;
        if (capng_apply(CAPNG_SELECT_CAPS) < 0 || capng_apply(CAPNG_SELECT_AMBIENT) < 0)
                return -EPERM;
        return 0;
}

/* ---- system calls ---- */

/* What a running sensor asks of the kernel, whatever the arguments. */
static const int allowed[] = {
        /* packets, outputs, and the wait for them */
        SCMP_SYS(poll),
        SCMP_SYS(ppoll),
        SCMP_SYS(ppoll_time64),
        SCMP_SYS(read),
        SCMP_SYS(readv),
        SCMP_SYS(pread64),
        SCMP_SYS(write),
        SCMP_SYS(writev),
        SCMP_SYS(pwrite64),
        SCMP_SYS(recv),
        SCMP_SYS(recvfrom),
        SCMP_SYS(recvmsg),
        SCMP_SYS(recvmmsg),
        SCMP_SYS(send),
        SCMP_SYS(sendto),
        SCMP_SYS(sendmsg),
        SCMP_SYS(sendmmsg),
        SCMP_SYS(connect),
        SCMP_SYS(bind),
        SCMP_SYS(shutdown),
        SCMP_SYS(getsockopt),
        SCMP_SYS(getsockname),
        SCMP_SYS(getpeername),
        /* files: outputs, the spool, rules and lists that are read anew */
        SCMP_SYS(open),
        SCMP_SYS(openat),
        SCMP_SYS(close),
        SCMP_SYS(stat),
        SCMP_SYS(lstat),
        SCMP_SYS(fstat),
        SCMP_SYS(stat64),
        SCMP_SYS(lstat64),
        SCMP_SYS(fstat64),
        SCMP_SYS(fstatat64),
        SCMP_SYS(newfstatat),
        SCMP_SYS(statx),
        SCMP_SYS(statfs),
        SCMP_SYS(fstatfs),
        SCMP_SYS(statfs64),
        SCMP_SYS(fstatfs64),
        SCMP_SYS(lseek),
        SCMP_SYS(_llseek),
        SCMP_SYS(ftruncate),
        SCMP_SYS(ftruncate64),
        SCMP_SYS(fallocate),
        SCMP_SYS(fsync),
        SCMP_SYS(fdatasync),
        SCMP_SYS(flock),
        SCMP_SYS(fcntl),
        SCMP_SYS(fcntl64),
        SCMP_SYS(rename),
        SCMP_SYS(renameat),
        SCMP_SYS(renameat2),
        SCMP_SYS(unlink),
        SCMP_SYS(unlinkat),
        SCMP_SYS(mkdir),
        SCMP_SYS(mkdirat),
        SCMP_SYS(fchmod),
        SCMP_SYS(access),
        SCMP_SYS(faccessat),
        SCMP_SYS(faccessat2),
        SCMP_SYS(readlink),
        SCMP_SYS(readlinkat),
        SCMP_SYS(getdents),
        SCMP_SYS(getdents64),
        SCMP_SYS(getcwd),
        SCMP_SYS(dup),
        SCMP_SYS(fadvise64),
        SCMP_SYS(umask),
        /* memory */
        SCMP_SYS(brk),
        SCMP_SYS(munmap),
        SCMP_SYS(mremap),
        SCMP_SYS(madvise),
        /* time and chance */
        SCMP_SYS(clock_gettime),
        SCMP_SYS(clock_gettime64),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(time),
        SCMP_SYS(nanosleep),
        SCMP_SYS(clock_nanosleep),
        SCMP_SYS(clock_nanosleep_time64),
        SCMP_SYS(getrandom),
        /* signals and threads (a name of an output is asked for by one), and the end */
        SCMP_SYS(rt_sigaction),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(sigreturn),
        SCMP_SYS(restart_syscall),
        SCMP_SYS(sigaltstack),
        SCMP_SYS(futex),
        SCMP_SYS(futex_time64),
        SCMP_SYS(set_robust_list),
        SCMP_SYS(rseq),
        SCMP_SYS(sched_yield),
        SCMP_SYS(sched_getaffinity),
        SCMP_SYS(getpid),
        SCMP_SYS(gettid),
        SCMP_SYS(getuid),
        SCMP_SYS(geteuid),
        SCMP_SYS(getgid),
        SCMP_SYS(getegid),
        SCMP_SYS(tgkill),
        SCMP_SYS(getrusage),
        SCMP_SYS(uname),
        SCMP_SYS(sysinfo),
        SCMP_SYS(prlimit64),
        SCMP_SYS(getrlimit),
        SCMP_SYS(ugetrlimit),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
};

/* What no sensor does, and an intruder would: there is nothing to fall back to. */
static const int deadly[] = {
        SCMP_SYS(execve),
        SCMP_SYS(execveat),
        SCMP_SYS(fork),
        SCMP_SYS(vfork),
        SCMP_SYS(ptrace),
        SCMP_SYS(process_vm_readv),
        SCMP_SYS(process_vm_writev),
        SCMP_SYS(pidfd_getfd),
        SCMP_SYS(bpf),
        SCMP_SYS(perf_event_open),
        SCMP_SYS(userfaultfd),
        SCMP_SYS(init_module),
        SCMP_SYS(finit_module),
        SCMP_SYS(delete_module),
        SCMP_SYS(kexec_load),
        SCMP_SYS(kexec_file_load),
        SCMP_SYS(mount),
        SCMP_SYS(umount2),
        SCMP_SYS(pivot_root),
        SCMP_SYS(chroot),
        SCMP_SYS(setns),
        SCMP_SYS(unshare),
        SCMP_SYS(setuid),
        SCMP_SYS(setgid),
        SCMP_SYS(setreuid),
        SCMP_SYS(setregid),
        SCMP_SYS(setresuid),
        SCMP_SYS(setresgid),
        SCMP_SYS(setgroups),
        SCMP_SYS(capset),
        SCMP_SYS(keyctl),
        SCMP_SYS(add_key),
        SCMP_SYS(request_key),
        SCMP_SYS(io_uring_setup),
        SCMP_SYS(open_by_handle_at),
};

/* Questions about interfaces, and how much a reader has not read yet. */
static const unsigned long requests[] = {
        SIOCGIFINDEX, SIOCGIFNAME, SIOCGIFFLAGS, SIOCGIFHWADDR, SIOCGIFMTU,
        SIOCOUTQ,     FIONREAD,    TCGETS,       TIOCGWINSZ,
};

/*
 * Options of sockets that lead somewhere, or ask for more of what comes from there. A packet socket
 * can be told to be promiscuous on the interface that it is bound to anew, and nothing else.
 */
static const struct {
        int level;
        int option; /* -1 for all */
} options[] = {
        {SOL_SOCKET, -1},
        {IPPROTO_TCP, -1},
        {IPPROTO_IP, -1},
        {IPPROTO_IPV6, -1},
        {SOL_PACKET, PACKET_ADD_MEMBERSHIP},
        {SOL_PACKET, PACKET_DROP_MEMBERSHIP},
};

/* A call that this architecture does not have needs no rule. */
static int add(scmp_filter_ctx filter, uint32_t action, int call)
{
        int r = seccomp_rule_add_array(filter, action, call, 0, NULL);

        return r == -EDOM ? 0 : r;
}

static int add_if(scmp_filter_ctx filter, uint32_t action, int call, struct scmp_arg_cmp condition)
{
        int r = seccomp_rule_add_array(filter, action, call, 1, &condition);

        return r == -EDOM ? 0 : r;
}

static int add_lists(scmp_filter_ctx filter)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < COUNT(allowed); i++)
                r = add(filter, SCMP_ACT_ALLOW, allowed[i]);
        for (size_t i = 0; r == 0 && i < COUNT(deadly); i++)
                r = add(filter, SCMP_ACT_KILL_PROCESS, deadly[i]);
        for (size_t i = 0; r == 0 && i < COUNT(requests); i++)
                r = add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl),
                           SCMP_A1(SCMP_CMP_EQ, requests[i]));
        return r;
}

/*
 * Memory that can be written is never run. Refused with EPERM, which is what a C library expects
 * where it would load a module to look up names, and does without.
 */
static int add_memory(scmp_filter_ctx filter)
{
        static const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect)};
        int r = 0;

        for (size_t i = 0; r == 0 && i < COUNT(calls); i++) {
                r = add_if(filter, SCMP_ACT_ALLOW, calls[i],
                           SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
                if (r == 0)
                        r = add_if(filter, SCMP_ACT_ERRNO(EPERM), calls[i],
                                   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
        }
        return r;
}

/* A thread is a part of us; a process is another. clone3() answers ENOSYS: clone() is tried next.
 */
static int add_threads(scmp_filter_ctx filter)
{
        int r = add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone),
                       SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));

        if (r == 0)
                r = add_if(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone),
                           SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
        return r;
}

static int add_options(scmp_filter_ctx filter)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < COUNT(options); i++) {
                const struct scmp_arg_cmp conditions[] = {
                        SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)options[i].level),
                        SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)options[i].option),
                };

                r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt),
                                           options[i].option < 0 ? 1 : 2, conditions);
                if (r == -EDOM)
                        r = 0;
        }
        return r;
}

/* Families that are not for us answer as if the kernel had none of them. */
static int add_sockets(scmp_filter_ctx filter, bool network)
{
        static const int families[] = {AF_UNIX, AF_INET, AF_INET6};
        int r = 0;

        for (size_t i = 0; r == 0 && i < (network ? COUNT(families) : 1); i++)
                r = add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket),
                           SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
        return r;
}

int pt_sandbox_enter(bool network)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
        int r;

        if (!filter)
                return -ENOMEM;
        r = add_lists(filter);
        if (r == 0)
                r = add_memory(filter);
        if (r == 0)
                r = add_threads(filter);
        if (r == 0)
                r = add_options(filter);
        if (r == 0)
                r = add_sockets(filter, network);
        if (r == 0)
                r = seccomp_load(filter);
        seccomp_release(filter);
        return r;
}
