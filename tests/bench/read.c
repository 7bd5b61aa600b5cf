/* read: what the octets of a file alone cost: read() in pieces of 256 KiB, and nothing else. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
        static char buffer[256 << 10];
        unsigned long long count = 0;
        int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
        ssize_t got;

        if (fd < 0) {
                fprintf(stderr, "usage: read FILE\n");
                return 1;
        }
        while ((got = read(fd, buffer, sizeof buffer)) > 0)
                count += (unsigned long long)got;
        printf("%llu\n", count);
        return got < 0;
}
