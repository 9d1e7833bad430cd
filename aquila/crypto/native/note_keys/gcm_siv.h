/* AES-256-GCM-SIV (RFC 8452) without associated data, where `aes256_is_usable`. */
#ifndef AQUILA_GCM_SIV_H
#define AQUILA_GCM_SIV_H

#include "aes256.h"

#define NONCE_BYTES 12
#define TAG_BYTES 16

/* Write the ciphertext of `length` bytes, and the tag behind it. */
void gcm_siv_seal(const uint8_t key[AES_KEY], const uint8_t nonce[NONCE_BYTES], const uint8_t *plaintext, size_t length,
                  uint8_t *sealed);

/* Write the plaintext of `length` bytes, and return whether the tag behind the ciphertext is right; if it is not, what
 * was written says nothing and is to be forgotten. */
int gcm_siv_open(const uint8_t key[AES_KEY], const uint8_t nonce[NONCE_BYTES], const uint8_t *sealed, size_t length,
                 uint8_t *plaintext);

#endif
