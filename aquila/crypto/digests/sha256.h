/* SHA-256 (FIPS 180-4), block by block. */
#ifndef AQUILA_SHA256_H
#define AQUILA_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BLOCK 64
#define SHA256_DIGEST 32
/* What padding adds at least: a byte 0x80 and the length in bits. */
#define SHA256_PADDING 9

typedef struct {
    uint32_t word[8];
} sha256_state;

/* Takes `blocks` blocks of 64 bytes. */
typedef void sha256_blocks(sha256_state *state, const uint8_t *message, size_t blocks);

/* The state before the first block. */
void sha256_start(sha256_state *state);

/* The function that takes blocks: by the processor's own instructions where it has them and `portable` is 0. */
sha256_blocks *sha256_chosen(int portable);

/* Write the padding of a message of `length` bytes behind its last `tail` bytes, which are at `end - tail`, below a
 * block; returns how many blocks tail and padding are. There is room for 2 blocks. */
size_t sha256_pad(uint8_t *end, size_t tail, uint64_t length);

/* Write the digest of 32 bytes. */
void sha256_finish(const sha256_state *state, uint8_t *digest);

#endif
