/* Follows a program, instruction by instruction, to its first getcwd(2), and says what it did until then and what it has
   to guard its stack: `steps PROGRAM ...` writes the lines `cpuid N`, `calls NUMBER ...`, `stack HEX`, `jump HEX`. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long peek(pid_t process, unsigned long address) {
    return (unsigned long)ptrace(PTRACE_PEEKDATA, process, (void *)address, NULL);
}

int main(int argc, char **argv) {
    int status, questions = 0;
    cpu_set_t here;
    if (argc < 2) return 2;
    /* Both on one processor: each step is two switches between them. */
    CPU_ZERO(&here);
    CPU_SET(sched_getcpu(), &here);
    sched_setaffinity(0, sizeof here, &here);
    pid_t process = fork();
    if (process == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execv(argv[1], argv + 1);
        _exit(127);
    }
    printf("calls");
    while (waitpid(process, &status, 0) == process && WIFSTOPPED(status)) {
        struct user_regs_struct registers;
        ptrace(PTRACE_GETREGS, process, NULL, &registers);
        unsigned instruction = peek(process, registers.rip) & 0xffff;
        if (instruction == 0xa20f) questions++;  /* cpuid */
        if (instruction == 0x050f) {             /* syscall */
            printf(" %llu", registers.rax);
            if (registers.rax == SYS_getcwd) {
                printf("\ncpuid %d\n", questions);
                printf("stack %lx\njump %lx\n", peek(process, registers.fs_base + 0x28), peek(process, registers.fs_base + 0x30));
                ptrace(PTRACE_KILL, process, NULL, NULL);
                return 0;
            }
        }
        ptrace(PTRACE_SINGLESTEP, process, NULL, NULL);
    }
    return 1;
}
