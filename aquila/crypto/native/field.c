/* Powers in the field: inversion and square roots. The exponents are public; the bases may be secret. */
#include "field.h"

const field_constant FIELD_SQRT_M1 =
    FIELD_CONSTANT(0xc4ee1b274a0ea0b0ull, 0x2f431806ad2fe478ull, 0x2b4d00993dfbd7a7ull, 0x2b8324804fc1df0bull);

#define EACH_CHAIN for (int k = 0; k < CHAINS; k++)

/* out = a^(2^count). */
static NOINLINE void square_times(field out[CHAINS], const field a[CHAINS], int count)
{
    factor r[CHAINS];
    EACH_CHAIN r[k] = field_factor(a[k]);
    for (int n = 0; n < count; n++) {
        UNROLL EACH_CHAIN r[k] = factor_carry(wide_square(r[k]));
    }
    EACH_CHAIN out[k] = factor_mask(r[k]);
}
static NOINLINE void multiply(field out[CHAINS], const field a[CHAINS], const field b[CHAINS])
{
    EACH_CHAIN out[k] = field_multiply(a[k], b[k]);
}

/* The exponent is 2^252 - 3. `ones_n` is a to the power 2^n - 1, n ones in binary: from n and m ones come n + m by
 * squaring m times and multiplying. */
void field_power_p58(field out[CHAINS], const field a[CHAINS])
{
    field t[CHAINS], a9[CHAINS], ones_5[CHAINS], ones_10[CHAINS], ones_20[CHAINS], ones_50[CHAINS], ones_100[CHAINS];
    square_times(t, a, 3);
    multiply(a9, t, a);
    square_times(t, a, 1);
    multiply(t, t, a9); /* 11 */
    square_times(t, t, 1);
    multiply(ones_5, t, a9); /* 31 */
    square_times(t, ones_5, 5);
    multiply(ones_10, t, ones_5);
    square_times(t, ones_10, 10);
    multiply(ones_20, t, ones_10);
    square_times(t, ones_20, 20);
    multiply(t, t, ones_20); /* 40 ones */
    square_times(t, t, 10);
    multiply(ones_50, t, ones_10);
    square_times(t, ones_50, 50);
    multiply(ones_100, t, ones_50);
    square_times(t, ones_100, 100);
    multiply(t, t, ones_100); /* 200 ones */
    square_times(t, t, 50);
    multiply(t, t, ones_50); /* 250 ones */
    square_times(t, t, 2);
    multiply(out, t, a);
}

/* p - 2 = 8 * (2^252 - 3) + 3. The other chains compute the same and are thrown away: an inversion is shared by
 * many elements. */
void field_invert(field *out, const field *a)
{
    field same[CHAINS], power[CHAINS];
    EACH_CHAIN same[k] = *a;
    field_power_p58(power, same);
    square_times(power, power, 3);
    *out = field_multiply(power[0], field_multiply(field_square(*a), *a));
}

void field_square_root_ratio(field out[CHAINS], lane_mask squares[CHAINS], const field u[CHAINS],
                             const field v[CHAINS])
{
    field uv3[CHAINS], uv7[CHAINS], power[CHAINS];
    EACH_CHAIN
    {
        field v3 = field_multiply(field_square(v[k]), v[k]);
        uv3[k] = field_multiply(u[k], v3);
        uv7[k] = field_multiply(field_multiply(u[k], field_square(v3)), v[k]);
    }
    field_power_p58(power, uv7);
    const field root = field_same(FIELD_SQRT_M1);
    EACH_CHAIN
    {
        field r = field_multiply(uv3[k], power[k]);
        field check = field_multiply(v[k], field_square(r));
        field minus_u = field_negate(u[k]);
        lane_mask correct = field_equal(check, u[k]);
        lane_mask flipped = field_equal(check, minus_u);
        lane_mask flipped_i = field_equal(check, field_multiply(minus_u, root));
        r = field_select(flipped | flipped_i, r, field_multiply(r, root));
        out[k] = field_absolute(r);
        squares[k] = correct | flipped;
    }
}

void field_inverse_square_root(field out[CHAINS], lane_mask squares[CHAINS], const field v[CHAINS])
{
    field one[CHAINS];
    EACH_CHAIN one[k] = field_same(FIELD_ONE);
    field_square_root_ratio(out, squares, one, v);
}

#include "lanes_end.h"
