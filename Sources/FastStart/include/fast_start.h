/* What makes a launch faster and is left out of a plain build (`make START=plain`): README.md has the figures. Without
   FAST_ENTRY, FAST_RUNTIME and FAST_RELEASE, which the Makefile defines, nothing here does anything. */
#ifndef IMMURE_FAST_START_H
#define IMMURE_FAST_START_H

/* Gives the pages of the program that are code or constants back to the page cache; nothing in a plain build. */
void fast_start_release_code(void);

#endif
