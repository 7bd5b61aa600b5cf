/*
 * folder: one for the spool of each destination, named after it, which one process holds.
 */
#pragma once

/*
 * Open or make that of a destination in `folder`, which is made too, but not what that stands in.
 * Two descriptors, of it and of its lock. 0; -EWOULDBLOCK: another process has it; or another
 * negative errno: what is open then is the caller's too, and the rest -1.
 */
int pt_folder_open(const char *folder, const char *destination, int *ret_folder, int *ret_lock);
