/*
 * One allocation fails: preloaded into the program, it lets the Nth call of malloc, calloc, realloc
 * or mmap of the process have no memory.
 *
 *      FAMINE=N:file   N counts from 1; the file is made when it happens
 *
 * Only calls from the program itself count, with the C library's for it (strdup and the like):
 * jansson and libseccomp of Debian 12 end the process where some of theirs fail, which nothing here
 * can mend.
 */

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);

struct range {
        uintptr_t begin, end;
};

static struct range ranges[2]; /* of the program, and of the C library */
static atomic_long calls;

static int look(struct dl_phdr_info *info, size_t size, void *context)
{
        struct range *range = NULL;

        (void)size;
        (void)context;
        if (!info->dlpi_name[0])
                range = &ranges[0];
        else if (strstr(info->dlpi_name, "/libc.so."))
                range = &ranges[1];
        for (int i = 0; range && i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *part = &info->dlpi_phdr[i];

                if (part->p_type == PT_LOAD && part->p_flags & PF_X)
                        *range = (struct range){info->dlpi_addr + part->p_vaddr,
                                                info->dlpi_addr + part->p_vaddr + part->p_memsz};
        }
        return 0;
}

static int fails(const void *caller)
{
        const char *text = getenv("FAMINE");
        uintptr_t at = (uintptr_t)caller;
        char *file;

        if (!text)
                return 0;
        if (!ranges[0].end)
                dl_iterate_phdr(look, NULL);
        if ((at < ranges[0].begin || at >= ranges[0].end) &&
            (at < ranges[1].begin || at >= ranges[1].end))
                return 0;
        if (++calls != strtol(text, &file, 10))
                return 0;
        close(open(file + 1, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        errno = ENOMEM;
        return 1;
}

PUBLIC void *malloc(size_t size)
{
        return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

PUBLIC void *calloc(size_t count, size_t size)
{
        return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

PUBLIC void *realloc(void *at, size_t size)
{
        return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(at, size);
}

PUBLIC void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
        return fails(__builtin_return_address(0))
                       ? MAP_FAILED
                       : (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}
