/* AES-256-GCM-SIV. Nothing here branches on a key or on what is sealed, or uses it as an address. */
#include "gcm_siv.h"

#include <string.h>

#include "aes_rounds.h"
#include "sha512.h"

#if defined(__x86_64__)

#define AT_ONCE 8

/* The keys of one nonce: one that authenticates, and the round keys of the one that enciphers. */
typedef struct {
    __m128i authentication;
    __m128i rounds[ROUNDS + 1];
} nonce_keys;

AES static __m128i load(const uint8_t *octets) { return _mm_loadu_si128((const __m128i *)octets); }
AES static void store(uint8_t *octets, __m128i block) { _mm_storeu_si128((__m128i *)octets, block); }

/* RFC 8452 section 4: the first halves of six enciphered blocks. */
AES static void derive(nonce_keys *keys, const uint8_t key[AES_KEY], const uint8_t nonce[NONCE_BYTES])
{
    __m128i generating[ROUNDS + 1], blocks[6];
    uint8_t octets[AES_BLOCK] = {0};
    memcpy(octets + AES_BLOCK - NONCE_BYTES, nonce, NONCE_BYTES);
    expand(generating, key);
    for (int i = 0; i < 6; i++) blocks[i] = _mm_or_si128(load(octets), _mm_cvtsi32_si128(i));
    encipher(generating, blocks, 6);
    keys->authentication = _mm_unpacklo_epi64(blocks[0], blocks[1]);
    __m128i halves[2] = {_mm_unpacklo_epi64(blocks[2], blocks[3]), _mm_unpacklo_epi64(blocks[4], blocks[5])};
    expand(keys->rounds, (const uint8_t *)halves);
    wipe(generating, sizeof generating);
    wipe(blocks, sizeof blocks);
    wipe(halves, sizeof halves);
}

/* dot(a, b) of RFC 8452 section 3: a * b * x^-128 modulo x^128 + x^127 + x^126 + x^121 + 1. */
AES static __m128i dot(__m128i a, __m128i b)
{
    const __m128i polynomial = _mm_set_epi32((int)0xc2000000, 0, 0, 1);
    __m128i low = _mm_clmulepi64_si128(a, b, 0x00), high = _mm_clmulepi64_si128(a, b, 0x11);
    __m128i middle = _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x10), _mm_clmulepi64_si128(a, b, 0x01));
    low = _mm_xor_si128(low, _mm_slli_si128(middle, 8));
    high = _mm_xor_si128(high, _mm_srli_si128(middle, 8));
    for (int i = 0; i < 2; i++) {
        low = _mm_xor_si128(_mm_clmulepi64_si128(low, polynomial, 0x10), _mm_shuffle_epi32(low, 0x4e));
    }
    return _mm_xor_si128(high, low);
}

/* The tag of a plaintext (RFC 8452 section 4). */
AES static __m128i tag_of(const nonce_keys *keys, const uint8_t nonce[NONCE_BYTES], const uint8_t *plaintext, size_t length)
{
    __m128i sum = _mm_setzero_si128();
    size_t whole = length / AES_BLOCK * AES_BLOCK;
    uint8_t last[AES_BLOCK] = {0};
    for (size_t at = 0; at < whole; at += AES_BLOCK) {
        sum = dot(_mm_xor_si128(sum, load(plaintext + at)), keys->authentication);
    }
    if (whole < length) {
        memcpy(last, plaintext + whole, length - whole);
        sum = dot(_mm_xor_si128(sum, load(last)), keys->authentication);
    }
    sum = dot(_mm_xor_si128(sum, _mm_set_epi64x((long long)(8 * (uint64_t)length), 0)), keys->authentication);
    memset(last, 0, sizeof last);
    memcpy(last, nonce, NONCE_BYTES);
    const __m128i below = _mm_set_epi32(0x7fffffff, -1, -1, -1);
    sum = _mm_and_si128(_mm_xor_si128(sum, load(last)), below);
    encipher(keys->rounds, &sum, 1);
    return sum;
}

/* Encipher or decipher: the same, since the key stream is added. */
AES static void add_stream(const nonce_keys *keys, __m128i tag, const uint8_t *from, size_t length, uint8_t *to)
{
    __m128i counter = _mm_or_si128(tag, _mm_set_epi32((int)0x80000000, 0, 0, 0));
    const __m128i one = _mm_set_epi32(0, 0, 0, 1);
    __m128i stream[AT_ONCE];
    for (size_t at = 0; at < length; at += AT_ONCE * AES_BLOCK) {
        for (int i = 0; i < AT_ONCE; i++) {
            stream[i] = counter;
            counter = _mm_add_epi32(counter, one); /* modulo 2^32, as the RFC has it */
        }
        encipher(keys->rounds, stream, AT_ONCE);
        for (size_t i = 0; i < AT_ONCE && at + i * AES_BLOCK < length; i++) {
            size_t start = at + i * AES_BLOCK, left = length - start;
            uint8_t octets[AES_BLOCK];
            if (left >= AES_BLOCK) {
                store(to + start, _mm_xor_si128(load(from + start), stream[i]));
                continue;
            }
            store(octets, stream[i]);
            for (size_t k = 0; k < left; k++) to[start + k] = from[start + k] ^ octets[k];
        }
    }
    wipe(stream, sizeof stream);
}

AES void gcm_siv_seal(const uint8_t key[AES_KEY], const uint8_t nonce[NONCE_BYTES], const uint8_t *plaintext, size_t length,
                      uint8_t *sealed)
{
    nonce_keys keys;
    derive(&keys, key, nonce);
    __m128i tag = tag_of(&keys, nonce, plaintext, length);
    add_stream(&keys, tag, plaintext, length, sealed);
    store(sealed + length, tag);
    wipe(&keys, sizeof keys);
}

AES int gcm_siv_open(const uint8_t key[AES_KEY], const uint8_t nonce[NONCE_BYTES], const uint8_t *sealed, size_t length,
                     uint8_t *plaintext)
{
    nonce_keys keys;
    derive(&keys, key, nonce);
    __m128i tag = load(sealed + length);
    add_stream(&keys, tag, sealed, length, plaintext);
    __m128i same = _mm_cmpeq_epi8(tag, tag_of(&keys, nonce, plaintext, length));
    wipe(&keys, sizeof keys);
    return _mm_movemask_epi8(same) == 0xffff;
}

#else

void gcm_siv_seal(const uint8_t key[AES_KEY], const uint8_t nonce[NONCE_BYTES], const uint8_t *plaintext, size_t length,
                  uint8_t *sealed)
{
    (void)key;
    (void)nonce;
    (void)plaintext;
    (void)length;
    (void)sealed;
}

int gcm_siv_open(const uint8_t key[AES_KEY], const uint8_t nonce[NONCE_BYTES], const uint8_t *sealed, size_t length,
                 uint8_t *plaintext)
{
    (void)key;
    (void)nonce;
    (void)sealed;
    (void)length;
    (void)plaintext;
    return 0;
}

#endif
