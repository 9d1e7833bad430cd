/* AES-256 by the instructions of x86-64, which take the same time for any key and any block. */
#include "aes256.h"

#include <string.h>

#include "sha512.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AES __attribute__((target("aes,sse2")))
#define ROUNDS 14

int aes256_is_usable(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("aes") != 0;
}

/* The next round key from the one two before and what the key assistant makes of the last one. */
AES static __m128i next_key(__m128i before, __m128i assisted)
{
    for (int i = 0; i < 3; i++) before = _mm_xor_si128(before, _mm_slli_si128(before, 4));
    return _mm_xor_si128(before, assisted);
}

/* FIPS 197 section 5.2. */
AES static void expand(__m128i keys[ROUNDS + 1], const uint8_t key[AES_KEY])
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

AES void aes256_heads(const uint8_t key[AES_KEY], const uint8_t *blocks, size_t n, uint8_t *heads, size_t width)
{
    __m128i keys[ROUNDS + 1];
    expand(keys, key);
    for (size_t i = 0; i < n; i++) {
        uint8_t enciphered[AES_BLOCK];
        __m128i block = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(blocks + i * AES_BLOCK)), keys[0]);
        for (int round = 1; round < ROUNDS; round++) block = _mm_aesenc_si128(block, keys[round]);
        _mm_storeu_si128((__m128i *)enciphered, _mm_aesenclast_si128(block, keys[ROUNDS]));
        memcpy(heads + i * width, enciphered, width);
    }
    wipe(keys, sizeof keys);
}

#else

int aes256_is_usable(void) { return 0; }

void aes256_heads(const uint8_t key[AES_KEY], const uint8_t *blocks, size_t n, uint8_t *heads, size_t width)
{
    (void)key;
    (void)blocks;
    (void)n;
    (void)heads;
    (void)width;
}

#endif
