#include "io/capture/catalogue.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool has(const struct pt_catalogue *catalogue, size_t known, const char *path)
{
        for (size_t i = 0; i < known; i++) {
                if (catalogue->files[i].found && strcmp(catalogue->files[i].path, path) == 0)
                        return true;
        }
        return false;
}

static int put(struct pt_catalogue *catalogue, const char *path, bool found)
{
        if (catalogue->count == catalogue->room) {
                size_t room = catalogue->room ? 2 * catalogue->room : 16;
                struct pt_catalogue_file *larger = realloc(catalogue->files, room * sizeof *larger);

                if (!larger)
                        return -ENOMEM;
                catalogue->files = larger;
                catalogue->room = room;
        }
        catalogue->files[catalogue->count].path = strdup(path);
        if (!catalogue->files[catalogue->count].path)
                return -ENOMEM;
        catalogue->files[catalogue->count].looked = false;
        catalogue->files[catalogue->count++].found = found;
        return 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
        return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* One thing that the walk came by. */
static int visit(struct pt_catalogue *catalogue, size_t known, FTS *tree, FTSENT *entry,
                 const struct pt_catalogue_walk *walk)
{
        if (entry->fts_level > 0 && entry->fts_name[0] == '.') {
                if (entry->fts_info == FTS_D)
                        fts_set(tree, entry, FTS_SKIP);
                return 0;
        }
        switch (entry->fts_info) {
        case FTS_F:
        case FTS_SLNONE:
        case FTS_DEFAULT:
                return has(catalogue, known, entry->fts_path)
                               ? 0
                               : put(catalogue, entry->fts_path, true);
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS:
                walk->tell(walk->context, entry->fts_path, entry->fts_errno);
                return 0;
        default: /* a directory, before and after what is in it, or a second time, by a link */
                return 0;
        }
}

static int walk_folder(struct pt_catalogue *catalogue, const char *path,
                       const struct pt_catalogue_walk *walk)
{
        char *paths[] = {(char *)path, NULL};
        FTS *tree = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
        size_t known = catalogue->count;
        FTSENT *entry;
        int r = 0;

        if (!tree)
                return -ENOMEM;
        while (r == 0 && !(walk->stop && *walk->stop) && (entry = fts_read(tree)))
                r = visit(catalogue, known, tree, entry, walk);
        fts_close(tree);
        return r;
}

int pt_catalogue_add(struct pt_catalogue *catalogue, const char *path,
                     const struct pt_catalogue_walk *walk)
{
        struct stat status;

        if (strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
                return walk_folder(catalogue, path, walk);
        return put(catalogue, path, false);
}

void pt_catalogue_clear(struct pt_catalogue *catalogue)
{
        for (size_t i = 0; i < catalogue->count; i++)
                free(catalogue->files[i].path);
        free(catalogue->files);
        *catalogue = (struct pt_catalogue){0};
}
