// The stopwatch: starts programs with vfork and execve and takes the time to their end, so that what is measured is
// the launcher and not the harness. It says nothing of jails; `run` chooses what is started and words the result.
//
//   launch [--user UID:GID] [--mounts N:DIR] [--trap] [--cpu] [--rounds N] [--budget MS] -- A ... ';;' B ...
//       N interleaved rounds over all candidates; one line each: `index status nanoseconds...`; who would need more
//       than the budget sits out evenly spread rounds, but keeps ten; --cpu takes the processor's time, that of the
//       jail included, in place of the time that passes: other load moves it less
//   launch [--user UID:GID] --jobs K --count N -- A ...
//       N launches, K in flight; one line: `failures nanoseconds`
//   launch [--user UID:GID] --hold K -- A ...
//       K at once, each of which writes a byte when its command runs; `pids nanoseconds`; held until stdin ends
//
// The word @N in an argument becomes a number that is never used twice (container names must be unique), @C the number
// of a copy of the program, the next one in each round.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CANDIDATES = 32, ARGUMENTS = 128, COPIES = 6 };

static struct {
    int rounds, warmup, budget, jobs, count, hold, trap, cpu, mounts;
    const char *mount_dir, *user;
    char **candidate[CANDIDATES];
    int candidates;
} options = {.rounds = 100, .warmup = COPIES, .budget = 1000000};

static int round_number;

static void check(long result, const char *step) {
    if (result >= 0) return;
    dprintf(2, "launch: %s: %s\n", step, strerror(errno));
    exit(1);
}

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// A tree of N mounts, in a mount namespace of this process: it is gone when this process is.
static void make_mounts(int count, const char *dir) {
    char path[4096];
    check(unshare(CLONE_NEWNS), "unshare");
    check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private propagation");
    check(mount("tmpfs", dir, "tmpfs", 0, "mode=755"), dir);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%d", dir, i);
        check(mkdir(path, 0755), path);
        check(mount(path, path, NULL, MS_BIND, NULL), path);
    }
}

static void become(const char *user) {
    unsigned uid, gid;
    if (sscanf(user, "%u:%u", &uid, &gid) != 2) check(-1, "--user");
    check(setgroups(0, NULL), "setgroups");
    check(setresgid(gid, gid, gid), "setresgid");
    check(setresuid(uid, uid, uid), "setresuid");
}

// The first call that makes or joins a namespace ends the program with SIGSYS. clone3 is trapped as a whole, its
// since its flags are behind a pointer. A trap and not a kill: the kernel logs kills, and a console can be slow.
static void trap_namespaces(void) {
    enum { NEW = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS };
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setns, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NEW, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    // One byte: too small for a core file, and core(5) takes exactly 1 as "no dump" for a piped core_pattern too.
    struct rlimit none = {1, 1};
    check(setrlimit(RLIMIT_CORE, &none), "setrlimit");
    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
    check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
}

// The arguments with @N and @C replaced; the numbered copies live in two static buffers until the next call.
static char **numbered(char **argv) {
    static char *copy[ARGUMENTS], text[8][256];
    static int serial;
    int used = 0, i;
    serial++;
    for (i = 0; argv[i]; i++) {
        char *unique = strstr(argv[i], "@N"), *program = strstr(argv[i], "@C");
        copy[i] = argv[i];
        if ((unique == NULL && program == NULL) || used == 8) continue;
        if (unique) snprintf(text[used], sizeof *text, "%.*s%d-%d", (int)(unique - argv[i]), argv[i], getpid(), serial);
        else snprintf(text[used], sizeof *text, "%.*s%d", (int)(program - argv[i]), argv[i], round_number % COPIES);
        copy[i] = text[used++];
    }
    copy[i] = NULL;
    return copy;
}

static pid_t start(char **argv, int output) {
    char **words = numbered(argv);
    pid_t pid = vfork();
    check(pid, "vfork");
    if (pid > 0) return pid;
    // If this harness is killed, what it started ends too, and with that (die_with_parent) the jail.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (output >= 0) dup2(output, 1);
    execv(words[0], words);
    _exit(127);
}

static long long nanoseconds(struct timeval time) { return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL; }

static int status_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

static long long timed(char **argv, int *status) {
    int result;
    struct rusage usage;
    long long begin = now();
    pid_t pid = start(argv, -1);
    while (wait4(pid, &result, 0, &usage) < 0) check(errno == EINTR ? 0 : -1, "wait4");
    long long end = now();
    *status = status_of(result);
    // What a launcher leaves behind, as bubblewrap does, is handed to us: thousands of zombies in one process group would
    // cost every exit a walk over all of them (kernel/exit.c, will_become_orphaned_pgrp).
    while (waitpid(-1, NULL, WNOHANG) > 0) continue;
    return options.cpu ? nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime) : end - begin;
}

// Every how many rounds a candidate takes part whose one launch takes `time`.
static int stride_for(long long time) {
    long long stride = time * options.rounds / (options.budget * 1000000LL) + 1;
    long long most = options.rounds / 10 > 0 ? options.rounds / 10 : 1;
    return stride < most ? stride : most;
}

static void run_rounds(void) {
    static int failed[CANDIDATES], stride[CANDIDATES];
    int n = options.candidates, expected = options.trap ? 128 + SIGSYS : 0;
    long long *samples = calloc((size_t)n * options.rounds, sizeof *samples);
    for (int round = -options.warmup; round < options.rounds; round++) {
        // Another order each round: what a jail leaves to the kernel's workers, they do during the launch after it.
        int order[CANDIDATES], status;
        round_number = round + options.warmup;
        for (int i = 0; i < n; i++) {
            int j = (int)(lrand48() % (i + 1));
            order[i] = order[j];
            order[j] = i;
        }
        for (int i = 0; i < n; i++) {
            int who = order[i];
            if (failed[who] || (round > 0 && round % stride[who])) continue;
            long long time = timed(options.candidate[who], &status);
            if (status != expected) failed[who] = status ? status : 256;
            if (round < 0) stride[who] = stride_for(time);
            else samples[who * options.rounds + round] = time;
        }
    }
    for (int i = 0; i < n; i++) {
        printf("%d %d", i, failed[i]);
        for (int round = 0; round < options.rounds; round++)
            if (samples[i * options.rounds + round]) printf(" %lld", samples[i * options.rounds + round]);
        printf("\n");
    }
}

// Whether a process that has ended is one that we have started, and not one that was handed to us.
static int is_own(pid_t *pids, int count, pid_t pid) {
    for (int i = 0; i < count; i++)
        if (pids[i] == pid) return pids[i] = -1, 1;
    return 0;
}

static void run_jobs(void) {
    int started = 0, ended = 0, failures = 0, status;
    pid_t *pids = calloc(options.count, sizeof *pids);
    long long begin = now();
    while (ended < options.count) {
        while (started < options.count && started - ended < options.jobs)
            pids[started++] = start(options.candidate[0], -1);
        pid_t pid = wait(&status);
        check(pid < 0 && errno != EINTR ? -1 : 0, "wait");
        if (pid < 0 || !is_own(pids, started, pid)) continue;
        ended++;
        failures += status != 0;
    }
    printf("%d %lld\n", failures, now() - begin);
}

static void hold(void) {
    int ready[2], running = 0, status;
    char bytes[256];
    pid_t *pids = calloc(options.hold, sizeof *pids);
    check(pipe2(ready, O_CLOEXEC), "pipe2");
    struct pollfd input[2] = {{.fd = ready[0], .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    long long begin = now();
    for (int i = 0; i < options.hold; i++) pids[i] = start(options.candidate[0], ready[1]);
    close(ready[1]);
    while (running < options.hold) {
        check(poll(input, 2, 120000), "poll");
        ssize_t count = input[0].revents ? read(ready[0], bytes, sizeof bytes) : 0;
        if (count <= 0) break;  // nobody is left to write, standard input ended, or two minutes are over
        running += count;
    }
    printf("%d %lld", running, now() - begin);
    for (int i = 0; i < options.hold; i++) printf(" %d", pids[i]);
    printf("\n");
    fflush(stdout);
    while (read(0, bytes, sizeof bytes) > 0) continue;
    for (int i = 0; i < options.hold; i++) kill(pids[i], SIGTERM);
    // Whoever does not end by SIGTERM within five seconds is killed; pdeathsig then ends what is inside.
    for (int left = options.hold, patience = 500; left > 0;) {
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid > 0) left -= is_own(pids, options.hold, pid);
        if (pid < 0 && errno == ECHILD) break;
        if (pid == 0 && patience-- == 0)
            for (int i = 0; i < options.hold; i++)
                if (pids[i] > 0) kill(pids[i], SIGKILL);
        if (pid == 0) usleep(10000);
    }
}

static void parse(int argc, char **argv) {
    int i = 1;
    for (; i < argc && strcmp(argv[i], "--"); i++) {
        char *value = argv[i + 1];
        if (!strcmp(argv[i], "--trap") || !strcmp(argv[i], "--cpu")) {
            *(argv[i][2] == 't' ? &options.trap : &options.cpu) = 1;
            continue;
        }
        if (!strcmp(argv[i], "--user")) options.user = value;
        if (!strcmp(argv[i], "--rounds")) options.rounds = atoi(value);
        if (!strcmp(argv[i], "--budget")) options.budget = atoi(value);
        if (!strcmp(argv[i], "--jobs")) options.jobs = atoi(value);
        if (!strcmp(argv[i], "--count")) options.count = atoi(value);
        if (!strcmp(argv[i], "--hold")) options.hold = atoi(value);
        if (!strcmp(argv[i], "--mounts")) {
            options.mounts = atoi(value);
            options.mount_dir = strchr(value, ':') + 1;
        }
        i++;
    }
    for (int first = i + 1; i < argc; i++) {
        if (i + 1 < argc && strcmp(argv[i + 1], ";;")) continue;
        if (options.candidates == CANDIDATES) check(-1, "too many candidates");
        options.candidate[options.candidates++] = argv + first;
        if (i + 1 < argc) argv[++i] = NULL;
        first = i + 1;
    }
}

int main(int argc, char **argv) {
    parse(argc, argv);
    if (options.candidates == 0) return 2;
    if (options.mount_dir) make_mounts(options.mounts, options.mount_dir);
    if (options.user) become(options.user);
    // The driver may be killed: then this ends as well. After become(), which clears the setting.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (options.trap) trap_namespaces();
    if (options.hold)
        hold();
    else if (options.jobs)
        run_jobs();
    else
        run_rounds();
    return 0;
}
