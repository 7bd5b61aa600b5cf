/*
 * service: what the service manager is told, in the protocol of sd_notify(3). Without one, nothing
 * happens here.
 *
 * The socket is opened once, before the sandbox closes, and not for each message as libsystemd does
 * it: a process that parses untrusted bytes should not be able to make sockets.
 */
#pragma once

#include <stdint.h>

/* Is there a manager, and how often does it want to hear of us? Call once, early. */
void pt_service_begin(void);
void pt_service_end(void);

/* Capture is open; `systemctl status` shows the status, which stays as it was for NULL. */
void pt_service_ready(const char *status);
void pt_service_status(const char *status);

/* Rules and lists are read anew; pt_service_ready() says that this is done. */
void pt_service_reloading(void);
void pt_service_stopping(void);

/*
 * Call this when the loop has gone round, and from nowhere else: the watchdog is fed as often as it
 * wants, and only by a loop that makes progress. `now` is CLOCK_MONOTONIC, nanoseconds.
 */
void pt_service_turn(int64_t now);

/* How long the loop may sleep at most, nanoseconds; INT64_MAX if nobody waits for it. */
int64_t pt_service_patience(void);
