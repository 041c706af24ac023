/* Where the program lies: it is linked to no address of its own. */
#ifndef IMMURE_PROGRAM_H
#define IMMURE_PROGRAM_H

#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>

/* What is added to each address in the program's headers: PT_PHDR says where they themselves were to lie. */
static inline uintptr_t program_base(const ElfW(Phdr) *headers, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (headers[i].p_type == PT_PHDR) return (uintptr_t)headers - headers[i].p_vaddr;
    return 0;
}

#endif
