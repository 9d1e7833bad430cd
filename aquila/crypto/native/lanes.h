/* Independent 64-bit lanes: the first of two layers that know which instructions do the work; field.h is the second.
 *
 * Everything above is written once, in terms of their functions, and compiled once for each backend:
 *   AQUILA_IFMA      eight lanes, AVX-512 with the integer multiply-add of 52 bits (lanes_ifma.h). With
 *                    -DAQUILA_EMULATED plain C loops: slower by far, but the same algorithm step by step, for tools
 *                    that do not know AVX-512 (valgrind) and for processors that lack it (lanes_emulated.h)
 *   AQUILA_AVX2      four lanes, AVX2 with the fused multiply-add of doubles (lanes_avx2.h)
 *   AQUILA_PORTABLE  one lane, plain C for any 64-bit processor (lanes_portable.h)
 *
 * A lane_mask says for each lane yes or no. Masks are combined with | & and ~, and never branched on where they
 * depend on secrets.
 *
 * With -DAQUILA_CHECK_BOUNDS a sum that passes 2^64, or a difference below zero, stops the program. No sum of this
 * code may do so, unless it is called wrapping; the comments of the fields argue why.
 */
#ifndef AQUILA_LANES_H
#define AQUILA_LANES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef AQUILA_CHECK_BOUNDS
#define CHECK_BOUND(condition)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) abort();                                                                                     \
    } while (0)
#else
#define CHECK_BOUND(condition) ((void)0)
#endif
#define CHECK_BELOW(a, bound) CHECK_BOUND(lanes_bits(lanes_below(a, lanes_same(bound))) == (1u << LANES) - 1)

/* One instruction each, or a few dozen: they must not become calls. The emulated loops and the debug build may, and
 * have to: unrolled into each other they would take a compiler all memory there is. */
#if defined(AQUILA_EMULATED) || defined(AQUILA_CHECK_BOUNDS)
#define INLINE static __attribute__((unused))
#define UNROLL
#else
#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#endif
#define NOINLINE __attribute__((noinline))

#if defined(AQUILA_IFMA) && defined(AQUILA_EMULATED)
#include "lanes_emulated.h"
#elif defined(AQUILA_IFMA)
#include "lanes_ifma.h"
#elif defined(AQUILA_AVX2)
#include "lanes_avx2.h"
#elif defined(AQUILA_PORTABLE)
#include "lanes_portable.h"
#else
#error "which backend?"
#endif

/* Load word `index` of one record of `stride` bytes for each lane. */
INLINE lanes lanes_gather(const uint8_t *records, size_t stride, size_t index)
{
    uint64_t words[LANES];
    for (size_t i = 0; i < LANES; i++) memcpy(&words[i], records + i * stride + index * 8, 8);
    return lanes_load(words);
}

/* Lane i of the result is lane i ^ distance of a. */
INLINE lanes lanes_exchange(lanes a, size_t distance)
{
    uint64_t words[LANES], exchanged[LANES];
    lanes_store(words, a);
    for (size_t i = 0; i < LANES; i++) exchanged[i] = words[i ^ distance];
    return lanes_load(exchanged);
}

#endif
