/* Four lanes in AVX2, with the fused multiply-add of doubles; see lanes.h. */
#ifndef AQUILA_LANES_AVX2_H
#define AQUILA_LANES_AVX2_H

/* Everything that is included from here on may use these instructions; who calls it has asked the processor before.
 * The attribute stands here and not on the command line, so that the part that asks runs anywhere. */
#if defined(__clang__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi2"))), apply_to = function)
#else
/* Sums stay in the order in which they are written: in another one they need more than the sixteen registers. */
#pragma GCC optimize("no-tree-reassoc")
#pragma GCC target("avx2,fma,bmi2,tune=haswell")
#include <immintrin.h>
#endif

#define LANES 4

typedef __m256i lanes;
/* All bits of a lane set, or none. */
typedef __m256i lane_mask;

INLINE lanes lanes_zero(void) { return _mm256_setzero_si256(); }
INLINE lanes lanes_same(uint64_t word) { return _mm256_set1_epi64x((long long)word); }
INLINE lanes lanes_load(const uint64_t words[LANES]) { return _mm256_loadu_si256((const __m256i *)words); }
INLINE void lanes_store(uint64_t words[LANES], lanes a) { _mm256_storeu_si256((__m256i *)words, a); }

INLINE lane_mask lanes_equal(lanes a, lanes b) { return _mm256_cmpeq_epi64(a, b); }
INLINE lane_mask lanes_test(lanes a, lanes b)
{
    return ~_mm256_cmpeq_epi64(_mm256_and_si256(a, b), _mm256_setzero_si256());
}
/* The comparison is signed: with the highest bit turned over it is that of unsigned numbers. */
INLINE lane_mask lanes_below(lanes a, lanes b)
{
    const __m256i highest = lanes_same(1ull << 63);
    return _mm256_cmpgt_epi64(_mm256_xor_si256(b, highest), _mm256_xor_si256(a, highest));
}
INLINE unsigned lanes_bits(lane_mask mask) { return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(mask)); }
INLINE lane_mask lanes_chosen(unsigned bits)
{
    const __m256i each = _mm256_set_epi64x(8, 4, 2, 1);
    return _mm256_cmpeq_epi64(_mm256_and_si256(lanes_same(bits), each), each);
}

INLINE lanes lanes_wrapping_add(lanes a, lanes b) { return _mm256_add_epi64(a, b); }
INLINE lanes lanes_add(lanes a, lanes b)
{
    lanes sum = _mm256_add_epi64(a, b);
    CHECK_BOUND(!lanes_bits(lanes_below(sum, a)));
    return sum;
}
INLINE lanes lanes_subtract(lanes a, lanes b)
{
    CHECK_BOUND(!lanes_bits(lanes_below(a, b)));
    return _mm256_sub_epi64(a, b);
}
INLINE lanes lanes_and(lanes a, lanes b) { return _mm256_and_si256(a, b); }
INLINE lanes lanes_or(lanes a, lanes b) { return _mm256_or_si256(a, b); }
INLINE lanes lanes_xor3(lanes a, lanes b, lanes c) { return _mm256_xor_si256(_mm256_xor_si256(a, b), c); }
INLINE lanes lanes_choose(lanes a, lanes b, lanes c) { return lanes_xor3(lanes_and(a, _mm256_xor_si256(b, c)), c, lanes_zero()); }
INLINE lanes lanes_majority(lanes a, lanes b, lanes c) { return lanes_or(lanes_and(a, b), lanes_and(c, lanes_or(a, b))); }
#define lanes_left(a, bits) _mm256_slli_epi64(a, bits)
#define lanes_right(a, bits) _mm256_srli_epi64(a, bits)
#define lanes_rotate_right(a, bits) lanes_or(lanes_right(a, bits), lanes_left(a, 64 - (bits)))

/* sum + a * small, for an a and a small below 2^32. */
INLINE lanes lanes_add_multiple(lanes sum, lanes a, uint64_t small)
{
    return lanes_add(sum, _mm256_mul_epu32(a, lanes_same(small)));
}
/* b in the lanes of the mask, else a. */
INLINE lanes lanes_select(lane_mask mask, lanes a, lanes b) { return _mm256_blendv_epi8(a, b, mask); }
INLINE lanes lanes_swap_bytes(lanes a)
{
    const lanes order = _mm256_set_epi64x(0x08090a0b0c0d0e0f, 0x0001020304050607, 0x08090a0b0c0d0e0f,
                                          0x0001020304050607);
    return _mm256_shuffle_epi8(a, order);
}

/* Exchange rows and columns of 4 rows of 4 words each. */
INLINE void lanes_transpose(lanes r[LANES])
{
    lanes even = _mm256_unpacklo_epi64(r[0], r[1]), odd = _mm256_unpackhi_epi64(r[0], r[1]);
    lanes more_even = _mm256_unpacklo_epi64(r[2], r[3]), more_odd = _mm256_unpackhi_epi64(r[2], r[3]);
    r[0] = _mm256_permute2x128_si256(even, more_even, 0x20);
    r[1] = _mm256_permute2x128_si256(odd, more_odd, 0x20);
    r[2] = _mm256_permute2x128_si256(even, more_even, 0x31);
    r[3] = _mm256_permute2x128_si256(odd, more_odd, 0x31);
}

#endif
