/* Eight lanes in AVX-512 with IFMA; see lanes.h. */
#ifndef AQUILA_LANES_IFMA_H
#define AQUILA_LANES_IFMA_H

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
/* One bit for each lane. */
typedef uint8_t lane_mask;

#define LANES 8

INLINE lanes lanes_zero(void) { return _mm512_setzero_si512(); }
INLINE lanes lanes_same(uint64_t word) { return _mm512_set1_epi64((long long)word); }
INLINE lanes lanes_load(const uint64_t words[LANES]) { return _mm512_loadu_si512(words); }
INLINE void lanes_store(uint64_t words[LANES], lanes a) { _mm512_storeu_si512(words, a); }

INLINE lane_mask lanes_equal(lanes a, lanes b) { return _mm512_cmpeq_epi64_mask(a, b); }
INLINE lane_mask lanes_test(lanes a, lanes b) { return _mm512_test_epi64_mask(a, b); }
INLINE lane_mask lanes_below(lanes a, lanes b) { return _mm512_cmplt_epu64_mask(a, b); }
/* A mask as bits, and back where they are public. */
INLINE unsigned lanes_bits(lane_mask mask) { return mask; }
INLINE lane_mask lanes_chosen(unsigned bits) { return (lane_mask)bits; }

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
/* sum + a * small, for an a below 2^52 and a small below 2^10. */
INLINE lanes lanes_add_multiple(lanes sum, lanes a, uint64_t small) { return lanes_low(sum, a, lanes_same(small)); }
/* b in the lanes of the mask, else a. */
INLINE lanes lanes_select(lane_mask mask, lanes a, lanes b) { return _mm512_mask_mov_epi64(a, mask, b); }
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

#endif
