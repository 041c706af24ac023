/* The smallest program that needs nothing of its root: says hello, then ends with the status it is given. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    puts("hello");
    fflush(stdout);
    return argc > 1 ? atoi(argv[1]) : 0;
}
