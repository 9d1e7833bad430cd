/* Five limbs of 51 bits in plain C, for any processor that multiplies 64 bits by 64 to 128; see field.h.
 *
 * A product is carried at once: sums of its 128 bits would cost more than the carries. What it gives leaves so much
 * room that sums of it are multiplied as they are.
 *
 *   field   each limb below 2^51 + 2^14. The value is below 2^255 + 2^219 < 2p.
 *   wide    each limb below 2^54
 *   factor  the same
 *
 * The bounds of wide values:
 *   BIAS                          4p: every limb from 2^53 - 76 to 2^53. Added before subtracting up to three products
 *                                 or fields (3 * 2^51 + 2^16) it keeps every limb above zero
 *   the largest sum that occurs   3 products + BIAS < 2^53.5
 * A product of factors has columns below (1 + 4 * 19) 2^108 < 2^114.3, so that its carries are below 2^63.3. The top
 * one, of a column without a multiple of 19, is below 2^59.4, and 19 times that below 2^63.7.
 */
#ifndef AQUILA_FIELD_PORTABLE_H
#define AQUILA_FIELD_PORTABLE_H

#define RADIX 51

typedef uint64_t field_constant[LIMBS];
#define FIELD_CONSTANT(w0, w1, w2, w3) CONSTANT_LIMBS((uint64_t), w0, w1, w2, w3)

typedef unsigned __int128 column;

#define MASK51 LIMB_MASK(51)

INLINE field field_same(const field_constant words)
{
    field r;
    EACH_LIMB(r.limb[i] = words[i]);
    return r;
}
INLINE field field_zero(void) { return (field){{0}}; }

INLINE field field_carry(wide a)
{
    field r;
    EACH_LIMB(CHECK_BELOW(a.limb[i], 1ull << 54));
    r.limb[0] = (a.limb[0] & MASK51) + 19 * (a.limb[4] >> 51);
    EACH_LIMB(if (i) r.limb[i] = (a.limb[i] & MASK51) + (a.limb[i - !!i] >> 51));
    return r;
}
INLINE factor factor_carry(wide a)
{
    factor r;
    EACH_LIMB(CHECK_BELOW(a.limb[i], 1ull << 54); r.limb[i] = a.limb[i]);
    return r;
}
INLINE wide factor_widen(factor a)
{
    wide r;
    EACH_LIMB(r.limb[i] = a.limb[i]);
    return r;
}
INLINE field factor_mask(factor a) { return field_carry(factor_widen(a)); }
INLINE factor field_factor(field a)
{
    factor r;
    EACH_LIMB(r.limb[i] = a.limb[i]);
    return r;
}
INLINE wide field_widen(field a) { return factor_widen(field_factor(a)); }

INLINE wide wide_add(wide a, wide b)
{
    EACH_LIMB(a.limb[i] = lanes_add(a.limb[i], b.limb[i]));
    return a;
}
/* a - b + BIAS. */
INLINE wide wide_subtract(wide a, wide b)
{
    EACH_LIMB(a.limb[i] = lanes_subtract(a.limb[i] + (i ? MASK51 : MASK51 - 18) * 4, b.limb[i]));
    return a;
}

INLINE factor factor_add(field a, field b) { return factor_carry(wide_add(field_widen(a), field_widen(b))); }
INLINE factor factor_subtract(field a, field b)
{
    return factor_carry(wide_subtract(field_widen(a), field_widen(b)));
}
INLINE field field_add(field a, field b) { return field_carry(wide_add(field_widen(a), field_widen(b))); }
INLINE field field_subtract(field a, field b) { return field_carry(wide_subtract(field_widen(a), field_widen(b))); }
INLINE field field_negate(field a) { return field_subtract(field_zero(), a); }

/* Carry the columns of a product, once around and one limb further. */
INLINE field product_carry(column z0, column z1, column z2, column z3, column z4)
{
    field r;
    z1 += (uint64_t)(z0 >> 51);
    z2 += (uint64_t)(z1 >> 51);
    z3 += (uint64_t)(z2 >> 51);
    z4 += (uint64_t)(z3 >> 51);
    uint64_t first = lanes_add((uint64_t)z0 & MASK51, 19 * (uint64_t)(z4 >> 51));
    r.limb[0] = first & MASK51;
    r.limb[1] = ((uint64_t)z1 & MASK51) + (first >> 51);
    r.limb[2] = (uint64_t)z2 & MASK51;
    r.limb[3] = (uint64_t)z3 & MASK51;
    r.limb[4] = (uint64_t)z4 & MASK51;
    return r;
}

#define TIMES(a, b) ((column)(a) * (b))

/* 2^255 counts 19 times: so does what falls on limb 5 and above. */
INLINE field factor_multiply(factor a, factor b)
{
    const uint64_t a0 = a.limb[0], a1 = a.limb[1], a2 = a.limb[2], a3 = a.limb[3], a4 = a.limb[4];
    const uint64_t b0 = b.limb[0], b1 = b.limb[1], b2 = b.limb[2], b3 = b.limb[3], b4 = b.limb[4];
    const uint64_t b1_19 = 19 * b1, b2_19 = 19 * b2, b3_19 = 19 * b3, b4_19 = 19 * b4;
    return product_carry(TIMES(a0, b0) + TIMES(a1, b4_19) + TIMES(a2, b3_19) + TIMES(a3, b2_19) + TIMES(a4, b1_19),
                         TIMES(a0, b1) + TIMES(a1, b0) + TIMES(a2, b4_19) + TIMES(a3, b3_19) + TIMES(a4, b2_19),
                         TIMES(a0, b2) + TIMES(a1, b1) + TIMES(a2, b0) + TIMES(a3, b4_19) + TIMES(a4, b3_19),
                         TIMES(a0, b3) + TIMES(a1, b2) + TIMES(a2, b1) + TIMES(a3, b0) + TIMES(a4, b4_19),
                         TIMES(a0, b4) + TIMES(a1, b3) + TIMES(a2, b2) + TIMES(a3, b1) + TIMES(a4, b0));
}
INLINE field factor_square(factor a)
{
    const uint64_t a0 = a.limb[0], a1 = a.limb[1], a2 = a.limb[2], a3 = a.limb[3], a4 = a.limb[4];
    const uint64_t a0_2 = 2 * a0, a1_2 = 2 * a1, a3_19 = 19 * a3, a4_19 = 19 * a4;
    return product_carry(TIMES(a0, a0) + TIMES(a1_2, a4_19) + TIMES(2 * a2, a3_19),
                         TIMES(a0_2, a1) + TIMES(2 * a2, a4_19) + TIMES(a3, a3_19),
                         TIMES(a0_2, a2) + TIMES(a1, a1) + TIMES(2 * a3, a4_19),
                         TIMES(a0_2, a3) + TIMES(a1_2, a2) + TIMES(a4, a4_19),
                         TIMES(a0_2, a4) + TIMES(a1_2, a3) + TIMES(a2, a2));
}
INLINE wide wide_multiply(factor a, factor b) { return field_widen(factor_multiply(a, b)); }
INLINE wide wide_square(factor a) { return field_widen(factor_square(a)); }
INLINE field field_square(field a) { return factor_square(field_factor(a)); }

/* 2 a b, where a^2 + b^2 is known: (a + b)^2 less that, which a square makes cheaper than a product. */
INLINE wide wide_twice(field a, field b, wide squares)
{
    return wide_subtract(wide_square(factor_add(a, b)), squares);
}

INLINE frozen field_integers(field a)
{
    frozen r;
    EACH_LIMB(CHECK_BELOW(a.limb[i], (1ull << 51) + (1ull << 14)); r.limb[i] = a.limb[i]);
    return r;
}
INLINE field field_of_integers(frozen a)
{
    field r;
    EACH_LIMB(r.limb[i] = a.limb[i]);
    return r;
}

#endif
