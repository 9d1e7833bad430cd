/* HMAC-SHA-512. Nothing here reads a table at a place that depends on the message, or branches on it. */
#include "sha512.h"

#include <string.h>

#include "../sha512_constants.h"

static uint64_t swapped(uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline uint64_t rotated(uint64_t word, int bits) { return word >> bits | word << (64 - bits); }

/* FIPS 180-4 section 6.4.2. */
static void take(sha512_state *state, const uint8_t *message, size_t blocks)
{
    uint64_t w[16], s[8];
    for (; blocks > 0; blocks--, message += SHA512_BLOCK) {
        memcpy(w, message, sizeof w);
        memcpy(s, state->word, sizeof s);
        for (int start = 0; start < 80; start += 16) {
#pragma GCC unroll 16
            for (int i = 0; i < 16; i++) {
                if (start) {
                    uint64_t low = w[(i + 1) % 16], high = w[(i + 14) % 16];
                    w[i] += (rotated(low, 1) ^ rotated(low, 8) ^ low >> 7) + w[(i + 9) % 16] +
                            (rotated(high, 19) ^ rotated(high, 61) ^ high >> 6);
                } else {
                    w[i] = swapped(w[i]);
                }
                uint64_t e = s[4], a = s[0];
                uint64_t first = s[7] + (rotated(e, 14) ^ rotated(e, 18) ^ rotated(e, 41)) +
                                 ((e & s[5]) ^ (~e & s[6])) + SHA512_ROUNDS[start + i] + w[i];
                uint64_t second =
                    (rotated(a, 28) ^ rotated(a, 34) ^ rotated(a, 39)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
                s[7] = s[6];
                s[6] = s[5];
                s[5] = e;
                s[4] = s[3] + first;
                s[3] = s[2];
                s[2] = s[1];
                s[1] = a;
                s[0] = first + second;
            }
        }
        for (int i = 0; i < 8; i++) state->word[i] += s[i];
    }
    wipe(w, sizeof w);
    wipe(s, sizeof s);
}

size_t hmac_room(size_t length) { return (length + SHA512_PADDING + SHA512_BLOCK - 1) / SHA512_BLOCK * SHA512_BLOCK; }

/* Hash a message of `length` bytes behind the block of a key that was taken, and write the digest. */
static void finish(sha512_state state, uint8_t *message, size_t length, uint8_t digest[SHA512_DIGEST])
{
    size_t room = hmac_room(length);
    uint64_t bits = swapped(8 * (uint64_t)(SHA512_BLOCK + length));
    memset(message + length, 0, room - length);
    message[length] = 0x80;
    memcpy(message + room - sizeof bits, &bits, sizeof bits);
    take(&state, message, room / SHA512_BLOCK);
    for (int i = 0; i < 8; i++) state.word[i] = swapped(state.word[i]);
    memcpy(digest, &state, SHA512_DIGEST);
    wipe(&state, sizeof state);
}

void hmac_start(hmac_key *key, const uint8_t *octets, size_t length)
{
    uint8_t padded[SHA512_BLOCK] = {0};
    memcpy(padded, octets, length);
    for (int i = 0; i < SHA512_BLOCK; i++) padded[i] ^= 0x36;
    memcpy(&key->inner, SHA512_START, sizeof key->inner);
    key->outer = key->inner;
    take(&key->inner, padded, 1);
    for (int i = 0; i < SHA512_BLOCK; i++) padded[i] ^= 0x36 ^ 0x5c;
    take(&key->outer, padded, 1);
    wipe(padded, sizeof padded);
}

void hmac(const hmac_key *key, uint8_t *message, size_t length, uint8_t digest[SHA512_DIGEST])
{
    uint8_t second[SHA512_BLOCK];
    finish(key->inner, message, length, second);
    finish(key->outer, second, SHA512_DIGEST, digest);
    wipe(second, sizeof second);
}
