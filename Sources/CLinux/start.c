#include "linux.h"

static int start_count;
static char **start_arguments;
static char **start_environment;

int linux_argument_count(void) { return start_count; }
char **linux_arguments(void) { return start_arguments; }
char **linux_environment(void) { return start_environment; }

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
}
