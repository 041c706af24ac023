/* Makes calls that a filter may kill or log, in the ways in which a program can be hard to end. `calls WAY` */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void caught(int signal) {
    (void)signal;
    static const char words[] = "caught\n";
    if (write(1, words, sizeof words - 1) < 0) _exit(9);
}
static void *trace(void *unused) {
    (void)unused;
    syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
    puts("went on");
    fflush(stdout);
    return NULL;
}
static void nothing(int signal) { (void)signal; }

int main(int argc, char **argv) {
    const char *way = argc > 1 ? argv[1] : "";
    setvbuf(stdout, NULL, _IONBF, 0);
    if (!strcmp(way, "catch")) signal(SIGSYS, caught);
    if (!strcmp(way, "ignore")) signal(SIGSYS, SIG_IGN);
    if (!strcmp(way, "block")) {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
    }
    if (!strcmp(way, "thread")) {
        pthread_t thread;
        pthread_create(&thread, NULL, trace, NULL);
        for (;;) pause();
    }
    if (!strcmp(way, "int80")) {
#ifdef __x86_64__
        long answer;
        __asm__ volatile("int $0x80" : "=a"(answer) : "a"(20L) : "memory");
        printf("answer %ld\n", answer);
#endif
        return 0;
    }
    if (!strcmp(way, "x32")) {
        syscall(0x40000000 | SYS_getpid);
        puts("went on");
        return 0;
    }
    if (!strcmp(way, "name")) prctl(PR_SET_NAME, "\033[31mred", 0, 0, 0);
    if (!strcmp(way, "count")) {
        /* COUNT calls in each of PROCESSES at once, with signals in between. Without SA_RESTART one that comes before the
           launcher has read the question would be answered by EINTR: seccomp_unotify(2). */
        int count = atoi(argv[2]), processes = atoi(argv[3]);
        for (int i = 0; i < processes; i++)
            if (fork() == 0) {
                struct itimerval often = {{0, 500}, {0, 500}};
                struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART};
                sigaction(SIGALRM, &action, NULL);
                setitimer(ITIMER_REAL, &often, NULL);
                for (int j = 0; j < count; j++) syscall(SYS_getppid);
                _exit(0);
            }
        while (wait(NULL) > 0) {}
        return 0;
    }
    trace(NULL);
    return 0;
}
