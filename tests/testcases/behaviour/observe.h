// What the groups of the comparison share: each operation gives one line, "group/name: what came of it", that is the
// same in every run on the same kernel and file system. So no descriptor numbers, inode numbers, process ids or times
// of day are in it, but what a program would notice of them.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The group that runs, and its own directory, absolute: it is empty at the start, and the working directory.
extern const char* group_name;
extern char here[PATH_MAX];

// Ends the program where the scene of an operation cannot be set up: that is no result.
void must(bool done, const char* what);

// One line. `name` has no ": " in it.
void line(const char* name, const char* format, ...) __attribute__((format(printf, 2, 3)));

// One line of several texts, for "%s" in `format`: what they come from is called in that order, where the arguments of a
// call may be evaluated in any.
void line_of(const char* name, const char* format, const char* const* texts, size_t count);
#define in_turn(name, format, ...)                                     \
    do {                                                               \
        const char* const texts_[] = {__VA_ARGS__};                    \
        line_of(name, format, texts_, sizeof texts_ / sizeof *texts_); \
    } while (0)

// The texts of these are valid until sixteen more have been asked for. They leave errno as it is.
const char* outcome(long returned);  // "ok", or the name of errno where it is -1
const char* state(
    const char* path);  // type, mode, links, size, a foreign owner, contents of small files, a link's target
const char* state_of(int fd);  // the same of an open file, without the contents
const char* opened(int fd);    // what an open gave: status and descriptor flags, offset. Does not close it
const char* shortened(const char* path);  // with the group's directory as "."

// Make the scene of an operation. Each ends the program where it cannot.
void put(const char* path, const char* text, mode_t mode);
void put_directory(const char* path, mode_t mode);
void put_link(const char* target, const char* path);
void clear(const char* path);  // removes all below that directory

// An operation and up to four paths that it may change: what it gave, then for each whether it is another object now,
// whether its mtime and ctime are others, and its state.
void begin_watch(const char* const* paths);
void end_watch(const char* name, long returned);
#define OBSERVE(name, call, ...)                               \
    do {                                                       \
        begin_watch((const char* const[]){__VA_ARGS__, NULL}); \
        const long returned_ = (long)(call);                   \
        end_watch(name, returned_);                            \
    } while (0)

// Runs `work` in a child and waits for it. False where that did not end with exit code 0.
bool in_child(void (*work)(void));
