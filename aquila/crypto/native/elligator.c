/* The one-way map of RFC 9496 section 4.3.4: two Elligator maps, added. */
#include "ristretto.h"

static const field_constant FIELD_D =
    FIELD_CONSTANT(0x75eb4dca135978a3ull, 0x00700a4d4141d8abull, 0x8cc740797779e898ull, 0x52036cee2b6ffe73ull);
static const field_constant FIELD_SQRT_AD_MINUS_ONE =
    FIELD_CONSTANT(0x7e97f6a0497b2e1bull, 0xaf9d8e0c1b7854bdull, 0x0f3cfcc931f5d1fdull, 0x376931bf2b8348acull);
static const field_constant FIELD_ONE_MINUS_D_SQ =
    FIELD_CONSTANT(0xe27c09c1945fc176ull, 0x2c81a138cd5e350full, 0x9994abddbe70dfe4ull, 0x029072a8b2b3e0d7ull);
static const field_constant FIELD_D_MINUS_ONE_SQ =
    FIELD_CONSTANT(0x31ad5aaa44ed4d20ull, 0xd29e4a2cb01e1999ull, 0x4cdcd32f529b4eebull, 0x5968b37af66c2241ull);

#define EACH_CHAIN for (int k = 0; k < CHAINS; k++)

/* The function MAP of section 4.3.4 on `t` of all chains. */
static NOINLINE void map(point out[CHAINS], const field t[CHAINS])
{
    const field one = field_same(FIELD_ONE), d = field_same(FIELD_D);
    field r[CHAINS], u[CHAINS], v[CHAINS], root[CHAINS];
    lane_mask squares[CHAINS];
    EACH_CHAIN
    {
        r[k] = field_multiply(field_same(FIELD_SQRT_M1), field_square(t[k]));
        u[k] = field_multiply(field_add(r[k], one), field_same(FIELD_ONE_MINUS_D_SQ));
        v[k] = field_multiply(field_negate(field_add(one, field_multiply(r[k], d))), field_add(r[k], d));
    }
    field_square_root_ratio(root, squares, u, v);
    EACH_CHAIN
    {
        field s_prime = field_negate(field_absolute(field_multiply(root[k], t[k])));
        field s = field_select(squares[k], s_prime, root[k]);
        field c = field_select(squares[k], r[k], field_negate(one));
        field product = field_multiply(field_multiply(c, field_subtract(r[k], one)), field_same(FIELD_D_MINUS_ONE_SQ));
        field n = field_subtract(product, v[k]);
        field ss = field_square(s);
        field w0 = field_multiply(field_add(s, s), v[k]);
        field w1 = field_multiply(n, field_same(FIELD_SQRT_AD_MINUS_ONE));
        field w2 = field_subtract(one, ss);
        field w3 = field_add(one, ss);
        out[k] = (point){field_multiply(w0, w3), field_multiply(w2, w1), field_multiply(w1, w3),
                         field_multiply(w0, w2)};
    }
}

void ristretto_map(point out[CHAINS], const uint8_t uniform[GROUP_SIZE * 64])
{
    field first[CHAINS], second[CHAINS];
    point other[CHAINS];
    EACH_CHAIN
    {
        first[k] = field_read(uniform + k * LANES * 64, 64);
        second[k] = field_read(uniform + k * LANES * 64 + 32, 64);
    }
    map(out, first);
    map(other, second);
    EACH_CHAIN out[k] = point_sum(out[k], other[k]);
}

#include "lanes_end.h"
