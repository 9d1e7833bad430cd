/* Five limbs of 51 bits in doubles, for the fused multiply-add of AVX2's time; see field.h.
 *
 * AVX2 multiplies 32 bits by 32; the multiply-add of doubles rounds a product and a summand of 53 bits each but once.
 * So it gives both halves of a product of limbs exactly. With SPLIT = 3 * 2^102, whose last bit counts 2^51,
 *     high = a b + SPLIT, rounded         SPLIT and the multiple of 2^51 next to a b
 *     low  = a b - (high - SPLIT)         what is left, from -2^50 to 2^50
 * as long as high stays between 2^103 and 2^104. The low bits of a double count the same wherever it is between two
 * powers of two, so that the halves are added up as 64-bit integers without being converted: what a double has above
 * these bits is a constant, taken off at the end. All values are whole numbers, and none is rounded but `high` and what
 * is carried, to the nearest: as every thread starts, and as nothing in Python or its libraries changes it.
 *
 *   field   doubles from -2^50 - 2^16 to 2^50 + 2^16; and constants and what was read before it is carried, from 0 to
 *           2^51 - 1
 *   factor  a field, or the sum or difference of two that are no constants
 *   wide    64-bit integers with a sign, in absolute value below 2^61
 *
 * The bounds:
 *   two limbs that are multiplied  at most 2^102 - 2^52 in absolute value: (2^51 + 2^17) (2^50 + 2^16), and
 *                                  (2^51 - 1)^2
 *   a product                      column k has k + 1 low and k high halves, column k + 5 has 4 - k low and 5 - k high
 *                                  ones and counts 19 times: below 2^50 (1 + 19 (4 + 10)) < 2^58.1
 *   the largest sum that occurs    4 products < 2^60.1
 *   BIAS                           2^10 p, with limbs of about 2^61: makes what is carried positive
 */
#ifndef AQUILA_FIELD_AVX2_H
#define AQUILA_FIELD_AVX2_H

#define RADIX 51

typedef double field_constant[LIMBS];
#define FIELD_CONSTANT(w0, w1, w2, w3) CONSTANT_LIMBS((double), w0, w1, w2, w3)

#define DOUBLES(a) _mm256_castsi256_pd(a)
#define INTEGERS(a) _mm256_castpd_si256(a)
#define DOUBLES_SAME(x) _mm256_set1_pd(x)

#define SPLIT 0x3p102
/* Its last bit counts 1: added to a whole number below 2^51 it shows it in the low bits. */
#define UNIT 0x3p51
#define SPLIT_BITS (0x466ull << 52 | 1ull << 51)
#define UNIT_BITS (0x433ull << 52 | 1ull << 51)
#define BIAS(i) (((i) ? LIMB_MASK(51) : LIMB_MASK(51) - 18) << 10)

INLINE field field_same(const field_constant words)
{
    field r;
    EACH_LIMB(r.limb[i] = INTEGERS(DOUBLES_SAME(words[i])));
    return r;
}
INLINE field field_zero(void)
{
    field r;
    EACH_LIMB(r.limb[i] = lanes_zero());
    return r;
}

/* Carry doubles below 2^101: what is a multiple of 2^51 goes one limb up, and from the last 19 times to the first. */
INLINE field doubles_carry(factor a)
{
    const __m256d split = DOUBLES_SAME(SPLIT), down = DOUBLES_SAME(0x1p-51);
    __m256d low[LIMBS], high[LIMBS];
    field r;
    EACH_LIMB(high[i] = _mm256_sub_pd(_mm256_add_pd(DOUBLES(a.limb[i]), split), split);
              low[i] = _mm256_sub_pd(DOUBLES(a.limb[i]), high[i]));
    r.limb[0] = INTEGERS(_mm256_fmadd_pd(high[4], DOUBLES_SAME(0x13p-51), low[0]));
    EACH_LIMB(if (i) r.limb[i] = INTEGERS(_mm256_fmadd_pd(high[i - !!i], down, low[i])));
    return r;
}

/* Carry integers: what is above 51 bits goes one limb up, and what is left is made a double from -2^50 to 2^50. */
INLINE factor factor_carry(wide a)
{
    const lanes mask = lanes_same(LIMB_MASK(51)), whole = lanes_same(0x433ull << 52);
    lanes low[LIMBS], high[LIMBS];
    factor r;
    EACH_LIMB(lanes t = lanes_wrapping_add(a.limb[i], lanes_same(BIAS(i) + (1ull << 50)));
              CHECK_BELOW(t, 1ull << 62);
              high[i] = lanes_right(t, 51);
              low[i] = lanes_or(lanes_and(t, mask), whole));
    r.limb[0] = lanes_add_multiple(low[0], high[4], 19);
    EACH_LIMB(if (i) r.limb[i] = lanes_add(low[i], high[i - !!i]));
    EACH_LIMB(r.limb[i] = INTEGERS(_mm256_sub_pd(DOUBLES(r.limb[i]), DOUBLES_SAME(0x1p52 + 0x1p50))));
    return r;
}
INLINE field factor_as_field(factor a)
{
    field r;
    EACH_LIMB(r.limb[i] = a.limb[i]);
    return r;
}
INLINE field field_carry(wide a) { return factor_as_field(factor_carry(a)); }
/* Only for what factor_carry gave. */
INLINE field factor_mask(factor a) { return factor_as_field(a); }
INLINE factor field_factor(field a)
{
    factor r;
    EACH_LIMB(r.limb[i] = a.limb[i]);
    return r;
}
INLINE wide field_widen(field a)
{
    wide r;
    EACH_LIMB(r.limb[i] = _mm256_sub_epi64(INTEGERS(_mm256_add_pd(DOUBLES(a.limb[i]), DOUBLES_SAME(UNIT))),
                                           lanes_same(UNIT_BITS)));
    return r;
}
INLINE wide wide_add(wide a, wide b)
{
    EACH_LIMB(a.limb[i] = lanes_wrapping_add(a.limb[i], b.limb[i]));
    return a;
}
INLINE wide wide_subtract(wide a, wide b)
{
    EACH_LIMB(a.limb[i] = _mm256_sub_epi64(a.limb[i], b.limb[i]));
    return a;
}

INLINE factor factor_add(field a, field b)
{
    factor r;
    EACH_LIMB(r.limb[i] = INTEGERS(_mm256_add_pd(DOUBLES(a.limb[i]), DOUBLES(b.limb[i]))));
    return r;
}
INLINE factor factor_subtract(field a, field b)
{
    factor r;
    EACH_LIMB(r.limb[i] = INTEGERS(_mm256_sub_pd(DOUBLES(a.limb[i]), DOUBLES(b.limb[i]))));
    return r;
}
INLINE field field_add(field a, field b) { return doubles_carry(factor_add(a, b)); }
INLINE field field_subtract(field a, field b) { return doubles_carry(factor_subtract(a, b)); }
/* What was carried needs no carry; a constant might, and costs little where it occurs. */
INLINE field field_negate(field a) { return field_subtract(field_zero(), a); }

/* Add a product of limbs to the columns k and k + 1, with the bits of SPLIT and UNIT. */
INLINE void add_product(lanes z[2 * LIMBS], lanes a, lanes b, int k)
{
    __m256d high = _mm256_fmadd_pd(DOUBLES(a), DOUBLES(b), DOUBLES_SAME(SPLIT));
    __m256d low = _mm256_fmadd_pd(DOUBLES(a), DOUBLES(b), _mm256_sub_pd(DOUBLES_SAME(SPLIT + UNIT), high));
    CHECK_BOUND(lanes_bits(lanes_equal(lanes_right(INTEGERS(high), 52), lanes_same(0x466))) == 0xf);
    CHECK_BOUND(lanes_bits(lanes_equal(lanes_right(INTEGERS(low), 52), lanes_same(0x433))) == 0xf);
    z[k] = lanes_wrapping_add(z[k], INTEGERS(low));
    z[k + 1] = lanes_wrapping_add(z[k + 1], INTEGERS(high));
}
/* What a column begins with, for its numbers of low and of high halves. */
#define COLUMN(lows, highs) lanes_same(0 - (lows) * UNIT_BITS - (highs) * SPLIT_BITS)

/* 2^255 counts 19 times: so do the columns from 5 on. 19 = 16 + 2 + 1. */
INLINE lanes folded(lanes lower, lanes upper)
{
    lanes more = lanes_wrapping_add(lanes_left(upper, 4), lanes_left(upper, 1));
    return lanes_wrapping_add(lanes_wrapping_add(lower, upper), more);
}

/* Column by column, so that few columns are worked on at a time: there are but sixteen registers. */
INLINE wide wide_multiply(factor a, factor b)
{
    lanes z[2 * LIMBS] = {COLUMN(1, 0), COLUMN(2, 1), COLUMN(3, 2), COLUMN(4, 3), COLUMN(5, 4),
                          COLUMN(4, 5), COLUMN(3, 4), COLUMN(2, 3), COLUMN(1, 2), COLUMN(0, 1)};
    wide r;
    EACH_LIMB(add_product(z, a.limb[0], b.limb[i], i);
              if (i > 0) add_product(z, a.limb[1], b.limb[i - 1], i);
              if (i > 1) add_product(z, a.limb[2], b.limb[i - 2], i);
              if (i > 2) add_product(z, a.limb[3], b.limb[i - 3], i);
              if (i > 3) add_product(z, a.limb[4], b.limb[i - 4], i));
    EACH_LIMB(if (i < 4) add_product(z, a.limb[i + 1], b.limb[4], LIMBS + i);
              if (i < 3) add_product(z, a.limb[i + 2], b.limb[3], LIMBS + i);
              if (i < 2) add_product(z, a.limb[i + 3], b.limb[2], LIMBS + i);
              if (i < 1) add_product(z, a.limb[i + 4], b.limb[1], LIMBS + i);
              r.limb[i] = folded(z[i], z[LIMBS + i]));
    return r;
}
/* Products of two different limbs count twice: one of them is doubled. Only for a factor that is a field. */
INLINE wide wide_square(factor a)
{
    lanes z[2 * LIMBS] = {COLUMN(1, 0), COLUMN(1, 1), COLUMN(2, 1), COLUMN(2, 2), COLUMN(3, 2),
                          COLUMN(2, 3), COLUMN(2, 2), COLUMN(1, 2), COLUMN(1, 1), COLUMN(0, 1)};
    lanes twice[LIMBS];
    wide r;
    EACH_LIMB(twice[i] = INTEGERS(_mm256_add_pd(DOUBLES(a.limb[i]), DOUBLES(a.limb[i]))));
    EACH_LIMB(if (i > 0) add_product(z, twice[0], a.limb[i], i);
              if (i > 2) add_product(z, twice[1], a.limb[i - 1], i);
              if (i % 2 == 0) add_product(z, a.limb[i / 2], a.limb[i / 2], i));
    EACH_LIMB(if (i < 3) add_product(z, twice[i + 1], a.limb[4], LIMBS + i);
              if (i < 1) add_product(z, twice[i + 2], a.limb[3], LIMBS + i);
              if (i % 2) add_product(z, a.limb[(LIMBS + i) / 2], a.limb[(LIMBS + i) / 2], LIMBS + i);
              r.limb[i] = folded(z[i], z[LIMBS + i]));
    return r;
}
INLINE field factor_multiply(factor a, factor b) { return field_carry(wide_multiply(a, b)); }
INLINE field field_square(field a) { return field_carry(wide_square(field_factor(a))); }

/* 2 a b. Here a product costs less than the square of a sum, which would have to be carried before. */
INLINE wide wide_twice(field a, field b, wide squares)
{
    (void)squares;
    wide product = wide_multiply(field_factor(a), field_factor(b));
    return wide_add(product, product);
}

/* 2p is added, limb by limb, so that nothing is below zero, and carried once. */
INLINE frozen field_integers(field a)
{
    frozen r;
    lanes t[LIMBS];
    wide whole = field_widen(a);
    EACH_LIMB(t[i] = lanes_wrapping_add(whole.limb[i], lanes_same(((i ? LIMB_MASK(51) : LIMB_MASK(51) - 18) << 1)));
              CHECK_BELOW(t[i], 1ull << 53));
    r.limb[0] = lanes_add_multiple(lanes_and(t[0], lanes_same(LIMB_MASK(51))), lanes_right(t[4], 51), 19);
    EACH_LIMB(if (i) r.limb[i] = lanes_add(lanes_and(t[i], lanes_same(LIMB_MASK(51))), lanes_right(t[i - !!i], 51)));
    return r;
}
INLINE field field_of_integers(frozen a)
{
    factor r;
    EACH_LIMB(r.limb[i] = INTEGERS(_mm256_sub_pd(DOUBLES(lanes_or(a.limb[i], lanes_same(0x433ull << 52))),
                                                 DOUBLES_SAME(0x1p52))));
    return doubles_carry(r);
}

#endif
