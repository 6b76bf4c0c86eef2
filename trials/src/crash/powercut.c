/* A disk that can lose what was not synced. Loaded before libc (LD_PRELOAD), it stands between a
 * program and the files of one folder, and writes down how to undo every write, truncation, creation
 * and removal that no fsync has made durable yet. The journal is shared memory: it outlives a kill, and
 * several processes share it. Whoever reads it is `disk.rs`, which describes the same layout.
 *
 * A call that it cannot undo ends the process: a simulator that loses too little proves nothing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES = 256, FDS = 65536, PATH = 504, HEADER = 4096 };
enum { WRITE = 1, TRUNCATE = 2, CREATE = 3, UNLINK = 4 };

struct file {
    uint32_t used;
    uint32_t pad;
    char path[PATH];
};

struct header {
    uint64_t ready;      /* set once the lock is made */
    uint64_t tail;       /* bytes of the arena in use */
    uint64_t sequence;   /* of the last record */
    uint64_t lies;       /* set from outside: fsync says yes and does nothing */
    uint64_t sync_us;    /* set from outside: the longest time that an fsync takes */
    uint64_t syncs;      /* how many there were */
    uint64_t arena;      /* its size, set from outside */
    pthread_mutex_t lock;
};

struct record {
    uint64_t sequence;
    uint32_t kind;
    uint32_t file;
    uint64_t offset;     /* of a write; what a truncation left */
    uint64_t span;       /* how much was written */
    uint64_t length;     /* of the file before */
    uint64_t saved;      /* bytes that follow: what stood there; the path that was removed */
    uint32_t durable;
    uint32_t pad;
};

static struct header *journal;
static struct file *files;
static char *arena;
static const char *folder;
static size_t folder_bytes;
static uint32_t watched[FDS]; /* by descriptor: file + 1 */
static uint32_t folders[FDS]; /* by descriptor: whether it is the folder itself */

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static int (*real_dup)(int);
static int (*real_dup3)(int, int, int);
static int (*real_fcntl)(int, int, ...);
static int (*real_fsync)(int);
static int (*real_ftruncate)(int, off64_t);
static int (*real_unlink)(const char *);
static int (*real_unlinkat)(int, const char *, int);
static int (*real_rename)(const char *, const char *);
static void *(*real_mmap)(void *, size_t, int, int, int, off64_t);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);

static void find(void) {
    if (real_write)
        return;
    real_open = dlsym(RTLD_NEXT, "open64");
    real_openat = dlsym(RTLD_NEXT, "openat64");
    real_close = dlsym(RTLD_NEXT, "close");
    real_dup = dlsym(RTLD_NEXT, "dup");
    real_dup3 = dlsym(RTLD_NEXT, "dup3");
    real_fcntl = dlsym(RTLD_NEXT, "fcntl64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_unlinkat = dlsym(RTLD_NEXT, "unlinkat");
    real_rename = dlsym(RTLD_NEXT, "rename");
    real_mmap = dlsym(RTLD_NEXT, "mmap64");
    real_writev = dlsym(RTLD_NEXT, "writev");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_write = dlsym(RTLD_NEXT, "write");
}

static void give_up(const char *why, const char *what) {
    char text[768];
    int bytes = snprintf(text, sizeof text, "powercut: %s: %s\n", why, what);
    if (bytes > 0 && real_write(2, text, (size_t)bytes) < 0)
        abort();
    abort();
}

static void lock(void) {
    if (pthread_mutex_lock(&journal->lock) == EOWNERDEAD)
        pthread_mutex_consistent(&journal->lock);
}

static void unlock(void) { pthread_mutex_unlock(&journal->lock); }

/* The whole path of a file in the folder; 0 if it is elsewhere, or is not durable by its nature. */
static int in_folder(const char *path, char whole[PATH]) {
    if (!journal || !path)
        return 0;
    int bytes;
    if (path[0] == '/') {
        bytes = snprintf(whole, PATH, "%s", path);
    } else {
        char here[PATH];
        if (!getcwd(here, sizeof here))
            return 0;
        bytes = snprintf(whole, PATH, "%s/%s", here, path);
    }
    if (bytes < 0 || bytes >= PATH || strncmp(whole, folder, folder_bytes))
        return 0;
    /* SQLite's index of the log is memory that several processes share, and is made anew. */
    size_t length = strlen(whole);
    return whole[folder_bytes] == '/' && strcmp(whole + length - 4, "-shm") != 0;
}

static uint32_t file_of(const char *whole) {
    uint32_t at = 0;
    while (at < FILES && files[at].used && strcmp(files[at].path, whole))
        at++;
    if (at == FILES)
        give_up("too many files", whole);
    if (!files[at].used) {
        strcpy(files[at].path, whole);
        files[at].used = 1;
    }
    return at;
}

/* Files that a shell has opened for this program. */
static void inherit(void) {
    for (int fd = 0; fd < 64; fd++) {
        char link[64], path[PATH], whole[PATH];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t bytes = readlink(link, path, sizeof path - 1);
        if (bytes <= 0)
            continue;
        path[bytes] = 0;
        if (path[0] == '/' && in_folder(path, whole)) {
            lock();
            watched[fd] = file_of(whole) + 1;
            unlock();
        }
    }
}

__attribute__((constructor)) static void begin(void) {
    find();
    folder = getenv("POWERCUT_FOLDER");
    const char *path = getenv("POWERCUT_JOURNAL");
    if (!folder || !path)
        return;
    folder_bytes = strlen(folder);
    int fd = real_open(path, O_RDWR | O_CLOEXEC);
    struct stat found;
    if (fd < 0 || flock(fd, LOCK_EX) || fstat(fd, &found))
        give_up("the journal cannot be opened", path);
    size_t size = (size_t)found.st_size;
    char *memory = real_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        give_up("the journal cannot be mapped", path);
    struct header *header = (struct header *)memory;
    if (!header->ready) {
        pthread_mutexattr_t how;
        pthread_mutexattr_init(&how);
        pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
        pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init(&header->lock, &how);
        header->ready = 1;
    }
    flock(fd, LOCK_UN);
    real_close(fd);
    files = (struct file *)(memory + HEADER);
    arena = memory + HEADER + FILES * sizeof(struct file);
    journal = header;
    inherit();
}

/* The place of the next record, which is not in the journal before `keep`. */
static struct record *next(uint32_t kind, uint32_t file, uint64_t room) {
    uint64_t tail = journal->tail;
    if (tail + sizeof(struct record) + room + 8 > journal->arena)
        give_up("the journal is full", files[file].path);
    struct record *record = (struct record *)(arena + tail);
    memset(record, 0, sizeof *record);
    record->sequence = ++journal->sequence;
    record->kind = kind;
    record->file = file;
    return record;
}

static void keep(struct record *record) {
    uint64_t bytes = sizeof *record + ((record->saved + 7) & ~(uint64_t)7);
    __atomic_store_n(&journal->tail, journal->tail + bytes, __ATOMIC_SEQ_CST);
}

static uint64_t length_of(int fd) {
    struct stat found;
    if (fstat(fd, &found))
        give_up("a file has no length", "fstat");
    return (uint64_t)found.st_size;
}

static void note_write(int fd, uint64_t offset, uint64_t span) {
    struct record *record = next(WRITE, watched[fd] - 1, span);
    record->offset = offset;
    record->span = span;
    record->length = length_of(fd);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t saved = pread64(fd, record + 1, span, (off64_t)offset);
    if (saved < 0) {
        int reader = real_open(path, O_RDONLY | O_CLOEXEC);
        saved = reader < 0 ? -1 : pread64(reader, record + 1, span, (off64_t)offset);
        if (reader >= 0)
            real_close(reader);
    }
    if (saved < 0)
        give_up("what is written over cannot be read", files[record->file].path);
    record->saved = (uint64_t)saved;
    keep(record);
}

static int opened(int fd, uint32_t file) {
    if (fd >= FDS)
        give_up("too many descriptors", files[file].path);
    if (fd >= 0)
        watched[fd] = file + 1;
    return fd;
}

static int truncated(int fd, off64_t length) {
    uint64_t now = length_of(fd);
    uint64_t cut = now > (uint64_t)length ? now - (uint64_t)length : 0;
    struct record *record = next(TRUNCATE, watched[fd] - 1, cut);
    record->offset = (uint64_t)length;
    record->length = now;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int reader = real_open(path, O_RDONLY | O_CLOEXEC);
    if (reader < 0 || pread64(reader, record + 1, cut, length) != (ssize_t)cut)
        give_up("what is cut off cannot be read", files[record->file].path);
    real_close(reader);
    record->saved = cut;
    keep(record);
    return real_ftruncate(fd, length);
}

static int open_in_folder(const char *whole, int flags, mode_t mode) {
    lock();
    uint32_t file = file_of(whole);
    struct record *made = NULL;
    if ((flags & O_CREAT) && access(whole, F_OK)) {
        made = next(CREATE, file, 0);
        keep(made);
    }
    int fd = opened(real_open(whole, flags & ~O_TRUNC, mode), file);
    int error = errno;
    if (fd < 0 && made)
        made->durable = 1;
    if (fd >= 0 && (flags & O_TRUNC) && truncated(fd, 0))
        give_up("a file cannot be emptied", whole);
    unlock();
    errno = error;
    return fd;
}

int open64(const char *path, int flags, ...) {
    find();
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    char whole[PATH];
    if (in_folder(path, whole) && !(flags & O_DIRECTORY))
        return open_in_folder(whole, flags, mode);
    int fd = real_open(path, flags, mode);
    if (fd >= 0 && fd < FDS && journal)
        folders[fd] = !strcmp(path, folder);
    return fd;
}

int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    return open64(path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) {
    find();
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    if (at == AT_FDCWD)
        return open64(path, flags, mode);
    if (at >= 0 && at < FDS && folders[at] && (flags & (O_WRONLY | O_RDWR)))
        give_up("a file is opened through its folder", path);
    return real_openat(at, path, flags, mode);
}

int close(int fd) {
    find();
    if (fd >= 0 && fd < FDS)
        watched[fd] = folders[fd] = 0;
    return real_close(fd);
}

static int copied(int from, int to) {
    if (to >= 0 && to < FDS && from >= 0 && from < FDS) {
        watched[to] = watched[from];
        folders[to] = folders[from];
    }
    return to;
}

int dup(int fd) {
    find();
    return copied(fd, real_dup(fd));
}

int dup3(int from, int to, int flags) {
    find();
    return copied(from, real_dup3(from, to, flags));
}

int dup2(int from, int to) { return from == to ? to : dup3(from, to, 0); }

int fcntl64(int fd, int command, ...) {
    find();
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    int result = real_fcntl(fd, command, argument);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? copied(fd, result) : result;
}

int fcntl(int fd, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return fcntl64(fd, command, argument);
}

static int is_watched(int fd) { return journal && fd >= 0 && fd < FDS && watched[fd]; }

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    find();
    if (!is_watched(fd))
        return real_pwrite(fd, bytes, count, offset);
    lock();
    note_write(fd, (uint64_t)offset, count);
    ssize_t written = real_pwrite(fd, bytes, count, offset);
    unlock();
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    return pwrite64(fd, bytes, count, offset);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    find();
    if (!is_watched(fd))
        return real_write(fd, bytes, count);
    lock();
    off64_t offset = lseek64(fd, 0, SEEK_CUR);
    if (real_fcntl(fd, F_GETFL) & O_APPEND)
        offset = (off64_t)length_of(fd);
    note_write(fd, (uint64_t)offset, count);
    ssize_t written = real_write(fd, bytes, count);
    unlock();
    return written;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    find();
    if (is_watched(fd))
        give_up("a file is written in parts", files[watched[fd] - 1].path);
    return real_writev(fd, parts, count);
}

int ftruncate64(int fd, off64_t length) {
    find();
    if (!is_watched(fd))
        return real_ftruncate(fd, length);
    lock();
    int result = truncated(fd, length);
    unlock();
    return result;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

void *mmap64(void *at, size_t bytes, int may, int flags, int fd, off64_t offset) {
    find();
    if (is_watched(fd) && (flags & MAP_SHARED) && (may & PROT_WRITE))
        give_up("a file is written through memory", files[watched[fd] - 1].path);
    return real_mmap(at, bytes, may, flags, fd, offset);
}

void *mmap(void *at, size_t bytes, int may, int flags, int fd, off_t offset) {
    return mmap64(at, bytes, may, flags, fd, offset);
}

int unlink(const char *path) {
    find();
    char whole[PATH], gone[PATH];
    if (!in_folder(path, whole) || access(whole, F_OK))
        return real_unlink(path);
    lock();
    uint32_t file = file_of(whole);
    uint64_t bytes = strlen(whole);
    struct record *record = next(UNLINK, file, bytes);
    memcpy(record + 1, whole, bytes);
    record->saved = bytes;
    if (snprintf(gone, PATH, "%s.gone-%lu", whole, (unsigned long)record->sequence) >= PATH)
        give_up("a path is too long", whole);
    strcpy(files[file].path, gone);
    keep(record);
    int result = real_rename(whole, gone);
    unlock();
    return result;
}

int unlinkat(int at, const char *path, int flags) {
    find();
    if (at == AT_FDCWD && !(flags & AT_REMOVEDIR))
        return unlink(path);
    if (at >= 0 && at < FDS && folders[at])
        give_up("a file is removed through its folder", path);
    return real_unlinkat(at, path, flags);
}

int rename(const char *from, const char *to) {
    find();
    char whole[PATH];
    if (in_folder(from, whole) || in_folder(to, whole))
        give_up("a file is renamed", whole);
    return real_rename(from, to);
}

/* What was written before the sync began is durable once it has returned. */
static void settle(uint64_t until, int is_folder, uint32_t file) {
    int all = 1;
    for (uint64_t at = 0; at < journal->tail;) {
        struct record *record = (struct record *)(arena + at);
        int of_folder = record->kind == CREATE || record->kind == UNLINK;
        int meant = is_folder ? of_folder : !of_folder && record->file == file;
        if (!record->durable && meant && record->sequence <= until) {
            if (record->kind == UNLINK)
                real_unlink(files[record->file].path);
            record->durable = 1;
        }
        all &= (int)record->durable;
        at += sizeof *record + ((record->saved + 7) & ~(uint64_t)7);
    }
    if (all)
        __atomic_store_n(&journal->tail, 0, __ATOMIC_SEQ_CST);
}

int fsync(int fd) {
    find();
    int is_folder = journal && fd >= 0 && fd < FDS && folders[fd];
    if (!is_folder && !is_watched(fd))
        return real_fsync(fd);
    lock();
    uint32_t file = is_folder ? 0 : watched[fd] - 1;
    uint64_t until = journal->sequence;
    uint64_t dice = (++journal->syncs + until) * 0x9e3779b97f4a7c15u;
    unlock();
    if (journal->sync_us)
        usleep((useconds_t)((dice >> 33) % journal->sync_us));
    lock();
    if (!journal->lies)
        settle(until, is_folder, file);
    unlock();
    return 0;
}

int fdatasync(int fd) { return fsync(fd); }
