/* Decode and encode elements: RFC 9496 sections 4.3.1 and 4.3.2, and the encoding of doubles with a shared inversion. */
#include "ristretto.h"

static const field_constant FIELD_D =
    FIELD_CONSTANT(0x75eb4dca135978a3ull, 0x00700a4d4141d8abull, 0x8cc740797779e898ull, 0x52036cee2b6ffe73ull);
static const field_constant FIELD_INVSQRT_A_MINUS_D =
    FIELD_CONSTANT(0x99c8fdaa805d40eaull, 0x9d2f16175a4172beull, 0x16c27b91fe01d840ull, 0x786c8905cfaffca2ull);

#define EACH_CHAIN for (int k = 0; k < CHAINS; k++)

group_mask ristretto_decode(point out[CHAINS], const uint8_t octets[GROUP_SIZE * ELEMENT_BYTES])
{
    const field one = field_same(FIELD_ONE), d = field_same(FIELD_D);
    field s[CHAINS], u1[CHAINS], u2[CHAINS], v[CHAINS], v_u2_squared[CHAINS], root[CHAINS];
    lane_mask refused[CHAINS], squares[CHAINS];
    EACH_CHAIN
    {
        const uint8_t *start = octets + k * LANES * ELEMENT_BYTES;
        /* Steps 1 to 3: canonical, so below p and without bit 255; and not negative, so even. */
        frozen limbs = field_limbs(start, ELEMENT_BYTES);
        s[k] = field_of_integers(limbs);
        frozen canonical = field_freeze(s[k]);
        refused[k] = lanes_test(lanes_gather(start, ELEMENT_BYTES, 3), lanes_same(1ull << 63));
        for (int i = 0; i < LIMBS; i++) refused[k] |= (lane_mask)~lanes_equal(canonical.limb[i], limbs.limb[i]);
        refused[k] |= lanes_test(canonical.limb[0], lanes_same(1));
        /* Step 4. */
        field ss = field_square(s[k]);
        u1[k] = field_subtract(one, ss);
        u2[k] = field_add(one, ss);
        field u2_squared = field_square(u2[k]);
        v[k] = field_negate(field_add(field_multiply(d, field_square(u1[k])), u2_squared));
        v_u2_squared[k] = field_multiply(v[k], u2_squared);
    }
    field_inverse_square_root(root, squares, v_u2_squared);
    group_mask all = 0;
    EACH_CHAIN
    {
        field den_x = field_multiply(root[k], u2[k]);
        field den_y = field_multiply(field_multiply(root[k], den_x), v[k]);
        field x = field_absolute(field_multiply(field_add(s[k], s[k]), den_x));
        field y = field_multiply(u1[k], den_y);
        field t = field_multiply(x, y);
        refused[k] |= (lane_mask)~squares[k] | field_is_negative(t) | field_is_zero(y);
        out[k] = (point){x, y, one, t};
        all |= (group_mask)lanes_bits(refused[k]) << (k * LANES);
    }
    return all;
}

void ristretto_encode(uint8_t octets[GROUP_SIZE * ELEMENT_BYTES], const point p[CHAINS])
{
    const field sqrt_m1 = field_same(FIELD_SQRT_M1);
    field u1[CHAINS], u2[CHAINS], product[CHAINS], root[CHAINS];
    lane_mask squares[CHAINS]; /* always set: the product is a square for every point of the group */
    EACH_CHAIN
    {
        u1[k] = field_multiply(field_add(p[k].z, p[k].y), field_subtract(p[k].z, p[k].y));
        u2[k] = field_multiply(p[k].x, p[k].y);
        product[k] = field_multiply(u1[k], field_square(u2[k]));
    }
    field_inverse_square_root(root, squares, product);
    EACH_CHAIN
    {
        field den1 = field_multiply(root[k], u1[k]), den2 = field_multiply(root[k], u2[k]);
        field z_inverse = field_multiply(field_multiply(den1, den2), p[k].t);
        lane_mask rotate = field_is_negative(field_multiply(p[k].t, z_inverse));
        field x = field_select(rotate, p[k].x, field_multiply(p[k].y, sqrt_m1));
        field y = field_select(rotate, p[k].y, field_multiply(p[k].x, sqrt_m1));
        field enchanted = field_multiply(den1, field_same(FIELD_INVSQRT_A_MINUS_D));
        field den_inverse = field_select(rotate, den2, enchanted);
        y = field_negate_where(field_is_negative(field_multiply(x, z_inverse)), y);
        field s = field_absolute(field_multiply(den_inverse, field_subtract(p[k].z, y)));
        field_write(octets + k * LANES * ELEMENT_BYTES, s);
    }
}

/* The encoding of a double needs no square root, so that many can share one inversion.
 *
 * With e = 2XY, f = Y^2 - X^2, g = Y^2 + X^2, h = 2Z^2 - f, the double has the affine coordinates x = e/f and
 * y = g/h, so (X : Y : Z : T) = (eh : fg : fh : eg). From the curve's equation follows
 *     h^2 - g^2 = (a - d) e^2,     so     Z^2 - Y^2 = f^2 (h^2 - g^2) = (a - d) (ef)^2,
 * whose root is known. Section 4.3.2 then becomes, with xy = eg/(fh):
 *   xy not negative: s = |(h - g') / (e sqrt(a - d))|, where g' is g, or -g if x = e/f is negative;
 *   xy negative:     s = |(f - i e') / g|, where e' is e, or -e if i y = i g/h is negative.
 * With (e, g, h) := (g, -e, i f) and the factor i in place of 1/sqrt(a - d) the second is |(h - g) factor / e| too:
 * i (i f + e') = -(f - i e'), and |...| does not see a sign. The sign of g is changed where h e / (f h before) is
 * negative. 1/e is g / (eg), 1/g is e / (eg); only 1/(efgh) must be computed. */
doubled_point ristretto_double(const point *p)
{
    wide a = wide_square(field_factor(p->x)), b = wide_square(field_factor(p->y)), c = wide_square(field_factor(p->z));
    wide g = wide_add(a, b);
    doubled_point r;
    r.e = field_carry(wide_twice(p->x, p->y, g));
    r.f = field_carry(wide_subtract(b, a));
    r.g = field_carry(g);
    r.h = field_carry(wide_subtract(wide_add(wide_add(c, c), a), b));
    return r;
}

static void encode_doubled(uint8_t *octets, const doubled_point *p, field eg, field fh, field inverse)
{
    const field sqrt_m1 = field_same(FIELD_SQRT_M1);
    field by_fh = field_multiply(eg, inverse), by_eg = field_multiply(fh, inverse);
    lane_mask rotate = field_is_negative(field_multiply(eg, by_fh));
    field e = field_select(rotate, p->e, p->g);
    field g = field_select(rotate, p->g, field_negate(p->e));
    field h = field_select(rotate, p->h, field_multiply(p->f, sqrt_m1));
    field factor = field_select(rotate, field_same(FIELD_INVSQRT_A_MINUS_D), sqrt_m1);
    lane_mask negative = field_is_negative(field_multiply(field_multiply(h, e), by_fh));
    /* 1/e is the other of e and g, over eg; its sign does not matter. */
    field other = g;
    g = field_negate_where(negative, g);
    field s = field_multiply(field_multiply(field_subtract(h, g), factor), field_multiply(other, by_eg));
    s = field_select(field_is_zero(eg) | field_is_zero(fh), s, field_zero());
    field_write(octets, field_absolute(s));
}

/* efgh; or 1 where it is zero, which happens for the points of order 4 or less, the encodings of the identity. */
static field invertible_product(field eg, field fh)
{
    field product = field_multiply(eg, fh);
    return field_select(field_is_zero(product), product, field_same(FIELD_ONE));
}

void ristretto_encode_doubled(uint8_t *octets, const doubled_point *p, field *scratch, size_t count)
{
    /* Montgomery's trick: scratch[i] is the product of the first i values; from the end, the inverse of the product
     * up to i is split into the inverse of value i and that of the shorter product. */
    field running = field_same(FIELD_ONE);
    for (size_t i = 0; i < count; i++) {
        scratch[i] = running;
        field product = invertible_product(field_multiply(p[i].e, p[i].g), field_multiply(p[i].f, p[i].h));
        running = field_multiply(running, product);
    }
    field inverse;
    field_invert(&inverse, &running);
    for (size_t i = count; i-- > 0;) {
        field eg = field_multiply(p[i].e, p[i].g), fh = field_multiply(p[i].f, p[i].h);
        encode_doubled(octets + i * LANES * ELEMENT_BYTES, &p[i], eg, fh, field_multiply(inverse, scratch[i]));
        inverse = field_multiply(inverse, invertible_product(eg, fh));
    }
}

#include "lanes_end.h"
