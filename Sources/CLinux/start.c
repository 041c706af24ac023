#include "linux.h"

static int start_count;
static char **start_arguments;
static char **start_environment;

int linux_argument_count(void) { return start_count; }
char **linux_arguments(void) { return start_arguments; }
char **linux_environment(void) { return start_environment; }

/* A page fault costs a virtual machine 2 µs and more, a page that is asked for in advance a quarter of that: the stack and
   the heap that every launch uses are asked for at once. Where the kernel does not know how (before Linux 5.14), they come
   one by one as ever. */
static void prepare_memory(void) {
    enum { page = 4096, stack_pages = 18, heap_pages = 20 };
#ifdef MADV_POPULATE_WRITE
    char here;
    uintptr_t stack = (uintptr_t)&here / page * page;
    madvise((void *)(stack - stack_pages * page), stack_pages * page, MADV_POPULATE_WRITE);
    void *first = malloc(1);
    if (first) madvise((void *)(((uintptr_t)first / page + 1) * page), heap_pages * page, MADV_POPULATE_WRITE);
    free(first);
#endif
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
