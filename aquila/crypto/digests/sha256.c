/* SHA-256: portable, and with the SHA extensions of x86-64. Both give the same digests; neither reads a table at a
 * place that depends on the message, or branches on it. */
#include "sha256.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

static const uint32_t ROUND[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

void sha256_start(sha256_state *state)
{
    static const sha256_state FIRST = {{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                                        0x1f83d9ab, 0x5be0cd19}};
    *state = FIRST;
}

static uint32_t read_word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void write_word(uint8_t *bytes, uint32_t word)
{
    for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(word >> (24 - 8 * i));
}

static uint32_t rotated(uint32_t word, int bits) { return word >> bits | word << (32 - bits); }

/* FIPS 180-4 section 6.2.2. */
static void take_portably(sha256_state *state, const uint8_t *message, size_t blocks)
{
    for (; blocks > 0; blocks--, message += SHA256_BLOCK) {
        uint32_t w[16], s[8];
        memcpy(s, state->word, sizeof s);
        for (int t = 0; t < 64; t++) {
            if (t < 16) {
                w[t] = read_word(message + 4 * t);
            } else {
                uint32_t low = w[(t + 1) % 16], high = w[(t + 14) % 16];
                w[t % 16] += (rotated(low, 7) ^ rotated(low, 18) ^ low >> 3) + w[(t + 9) % 16] +
                             (rotated(high, 17) ^ rotated(high, 19) ^ high >> 10);
            }
            uint32_t e = s[4], a = s[0];
            uint32_t first = s[7] + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & s[5]) ^ (~e & s[6])) +
                             ROUND[t] + w[t % 16];
            uint32_t second =
                (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
            for (int i = 7; i > 0; i--) s[i] = s[i - 1];
            s[4] += first;
            s[0] = first + second;
        }
        for (int i = 0; i < 8; i++) state->word[i] += s[i];
    }
}

#if defined(__x86_64__)

/* The instructions hold the state as (a, b, e, f) and (c, d, g, h), the first word highest. */
__attribute__((target("sha,sse4.1"))) static void take_by_instructions(sha256_state *state, const uint8_t *message,
                                                                       size_t blocks)
{
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)&state->word[0]), 0xb1);
    __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)&state->word[4]), 0x1b);
    __m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);
    for (; blocks > 0; blocks--, message += SHA256_BLOCK) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            if (i < 4) {
                w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)message + i), order);
            } else {
                __m128i middle = _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4);
                __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]), middle);
                w[i % 4] = _mm_sha256msg2_epu32(sum, w[(i + 3) % 4]);
            }
            __m128i words = _mm_add_epi32(w[i % 4], _mm_loadu_si128((const __m128i *)&ROUND[4 * i]));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, words);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(words, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    low = _mm_shuffle_epi32(abef, 0x1b);
    high = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)&state->word[0], _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((__m128i *)&state->word[4], _mm_alignr_epi8(high, low, 8));
}

static int has_instructions(void)
{
    unsigned int a, b, c, d;
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;
}

#endif

sha256_blocks *sha256_chosen(int portable)
{
#if defined(__x86_64__)
    if (!portable && has_instructions()) return take_by_instructions;
#endif
    (void)portable;
    return take_portably;
}

size_t sha256_pad(uint8_t *end, size_t tail, uint64_t length)
{
    size_t blocks = (tail + SHA256_PADDING + SHA256_BLOCK - 1) / SHA256_BLOCK;
    size_t room = blocks * SHA256_BLOCK - tail;
    memset(end, 0, room);
    end[0] = 0x80;
    for (int i = 0; i < 8; i++) end[room - 1 - i] = (uint8_t)(8 * length >> 8 * i);
    return blocks;
}

void sha256_finish(const sha256_state *state, uint8_t *digest)
{
    for (int i = 0; i < 8; i++) write_word(digest + 4 * i, state->word[i]);
}
