/*
 * Tries what code in a jail must not be able to do, one attempt a line: NAME WORD, where WORD is "OK" or the errno's number.
 * Each attempt runs in a child, so that what one does (a kill by a filter included) is not the end of the rest.
 *
 * battery HOST_MOUNT_NAMESPACE: refuses to start where the mount namespace is that one. Run bare, as root, these calls would
 * take the machine down.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/fsuid.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/swap.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsmount 432
#endif
#define SYS_mount_setattr_ 442
#define SYS_pidfd_getfd_ 438
#define SYS_process_madvise_ 440
#define X32 0x40000000

static long int80(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
    if (result < 0 && result > -4096) {
        errno = -result;
        return -1;
    }
    return result;
}

static void attempt(const char *name, long (*body)(void)) {
    int ends[2];
    if (pipe(ends) != 0) exit(97);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        errno = 0;
        long result = body();
        char word[16];
        int size = result >= 0 ? snprintf(word, sizeof word, "OK") : snprintf(word, sizeof word, "%d", errno);
        if (write(ends[1], word, size) != size) _exit(97);
        _exit(0);
    }
    close(ends[1]);
    char word[17] = "";
    ssize_t size = read(ends[0], word, 16);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (size <= 0 && WIFSIGNALED(status)) printf("%s signal-%d\n", name, WTERMSIG(status));
    else printf("%s %s\n", name, word);
    fflush(stdout);
}

#define ATTEMPT(name, expression) \
    static long try_##name(void) { return (long)(expression); }
#include "battery.h"
#undef ATTEMPT

int main(int argc, char **argv) {
    char link[128] = "";
    struct stat about;
    if (argc < 2) return 98;
    if (readlink("/proc/self/ns/mnt", link, sizeof link - 1) >= 0) {
        if (strcmp(link, argv[1]) == 0) return 98;
    } else if (stat("/opt/battery", &about) != 0 || access("/work", F_OK) == 0 || access("/root", F_OK) == 0) {
        return 98;
    }
#define ATTEMPT(name, expression) attempt(#name, try_##name);
#include "battery.h"
    return 0;
}
