/* The program's entry, in place of glibc's own: the order of csu/libc-start.c of glibc 2.36, less two steps.

   One asks the processor 41 times (cpuid) what it can and what caches it has, to choose among variants of memcpy and its
   like. Under a hypervisor each question leaves the virtual machine: 300 us where this was measured, a tenth of a launch.
   A launcher copies nothing large; the variants that every x86-64 has will do, as on a processor that knows nothing more.

   The other prepares for dlopen (elf/dl-support.c): where the program lies, which takes a link of procfs, where libraries are
   looked for, what the vDSO has. That is 80 us for what never comes. Of it `protect` stays.

   GLIBC_TUNABLES is not read: it was set for the command.

   What is called here is private to glibc, hence the version; with any other C library the program starts as it always
   does. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <features.h>

#if defined FAST_ENTRY && defined __x86_64__ && defined __GLIBC__ && __GLIBC__ == 2 && __GLIBC_MINOR__ == 36

#include "program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef void constructor(int count, char **arguments, char **environment);

#pragma GCC visibility push(hidden)
extern void *__libc_stack_end, *_dl_random;
extern int __libc_enable_secure, _dl_stack_flags;
extern const ElfW(Phdr) *_dl_phdr;
extern size_t _dl_phnum, _dl_pagesize;
extern void _dl_aux_init(ElfW(auxv_t) *), _dl_relocate_static_pie(void), __libc_setup_tls(void), __libc_early_init(_Bool);
extern void __libc_check_standard_fds(void), *_dl_debug_initialize(ElfW(Addr), Lmid_t), _init(void), _fini(void);
extern constructor __init_misc, *__preinit_array_start[], *__preinit_array_end[], *__init_array_start[], *__init_array_end[];
extern void (*__fini_array_start[])(void), (*__fini_array_end[])(void);
extern const ElfW(Rela) __rela_iplt_start[], __rela_iplt_end[];

/* When memcpy and memset change their method, in bytes: glibc's own figures for caches that it does not know. */
long __x86_data_cache_size = 32 << 10, __x86_data_cache_size_half = 16 << 10;
long __x86_shared_cache_size = 1 << 20, __x86_shared_cache_size_half = 512 << 10;
long __x86_shared_non_temporal_threshold = 768 << 10, __x86_rep_movsb_stop_threshold = 768 << 10;
long __x86_rep_movsb_threshold = 2 << 10, __x86_rep_stosb_threshold = 2 << 10;
int __x86_string_control = 0;
#pragma GCC visibility pop

extern int __cxa_atexit(void (*)(void *), void *, void *);

/* The sentence of a start that cannot go on, as Swift words a failure: with the name of the error. */
__attribute__((noreturn)) static void fail(const char *error) {
    const char *words[] = {"immure: cannot make the program's own constants read-only: mprotect: ", error, "\n"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (write(2, words[i], strlen(words[i])) < 0) break;
    _exit(125);
}

/* Closes what is constant once it is relocated, and says that no stack is for code. */
static void protect(void) {
    uintptr_t base = program_base(_dl_phdr, _dl_phnum);
    for (const ElfW(Phdr) *header = _dl_phdr; header < _dl_phdr + _dl_phnum; header++) {
        if (header->p_type == PT_GNU_STACK) _dl_stack_flags = (int)header->p_flags;
        if (header->p_type != PT_GNU_RELRO) continue;
        uintptr_t from = (base + header->p_vaddr) & -_dl_pagesize;
        uintptr_t to = (base + header->p_vaddr + header->p_memsz) & -_dl_pagesize;
        if (from == to || mprotect((void *)from, to - from, PROT_READ) == 0) continue;
        const char *error = strerrorname_np(errno);
        fail(error ? error : "error of no name");
    }
}

static void finish(void *unused) {
    (void)unused;
    for (size_t i = (size_t)(__fini_array_end - __fini_array_start); i-- > 0;) __fini_array_start[i]();
    _fini();
}

static void construct(constructor **from, constructor **to, int count, char **arguments) {
    for (; from < to; from++) (*from)(count, arguments, environ);
}

/* The stack's guard is made in here, so it cannot be compared in here. */
__attribute__((noreturn, no_stack_protector)) int __libc_start_main(
    int (*body)(int, char **, char **), int count, char **arguments, void (*init)(void), void (*fini)(void),
    void (*loader)(void), void *stack_end) {
    (void)init, (void)fini, (void)loader; /* of a program that is linked dynamically, or older */
    environ = arguments + count + 1;
    __libc_stack_end = stack_end;
    char **end = environ;
    while (*end) end++;
    _dl_aux_init((ElfW(auxv_t) *)(end + 1));
    _dl_relocate_static_pie();
    for (const ElfW(Rela) *entry = __rela_iplt_start; entry < __rela_iplt_end; entry++)
        *(ElfW(Addr) *)entry->r_offset = ((ElfW(Addr)(*)(void))entry->r_addend)();
    __libc_setup_tls();
    /* tcbhead_t of sysdeps/x86_64/nptl/tls.h: the guard of the stack, which no string may hold, and that of jmp_buf. */
    const uintptr_t *chance = _dl_random;
    __asm__ volatile("mov %0, %%fs:0x28" : : "r"(chance[0] & ~(uintptr_t)0xff));
    __asm__ volatile("mov %0, %%fs:0x30" : : "r"(chance[1]));
    __libc_early_init(1);
    __init_misc(count, arguments, environ);
    protect();
    __cxa_atexit(finish, NULL, NULL);
    if (__libc_enable_secure) __libc_check_standard_fds();
    construct(__preinit_array_start, __preinit_array_end, count, arguments);
    _init();
    construct(__init_array_start, __init_array_end, count, arguments);
    _dl_debug_initialize(0, LM_ID_BASE);
    exit(body(count, arguments, environ));
}

#endif
