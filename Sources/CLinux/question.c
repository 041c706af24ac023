#include "call.h"

#include <linux/futex.h>

/* seccomp_unotify(2): the kernel writes as many bytes as its own structures have, which may be more than ours. */
static struct seccomp_notif_sizes sizes;

static int know_sizes(void) {
    if (sizes.seccomp_notif) return 0;
    return (int)syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes);
}

int linux_seccomp_listen(const struct sock_filter *program, unsigned short length) {
    struct sock_fprog filter = {.len = length, .filter = (struct sock_filter *)program};
    const unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
    /* Linux 5.19: without it a signal takes a question back that has been read, and the call is made and asked again. */
    const unsigned long killable = 1UL << 5;
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | killable, &filter);
    if (listener >= 0 || errno != EINVAL) return listener;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

/* Linux 6.6, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP: who waits and who answers run on one processor, one after the other. Elsewhere it
   is as slow as it was. */
void linux_seccomp_hasten(int listener) {
    ioctl(listener, _IOW('!', 4, uint64_t), 1UL);
}

int linux_seccomp_receive(int listener, struct linux_question *question) {
    union {
        struct seccomp_notif known;
        char space[512];
    } buffer = {0};
    if (know_sizes() < 0) return -1;
    if (sizes.seccomp_notif > sizeof buffer) {
        errno = E2BIG;
        return -1;
    }
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &buffer) < 0) return -1;
    question->id = buffer.known.id;
    question->thread = (int32_t)buffer.known.pid;
    question->number = buffer.known.data.nr;
    question->architecture = buffer.known.data.arch;
    for (int i = 0; i < 6; i++) question->arguments[i] = buffer.known.data.args[i];
    return 0;
}

int linux_seccomp_answer(int listener, uint64_t id, int error) {
    union {
        struct seccomp_notif_resp known;
        char space[512];
    } buffer = {0};
    if (know_sizes() < 0) return -1;
    if (sizes.seccomp_notif_resp > sizeof buffer) {
        errno = E2BIG;
        return -1;
    }
    buffer.known.id = id;
    buffer.known.error = -error;
    buffer.known.flags = error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &buffer);
}

int linux_seccomp_give(int listener, uint64_t id, int descriptor, int number) {
    struct seccomp_notif_addfd gift = {.id = id, .flags = SECCOMP_ADDFD_FLAG_SETFD, .srcfd = (uint32_t)descriptor, .newfd = (uint32_t)number, .newfd_flags = O_CLOEXEC};
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &gift);
}

int linux_seccomp_is_pending(int listener, uint64_t id) { return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0; }

/* process_vm_readv(2): as far as the next page, of which nothing need be mapped. */
long linux_read_memory(int thread, uint64_t address, void *buffer, size_t count) {
    const uint64_t page = 4096;
    size_t done = 0;
    while (done < count) {
        size_t part = page - (address + done) % page;
        if (part > count - done) part = count - done;
        struct iovec here = {(char *)buffer + done, part}, there = {(void *)(uintptr_t)(address + done), part};
        long found = syscall(SYS_process_vm_readv, thread, &here, 1UL, &there, 1UL, 0UL);
        if (found < 0 && done == 0) return -1;
        if (found <= 0) break;
        done += (size_t)found;
        if ((size_t)found < part) break;
    }
    return (long)done;
}

long linux_read_text(int thread, uint64_t address, char *buffer, size_t count) {
    const size_t usual = 128;
    size_t done = 0;
    while (done < count) {
        /* Most paths are short. */
        size_t part = done == 0 && usual < count ? usual : count - done;
        long found = linux_read_memory(thread, address + done, buffer + done, part);
        if (found < 0 && done == 0) return -1;
        if (found <= 0) break;
        char *end = memchr(buffer + done, 0, (size_t)found);
        if (end) return end - buffer;
        done += (size_t)found;
        if ((size_t)found < part) break;
    }
    errno = ENAMETOOLONG;
    return -1;
}

/* futex(2), FUTEX_WAIT. */
static void wait_while_set(volatile int *word, const struct timespec *timeout) {
    linux_call(SYS_futex, (long)word, FUTEX_WAIT, 1, (long)timeout);
}

/* The filter holds from the moment that the listener exists: the child may be unable to make any further call, so it
   cannot send the descriptor. It shares the caller's table of descriptors instead (exec gives it one of its own), and
   says in memory, which is shared as well, which number it is; the caller, which is not filtered, sends it. Unlike after
   vfork(2) the caller runs meanwhile, with nothing but its stack: the memory of the C library, errno included, is the
   child's until CLONE_CHILD_CLEARTID tells that it has executed or ended. */
int linux_vfork_listening(int (*body)(void *), void *context, volatile int *slot, int channel, unsigned char kind) {
    const size_t size = 1 << 20;
    const struct timespec soon = {.tv_nsec = 20000}, later = {.tv_nsec = 100000000};
    volatile int running = 1;
    char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) return -1;
    int child = clone(body, stack + size, CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID | SIGCHLD, context, NULL, NULL,
                      (int *)&running);
    int saved = child < 0 ? errno : 0;
    if (child >= 0) {
        while (running && *slot == -1) wait_while_set(&running, &soon);
        if (*slot >= 0) {
            unsigned char message[5] = {kind, (unsigned char)(child >> 24), (unsigned char)(child >> 16),
                                        (unsigned char)(child >> 8), (unsigned char)child};
            /* Where it cannot be sent the child must not go on: its calls would wait for ever. */
            if (linux_send_message(channel, message, sizeof message, *slot) < 0) kill(child, SIGKILL);
        }
        /* Kernels before 5.17 leave the word as it is where a core is dumped: look for an end, too. */
        siginfo_t end = {.si_pid = 0};
        while (running && end.si_pid == 0) {
            wait_while_set(&running, &later);
            waitid(P_PID, (id_t)child, &end, WEXITED | WNOHANG | WNOWAIT);
        }
        if (*slot >= 0) close(*slot);
    }
    munmap(stack, size);
    errno = saved;
    return child;
}
