/*
 * sandbox: what a live sensor gives away before it reads the first octet of somebody else's.
 *
 * Every capability goes: capture, and its resumption, needs none once its sockets are made. After
 * that a filter of system calls (seccomp) admits what a running sensor does: reading packets, and
 * writing to files and sockets. What it does not know answers ENOSYS, so that a newer C library
 * falls back and does not die; whatever starts another program, or reaches into one, ends the
 * process at once.
 */
#pragma once

#include <stdbool.h>

/*
 * Give up all capabilities, for good. 0, or a negative errno. For the calling thread, so it must be
 * the only one.
 */
int pt_sandbox_drop(void);

/*
 * Enter the sandbox, for good, with all threads that are made from then on. `network`: outputs need
 * internet sockets. 0, or a negative errno.
 */
int pt_sandbox_enter(bool network);
