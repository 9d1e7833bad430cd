/* The first bytes of enciphered blocks; aes_rounds.h has the cipher. */
#include "aes256.h"

#include <string.h>

#include "aes_rounds.h"
#include "sha512.h"

#if defined(__x86_64__)

AES void aes256_heads(const uint8_t key[AES_KEY], const uint8_t *blocks, size_t n, uint8_t *heads, size_t width)
{
    __m128i keys[ROUNDS + 1];
    expand(keys, key);
    for (size_t i = 0; i < n; i++) {
        uint8_t enciphered[AES_BLOCK];
        __m128i block = _mm_loadu_si128((const __m128i *)(blocks + i * AES_BLOCK));
        encipher(keys, &block, 1);
        _mm_storeu_si128((__m128i *)enciphered, block);
        memcpy(heads + i * width, enciphered, width);
    }
    wipe(keys, sizeof keys);
}

int aes256_is_usable(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("ssse3");
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
