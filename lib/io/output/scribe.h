/*
 * scribe: a file whose disk may not answer. Whatever can hang (open, write, stat, rename, close) is
 * done by a thread, on copies of the lines. A call waits for it as long as a sound disk needs, and
 * then says -EAGAIN, or -EINPROGRESS of opening: the sink goes on, and asks again. What is no
 * regular file (a FIFO, a terminal) takes or refuses at once, and is given its lines directly.
 *
 * The thread has one call at a time, of which it may deliver the lines long after: until it comes
 * back, they count as waiting. If the end comes first, they go where all goes that waits, so they
 * may be there twice then, as after a socket's reader died.
 */
#pragma once

#include "io/output/channel.h"

/*
 * A channel before `file`, which is its own from then on, open or not. 0, or -ENOMEM with `file` as
 * it was. The thread is made at its first call.
 */
int pt_scribe_new(struct pt_channel *file, struct pt_channel **ret);
