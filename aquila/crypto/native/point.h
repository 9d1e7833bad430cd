/* Points of the curve -x^2 + y^2 = 1 + d x^2 y^2, one for each lane.
 *
 * Extended coordinates (X : Y : Z : T), x = X/Z, y = Y/Z, x y = T/Z, and the complete addition and doubling of Hisil,
 * Wong, Carter and Dawson, "Twisted Edwards Curves Revisited" (2008), sections 3.1 to 3.3, for a = -1. Complete: no
 * pair of points is an exception, so nothing here branches.
 *
 * Every coordinate is a carried `field`. Sums of products are taken on `wide` values and carried once.
 */
#ifndef AQUILA_POINT_H
#define AQUILA_POINT_H

#include "field.h"

typedef struct {
    field x, y, z, t;
} point;

/* A point as the second operand of an addition. */
typedef struct {
    field y_plus_x, y_minus_x, z2, t2d;
} cached_point;

/* The same with Z = 1. */
typedef struct {
    field y_plus_x, y_minus_x, t2d;
} affine_point;

static const field_constant FIELD_D2 =
    FIELD_CONSTANT(0xebd69b9426b2f159ull, 0x00e0149a8283b156ull, 0x198e80f2eef3d130ull, 0x2406d9dc56dffce7ull);

static const field_constant FIELD_1_BY_D =
    FIELD_CONSTANT(0x25e0f276cdc9f843ull, 0x0b5dd6984279542eull, 0x2b162114cdb9cf66ull, 0x40907ed214d5ce43ull);

INLINE point point_identity(void)
{
    const field one = field_same(FIELD_ONE);
    return (point){field_zero(), one, one, field_zero()};
}

INLINE cached_point point_cache(point p)
{
    return (cached_point){field_add(p.y, p.x), field_subtract(p.y, p.x), field_add(p.z, p.z),
                          field_multiply(p.t, field_same(FIELD_D2))};
}

/* (2x : 2y : 2 : 2xy). */
INLINE point point_of_affine(affine_point p)
{
    const field one = field_same(FIELD_ONE);
    return (point){field_subtract(p.y_plus_x, p.y_minus_x), field_add(p.y_plus_x, p.y_minus_x), field_add(one, one),
                   field_multiply(p.t2d, field_same(FIELD_1_BY_D))};
}

/* From the wide values E, F, G, H to X = EF, Y = GH, Z = FG and, where it will be used, T = EH. */
INLINE point point_complete(wide e_wide, wide f_wide, wide g_wide, wide h_wide, int with_t)
{
    factor e = factor_carry(e_wide), f = factor_carry(f_wide), g = factor_carry(g_wide), h = factor_carry(h_wide);
    point r = {factor_multiply(e, f), factor_multiply(g, h), factor_multiply(f, g), field_zero()};
    if (with_t) r.t = factor_multiply(e, h);
    return r;
}

/* 2p. The signs of F and H are both the other way round than in the paper, which gives the same point: all four
 * coordinates change their sign. Without `with_t` the result's T is zero and no T; p's T is not read. */
INLINE point point_double(point p, int with_t)
{
    wide a = wide_square(field_factor(p.x)), b = wide_square(field_factor(p.y)), c = wide_square(field_factor(p.z));
    wide h = wide_add(a, b);                                       /* 2 products */
    wide e = wide_twice(p.x, p.y, h);                              /* 2XY */
    wide g = wide_subtract(b, a);                                  /* Y^2 - X^2 */
    wide f = wide_subtract(wide_add(wide_add(c, c), a), b);        /* 2Z^2 - G: 3 products + BIAS */
    return point_complete(e, f, g, h, with_t);
}

INLINE point point_add_products(wide a, wide b, wide c, wide d, lane_mask swap, int with_t)
{
    wide e = wide_subtract(b, a), h = wide_add(b, a);
    wide minus = wide_subtract(d, c), plus = wide_add(d, c);
    wide f, g;
    EACH_LIMB(f.limb[i] = lanes_select(swap, minus.limb[i], plus.limb[i]);
              g.limb[i] = lanes_select(swap, plus.limb[i], minus.limb[i]));
    return point_complete(e, f, g, h, with_t);
}

/* p + q, or p - q in the lanes of `negative`. -q has Y + X and Y - X exchanged and the other sign of T, which
 * exchanges F and G. */
INLINE point point_add(point p, cached_point q, lane_mask negative, int with_t)
{
    field plus = field_select(negative, q.y_plus_x, q.y_minus_x);
    field minus = field_select(negative, q.y_minus_x, q.y_plus_x);
    wide a = wide_multiply(factor_subtract(p.y, p.x), field_factor(minus));
    wide b = wide_multiply(factor_add(p.y, p.x), field_factor(plus));
    wide c = wide_multiply(field_factor(p.t), field_factor(q.t2d));
    wide d = wide_multiply(field_factor(p.z), field_factor(q.z2));
    return point_add_products(a, b, c, d, negative, with_t);
}

INLINE point point_add_affine(point p, affine_point q, lane_mask negative, int with_t)
{
    field plus = field_select(negative, q.y_plus_x, q.y_minus_x);
    field minus = field_select(negative, q.y_minus_x, q.y_plus_x);
    wide a = wide_multiply(factor_subtract(p.y, p.x), field_factor(minus));
    wide b = wide_multiply(factor_add(p.y, p.x), field_factor(plus));
    wide c = wide_multiply(field_factor(p.t), field_factor(q.t2d));
    wide d = wide_add(field_widen(p.z), field_widen(p.z));
    return point_add_products(a, b, c, d, negative, with_t);
}

INLINE point point_sum(point p, point q) { return point_add(p, point_cache(q), lanes_chosen(0), 1); }

INLINE point point_select(lane_mask mask, point a, point b)
{
    return (point){field_select(mask, a.x, b.x), field_select(mask, a.y, b.y), field_select(mask, a.z, b.z),
                   field_select(mask, a.t, b.t)};
}

#endif
