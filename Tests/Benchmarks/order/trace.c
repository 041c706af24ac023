// Runs a program one instruction at a time and writes down what it touches, in the order of the first touch: "x ADDRESS" for
// code, "d ADDRESS" for data between LOW and HIGH. Follows every process until it executes another program.
//
//   gcc -O2 -o trace trace.c -lcapstone && ./trace OUTPUT LOW HIGH /path/to/immure run -- /usr/bin/true
#define _GNU_SOURCE
#include <capstone/capstone.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINES = 1 << 22, PROCESSES = 1 << 22, LONGEST = 15, OPERANDS = 8, ADDRESSES = LINES * 16 };

// What an instruction reads or writes in memory, decoded once.
struct operands {
    int count;
    unsigned long next;
    x86_op_mem at[OPERANDS];
};
static unsigned char code_seen[LINES], data_seen[LINES], released[PROCESSES];
static struct operands *decoded[ADDRESSES];
static unsigned long low, high;
static FILE *output;
static csh decoder;
static cs_insn *instruction;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static unsigned long value(const struct user_regs_struct *r, x86_reg which, unsigned long next) {
    switch (which) {
    case X86_REG_RAX: return r->rax;
    case X86_REG_RBX: return r->rbx;
    case X86_REG_RCX: return r->rcx;
    case X86_REG_RDX: return r->rdx;
    case X86_REG_RSI: return r->rsi;
    case X86_REG_RDI: return r->rdi;
    case X86_REG_RBP: return r->rbp;
    case X86_REG_RSP: return r->rsp;
    case X86_REG_R8: return r->r8;
    case X86_REG_R9: return r->r9;
    case X86_REG_R10: return r->r10;
    case X86_REG_R11: return r->r11;
    case X86_REG_R12: return r->r12;
    case X86_REG_R13: return r->r13;
    case X86_REG_R14: return r->r14;
    case X86_REG_R15: return r->r15;
    case X86_REG_RIP: return next;
    default: return 0;
    }
}

// NULL where the instruction cannot be read.
static const struct operands *operands_of(unsigned long address, pid_t process) {
    if (decoded[address]) return decoded[address];
    unsigned char bytes[LONGEST];
    struct iovec here = {bytes, sizeof bytes}, there = {(void *)address, sizeof bytes};
    ssize_t length = process_vm_readv(process, &here, 1, &there, 1, 0);
    if (length <= 0) return NULL;
    const unsigned char *code = bytes;
    size_t left = (size_t)length;
    struct operands *found = calloc(1, sizeof *found);
    if (!found) fail("calloc");
    found->next = address;
    decoded[address] = found;
    if (!cs_disasm_iter(decoder, &code, &left, &found->next, instruction)) return found;
    if (instruction->id == X86_INS_LEA || instruction->id == X86_INS_NOP) return found;
    const cs_x86 *detail = &instruction->detail->x86;
    for (int i = 0; i < detail->op_count && found->count < OPERANDS; i++) {
        const cs_x86_op *operand = &detail->operands[i];
        // What is relative to fs belongs to the thread, not to a symbol.
        if (operand->type != X86_OP_MEM || operand->mem.segment == X86_REG_FS) continue;
        found->at[found->count++] = operand->mem;
    }
    return found;
}

static void note(pid_t process) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, process, 0, &registers) < 0) return;  // killed meanwhile
    if (registers.rip >= ADDRESSES) return;
    unsigned long line = registers.rip / 16;
    if (!code_seen[line]) fprintf(output, "x %llx\n", registers.rip);
    code_seen[line] = 1;
    const struct operands *operands = operands_of(registers.rip, process);
    for (int i = 0; operands && i < operands->count; i++) {
        const x86_op_mem *at = &operands->at[i];
        unsigned long address = value(&registers, at->base, operands->next) + (unsigned long)at->disp +
                                value(&registers, at->index, operands->next) * (unsigned long)at->scale;
        if (address < low || address >= high || address / 8 >= LINES || data_seen[address / 8]) continue;
        data_seen[address / 8] = 1;
        fprintf(output, "d %lx\n", address);
    }
}

// A step is two switches between tracer and program. Where both run on one processor nobody has to be woken on another,
// which on a busy machine takes ten times as long as the step.
static void stay_on_one_processor(void) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof one, &one) < 0) fail("sched_setaffinity");
}

int main(int count, char **words) {
    if (count < 5) return 2;
    low = strtoul(words[2], NULL, 16);
    high = strtoul(words[3], NULL, 16);
    if (!(output = fopen(words[1], "w"))) fail(words[1]);
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &decoder) || cs_option(decoder, CS_OPT_DETAIL, CS_OPT_ON)) return 1;
    instruction = cs_malloc(decoder);
    stay_on_one_processor();

    pid_t first = fork();
    if (first < 0) fail("fork");
    if (!first) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execv(words[4], words + 4);
        fail(words[4]);
    }
    int status;
    waitpid(first, &status, 0);
    long options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, first, 0, options) < 0) fail("ptrace");
    if (ptrace(PTRACE_SINGLESTEP, first, 0, 0) < 0) fail("ptrace");

    int result = 1;
    for (pid_t process; (process = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (process == first) result = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
            continue;
        }
        int event = status >> 16, stop = WSTOPSIG(status);
        if (event == PTRACE_EVENT_EXEC && process != first) released[process] = 1;
        if (!event && stop == SIGTRAP && !released[process]) note(process);
        int signal = event || stop == SIGTRAP || stop == SIGSTOP ? 0 : stop;
        ptrace(released[process] ? PTRACE_CONT : PTRACE_SINGLESTEP, process, 0, signal);
    }
    if (fclose(output)) fail(words[1]);
    return result;
}
