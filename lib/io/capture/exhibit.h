/*
 * exhibit: a pcapng file that packets are put into, each with a comment (draft-ietf-opsawg-pcapng).
 *
 * What belongs together is written at once, as whole blocks or not at all; a file that was there
 * gets another section. Whatever ends the program, what is in the file can be read.
 */
#pragma once

#include "portent.h"

struct pt_exhibit;

/*
 * `version` is the program's. 0, or a negative errno with a sentence: -EEXIST for a file that is no
 * pcapng, -EBUSY for one that another program has open here.
 */
int pt_exhibit_open(const char *path, const char *version, struct pt_exhibit **ret,
                    char sentence[256]);

/* Takes NULL. Returns NULL. */
struct pt_exhibit *pt_exhibit_free(struct pt_exhibit *exhibit);

/*
 * One more packet for the next pt_exhibit_write(). `interface` is where it was captured, `from` the
 * file that it was read from; NULL for none. 0, or -ENOMEM.
 */
int pt_exhibit_put(struct pt_exhibit *exhibit, const struct pt_frame *frame, const char *interface,
                   const char *from, const char *comment);

/* Write what was put; it is gone from here in any case. 0, or a negative errno: nothing of it is in
 * the file. */
int pt_exhibit_write(struct pt_exhibit *exhibit);
