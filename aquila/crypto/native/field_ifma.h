/* Five limbs of 52 bits, for the multiply-add of 52 bits; see field.h.
 *
 * Why 52 bits and not 51: the multiply-add gives bits 52 to 103 of a product. With limbs at multiples of 52 they
 * fall on a limb boundary and need no doubling; 5 * 52 = 260 bits leave the top limb 5 bits of room, so that the
 * limbs below can be carried to strictly less than 2^52, which the multiplier asks for. See docs/adr/0060.
 *
 *   field  limbs 0 to 3 below 2^52, limb 4 below 2^47 + 2^12. The value is below 2^255 + 2^220 < 2p, and need not be
 *          below p: only field_freeze gives the one representation.
 *   factor a field of which only the low 52 bits of limbs 0 to 3 count: the multiply-add reads no others, so that
 *          what is only multiplied need not be masked.
 *   wide   each limb below 2^63.
 *
 * The bounds of wide values:
 *   a product of fields           limbs below WIDE_PRODUCT = 2^55.4
 *   BIAS                          a multiple of p with every limb from 2^57 - 2^10 to 2^62: added before
 *                                 subtracting up to three products (2^57 - 2^53) it keeps every limb above zero
 *   the largest sum that occurs   4 products + BIAS < 2^62 + 2^57.4 < 2^63
 */
#ifndef AQUILA_FIELD_IFMA_H
#define AQUILA_FIELD_IFMA_H

#define RADIX 52

typedef uint64_t field_constant[LIMBS];
#define FIELD_CONSTANT(w0, w1, w2, w3) CONSTANT_LIMBS((uint64_t), w0, w1, w2, w3)

#define MASK52 lanes_same(LIMB_MASK(52))
#define MASK47 lanes_same(LIMB_MASK(47))

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
    for (int i = 0; i < 4; i++) CHECK_BELOW(a.limb[i], 1ull << 52);
    CHECK_BELOW(a.limb[4], (1ull << 47) + (1ull << 12));
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
    CHECK_BELOW(top, 1ull << 16);
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
    CHECK_BELOW(a.limb[4], (1ull << 47) + (1ull << 12));
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

INLINE factor factor_add(field a, field b) { return factor_carry(wide_add(field_widen(a), field_widen(b))); }
INLINE factor factor_subtract(field a, field b)
{
    return factor_carry(wide_subtract(field_widen(a), field_widen(b)));
}
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
    CHECK_BELOW(z9, 1ull << 43);
    wide r;
    r.limb[0] = lanes_low(z[0], z[5], fold);
    r.limb[1] = lanes_high(lanes_low(z[1], z6, fold), z[5], fold);
    r.limb[2] = lanes_high(lanes_low(z[2], z7, fold), z6, fold);
    r.limb[3] = lanes_high(lanes_low(z[3], z8, fold), z7, fold);
    r.limb[4] = lanes_high(lanes_low(z[4], z9, fold), z8, fold);
#ifdef AQUILA_CHECK_BOUNDS
    for (int i = 0; i < LIMBS; i++) CHECK_BELOW(r.limb[i], 10ull << 52 | 1024);
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
INLINE field field_square(field a) { return field_carry(wide_square(field_factor(a))); }

/* 2 a b, where a^2 + b^2 is known: (a + b)^2 less that, which a square makes cheaper than a product. */
INLINE wide wide_twice(field a, field b, wide squares)
{
    return wide_subtract(wide_square(factor_add(a, b)), squares);
}

INLINE frozen field_integers(field a)
{
    frozen r;
    field_check(a);
    EACH_LIMB(r.limb[i] = a.limb[i]);
    return r;
}
INLINE field field_of_integers(frozen a)
{
    field r;
    EACH_LIMB(r.limb[i] = a.limb[i]);
    return r;
}

#endif
