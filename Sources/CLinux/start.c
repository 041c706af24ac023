#include "linux.h"

static int start_count;
static char **start_arguments;
static char **start_environment;
static pid_t start_parent;

int linux_argument_count(void) { return start_count; }
char **linux_arguments(void) { return start_arguments; }
char **linux_environment(void) { return start_environment; }
pid_t linux_start_parent(void) { return start_parent; }

/* Overwrites what /proc/PID/cmdline and environ show (proc_pid_cmdline(5)): of the name as much as there is room for. */
void linux_hide_start(void) {
    static const char name[] = "immure";
    for (int i = 0; i < start_count; i++) {
        size_t length = strlen(start_arguments[i]);
        memset(start_arguments[i], 0, length);
        if (i == 0) memcpy(start_arguments[0], name, length < sizeof name - 1 ? length : sizeof name - 1);
    }
    for (char **entry = start_environment; entry && *entry; entry++) memset(*entry, 0, strlen(*entry));
}

/* Overwrites what proc_pid_cmdline(5) shows of the values of an option, up to "--": `--set key=value` keeps its key. */
void linux_hide_values(const char *option) {
    size_t length = strlen(option);
    for (int i = 1; i < start_count && strcmp(start_arguments[i], "--") != 0; i++) {
        char *word = start_arguments[i];
        if (strncmp(word, option, length) != 0) continue;
        if (word[length] == '=') {
            word += length + 1;
        } else if (word[length] == 0 && i + 1 < start_count) {
            word = start_arguments[++i];
        } else {
            continue;
        }
        char *value = strchr(word, '=');
        if (value) memset(value + 1, '.', strlen(value + 1));
    }
}

/* The first constructor of all keeps what the program was started with and hides the caller's environment from every
   library: none of them may act on a variable that somebody set for the command (SWIFT_*, MALLOC_*, TZ). The Swift
   runtime's crash reporter is off, and told where it is: it would look for itself through /proc, and abort without.

   The parent is kept as well: once it has ended, getppid(2) names the process that the kernel has put in its place.

   On Linux a constructor gets the arguments of main (elf/dl-init.c and csu/libc-start.c of glibc). */
__attribute__((constructor(101))) static void keep_start(int count, char **arguments, char **environment) {
    static char backtrace[] = "SWIFT_BACKTRACE=enable=no,swift-backtrace=/";
    static char *own[] = {backtrace, NULL};
    start_count = count;
    start_arguments = arguments;
    start_environment = environment;
    start_parent = getppid();
    environ = own;
}
