/* SHA-512 of several messages at once: FIPS 180-4 section 6.4, one message in each lane. */
#include "sha512.h"

#include "scalar.h"
#include "sha512_constants.h"

INLINE lanes rotations(lanes a, lanes b, lanes c) { return lanes_xor3(a, b, c); }
#define BIG_0(x) rotations(lanes_rotate_right(x, 28), lanes_rotate_right(x, 34), lanes_rotate_right(x, 39))
#define BIG_1(x) rotations(lanes_rotate_right(x, 14), lanes_rotate_right(x, 18), lanes_rotate_right(x, 41))
#define SMALL_0(x) rotations(lanes_rotate_right(x, 1), lanes_rotate_right(x, 8), lanes_right(x, 7))
#define SMALL_1(x) rotations(lanes_rotate_right(x, 19), lanes_rotate_right(x, 61), lanes_right(x, 6))

void sha512_start(sha512_state *state)
{
    for (int i = 0; i < 8; i++) state->word[i] = lanes_same(SHA512_START[i]);
}

/* The sixteen words of each lane's block, from big endian. */
static void load(lanes w[16], const uint8_t *blocks, size_t stride)
{
    for (int start = 0; start < 16; start += LANES) {
        lanes *rows = w + start;
        for (size_t i = 0; i < LANES; i++) {
            uint64_t words[LANES];
            memcpy(words, blocks + i * stride + 8 * start, sizeof words);
            rows[i] = lanes_load(words);
        }
        lanes_transpose(rows);
        for (int i = 0; i < LANES; i++) rows[i] = lanes_swap_bytes(rows[i]);
    }
}

void sha512_block(sha512_state *state, const uint8_t *blocks, size_t stride)
{
    lanes w[16], s[8];
    load(w, blocks, stride);
    for (int i = 0; i < 8; i++) s[i] = state->word[i];
    for (int start = 0; start < 80; start += 16) {
        UNROLL for (int i = 0; i < 16; i++)
        {
            if (start) {
                lanes next = lanes_wrapping_add(SMALL_1(w[(i + 14) & 15]), w[(i + 9) & 15]);
                w[i] = lanes_wrapping_add(lanes_wrapping_add(w[i], SMALL_0(w[(i + 1) & 15])), next);
            }
            /* s[0] to s[7] are a to h, which move on by one place in each round. */
            lanes t1 = lanes_wrapping_add(lanes_wrapping_add(s[7], BIG_1(s[4])), lanes_choose(s[4], s[5], s[6]));
            t1 = lanes_wrapping_add(t1, lanes_wrapping_add(w[i], lanes_same(SHA512_ROUNDS[start + i])));
            lanes t2 = lanes_wrapping_add(BIG_0(s[0]), lanes_majority(s[0], s[1], s[2]));
            s[7] = s[6];
            s[6] = s[5];
            s[5] = s[4];
            s[4] = lanes_wrapping_add(s[3], t1);
            s[3] = s[2];
            s[2] = s[1];
            s[1] = s[0];
            s[0] = lanes_wrapping_add(t1, t2);
        }
    }
    for (int i = 0; i < 8; i++) state->word[i] = lanes_wrapping_add(state->word[i], s[i]);
}

void sha512_finish(const sha512_state *state, uint8_t *digests, size_t stride)
{
    lanes rows[LANES];
    uint64_t words[LANES];
    for (int start = 0; start < 8; start += LANES) {
        for (int i = 0; i < LANES; i++) rows[i] = lanes_swap_bytes(state->word[start + i]);
        lanes_transpose(rows);
        for (size_t i = 0; i < LANES; i++) {
            lanes_store(words, rows[i]);
            memcpy(digests + i * stride + 8 * start, words, sizeof words);
        }
    }
    wipe(words, sizeof words);
}

size_t sha512_blocks(size_t length) { return (length + SHA512_PADDING + SHA512_BLOCK - 1) / SHA512_BLOCK; }

void sha512_pad(uint8_t *message, size_t length, size_t hashed, size_t room)
{
    uint64_t bits = __builtin_bswap64(8 * (uint64_t)(hashed + length));
    memset(message + length, 0, room - length);
    message[length] = 0x80;
    memcpy(message + room - 8, &bits, 8);
}

#include "lanes_end.h"
