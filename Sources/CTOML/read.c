// Reading a spec file that may be hostile: bounded, and without waiting on a FIFO or touching a device.
#define _GNU_SOURCE
#include "ctoml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ctoml_file failed(ctoml_file file, int32_t fault, int32_t error) {
    file.fault = fault;
    file.error = error;
    return file;
}

/// Opens without O_NOFOLLOW only after the kernel said that the path is a link: no race between asking and opening.
static int open_file(const char *path, bool *is_symlink) {
    // O_NONBLOCK: opening a FIFO for reading would otherwise wait for its writer, open(2).
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int fd = open(path, flags | O_NOFOLLOW);
    if (fd < 0 && errno == ELOOP) {
        *is_symlink = true;
        fd = open(path, flags);
    }
    return fd;
}

/// Reads to the end of the file or one byte past the limit: st_size is 0 in /proc, and a file may grow.
static bool read_all(int fd, ctoml_file *file, size_t limit) {
    size_t room = 0;
    for (;;) {
        if (file->length == room) {
            room = room ? room * 4 : 8192;
            if (room > limit + 1) room = limit + 1;
            char *more = realloc(file->bytes, room);
            if (!more) return false;
            file->bytes = more;
        }
        ssize_t n = read(fd, file->bytes + file->length, room - file->length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n == 0;
        file->length += (size_t)n;
        if (file->length > limit) return true;
    }
}

ctoml_file ctoml_read(const char *path, size_t limit) {
    ctoml_file file = {0};
    struct stat facts;
    // Opening a device can have effects (a tape rewinds, a watchdog starts), so ask first; fstat(2) below is what counts.
    if (stat(path, &facts) < 0) return failed(file, ctoml_read_failed, errno);
    if (!S_ISREG(facts.st_mode)) return failed(file, ctoml_read_not_regular, S_ISDIR(facts.st_mode) ? EISDIR : 0);

    int fd = open_file(path, &file.is_symlink);
    if (fd < 0) return failed(file, ctoml_read_failed, errno);
    int error = 0;
    if (fstat(fd, &facts) < 0) {
        error = errno;
        close(fd);
        return failed(file, ctoml_read_failed, error);
    }
    file.device = facts.st_dev;
    file.inode = facts.st_ino;
    file.owner = facts.st_uid;
    file.mode = facts.st_mode & 07777;
    if (!S_ISREG(facts.st_mode)) {
        close(fd);
        return failed(file, ctoml_read_not_regular, 0);
    }
    if (facts.st_size > (off_t)limit) {
        close(fd);
        return failed(file, ctoml_read_too_large, 0);
    }
    if (!read_all(fd, &file, limit)) error = errno;
    close(fd);
    if (error) return failed(file, ctoml_read_failed, error);
    if (file.length > limit) return failed(file, ctoml_read_too_large, 0);
    return file;
}

void ctoml_file_free(ctoml_file *file) {
    free(file->bytes);
    file->bytes = NULL;
}

// Both since glibc 2.32; neither depends on the locale.
const char *ctoml_error_name(int32_t error) { return strerrorname_np(error); }
const char *ctoml_error_words(int32_t error) { return strerrordesc_np(error); }
