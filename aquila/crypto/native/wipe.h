/* Overwrite memory that held secrets; the compiler cannot leave it out. */
#ifndef AQUILA_WIPE_H
#define AQUILA_WIPE_H

#include <stddef.h>
#include <string.h>

static inline void wipe(void *memory, size_t length)
{
    memset(memory, 0, length);
    __asm__ volatile("" : : "r"(memory) : "memory");
}

#endif
