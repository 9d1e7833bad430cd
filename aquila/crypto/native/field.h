/* The field of 2^255 - 19, one element for each lane, in five limbs.
 *
 * How limbs are multiplied depends on the instructions, so each backend has a header of its own for it:
 * field_ifma.h (limbs of 52 bits), field_avx2.h (51 bits, as doubles) and field_portable.h (51 bits). Each has
 *   field   an element, carried: what is kept in memory
 *   factor  an element that may be multiplied: carried as far as multiplying needs it
 *   wide    an element that grew in products, sums and differences, of which at most four products and as many
 *           subtractions as point.h has are taken before it is carried
 * which are different types, so that the compiler keeps them apart, and
 *   RADIX                   bits of a limb
 *   FIELD_CONSTANT          a number of 256 bits below p, in words of 64 bits, least significant first, as a constant
 *   field_same, field_zero  the same constant in every lane
 *   factor_carry, field_carry, factor_mask  from wide to factor, from wide to field, and from factor to field
 *   field_factor, field_widen               from field to the others, without work or nearly so
 *   wide_add, wide_subtract, wide_multiply, wide_square, wide_twice  products and their sums
 *   factor_add, factor_subtract             sums of two fields, to be multiplied with a field
 *   field_add, field_subtract, field_negate, field_square, factor_multiply  what ends in a field
 *   field_integers          limbs that are not negative and below 2^RADIX + 2^14, for a value below 2p
 *   field_of_integers       a field of limbs below 2^RADIX
 * The rest is the same for all of them and stands here.
 */
#ifndef AQUILA_FIELD_H
#define AQUILA_FIELD_H

#include "lanes.h"

#define LIMBS 5

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

typedef struct {
    lanes limb[LIMBS];
} field;

typedef struct {
    lanes limb[LIMBS];
} factor;

typedef struct {
    lanes limb[LIMBS];
} wide;

/* Whole numbers below 2^RADIX each; the value is from 0 to p - 1. */
typedef struct {
    lanes limb[LIMBS];
} frozen;

/* The limbs of a number in words of 64 bits. */
#define LIMB_MASK(bits) ((1ull << (bits)) - 1)
#define TOP_BITS (255 - 4 * RADIX)
#define CONSTANT_LIMBS(word, w0, w1, w2, w3)                                                                           \
    {                                                                                                                  \
        word((w0) & LIMB_MASK(RADIX)),                                                                                 \
        word(((w0) >> RADIX | (w1) << (64 - RADIX)) & LIMB_MASK(RADIX)),                                               \
        word(((w1) >> (2 * RADIX - 64) | (w2) << (128 - 2 * RADIX)) & LIMB_MASK(RADIX)),                               \
        word(((w2) >> (3 * RADIX - 128) | (w3) << (192 - 3 * RADIX)) & LIMB_MASK(RADIX)),                              \
        word((w3) >> (4 * RADIX - 192)),                                                                               \
    }

#if defined(AQUILA_IFMA)
#include "field_ifma.h"
#elif defined(AQUILA_AVX2)
#include "field_avx2.h"
#else
#include "field_portable.h"
#endif

static const field_constant FIELD_ONE = FIELD_CONSTANT(1ull, 0ull, 0ull, 0ull);

INLINE field field_multiply(field a, field b) { return factor_multiply(field_factor(a), field_factor(b)); }

INLINE field field_select(lane_mask mask, field a, field b)
{
    EACH_LIMB(a.limb[i] = lanes_select(mask, a.limb[i], b.limb[i]));
    return a;
}
INLINE field field_negate_where(lane_mask mask, field a) { return field_select(mask, a, field_negate(a)); }

/* The value is below 2p: adding 19 carries into bit 255 exactly if it is p or more, and then bit 255 goes and the 19
 * stay. */
INLINE frozen field_freeze(field a)
{
    frozen r = field_integers(a);
    lanes t = lanes_add(r.limb[0], lanes_same(19));
    EACH_LIMB(if (i) t = lanes_add(r.limb[i], lanes_right(t, RADIX)));
    t = lanes_add_multiple(r.limb[0], lanes_right(t, TOP_BITS), 19);
    EACH_LIMB(if (i) t = lanes_add(r.limb[i], lanes_right(t, RADIX));
              r.limb[i] = lanes_and(t, lanes_same(i < 4 ? LIMB_MASK(RADIX) : LIMB_MASK(TOP_BITS))));
    return r;
}
INLINE lane_mask field_is_zero(field a)
{
    frozen r = field_freeze(a);
    lanes any = r.limb[0];
    EACH_LIMB(any = lanes_or(any, r.limb[i]));
    return lanes_equal(any, lanes_zero());
}
INLINE lane_mask field_equal(field a, field b) { return field_is_zero(field_subtract(a, b)); }
/* RFC 9496 section 4.1: negative is odd. */
INLINE lane_mask field_is_negative(field a) { return lanes_test(field_freeze(a).limb[0], lanes_same(1)); }
INLINE field field_absolute(field a) { return field_negate_where(field_is_negative(a), a); }

/* The limbs of one number of 32 bytes for each lane, `stride` bytes apart, without bit 255: below p, or not frozen. */
INLINE frozen field_limbs(const uint8_t *octets, size_t stride)
{
    lanes w0 = lanes_gather(octets, stride, 0), w1 = lanes_gather(octets, stride, 1);
    lanes w2 = lanes_gather(octets, stride, 2), w3 = lanes_gather(octets, stride, 3);
    const lanes mask = lanes_same(LIMB_MASK(RADIX));
    frozen r;
    r.limb[0] = lanes_and(w0, mask);
    r.limb[1] = lanes_and(lanes_or(lanes_right(w0, RADIX), lanes_left(w1, 64 - RADIX)), mask);
    r.limb[2] = lanes_and(lanes_or(lanes_right(w1, 2 * RADIX - 64), lanes_left(w2, 128 - 2 * RADIX)), mask);
    r.limb[3] = lanes_and(lanes_or(lanes_right(w2, 3 * RADIX - 128), lanes_left(w3, 192 - 3 * RADIX)), mask);
    r.limb[4] = lanes_and(lanes_right(w3, 4 * RADIX - 192), lanes_same(LIMB_MASK(TOP_BITS)));
    return r;
}
INLINE field field_read(const uint8_t *octets, size_t stride) { return field_of_integers(field_limbs(octets, stride)); }
/* Write one field element of 32 bytes for each lane, one behind the other. */
INLINE void field_write(uint8_t *octets, field a)
{
    frozen r = field_freeze(a);
    uint64_t words[4][LANES];
    lanes_store(words[0], lanes_or(r.limb[0], lanes_left(r.limb[1], RADIX)));
    lanes_store(words[1], lanes_or(lanes_right(r.limb[1], 64 - RADIX), lanes_left(r.limb[2], 2 * RADIX - 64)));
    lanes_store(words[2], lanes_or(lanes_right(r.limb[2], 128 - 2 * RADIX), lanes_left(r.limb[3], 3 * RADIX - 128)));
    lanes_store(words[3], lanes_or(lanes_right(r.limb[3], 192 - 3 * RADIX), lanes_left(r.limb[4], 4 * RADIX - 192)));
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

/* SQRT_RATIO_M1 of RFC 9496 section 4.2 for all chains; squares[k] says where u / v was a square. */
void field_square_root_ratio(field out[CHAINS], lane_mask squares[CHAINS], const field u[CHAINS],
                             const field v[CHAINS]);

/* out[k] = 1 / sqrt(v), which is that with u = 1. */
void field_inverse_square_root(field out[CHAINS], lane_mask squares[CHAINS], const field v[CHAINS]);

extern const field_constant FIELD_SQRT_M1;

#endif
