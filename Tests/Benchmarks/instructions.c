// Runs a program one instruction at a time and writes how many it and its children execute until each of them executes
// another program, or ends: a figure that no other load on the machine moves.
//
//   instructions /path/to/immure run -- /usr/bin/true
//
// With PLACES=FILE in the environment that file gets a line for each address: how many of them stood there (shares.py).
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 1 << 22, ADDRESSES = 1 << 27 };
static unsigned char released[PROCESSES];
static unsigned places[ADDRESSES];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void note(pid_t process) {
#if defined __x86_64__
    unsigned long address = ptrace(PTRACE_PEEKUSER, process, offsetof(struct user, regs.rip), 0);
    if (address < ADDRESSES) places[address]++;
#else
    (void)process;
#endif
}

static void write_places(const char *path) {
    FILE *file = fopen(path, "w");
    if (!file) fail(path);
    for (unsigned long address = 0; address < ADDRESSES; address++)
        if (places[address]) fprintf(file, "%lx %u\n", address, places[address]);
    if (fclose(file) != 0) fail(path);
}

int main(int count, char **words) {
    if (count < 2) return 2;
    pid_t first = fork();
    if (first < 0) fail("fork");
    if (!first) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execv(words[1], words + 1);
        fail(words[1]);
    }
    int status, result = 1;
    const char *path = getenv("PLACES");
    unsigned long steps = 0;
    waitpid(first, &status, 0);
    long options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, first, 0, options) < 0) fail("ptrace");
    if (ptrace(PTRACE_SINGLESTEP, first, 0, 0) < 0) fail("ptrace");
    for (pid_t process; (process = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (process == first) result = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
            continue;
        }
        int event = status >> 16, stop = WSTOPSIG(status);
        if (event == PTRACE_EVENT_EXEC) released[process] = 1;
        if (!event && stop == SIGTRAP && !released[process]) {
            steps++;
            if (path) note(process);
        }
        int signal = event || stop == SIGTRAP || stop == SIGSTOP ? 0 : stop;
        ptrace(released[process] ? PTRACE_CONT : PTRACE_SINGLESTEP, process, 0, signal);
    }
    printf("%lu\n", steps);
    if (path) write_places(path);
    return result;
}
