#include "io/lists.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse(struct pt_rule_error *error, const char *path, const char *sentence)
{
        *error = (struct pt_rule_error){.line = 0};
        snprintf(error->file, sizeof error->file, "%s", path);
        snprintf(error->sentence, sizeof error->sentence, "this cannot be read: %s", sentence);
        return -EINVAL;
}

/* All that comes, up to one octet more than is allowed: a pipe is read too. */
static int read_text(FILE *file, char **ret, size_t *ret_length)
{
        size_t room = 65536, used = 0;
        char *text = NULL;

        for (;;) {
                char *more = realloc(text, room);
                size_t n;

                if (!more) {
                        free(text);
                        return -ENOMEM;
                }
                text = more;
                n = fread(text + used, 1, room - used, file);
                used += n;
                if (used < room || used > PT_LISTS_FILE)
                        break;
                room *= 2;
        }
        *ret = text;
        *ret_length = used;
        return 0;
}

static int read_file(struct pt_allow_builder *builder, enum pt_allow_list list, const char *path,
                     FILE *file, struct pt_rule_error *error)
{
        size_t length;
        char *text;
        int r;

        errno = 0;
        r = read_text(file, &text, &length);
        if (r < 0)
                return r;
        if (ferror(file))
                r = refuse(error, path, strerror(errno ? errno : EIO));
        else if (length > PT_LISTS_FILE)
                r = refuse(error, path, "it is larger than 16 MiB");
        else
                r = pt_allow_add(builder, list, path, text, length, error);
        free(text);
        return r;
}

int pt_lists_read(struct pt_allow_builder *builder, enum pt_allow_list list, const char *path,
                  struct pt_rule_error *error)
{
        FILE *file = fopen(path, "re");
        int r;

        if (!file)
                return errno == ENOMEM ? -ENOMEM : refuse(error, path, strerror(errno));
        r = read_file(builder, list, path, file, error);
        fclose(file);
        return r;
}
