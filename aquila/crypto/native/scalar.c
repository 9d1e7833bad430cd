/* Integers modulo the group's order: Montgomery multiplication with R = 2^256, and nothing that branches on a value. */
#include "scalar.h"

#include "batch.h"

#include <string.h>

typedef unsigned __int128 double_word;

static const scalar ORDER = {{0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000}};
/* R^2 modulo L, and -1 / L modulo 2^64. */
static const scalar R_SQUARED = {{0xa40611e3449c0f01, 0xd00e1ba768859347, 0xceec73d217f5be65, 0x0399411b7c309a3d}};
static const uint64_t MINUS_INVERSE = 0xd2b51da312547e1b;

scalar scalar_read(const uint8_t octets[SCALAR_BYTES])
{
    scalar a;
    memcpy(a.word, octets, SCALAR_BYTES);
    return a;
}
void scalar_write(uint8_t octets[SCALAR_BYTES], scalar a) { memcpy(octets, a.word, SCALAR_BYTES); }

/* a - b in 256 bits; the borrow is 1 if it is below zero, else 0. */
static scalar difference(scalar a, scalar b, uint64_t *borrow)
{
    scalar r;
    uint64_t below = 0;
    for (int i = 0; i < 4; i++) {
        double_word d = (double_word)a.word[i] - b.word[i] - below;
        r.word[i] = (uint64_t)d;
        below = (uint64_t)(d >> 64) & 1;
    }
    *borrow = below;
    return r;
}
/* a + (b where mask is all ones, nothing where it is zero), in 256 bits. */
static scalar add_where(uint64_t mask, scalar a, scalar b)
{
    double_word carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (double_word)a.word[i] + (b.word[i] & mask);
        a.word[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return a;
}
/* a modulo L, for a < 2L. */
static scalar subtract_order_once(scalar a)
{
    uint64_t borrow;
    scalar r = difference(a, ORDER, &borrow);
    return add_where(0 - borrow, r, ORDER);
}

/* a b / R modulo L, for a < 2^256 and b < L: (a b + q L) / R < (R L + R L) / R = 2L. */
static scalar montgomery(scalar a, scalar b)
{
    uint64_t t[6] = {0};
    for (int i = 0; i < 4; i++) {
        double_word carry = 0;
        for (int j = 0; j < 4; j++) {
            carry += (double_word)a.word[i] * b.word[j] + t[j];
            t[j] = (uint64_t)carry;
            carry >>= 64;
        }
        carry += t[4];
        t[4] = (uint64_t)carry;
        t[5] = (uint64_t)(carry >> 64);
        uint64_t q = t[0] * MINUS_INVERSE;
        carry = ((double_word)q * ORDER.word[0] + t[0]) >> 64;
        for (int j = 1; j < 4; j++) {
            carry += (double_word)q * ORDER.word[j] + t[j];
            t[j - 1] = (uint64_t)carry;
            carry >>= 64;
        }
        carry += t[4];
        t[3] = (uint64_t)carry;
        t[4] = t[5] + (uint64_t)(carry >> 64);
    }
    scalar r = {{t[0], t[1], t[2], t[3]}};
    return subtract_order_once(r);
}

scalar scalar_multiply(scalar a, scalar b) { return montgomery(montgomery(a, b), R_SQUARED); }

scalar scalar_subtract(scalar a, scalar b)
{
    uint64_t borrow;
    scalar r = difference(a, b, &borrow);
    return add_where(0 - borrow, r, ORDER);
}

/* low + high R: low becomes low R / R, and high R is what one Montgomery product with R^2 gives. */
scalar scalar_reduce(const uint8_t wide[64])
{
    const scalar one = {{1, 0, 0, 0}};
    scalar low = montgomery(one, montgomery(scalar_read(wide), R_SQUARED));
    scalar high = montgomery(scalar_read(wide + 32), R_SQUARED);
    return subtract_order_once(add_where(~(uint64_t)0, low, high));
}

/* An odd a gets L added, which is odd too; a + L < 2^254. */
scalar scalar_halve(scalar a)
{
    a = add_where(0 - (a.word[0] & 1), a, ORDER);
    for (int i = 0; i < 3; i++) a.word[i] = a.word[i] >> 1 | a.word[i + 1] << 63;
    a.word[3] >>= 1;
    return a;
}

/* 8 is added to every digit and taken off again: what is carried from digit to digit makes the digits signed.
 * a + 8 (16^64 - 1) / 15 < 2^253 + 0.54 * 2^256 < 2^256. */
void scalar_digits(int8_t digits[SCALAR_DIGITS], scalar a)
{
    const scalar eights = {{0x8888888888888888, 0x8888888888888888, 0x8888888888888888, 0x8888888888888888}};
    a = add_where(~(uint64_t)0, a, eights);
    for (int i = 0; i < SCALAR_DIGITS; i++) digits[i] = (int8_t)((int)(a.word[i / 16] >> (4 * (i % 16)) & 15) - 8);
}

outcome batch_reduce(uint8_t *out, const uint8_t *wide, size_t n)
{
    for (size_t i = 0; i < n; i++) scalar_write(out + i * SCALAR_BYTES, scalar_reduce(wide + i * 64));
    return ACCEPTED;
}

outcome batch_respond(uint8_t *out, const uint8_t *nonce, const uint8_t *challenge, const uint8_t *secret)
{
    scalar product = scalar_multiply(scalar_read(challenge), scalar_read(secret));
    scalar_write(out, scalar_subtract(scalar_read(nonce), product));
    wipe(&product, sizeof product);
    return ACCEPTED;
}
