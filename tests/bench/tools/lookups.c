// Looks for names that are not to be seen. Arguments: a directory, how many names, lookups of each in a row. Prints
// seconds, and how many were found.
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const long names = atol(argv[2]), each = atol(argv[3]);
    long found = 0;
    char path[4200];
    struct stat s;
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (long at = 0; at < names; ++at) {
        snprintf(path, sizeof path, "%s/none-%ld", argv[1], at);
        for (long again = 0; again < each; ++again) found += lstat(path, &s) == 0;
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("%.6f %ld\n",
           (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9, found);
    return 0;
}
