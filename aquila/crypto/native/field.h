/* The field of 2^255 - 19, eight elements at once, in five limbs of 52 bits.
 *
 * Why 52 bits and not 51: the multiply-add gives bits 52 to 103 of a product. With limbs at multiples of 52 they
 * fall on a limb boundary and need no doubling; 5 * 52 = 260 bits leave the top limb 5 bits of room, so that the
 * limbs below can be carried to strictly less than 2^52, which the multiplier asks for. See docs/adr/0008.
 *
 * Three types, so that the compiler keeps them apart:
 *   field  carried: limbs 0 to 3 below 2^52, limb 4 below 2^47 + 2^12. The value is below 2^255 + 2^220 < 2p, and
 *          need not be below p: only field_freeze gives the one representation.
 *   factor a field of which only the low 52 bits of limbs 0 to 3 count: the multiply-add reads no others, so that
 *          what is only multiplied need not be masked.
 *   wide   limbs that grew in a product, a sum or a difference; each below 2^63. field_carry makes a field of it.
 *
 * The bounds of wide values:
 *   a product of fields           limbs below WIDE_PRODUCT = 2^55.4
 *   BIAS                          a multiple of p with every limb from 2^57 - 2^10 to 2^62: added before
 *                                 subtracting up to three products (2^57 - 2^53) it keeps every limb above zero
 *   the largest sum that occurs   4 products + BIAS < 2^62 + 2^57.4 < 2^63
 */
#ifndef AQUILA_FIELD_H
#define AQUILA_FIELD_H

#include "lanes.h"

#define LIMBS 5

typedef struct {
    lanes limb[LIMBS];
} field;

typedef struct {
    lanes limb[LIMBS];
} factor;

typedef struct {
    lanes limb[LIMBS];
} wide;

typedef uint64_t field_constant[LIMBS];

static const field_constant FIELD_ONE = {1, 0, 0, 0, 0};

#define MASK52 lanes_same(0xfffffffffffffull)
#define MASK47 lanes_same(0x7fffffffffffull)

/* Do something for i from 0 to 4. Written out and not as a loop: compilers keep a limb in a register only where they see
 * its number before they unroll loops; otherwise every sum and product travels through memory. */
#define EACH_LIMB(...)                                                                                                 \
    do {                                                                                                               \
        { enum { i = 0 }; __VA_ARGS__; }                                                                               \
        { enum { i = 1 }; __VA_ARGS__; }                                                                               \
        { enum { i = 2 }; __VA_ARGS__; }                                                                               \
        { enum { i = 3 }; __VA_ARGS__; }                                                                               \
        { enum { i = 4 }; __VA_ARGS__; }                                                                               \
    } while (0)

INLINE field field_same(const field_constant words)
{
    field r;
    EACH_LIMB(r.limb[i] = lanes_same(words[i]));
    return r;
}
INLINE field field_zero(void)
{
    field r;
    EACH_LIMB(r.limb[i] = lanes_zero());
    return r;
}

/* Stop a debug build whose limbs are larger than what `field` promises. */
INLINE void field_check(field a)
{
#ifdef AQUILA_CHECK_BOUNDS
    for (int i = 0; i < 4; i++) CHECK_BOUND(lanes_below(a.limb[i], lanes_same(1ull << 52)) == 0xff);
    CHECK_BOUND(lanes_below(a.limb[4], lanes_same((1ull << 47) + (1ull << 12))) == 0xff);
#else
    (void)a;
#endif
}

/* Carry. What lies above bit 255 counts 19 times at the bottom: below 2^63 / 2^47 = 2^16, so that 19 times it is
 * below 2^21. Then each limb passes what is above 52 bits on: below 2^63 / 2^52 + 1. Limb 4 was cut to 47 bits and
 * gets less than 2^12. */
INLINE factor factor_carry(wide a)
{
    factor r;
    lanes top = lanes_right(a.limb[4], 47);
    CHECK_BOUND(lanes_below(top, lanes_same(1ull << 16)) == 0xff);
    r.limb[0] = lanes_low(a.limb[0], top, lanes_same(19));
    r.limb[1] = lanes_add(a.limb[1], lanes_right(r.limb[0], 52));
    r.limb[2] = lanes_add(a.limb[2], lanes_right(r.limb[1], 52));
    r.limb[3] = lanes_add(a.limb[3], lanes_right(r.limb[2], 52));
    r.limb[4] = lanes_add(lanes_and(a.limb[4], MASK47), lanes_right(r.limb[3], 52));
    return r;
}
INLINE field factor_mask(factor a)
{
    field r;
    EACH_LIMB(r.limb[i] = i < 4 ? lanes_and(a.limb[i], MASK52) : a.limb[i]);
    field_check(r);
    return r;
}
INLINE void factor_check(factor a)
{
    (void)a;
    CHECK_BOUND(lanes_below(a.limb[4], lanes_same((1ull << 47) + (1ull << 12))) == 0xff);
}
INLINE field field_carry(wide a) { return factor_mask(factor_carry(a)); }
INLINE factor field_factor(field a)
{
    factor r;
    field_check(a);
    EACH_LIMB(r.limb[i] = a.limb[i]);
    return r;
}

/* The wide value of a field, for sums. */
INLINE wide field_widen(field a)
{
    wide r;
    EACH_LIMB(r.limb[i] = a.limb[i]);
    return r;
}
INLINE wide wide_add(wide a, wide b)
{
    EACH_LIMB(a.limb[i] = lanes_add(a.limb[i], b.limb[i]));
    return a;
}
/* a - b + BIAS, where b is at most the sum of three products. BIAS is 1024p, limb by limb. */
INLINE wide wide_subtract(wide a, wide b)
{
    a.limb[0] = lanes_add(a.limb[0], lanes_same(0xfffffffffffedull << 10));
    a.limb[1] = lanes_add(a.limb[1], lanes_same(0xfffffffffffffull << 10));
    a.limb[2] = lanes_add(a.limb[2], lanes_same(0xfffffffffffffull << 10));
    a.limb[3] = lanes_add(a.limb[3], lanes_same(0xfffffffffffffull << 10));
    a.limb[4] = lanes_add(a.limb[4], lanes_same(0x7fffffffffffull << 10));
    EACH_LIMB(a.limb[i] = lanes_subtract(a.limb[i], b.limb[i]));
    return a;
}
INLINE wide wide_zero(void) { return field_widen(field_zero()); }

INLINE field field_add(field a, field b) { return field_carry(wide_add(field_widen(a), field_widen(b))); }
INLINE field field_subtract(field a, field b) { return field_carry(wide_subtract(field_widen(a), field_widen(b))); }
INLINE field field_negate(field a) { return field_carry(wide_subtract(wide_zero(), field_widen(a))); }

/* Fold ten limbs of a product to five: 2^260 = 32 * 2^255 counts 32 * 19 = 608 times.
 *
 * Limbs 5 to 8 pass on what is above 52 bits; the multiply-add ignores it in the limb itself. Limb 9 is the high
 * half of a4 * b4 < (2^47 + 2^12)^2 < 2^94.1, so below 2^42.1, and gets a carry below 2^4: 608 times it is below
 * 2^51.4, so its high half is zero and nothing is above limb 4.
 *
 * Each limb k is the sum of at most 9 terms below 2^52 (k + 1 low and k high halves, k <= 4), and gets a low half
 * below 2^52 and a high half below 608: below 10 * 2^52 + 608 < 2^55.4. */
INLINE wide wide_fold(const lanes z[2 * LIMBS])
{
    const lanes fold = lanes_same(608);
    lanes z6 = lanes_add(z[6], lanes_right(z[5], 52));
    lanes z7 = lanes_add(z[7], lanes_right(z6, 52));
    lanes z8 = lanes_add(z[8], lanes_right(z7, 52));
    lanes z9 = lanes_add(z[9], lanes_right(z8, 52));
    CHECK_BOUND(lanes_below(z9, lanes_same(1ull << 43)) == 0xff);
    wide r;
    r.limb[0] = lanes_low(z[0], z[5], fold);
    r.limb[1] = lanes_high(lanes_low(z[1], z6, fold), z[5], fold);
    r.limb[2] = lanes_high(lanes_low(z[2], z7, fold), z6, fold);
    r.limb[3] = lanes_high(lanes_low(z[3], z8, fold), z7, fold);
    r.limb[4] = lanes_high(lanes_low(z[4], z9, fold), z8, fold);
#ifdef AQUILA_CHECK_BOUNDS
    for (int i = 0; i < LIMBS; i++) CHECK_BOUND(lanes_below(r.limb[i], lanes_same(10ull << 52 | 1024)) == 0xff);
#endif
    return r;
}

/* Add a product of limbs to the limbs k and k + 1. */
INLINE void add_product(lanes z[2 * LIMBS], lanes a, lanes b, int k)
{
    z[k] = lanes_low(z[k], a, b);
    z[k + 1] = lanes_high(z[k + 1], a, b);
}

INLINE wide wide_multiply(factor a, factor b)
{
    factor_check(a);
    factor_check(b);
    lanes z[2 * LIMBS];
    EACH_LIMB(z[i] = z[LIMBS + i] = lanes_zero());
    EACH_LIMB(add_product(z, a.limb[i], b.limb[0], i);
              add_product(z, a.limb[i], b.limb[1], i + 1);
              add_product(z, a.limb[i], b.limb[2], i + 2);
              add_product(z, a.limb[i], b.limb[3], i + 3);
              add_product(z, a.limb[i], b.limb[4], i + 4));
    return wide_fold(z);
}
/* Products of two different limbs count twice: they are added up first, doubled, and then the squares are added. */
INLINE wide wide_square(factor a)
{
    factor_check(a);
    lanes z[2 * LIMBS];
    EACH_LIMB(z[i] = z[LIMBS + i] = lanes_zero());
    EACH_LIMB(if (i < 1) add_product(z, a.limb[i], a.limb[1], i + 1);
              if (i < 2) add_product(z, a.limb[i], a.limb[2], i + 2);
              if (i < 3) add_product(z, a.limb[i], a.limb[3], i + 3);
              if (i < 4) add_product(z, a.limb[i], a.limb[4], i + 4));
    EACH_LIMB(z[i] = lanes_add(z[i], z[i]);
              z[LIMBS + i] = lanes_add(z[LIMBS + i], z[LIMBS + i]));
    EACH_LIMB(add_product(z, a.limb[i], a.limb[i], 2 * i));
    return wide_fold(z);
}
INLINE field factor_multiply(factor a, factor b) { return field_carry(wide_multiply(a, b)); }
INLINE field field_multiply(field a, field b) { return factor_multiply(field_factor(a), field_factor(b)); }
INLINE field field_square(field a) { return field_carry(wide_square(field_factor(a))); }

INLINE field field_select(lane_mask mask, field a, field b)
{
    EACH_LIMB(a.limb[i] = lanes_select(mask, a.limb[i], b.limb[i]));
    return a;
}
INLINE field field_negate_where(lane_mask mask, field a) { return field_select(mask, a, field_negate(a)); }

/* The representation from 0 to p - 1. The value is below 2p: adding 19 carries into bit 255 exactly if it is p or
 * more, and then bit 255 goes and the 19 stay. */
INLINE field field_freeze(field a)
{
    field_check(a);
    lanes t = lanes_add(a.limb[0], lanes_same(19));
    EACH_LIMB(if (i) t = lanes_add(a.limb[i], lanes_right(t, 52)));
    field r;
    t = lanes_low(a.limb[0], lanes_right(t, 47), lanes_same(19));
    EACH_LIMB(if (i) t = lanes_add(a.limb[i], lanes_right(t, 52));
              r.limb[i] = lanes_and(t, i < 4 ? MASK52 : MASK47));
    return r;
}
INLINE lane_mask field_is_zero(field a)
{
    a = field_freeze(a);
    lanes any = a.limb[0];
    EACH_LIMB(any = lanes_or(any, a.limb[i]));
    return lanes_equal(any, lanes_zero());
}
INLINE lane_mask field_equal(field a, field b) { return field_is_zero(field_subtract(a, b)); }
/* RFC 9496 section 4.1: negative is odd. */
INLINE lane_mask field_is_negative(field a) { return lanes_test(field_freeze(a).limb[0], lanes_same(1)); }
INLINE field field_absolute(field a) { return field_negate_where(field_is_negative(a), a); }

/* Read eight field elements of 32 bytes, `stride` bytes apart, without bit 255. */
INLINE field field_read(const uint8_t *octets, size_t stride)
{
    lanes w0 = lanes_gather(octets, stride, 0), w1 = lanes_gather(octets, stride, 1);
    lanes w2 = lanes_gather(octets, stride, 2), w3 = lanes_gather(octets, stride, 3);
    field r;
    r.limb[0] = lanes_and(w0, MASK52);
    r.limb[1] = lanes_and(lanes_or(lanes_right(w0, 52), lanes_left(w1, 12)), MASK52);
    r.limb[2] = lanes_and(lanes_or(lanes_right(w1, 40), lanes_left(w2, 24)), MASK52);
    r.limb[3] = lanes_and(lanes_or(lanes_right(w2, 28), lanes_left(w3, 36)), MASK52);
    r.limb[4] = lanes_and(lanes_right(w3, 16), MASK47);
    return r;
}
/* Write eight field elements of 32 bytes, one behind the other. */
INLINE void field_write(uint8_t *octets, field a)
{
    a = field_freeze(a);
    uint64_t words[4][LANES];
    lanes_store(words[0], lanes_or(a.limb[0], lanes_left(a.limb[1], 52)));
    lanes_store(words[1], lanes_or(lanes_right(a.limb[1], 12), lanes_left(a.limb[2], 40)));
    lanes_store(words[2], lanes_or(lanes_right(a.limb[2], 24), lanes_left(a.limb[3], 28)));
    lanes_store(words[3], lanes_or(lanes_right(a.limb[3], 36), lanes_left(a.limb[4], 16)));
    for (int i = 0; i < LANES; i++) {
        for (int k = 0; k < 4; k++) memcpy(octets + 32 * i + 8 * k, &words[k][i], 8);
    }
}

/* How many vectors are raised to a power at once. One squaring has to wait for the one before it, about twice as long
 * as it keeps the multipliers busy; what four chains do at once leaves no gap. */
#define CHAINS 4

/* a[k]^((p - 5) / 8) for all chains. */
void field_power_p58(field out[CHAINS], const field a[CHAINS]);

/* 1 / a, or 0 for 0: a^(p - 2). */
void field_invert(field *out, const field *a);

/* SQRT_RATIO_M1 of RFC 9496 section 4.2 for all chains. Bit i of squares[k]: lane i of chain k was a square. */
void field_square_root_ratio(field out[CHAINS], lane_mask squares[CHAINS], const field u[CHAINS],
                             const field v[CHAINS]);

/* out[k] = 1 / sqrt(v), which is that with u = 1. */
void field_inverse_square_root(field out[CHAINS], lane_mask squares[CHAINS], const field v[CHAINS]);

extern const field_constant FIELD_SQRT_M1;

#endif
