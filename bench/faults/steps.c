/* Stands between a process and the C library (LD_PRELOAD), counts each step by which files below one folder are changed, and at a
   chosen step kills the process, tears a write, or lets steps fail. Python's own writing and SQLite's both pass here.

   A step: opening a file that is made or emptied by it, write, truncate, sync (of a file or a folder), rename, unlink, mkdir, rmdir.
   SQLite's shared memory (-shm) is written through a mapping and is no step: it holds nothing that SQLite does not make anew.
   With a log, each step is written down with its data, for bench/faults/power.py. For one thread at a time. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { OFF, COUNT, KILL, TEAR, FAIL_ONCE, FAIL_ON };
enum { MOST_FILES = 4096, MOST_STEPS = 1 << 20 };

static int mode, error_number, log_file = -1;
static long steps, chosen;
static char watched[PATH_MAX], kinds[MOST_STEPS];
static char is_watched[MOST_FILES];

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* What a harness calls */

void faults_arm(const char *folder, int new_mode, long step, int error, int log) {
    snprintf(watched, sizeof watched, "%s", folder);
    memset(is_watched, 0, sizeof is_watched);
    mode = new_mode, chosen = step, error_number = error, log_file = log, steps = 0;
}

long faults_steps(void) { return steps; }

const char *faults_kinds(void) { return kinds; }

static void note(const char *format, ...) {
    char line[2 * PATH_MAX + 64];
    va_list values;
    int length;
    if (log_file < 0) return;
    va_start(values, format);
    length = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    dprintf(log_file, "%d ", length);
    if (write(log_file, line, length) != length) _exit(99);
}

static void note_data(const void *data, size_t length) {
    if (log_file >= 0 && write(log_file, data, length) != (ssize_t)length) _exit(99);
}

/* Stands in the log where a transaction has been acknowledged. */
void faults_mark(const char *what) { note("mark %s", what); }

/* Inside */

static int below(const char *path) {
    size_t length = strlen(watched);
    return mode != OFF && strncmp(path, watched, length) == 0 && (path[length] == '/' || path[length] == 0);
}

/* The whole path in `found`; 1 when it is watched. */
static int resolve(int folder, const char *path, char *found) {
    char link[64];
    ssize_t length = 0;
    if (mode == OFF) return 0;
    if (path[0] != '/') {
        if (folder == AT_FDCWD) {
            if (!getcwd(found, PATH_MAX)) return 0;
            length = strlen(found);
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
            length = readlink(link, found, PATH_MAX - 1);
            if (length < 0) return 0;
        }
        found[length++] = '/';
    }
    snprintf(found + length, PATH_MAX - length, "%s", path);
    return below(found);
}

static int watches(int file) { return mode != OFF && file >= 0 && file < MOST_FILES && is_watched[file]; }

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int takes_room(char kind) { return kind == 'w' || kind == 'o' || kind == 't' || kind == 'm'; }

/* Counts a step that is about to happen; the error that it is to end with, else 0. A full disk refuses only what takes room. */
static int step(char kind) {
    if (steps < MOST_STEPS) kinds[steps] = kind;
    steps++;
    if (mode == KILL && steps == chosen) die();
    if (mode == FAIL_ONCE && steps == chosen) return error_number;
    if (mode == FAIL_ON && steps >= chosen && takes_room(kind)) return error_number;
    return 0;
}

/* How much of a write is let through: half of it when it is to be torn, or when the disk gets full in its middle. */
static size_t let_through(size_t length) {
    if ((mode == TEAR && steps == chosen) || (mode == FAIL_ON && steps == chosen)) return length / 2;
    return length;
}

static int writes(int flags) { return flags & (O_CREAT | O_TRUNC); }

static int opened(int file, const char *path, int flags) {
    if (file >= 0 && file < MOST_FILES) {
        is_watched[file] = 1;
        note("open %d %d %s", file, (flags & O_TRUNC) != 0, path);
    }
    return file;
}

#define OPEN(call) \
    char path[PATH_MAX]; \
    mode_t rights = 0; \
    int error, here = resolve(folder, name, path); \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list values; \
        va_start(values, flags); \
        rights = va_arg(values, mode_t); \
        va_end(values); \
    } \
    if (here && writes(flags) && (error = step('o'))) return errno = error, -1; \
    int file = call; \
    if (file >= 0 && file < MOST_FILES) is_watched[file] = 0; \
    return here ? opened(file, path, flags) : file

int openat(int folder, const char *name, int flags, ...) {
    REAL(openat);
    OPEN(real(folder, name, flags, rights));
}

int openat64(int folder, const char *name, int flags, ...) {
    REAL(openat64);
    OPEN(real(folder, name, flags, rights));
}

int open(const char *name, int flags, ...) {
    int folder = AT_FDCWD;
    REAL(open);
    OPEN(real(name, flags, rights));
}

int open64(const char *name, int flags, ...) {
    int folder = AT_FDCWD;
    REAL(open64);
    OPEN(real(name, flags, rights));
}

int close(int file) {
    REAL(close);
    if (watches(file)) {
        note("close %d", file);
        is_watched[file] = 0;
    }
    return real(file);
}

#define WRITE(call, offset) \
    int error; \
    size_t part; \
    ssize_t done; \
    if (!watches(file)) { part = length; return call; } \
    error = step('w'); \
    part = let_through(length); \
    if (error && part == length) return errno = error, -1; \
    note("write %d %lld %zu", file, (long long)(offset), part); \
    note_data(data, part); \
    done = call; \
    if (mode == TEAR && steps == chosen) die(); \
    return done

ssize_t write(int file, const void *data, size_t length) {
    REAL(write);
    WRITE(real(file, data, part), lseek(file, 0, SEEK_CUR));
}

ssize_t pwrite(int file, const void *data, size_t length, off_t offset) {
    REAL(pwrite);
    WRITE(real(file, data, part, offset), offset);
}

ssize_t pwrite64(int file, const void *data, size_t length, off64_t offset) {
    REAL(pwrite64);
    WRITE(real(file, data, part, offset), offset);
}

/* Copying inside the kernel would pass by us: who copies is told to read and write. */
ssize_t sendfile(int out, int in, off_t *offset, size_t length) {
    REAL(sendfile);
    return watches(out) ? (errno = EINVAL, -1) : real(out, in, offset, length);
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t length) {
    REAL(sendfile64);
    return watches(out) ? (errno = EINVAL, -1) : real(out, in, offset, length);
}

ssize_t copy_file_range(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t length, unsigned flags) {
    REAL(copy_file_range);
    return watches(out) ? (errno = EINVAL, -1) : real(in, in_offset, out, out_offset, length, flags);
}

#define STEP_OF_FILE(kind, ...) \
    int error; \
    if (watches(file)) { \
        if ((error = step(kind))) return errno = error, -1; \
        note(__VA_ARGS__); \
    }

int fsync(int file) {
    REAL(fsync);
    STEP_OF_FILE('s', "sync %d", file)
    return real(file);
}

int fdatasync(int file) {
    REAL(fdatasync);
    STEP_OF_FILE('s', "sync %d", file)
    return real(file);
}

int ftruncate(int file, off_t length) {
    REAL(ftruncate);
    STEP_OF_FILE('t', "truncate %d %lld", file, (long long)length)
    return real(file, length);
}

int ftruncate64(int file, off64_t length) {
    REAL(ftruncate64);
    STEP_OF_FILE('t', "truncate %d %lld", file, (long long)length)
    return real(file, length);
}

#define STEP_OF_NAME(folder, name, kind, what, call) \
    char path[PATH_MAX]; \
    int error, here = resolve(folder, name, path); \
    if (here && (error = step(kind))) return errno = error, -1; \
    int done = call; \
    if (here && done == 0) note(what " %s", path); \
    return done

int unlink(const char *name) {
    REAL(unlink);
    STEP_OF_NAME(AT_FDCWD, name, 'u', "unlink", real(name));
}

int unlinkat(int folder, const char *name, int flags) {
    REAL(unlinkat);
    STEP_OF_NAME(folder, name, 'u', "unlink", real(folder, name, flags));
}

int rmdir(const char *name) {
    REAL(rmdir);
    STEP_OF_NAME(AT_FDCWD, name, 'u', "unlink", real(name));
}

int mkdir(const char *name, mode_t rights) {
    REAL(mkdir);
    STEP_OF_NAME(AT_FDCWD, name, 'm', "mkdir", real(name, rights));
}

int mkdirat(int folder, const char *name, mode_t rights) {
    REAL(mkdirat);
    STEP_OF_NAME(folder, name, 'm', "mkdir", real(folder, name, rights));
}

static int renamed(const char *from, const char *to, int done) {
    if (done == 0) note("rename %zu %s %s", strlen(from), from, to);
    return done;
}

#define RENAME(from_folder, to_folder, call) \
    char source[PATH_MAX], target[PATH_MAX]; \
    int error, from_here = resolve(from_folder, from, source), to_here = resolve(to_folder, to, target); \
    if (!from_here && !to_here) return call; \
    if ((error = step('r'))) return errno = error, -1; \
    return renamed(source, target, call)

int rename(const char *from, const char *to) {
    REAL(rename);
    RENAME(AT_FDCWD, AT_FDCWD, real(from, to));
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    REAL(renameat);
    RENAME(from_folder, to_folder, real(from_folder, from, to_folder, to));
}
