/* SHA-512 of several messages at once: FIPS 180-4 section 6.4, one message in each lane. */
#include "sha512.h"

#include "scalar.h"

static const uint64_t ROUND_CONSTANTS[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};
static const uint64_t START[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

INLINE lanes rotations(lanes a, lanes b, lanes c) { return lanes_xor3(a, b, c); }
#define BIG_0(x) rotations(lanes_rotate_right(x, 28), lanes_rotate_right(x, 34), lanes_rotate_right(x, 39))
#define BIG_1(x) rotations(lanes_rotate_right(x, 14), lanes_rotate_right(x, 18), lanes_rotate_right(x, 41))
#define SMALL_0(x) rotations(lanes_rotate_right(x, 1), lanes_rotate_right(x, 8), lanes_right(x, 7))
#define SMALL_1(x) rotations(lanes_rotate_right(x, 19), lanes_rotate_right(x, 61), lanes_right(x, 6))

void sha512_start(sha512_state *state)
{
    for (int i = 0; i < 8; i++) state->word[i] = lanes_same(START[i]);
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
            t1 = lanes_wrapping_add(t1, lanes_wrapping_add(w[i], lanes_same(ROUND_CONSTANTS[start + i])));
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
