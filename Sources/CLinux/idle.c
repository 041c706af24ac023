#include "linux.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

/* A launcher sleeps nearly all its life, and the code that made the jail is not needed again. The pages of the segments
   that cannot be written come back from the page cache when they are touched (madvise(2), MADV_DONTNEED). */
void linux_release_code(void) {
    const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    size_t count = getauxval(AT_PHNUM), page = getauxval(AT_PAGESZ);
    uintptr_t base = 0;
    for (size_t i = 0; i < count; i++)
        if (header[i].p_type == PT_PHDR) base = (uintptr_t)header - header[i].p_vaddr;
    for (size_t i = 0; i < count; i++) {
        if (header[i].p_type != PT_LOAD || header[i].p_flags & PF_W) continue;
        uintptr_t from = (base + header[i].p_vaddr) & ~(page - 1);
        uintptr_t to = base + header[i].p_vaddr + header[i].p_memsz;
        madvise((void *)from, to - from, MADV_DONTNEED);
    }
}
