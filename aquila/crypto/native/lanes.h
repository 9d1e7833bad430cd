/* Eight independent 64-bit lanes: the only place that knows which instructions do the work.
 *
 * Everything above is written once, in terms of these functions. In use they are AVX-512 instructions, with the
 * integer multiply-add of 52 bits (IFMA). With -DAQUILA_PORTABLE they are plain C loops: slower by far, but the same
 * algorithm step by step, for tools that do not know AVX-512 (valgrind) and for processors that lack it.
 *
 * With -DAQUILA_CHECK_BOUNDS a sum that passes 2^64, or a difference below zero, stops the program. No sum of this
 * code may do so; the comments in field.h argue why.
 */
#ifndef AQUILA_LANES_H
#define AQUILA_LANES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LANES 8

#if !defined(__x86_64__) && !defined(AQUILA_PORTABLE)
#define AQUILA_PORTABLE /* compiles everywhere; is chosen only where it is fast */
#endif

#ifdef AQUILA_CHECK_BOUNDS
#define CHECK_BOUND(condition)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) abort();                                                                                     \
    } while (0)
#else
#define CHECK_BOUND(condition) ((void)0)
#endif

/* One instruction each, or a few dozen: they must not become calls. The portable loops and the debug build may, and
 * have to: unrolled into each other they would take a compiler all memory there is. */
#if defined(AQUILA_PORTABLE) || defined(AQUILA_CHECK_BOUNDS)
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

/* One bit for each lane. */
typedef uint8_t lane_mask;

#ifndef AQUILA_PORTABLE

/* Everything that is included from here on may use these instructions; who calls it has asked the processor before.
 * The attribute stands here and not on the command line, so that the part that asks runs anywhere. */
#if defined(__clang__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512ifma,avx512vl,avx512dq,avx512bw,bmi2"))),            \
                             apply_to = function)
#else
/* Instructions are ordered before registers are given out, with an eye on how many there are: what is independent
 * stands side by side, which is worth an eighth. */
#pragma GCC optimize("schedule-insns,sched-pressure")
#pragma GCC target("avx512f,avx512ifma,avx512vl,avx512dq,avx512bw,bmi2,tune=icelake-server")
#include <immintrin.h>
#endif

typedef __m512i lanes;

INLINE lanes lanes_zero(void) { return _mm512_setzero_si512(); }
INLINE lanes lanes_same(uint64_t word) { return _mm512_set1_epi64((long long)word); }
INLINE lanes lanes_load(const uint64_t words[LANES]) { return _mm512_loadu_si512(words); }
INLINE void lanes_store(uint64_t words[LANES], lanes a) { _mm512_storeu_si512(words, a); }

INLINE lane_mask lanes_equal(lanes a, lanes b) { return _mm512_cmpeq_epi64_mask(a, b); }
INLINE lane_mask lanes_test(lanes a, lanes b) { return _mm512_test_epi64_mask(a, b); }
INLINE lane_mask lanes_below(lanes a, lanes b) { return _mm512_cmplt_epu64_mask(a, b); }

/* a + b and a - b, neither of which may leave 64 bits. */
INLINE lanes lanes_add(lanes a, lanes b)
{
    lanes sum = _mm512_add_epi64(a, b);
    CHECK_BOUND(!lanes_below(sum, a));
    return sum;
}
INLINE lanes lanes_subtract(lanes a, lanes b)
{
    CHECK_BOUND(!lanes_below(a, b));
    return _mm512_sub_epi64(a, b);
}
/* a + b modulo 2^64. */
INLINE lanes lanes_wrapping_add(lanes a, lanes b) { return _mm512_add_epi64(a, b); }
INLINE lanes lanes_and(lanes a, lanes b) { return _mm512_and_si512(a, b); }
INLINE lanes lanes_or(lanes a, lanes b) { return _mm512_or_si512(a, b); }
INLINE lanes lanes_xor3(lanes a, lanes b, lanes c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }
/* Bit by bit: b where a is set, else c; and the majority of the three. */
INLINE lanes lanes_choose(lanes a, lanes b, lanes c) { return _mm512_ternarylogic_epi64(a, b, c, 0xca); }
INLINE lanes lanes_majority(lanes a, lanes b, lanes c) { return _mm512_ternarylogic_epi64(a, b, c, 0xe8); }
#define lanes_left(a, bits) _mm512_slli_epi64(a, bits)
#define lanes_right(a, bits) _mm512_srli_epi64(a, bits)
#define lanes_rotate_right(a, bits) _mm512_ror_epi64(a, bits)

/* sum + the low or the high 52 bits of the product of the low 52 bits of a and b. */
INLINE lanes lanes_low(lanes sum, lanes a, lanes b)
{
    lanes result = _mm512_madd52lo_epu64(sum, a, b);
    CHECK_BOUND(!lanes_below(result, sum));
    return result;
}
INLINE lanes lanes_high(lanes sum, lanes a, lanes b)
{
    lanes result = _mm512_madd52hi_epu64(sum, a, b);
    CHECK_BOUND(!lanes_below(result, sum));
    return result;
}
/* b in the lanes of the mask, else a. */
INLINE lanes lanes_select(lane_mask mask, lanes a, lanes b) { return _mm512_mask_mov_epi64(a, mask, b); }
/* Lane i of the result is lane order[i] of a; the order is public. */
INLINE lanes lanes_permute(lanes a, const uint64_t order[LANES])
{
    return _mm512_permutexvar_epi64(_mm512_loadu_si512(order), a);
}
INLINE lanes lanes_swap_bytes(lanes a)
{
    const lanes order = _mm512_set_epi64(0x08090a0b0c0d0e0f, 0x0001020304050607, 0x08090a0b0c0d0e0f,
                                         0x0001020304050607, 0x08090a0b0c0d0e0f, 0x0001020304050607,
                                         0x08090a0b0c0d0e0f, 0x0001020304050607);
    return _mm512_shuffle_epi8(a, order);
}

/* Exchange rows and columns of 8 rows of 8 words each. */
INLINE void lanes_transpose(lanes r[LANES])
{
    lanes pair[LANES], quad[LANES];
    for (int i = 0; i < 4; i++) {
        pair[2 * i] = _mm512_unpacklo_epi64(r[2 * i], r[2 * i + 1]);
        pair[2 * i + 1] = _mm512_unpackhi_epi64(r[2 * i], r[2 * i + 1]);
    }
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++) {
            lanes low = pair[4 * i + j], high = pair[4 * i + 2 + j];
            quad[4 * i + j] = _mm512_shuffle_i64x2(low, high, 0x88);
            quad[4 * i + 2 + j] = _mm512_shuffle_i64x2(low, high, 0xdd);
        }
    }
    for (int j = 0; j < 2; j++) {
        r[j] = _mm512_shuffle_i64x2(quad[j], quad[4 + j], 0x88);
        r[4 + j] = _mm512_shuffle_i64x2(quad[j], quad[4 + j], 0xdd);
        r[2 + j] = _mm512_shuffle_i64x2(quad[2 + j], quad[6 + j], 0x88);
        r[6 + j] = _mm512_shuffle_i64x2(quad[2 + j], quad[6 + j], 0xdd);
    }
}

#else /* AQUILA_PORTABLE */

typedef struct {
    uint64_t word[LANES];
} lanes;

#define EACH_LANE for (int i = 0; i < LANES; i++)
#define MASK_52 0xfffffffffffffull

INLINE lanes lanes_same(uint64_t word)
{
    lanes r;
    EACH_LANE r.word[i] = word;
    return r;
}
INLINE lanes lanes_zero(void) { return lanes_same(0); }
INLINE lanes lanes_load(const uint64_t words[LANES])
{
    lanes r;
    memcpy(r.word, words, sizeof r.word);
    return r;
}
INLINE void lanes_store(uint64_t words[LANES], lanes a) { memcpy(words, a.word, sizeof a.word); }

/* Comparisons by arithmetic: a compiler might turn the operators into branches. */
INLINE lane_mask lanes_test(lanes a, lanes b)
{
    unsigned mask = 0;
    EACH_LANE
    {
        uint64_t both = a.word[i] & b.word[i];
        mask |= (unsigned)((both | (0 - both)) >> 63) << i;
    }
    return (lane_mask)mask;
}
INLINE lane_mask lanes_equal(lanes a, lanes b)
{
    EACH_LANE a.word[i] ^= b.word[i];
    return (lane_mask)~lanes_test(a, a);
}
INLINE lane_mask lanes_below(lanes a, lanes b)
{
    unsigned mask = 0;
    EACH_LANE mask |= (unsigned)(((unsigned __int128)a.word[i] - b.word[i]) >> 127) << i;
    return (lane_mask)mask;
}

INLINE lanes lanes_wrapping_add(lanes a, lanes b)
{
    EACH_LANE a.word[i] += b.word[i];
    return a;
}
INLINE lanes lanes_add(lanes a, lanes b)
{
    lanes sum = lanes_wrapping_add(a, b);
    CHECK_BOUND(!lanes_below(sum, a));
    return sum;
}
INLINE lanes lanes_subtract(lanes a, lanes b)
{
    CHECK_BOUND(!lanes_below(a, b));
    EACH_LANE a.word[i] -= b.word[i];
    return a;
}
INLINE lanes lanes_and(lanes a, lanes b)
{
    EACH_LANE a.word[i] &= b.word[i];
    return a;
}
INLINE lanes lanes_or(lanes a, lanes b)
{
    EACH_LANE a.word[i] |= b.word[i];
    return a;
}
INLINE lanes lanes_xor3(lanes a, lanes b, lanes c)
{
    EACH_LANE a.word[i] ^= b.word[i] ^ c.word[i];
    return a;
}
INLINE lanes lanes_choose(lanes a, lanes b, lanes c)
{
    EACH_LANE a.word[i] = (a.word[i] & b.word[i]) | (~a.word[i] & c.word[i]);
    return a;
}
INLINE lanes lanes_majority(lanes a, lanes b, lanes c)
{
    EACH_LANE a.word[i] = (a.word[i] & b.word[i]) | (a.word[i] & c.word[i]) | (b.word[i] & c.word[i]);
    return a;
}
INLINE lanes lanes_left(lanes a, int bits)
{
    EACH_LANE a.word[i] <<= bits;
    return a;
}
INLINE lanes lanes_right(lanes a, int bits)
{
    EACH_LANE a.word[i] >>= bits;
    return a;
}
INLINE lanes lanes_rotate_right(lanes a, int bits)
{
    EACH_LANE a.word[i] = a.word[i] >> bits | a.word[i] << (64 - bits);
    return a;
}

INLINE lanes lanes_product(lanes sum, lanes a, lanes b, int shift)
{
    lanes part;
    EACH_LANE
    {
        unsigned __int128 product = (unsigned __int128)(a.word[i] & MASK_52) * (b.word[i] & MASK_52);
        part.word[i] = (uint64_t)(product >> shift) & MASK_52;
    }
    return lanes_add(sum, part);
}
INLINE lanes lanes_low(lanes sum, lanes a, lanes b) { return lanes_product(sum, a, b, 0); }
INLINE lanes lanes_high(lanes sum, lanes a, lanes b) { return lanes_product(sum, a, b, 52); }

INLINE lanes lanes_select(lane_mask mask, lanes a, lanes b)
{
    EACH_LANE
    {
        uint64_t chosen = 0 - (uint64_t)(mask >> i & 1);
        a.word[i] = (a.word[i] & ~chosen) | (b.word[i] & chosen);
    }
    return a;
}
INLINE lanes lanes_permute(lanes a, const uint64_t order[LANES])
{
    lanes r;
    EACH_LANE r.word[i] = a.word[order[i]];
    return r;
}
INLINE lanes lanes_swap_bytes(lanes a)
{
    EACH_LANE a.word[i] = __builtin_bswap64(a.word[i]);
    return a;
}
INLINE void lanes_transpose(lanes r[LANES])
{
    for (int row = 0; row < LANES; row++) {
        for (int column = 0; column < row; column++) {
            uint64_t word = r[row].word[column];
            r[row].word[column] = r[column].word[row];
            r[column].word[row] = word;
        }
    }
}

#endif /* AQUILA_PORTABLE */

/* Load word `index` of eight consecutive records of `stride` bytes. */
INLINE lanes lanes_gather(const uint8_t *records, size_t stride, size_t index)
{
    uint64_t words[LANES];
    for (size_t i = 0; i < LANES; i++) memcpy(&words[i], records + i * stride + index * 8, 8);
    return lanes_load(words);
}

#endif
