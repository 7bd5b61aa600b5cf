/*
 * catalogue: what the user named -> the files to read, each under a name of its own. A directory
 * stands for what is in it and in what is below it, in order of name, also links that lead nowhere,
 * pipes and devices, which the caller leaves out and counts; names that begin with a dot are left
 * out here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct pt_catalogue_file {
        char *path;
        bool found;  /* in a directory, not named by the user */
        bool looked; /* the caller's: it was looked at */
};

struct pt_catalogue {
        struct pt_catalogue_file *files;
        size_t count, room;
};

/* Who is told of what cannot be looked at, and who may end the looking. */
struct pt_catalogue_walk {
        void (*tell)(void *context, const char *path, int error);
        void *context;
        const volatile bool *stop; /* NULL: nobody sets it */
};

/*
 * Add what `path` stands for, if it is not in the catalogue already: new files go behind the
 * others. What is no directory is added as it is, whether it is there or not. 0, or -ENOMEM.
 */
int pt_catalogue_add(struct pt_catalogue *catalogue, const char *path,
                     const struct pt_catalogue_walk *walk);

void pt_catalogue_clear(struct pt_catalogue *catalogue);
