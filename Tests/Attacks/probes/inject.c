/*
 * inject REPORT list -- COMMAND…                runs COMMAND and writes each system call of the launch to the file REPORT
 * inject REPORT fail P K CALL ERRNO -- COMMAND… the K-th call of the P-th process answers ERRNO and does nothing, if it is CALL
 * inject REPORT fake P K CALL VALUE -- COMMAND… the same with a result that is no error; `count` is its third argument
 * inject REPORT less P K CALL WHERE BITS -- COMMAND…  the call is made without these bits of its argument WHERE (1 to 6), or of
 *                                                    the word that argument points to (@1 to @6)
 * inject REPORT kill P K -- COMMAND…            at that call the launcher (process 0) is killed with SIGKILL
 * inject REPORT do CALL SCRIPT -- COMMAND…      before the first CALL of any process a shell does SCRIPT, and all goes on
 *                                               (what is called after that is written to REPORT as by `list`)
 * inject REPORT do-kill CALL SCRIPT P K -- COMMAND…  the same, and the launcher is killed at that call
 * inject REPORT stop P K -- COMMAND…            there the launcher stands still for 20 ms, and then is killed
 *
 * Processes and their calls are counted in the order in which they come, each process by itself: what one does does not
 * depend on how fast the others are. A close(2) that fails closes nevertheless, as the kernel's does. Only the launch counts: a process that has executed another program (the command,
 * newuidmap) is let go. Ends with the status of COMMAND, or with 128 and the signal.
 *
 * No PTRACE_O_EXITKILL: when this program ends, the kernel lets go of what it traced, and a survivor would be seen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT = 64 };
struct process {
    pid_t pid;
    int done, inside, calls, hit, held, gone;
};
static struct process table[LIMIT];
static int used, executed;
static FILE *report;
static const char *mode;
static int wanted_process = -1, wanted_call = -1;
static long wanted_number = -1, value;
static int answers_count, argument, points;
static const char *script;

static struct process *find(pid_t pid) {
    for (int i = 0; i < used; i++)
        if (table[i].pid == pid && !table[i].gone) return &table[i];
    if (used == LIMIT) {
        fprintf(stderr, "inject: too many processes\n");
        exit(99);
    }
    table[used] = (struct process){.pid = pid};
    return &table[used++];
}

static void go(struct process *process, int signal) {
    /* After its fault a process goes on at full speed: it may have to close a million descriptors one by one. */
    if (!process->held) ptrace(process->done ? PTRACE_CONT : PTRACE_SYSCALL, process->pid, 0, signal);
}

/* The end of the launcher that was chosen for it. Whoever is traced is let go when this program ends. */
static void end_launcher(struct process *at) {
    fprintf(report, "hit %d %d late=%d\n", (int)(at - table), at->calls, executed);
    if (strcmp(mode, "stop") == 0) {
        table[0].held = 1;
        if (at != &table[0]) {
            kill(table[0].pid, SIGSTOP);
            go(at, 0);
        }
        struct timespec pause = {0, 1000000};
        for (int i = 0; i < 20; i++) {
            int status;
            pid_t pid;
            while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0)
                if (WIFSTOPPED(status)) {
                    struct process *process = find(pid);
                    int event = status >> 16, signal = WSTOPSIG(status);
                    if (event == PTRACE_EVENT_EXEC) executed = 1;
                    if (!process->held)
                        ptrace(PTRACE_CONT, pid, 0, event || signal == SIGTRAP || signal == SIGSTOP || signal == (SIGTRAP | 0x80) ? 0 : signal);
                }
            nanosleep(&pause, 0);
        }
    }
    kill(table[0].pid, SIGKILL);
    int status;
    while (waitpid(table[0].pid, &status, __WALL) > 0 && !WIFEXITED(status) && !WIFSIGNALED(status))
        ;
    fclose(report);
    _exit(128 + SIGKILL);
}

/* Takes bits out of what is asked for, as a kernel does that does not know them and passes them over. The memory of a process
   that is not dumpable is closed to an ordinary user: 0. */
static int ask_for_less(struct process *process, struct user_regs_struct *registers) {
    unsigned long long *all[] = {&registers->rdi, &registers->rsi, &registers->rdx,
                                 &registers->r10, &registers->r8,  &registers->r9};
    unsigned long long *word = all[argument - 1];
    if (points) {
        errno = 0;
        long found = ptrace(PTRACE_PEEKDATA, process->pid, *word, 0);
        return !errno && ptrace(PTRACE_POKEDATA, process->pid, *word, found & ~value) == 0;
    }
    *word &= ~(unsigned long long)value;
    return ptrace(PTRACE_SETREGS, process->pid, 0, registers) == 0;
}

static void entered(struct process *process, struct user_regs_struct *registers) {
    int ordinal = process - table;
    process->calls++;
    if (strcmp(mode, "list") == 0 || strcmp(mode, "do") == 0)
        fprintf(report, "%d %d %lld %lld %lld %d\n", ordinal, process->calls, registers->orig_rax, registers->rdi,
                registers->rsi, executed);
    if (script && registers->orig_rax == (unsigned long long)wanted_number) {
        fprintf(report, "hit %d %d status=%d\n", ordinal, process->calls, system(script));
        script = 0;
    }
    if (ordinal != wanted_process || process->calls != wanted_call) return;
    if (strcmp(mode, "kill") == 0 || strcmp(mode, "stop") == 0 || strcmp(mode, "do-kill") == 0) end_launcher(process);
    const int asks_for_less = strcmp(mode, "less") == 0;
    if (registers->orig_rax != (unsigned long long)wanted_number || (asks_for_less && !ask_for_less(process, registers))) {
        fprintf(report, "moved %lld\n", registers->orig_rax);
        return;
    }
    fprintf(report, "hit %d %d late=%d\n", ordinal, process->calls, executed);
    process->hit = 1;
    if (asks_for_less || registers->orig_rax == SYS_close) return;
    registers->orig_rax = -1;
    ptrace(PTRACE_SETREGS, process->pid, 0, registers);
}

static void left(struct process *process, struct user_regs_struct *registers) {
    if (!process->hit) return;
    process->hit = 0;
    process->done = 1;
    if (strcmp(mode, "less") == 0) return;
    registers->rax = strcmp(mode, "fake") == 0 ? answers_count ? (long)registers->rdx : value : -value;
    ptrace(PTRACE_SETREGS, process->pid, 0, registers);
}

int main(int argc, char **argv) {
    if (argc < 5) return 99;
    report = fopen(argv[1], "w");
    mode = argv[2];
    int at = 3;
    if (strncmp(mode, "do", 2) == 0 && argc > 6) {
        wanted_number = atol(argv[at++]);
        script = argv[at++];
    }
    if (strcmp(mode, "do") != 0 && strcmp(mode, "list") != 0 && at + 1 < argc) {
        wanted_process = atoi(argv[at++]);
        wanted_call = atoi(argv[at++]);
    }
    if (strcmp(mode, "fail") == 0 || strcmp(mode, "fake") == 0) {
        wanted_number = atol(argv[at++]);
        answers_count = strcmp(argv[at], "count") == 0;
        value = atol(argv[at++]);
    }
    if (strcmp(mode, "less") == 0 && at + 3 < argc) {
        wanted_number = atol(argv[at++]);
        points = argv[at][0] == '@';
        argument = atoi(argv[at++] + points);
        value = strtol(argv[at++], 0, 0);
        if (argument < 1 || argument > 6) return 99;
    }
    if (!report || at + 1 >= argc || strcmp(argv[at], "--") != 0) return 99;
    /* Orphans stay with whoever asked for them, which is the test. */
    int gate[2];
    if (pipe(gate) != 0) return 99;
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(gate[1]);
        if (read(gate[0], &byte, 1) != 1) _exit(99);
        close(gate[0]);
        fclose(report);
        execv(argv[at + 1], argv + at + 1);
        perror("inject: execv");
        _exit(99);
    }
    struct process *launcher = find(child);
    int status, answer = 99, started = 0;
    /* Seized, and not attached: nobody is sent a SIGSTOP that would outlive this program. */
    if (ptrace(PTRACE_SEIZE, child, 0,
               PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC) != 0 ||
        write(gate[1], "", 1) != 1) {
        perror("inject: seize");
        return 99;
    }
    close(gate[0]);
    close(gate[1]);
    while (!launcher->gone) {
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0) break;
        struct process *process = find(pid);
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            process->gone = 1;
            if (process == launcher) answer = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        int event = status >> 16, signal = WSTOPSIG(status);
        struct user_regs_struct registers;
        if (event == PTRACE_EVENT_EXEC) {
            if (!started) {
                started = 1;
                process->inside = 1; /* the exit of execve comes next */
                go(process, 0);
            } else {
                executed = 1;
                process->gone = 1;
                ptrace(PTRACE_DETACH, pid, 0, 0);
                if (process == launcher) { /* direct mode: the command is the launcher */
                    waitpid(pid, &status, 0);
                    answer = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
                }
            }
        } else if (event == PTRACE_EVENT_STOP) {
            if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) ptrace(PTRACE_LISTEN, pid, 0, 0);
            else go(process, 0); /* how a process that was just made reports itself */
        } else if (event) {
            unsigned long made;
            if (ptrace(PTRACE_GETEVENTMSG, pid, 0, &made) == 0) find(made);
            go(process, 0);
        } else if (signal == (SIGTRAP | 0x80)) {
            if (ptrace(PTRACE_GETREGS, pid, 0, &registers) == 0) {
                if (process->inside) left(process, &registers);
                else entered(process, &registers);
                process->inside = !process->inside;
            }
            go(process, 0);
        } else {
            go(process, signal);
        }
    }
    fprintf(report, "end late=%d\n", executed);
    fclose(report);
    return answer;
}
