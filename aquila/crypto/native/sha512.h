/* SHA-512 (FIPS 180-4) of as many messages of one length at once as there are lanes. */
#ifndef AQUILA_SHA512_H
#define AQUILA_SHA512_H

#include "lanes.h"

#define SHA512_BLOCK 128
#define SHA512_DIGEST 64
/* What padding adds at least: a byte 0x80 and the length in bits. */
#define SHA512_PADDING 17

typedef struct {
    lanes word[8];
} sha512_state;

/* The state before the first block. */
void sha512_start(sha512_state *state);

/* Take one block of each message; block i of 128 bytes starts at blocks + i * stride. */
void sha512_block(sha512_state *state, const uint8_t *blocks, size_t stride);

/* Write the digests of 64 bytes, `stride` bytes apart. */
void sha512_finish(const sha512_state *state, uint8_t *digests, size_t stride);

/* Blocks of a message of `length` bytes with its padding. */
size_t sha512_blocks(size_t length);

/* Write the padding behind a message of `length` bytes that has `hashed` bytes before it; `room` bytes in all. */
void sha512_pad(uint8_t *message, size_t length, size_t hashed, size_t room);

#endif
