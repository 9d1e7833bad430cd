/* HMAC-SHA-512 (FIPS 180-4, RFC 2104) of one message at a time. */
#ifndef AQUILA_SHA512_H
#define AQUILA_SHA512_H

#include <stddef.h>
#include <stdint.h>

#include "../wipe.h"

#define SHA512_BLOCK 128
#define SHA512_DIGEST 64
/* What padding adds at least: a byte 0x80 and the length in bits. */
#define SHA512_PADDING 17

typedef struct {
    uint64_t word[8];
} sha512_state;

/* The two hashes of HMAC after the blocks of the key. */
typedef struct {
    sha512_state inner, outer;
} hmac_key;

/* Set a key of at most SHA512_BLOCK bytes. */
void hmac_start(hmac_key *key, const uint8_t *octets, size_t length);

/* How much room a message of `length` bytes needs. */
size_t hmac_room(size_t length);

/* The HMAC of a message of `length` bytes, behind which the rest of its room is written to. */
void hmac(const hmac_key *key, uint8_t *message, size_t length, uint8_t digest[SHA512_DIGEST]);

#endif
