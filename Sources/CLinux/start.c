#include "linux.h"

static int start_count;
static char **start_arguments;
static char **start_environment;

int linux_argument_count(void) { return start_count; }
char **linux_arguments(void) { return start_arguments; }
char **linux_environment(void) { return start_environment; }

/* The ends of what a launch touches, by Sources/immure/launch.order: data initialised, data zero at the start, code. */
int linux_first_data = 1, linux_last_data = 1, linux_first_zero, linux_last_zero;
void linux_first_code(void) { __asm__ volatile("# first"); }
void linux_last_code(void) { __asm__ volatile("# last"); }

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

/* Asks for the pages from `first` to `last`. Nothing where the linker has not put the two in order. */
static void ask_for(const void *first, const void *last, int how) {
    enum { page = 4096, most = 1 << 20 };
    uintptr_t from = (uintptr_t)first / page * page, to = (uintptr_t)last;
    if (from < to && to - from < most) madvise((void *)from, to - from + 1, how);
}

/* A page fault costs a virtual machine 2 µs and more, a page that is asked for in advance a quarter of that and less: the
   stack, the heap and the data that every launch uses are asked for at once. Where the kernel does not know how (before
   Linux 5.14), they come one by one as ever. */
static void prepare_memory(void) {
    enum { stack_size = 18 * 4096, heap_size = 34 * 4096 };
    char here;
    ask_for(&here - stack_size, &here, MADV_POPULATE_WRITE);
    char *first = malloc(1);
    if (first) ask_for(first + 4096, first + heap_size, MADV_POPULATE_WRITE);
    free(first);
    ask_for(&linux_first_data, &linux_last_data, MADV_POPULATE_WRITE);
    ask_for(&linux_first_zero, &linux_last_zero, MADV_POPULATE_WRITE);
    ask_for((const void *)(uintptr_t)linux_first_code, (const void *)(uintptr_t)linux_last_code, MADV_POPULATE_READ);
}

/* In a child: fork copies no page of code (mm/memory.c, vma_needs_copy), and what is written is shared until then. */
void linux_prepare_child(void) {
    enum { stack_size = 8 * 4096 };
    char here;
    ask_for(&here - stack_size, &here, MADV_POPULATE_WRITE);
    ask_for((const void *)(uintptr_t)linux_first_code, (const void *)(uintptr_t)linux_last_code, MADV_POPULATE_READ);
}

/* The first constructor of all keeps what the program was started with and hides the caller's environment from every
   library: none of them may act on a variable that somebody set for the command (SWIFT_*, MALLOC_*, TZ). The Swift
   runtime's crash reporter is off, and told where it is: it would look for itself through /proc, and abort without.

   On Linux a constructor gets the arguments of main (elf/dl-init.c and csu/libc-start.c of glibc). */
__attribute__((constructor(101))) static void keep_start(int count, char **arguments, char **environment) {
    static char backtrace[] = "SWIFT_BACKTRACE=enable=no,swift-backtrace=/";
    static char *own[] = {backtrace, NULL};
    start_count = count;
    start_arguments = arguments;
    start_environment = environment;
    environ = own;
    prepare_memory();
}
