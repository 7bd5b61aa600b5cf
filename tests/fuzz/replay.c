/*
 * replay: runs every file of the folders given (or a file itself) through a fuzz target, as a plain
 * test, under any compiler. Each input lies right before an unreadable page.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
        static uint8_t bytes[PAGE_ROOM];
        FILE *file = fopen(path, "rb");
        size_t length;

        if (!file) {
                fprintf(stderr, "%s: %s\n", path, strerror(errno));
                return -1;
        }
        length = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        fprintf(stderr, "%s\n", path); /* the last line names the input that failed */
        LLVMFuzzerTestOneInput(page_place(bytes, length), length);
        return 1;
}

static int run_folder(const char *path)
{
        struct dirent **list;
        int count = scandir(path, &list, NULL, alphasort);
        int ran = 0;

        for (int i = 0; i < count; i++) {
                char file[4096];

                if (list[i]->d_name[0] != '.') {
                        snprintf(file, sizeof file, "%s/%s", path, list[i]->d_name);
                        ran += run_file(file) == 1;
                }
                free(list[i]);
        }
        if (count >= 0)
                free(list);
        return ran;
}

int main(int argc, char **argv)
{
        int ran = 0;

        for (int i = 1; i < argc; i++) {
                struct stat s;
                int r;

                if (stat(argv[i], &s) < 0) {
                        fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
                        return 1;
                }
                r = S_ISDIR(s.st_mode) ? run_folder(argv[i]) : run_file(argv[i]);
                if (r < 1) {
                        fprintf(stderr, "%s: no input there\n", argv[i]);
                        return 1;
                }
                ran += r;
        }
        printf("%d inputs\n", ran);
        return ran > 0 ? 0 : 1;
}
