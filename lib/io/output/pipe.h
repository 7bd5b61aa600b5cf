/*
 * pipe: lines written to a pipe, FIFO, terminal or device. A line of up to PIPE_BUF octets arrives
 * whole even if others write there too; of a longer one, what is left goes out the next time. A
 * line is delivered when the kernel has it: what a reader leaves in the pipe when it ends is lost.
 */
#pragma once

#include "io/output/channel.h"

/* As `push` of struct pt_channel_class. */
int pt_pipe_push(struct pt_channel *channel, const char *bytes, size_t length,
                 size_t *ret_delivered);
