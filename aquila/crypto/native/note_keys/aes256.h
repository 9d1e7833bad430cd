/* AES-256 (FIPS 197) of single blocks, by the processor's own instructions. */
#ifndef AQUILA_AES256_H
#define AQUILA_AES256_H

#include <stddef.h>
#include <stdint.h>

#define AES_BLOCK 16
#define AES_KEY 32

/* Whether this processor has instructions for AES that are known here; nothing else may be called where it has none. */
int aes256_is_usable(void);

/* Write the first `width` bytes of each of n enciphered blocks. */
void aes256_heads(const uint8_t key[AES_KEY], const uint8_t *blocks, size_t n, uint8_t *heads, size_t width);

#endif
