/* System calls past errno, which two processes that share their memory would share as well: the answer is the kernel's own,
   a result or minus the errno. */
#ifndef IMMURE_CALL_H
#define IMMURE_CALL_H

#include "linux.h"

static inline long linux_call(long number, long first, long second, long third, long fourth) {
#if defined __x86_64__
    long result = number;
    register long r10 __asm__("r10") = fourth;
    __asm__ volatile("syscall" : "+a"(result) : "D"(first), "S"(second), "d"(third), "r"(r10) : "rcx", "r11", "memory");
    return result;
#elif defined __aarch64__
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = first;
    register long x1 __asm__("x1") = second;
    register long x2 __asm__("x2") = third;
    register long x3 __asm__("x3") = fourth;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
#else
#error "no system calls for this architecture"
#endif
}

/* clone3(2) for a child in the caller's memory, which runs `body` on the stack of its own that the arguments name, and ends
   with what that returns. Whoever is told that it is the child, and stands on the caller's stack, is the caller: ENOSYS. */
static inline long linux_clone_onto_stack(struct clone_args *arguments, int (*body)(void)) {
#if defined __x86_64__
    long result = SYS_clone3;
    __asm__ volatile("mov %%rsp, %%r8\n\t"
                     "syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "mov %[none], %%rax\n\t"
                     "cmp %%r8, %%rsp\n\t"
                     "je 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "call *%[body]\n\t"
                     "mov %%eax, %%edi\n\t"
                     "mov %[exit], %%eax\n\t"
                     "syscall\n"
                     "1:"
                     : "+a"(result)
                     : "D"(arguments), "S"(sizeof *arguments), [body] "r"(body), [exit] "i"(SYS_exit), [none] "i"(-ENOSYS)
                     : "rcx", "r8", "r11", "memory");
    return result;
#elif defined __aarch64__
    register long x8 __asm__("x8") = SYS_clone3;
    register long x0 __asm__("x0") = (long)arguments;
    register long x1 __asm__("x1") = sizeof *arguments;
    __asm__ volatile("mov x2, sp\n\t"
                     "svc 0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x0, %[none]\n\t"
                     "cmp sp, x2\n\t"
                     "b.eq 1f\n\t"
                     "mov x29, xzr\n\t"
                     "blr %[body]\n\t"
                     "mov x8, %[exit]\n\t"
                     "svc 0\n"
                     "1:"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), [body] "r"(body), [exit] "i"(SYS_exit), [none] "i"(-ENOSYS)
                     : "x2", "memory");
    return x0;
#endif
}

#endif
