#include "call.h"

#include <limits.h>
#include <linux/futex.h>

uint32_t *linux_shared_page(void) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}

uint32_t linux_load(uint32_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
void linux_store(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_SEQ_CST); }

int linux_exchange(uint32_t *word, uint32_t expected, uint32_t wanted) {
    return __atomic_compare_exchange_n(word, &expected, wanted, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Not FUTEX_PRIVATE_FLAG: the word is another process's, too. */
void linux_wait_word(uint32_t *word, uint32_t value) { linux_call(SYS_futex, (long)word, FUTEX_WAIT, value, 0); }
void linux_wake_word(uint32_t *word) { linux_call(SYS_futex, (long)word, FUTEX_WAKE, INT32_MAX, 0); }

/* The lowest signal of the mask that waits for the caller, which blocks it; 0 where none does. */
static int pending(uint64_t wanted) {
    uint64_t found = 0;
    linux_call(SYS_rt_sigpending, (long)&found, sizeof found, 0, 0);
    found &= wanted;
    return found ? __builtin_ctzll(found) + 1 : 0;
}

/* Waits for the end of the process behind a pidfd, or for a descriptor; whether the process has ended. */
static int wait_for_end(int process, int other, long milliseconds) {
    struct pollfd watches[] = {{.fd = process, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    const struct timespec limit = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    linux_call(SYS_ppoll, (long)watches, 2, (long)&limit, 0);
    return watches[0].revents != 0;
}

static long now(void) {
    struct timespec time = {0};
    linux_call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* The caller runs meanwhile with nothing but its own stack: the memory of the C library, errno included, is the other's. */
static int beside(void *stack, int (*body)(void *), void *context, int signals, uint64_t ending, long limit) {
    const long due = limit < 0 ? LONG_MAX : now() + limit;
    int process = -1, reason = 0;
    int child = clone(body, stack, CLONE_VM | CLONE_FILES | CLONE_PIDFD | SIGCHLD, context, &process);
    if (child < 0) return -1;
    int ended = 0;
    while (!reason && !(ended = wait_for_end(process, signals, 50))) {
        if ((reason = pending(ending)) || (reason = now() >= due ? -ETIMEDOUT : 0)) break;
        /* A signal of another kind is still there: the descriptor stays readable. */
        if (signals >= 0) ended = wait_for_end(process, -1, 5);
        if (ended) break;
    }
    /* Whoever does not end within 50 ms more stands in the kernel, and holds nothing of the memory in its hands. */
    if (!ended && !wait_for_end(process, -1, 50)) {
        linux_call(SYS_kill, child, SIGKILL, 0, 0);
        wait_for_end(process, -1, 1000);
    }
    linux_call(SYS_wait4, child, 0, WNOHANG | __WALL, 0);
    linux_call(SYS_close, process, 0, 0, 0);
    return reason;
}

int linux_do_beside(int (*body)(void *), void *context, int signals, uint64_t ending, long limit) {
    static char stack[1 << 20] __attribute__((aligned(16)));
    int reason = beside(stack + sizeof stack, body, context, signals, ending, limit);
    if (reason >= -1) return reason;
    errno = -reason;
    return -1;
}

/* What is to be written, in the memory that two processes share. */
struct writing {
    int descriptor;
    const char *bytes;
    size_t length;
    volatile size_t written;
    volatile long error;
};

static int write_all(void *context) {
    struct writing *writing = context;
    while (writing->written < writing->length) {
        long count = linux_call(SYS_write, writing->descriptor, (long)(writing->bytes + writing->written),
                                (long)(writing->length - writing->written), 0);
        if (count == -EINTR) continue;
        if (count <= 0) {
            writing->error = count ? -count : EIO;
            break;
        }
        writing->written += (size_t)count;
    }
    linux_call(SYS_exit, 0, 0, 0, 0);
    return 0;
}

ssize_t linux_write_within(int descriptor, const void *bytes, size_t length, long limit) {
    static int stalled = -1;
    struct writing writing = {.descriptor = descriptor, .bytes = bytes, .length = length};
    if (stalled == descriptor) {
        struct pollfd watch = {.fd = descriptor, .events = POLLOUT};
        if (poll(&watch, 1, 0) == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        stalled = -1;
    }
    /* Its own: what is done beside may write as well. */
    static char stack[8192] __attribute__((aligned(16)));
    int reason = beside(stack + sizeof stack, write_all, &writing, -1, 0, limit);
    /* No process more: then it is written here, and waits as long as that takes. */
    if (reason == -1) return write(descriptor, bytes, length);
    if (reason) stalled = descriptor;
    if (writing.written == length || (!reason && writing.written)) return (ssize_t)writing.written;
    errno = reason ? ETIMEDOUT : (int)writing.error;
    return -1;
}

int linux_try_call(long number, const long arguments[6], unsigned long namespaces) {
    long child = syscall(SYS_clone, namespaces | SIGCHLD, 0, 0, 0, 0);
    if (child < 0 && namespaces) child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        /* A filter that kills leaves a core otherwise. */
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        const long *a = arguments;
        _exit(syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]) < 0 ? errno : 0);
    }
    int status = 0;
    while (child > 0 && waitpid((pid_t)child, &status, 0) < 0)
        if (errno != EINTR) return -2;
    if (child < 0) return -2;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
