/* AES-256 by the instructions of x86-64, which take the same time for any key and any block. */
#ifndef AQUILA_AES_ROUNDS_H
#define AQUILA_AES_ROUNDS_H

#if defined(__x86_64__)
#include <immintrin.h>

#include "aes256.h"

#define AES __attribute__((target("aes,pclmul,ssse3")))
#define ROUNDS 14

/* The next round key from the one two before and what the key assistant makes of the last one. */
AES static inline __m128i next_key(__m128i before, __m128i assisted)
{
    for (int i = 0; i < 3; i++) before = _mm_xor_si128(before, _mm_slli_si128(before, 4));
    return _mm_xor_si128(before, assisted);
}

/* FIPS 197 section 5.2. */
AES static inline void expand(__m128i keys[ROUNDS + 1], const uint8_t key[AES_KEY])
{
    keys[0] = _mm_loadu_si128((const __m128i *)key);
    keys[1] = _mm_loadu_si128((const __m128i *)key + 1);
#define EVEN(i, constant)                                                                                              \
    keys[i] = next_key(keys[(i) - 2], _mm_shuffle_epi32(_mm_aeskeygenassist_si128(keys[(i) - 1], constant), 0xff))
#define ODD(i) keys[i] = next_key(keys[(i) - 2], _mm_shuffle_epi32(_mm_aeskeygenassist_si128(keys[(i) - 1], 0), 0xaa))
    EVEN(2, 0x01);
    ODD(3);
    EVEN(4, 0x02);
    ODD(5);
    EVEN(6, 0x04);
    ODD(7);
    EVEN(8, 0x08);
    ODD(9);
    EVEN(10, 0x10);
    ODD(11);
    EVEN(12, 0x20);
    ODD(13);
    EVEN(14, 0x40);
#undef EVEN
#undef ODD
}

/* Encipher a few blocks, whose rounds overlap. */
AES static inline void encipher(const __m128i keys[ROUNDS + 1], __m128i *blocks, int count)
{
    for (int i = 0; i < count; i++) blocks[i] = _mm_xor_si128(blocks[i], keys[0]);
    for (int round = 1; round < ROUNDS; round++) {
        for (int i = 0; i < count; i++) blocks[i] = _mm_aesenc_si128(blocks[i], keys[round]);
    }
    for (int i = 0; i < count; i++) blocks[i] = _mm_aesenclast_si128(blocks[i], keys[ROUNDS]);
}

#endif
#endif
