/* The last elements of a batch, which need not fill a group of GROUP_SIZE. */
#ifndef AQUILA_GROUP_H
#define AQUILA_GROUP_H

#include "batch.h"
#include "ristretto.h"

INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* Copy what is left of a batch into a full group, its last value repeated. */
INLINE const uint8_t *full_group(uint8_t padded[GROUP_SIZE * ELEMENT_BYTES], const uint8_t *octets, size_t count)
{
    if (count >= GROUP_SIZE) return octets;
    for (size_t i = 0; i < GROUP_SIZE; i++) {
        size_t from = i < count ? i : count - 1;
        memcpy(padded + i * ELEMENT_BYTES, octets + from * ELEMENT_BYTES, ELEMENT_BYTES);
    }
    return padded;
}

/* The earlier of two refusals. */
INLINE outcome earlier(outcome a, outcome b) { return b == ACCEPTED || (a != ACCEPTED && a < b) ? a : b; }

/* Decode up to GROUP_SIZE elements; the position of the first refused one, or ACCEPTED. */
INLINE outcome decode(point out[CHAINS], const uint8_t *elements, size_t count)
{
    uint8_t padded[GROUP_SIZE * ELEMENT_BYTES];
    group_mask refused = ristretto_decode(out, full_group(padded, elements, count));
    return refused ? __builtin_ctz(refused) : ACCEPTED;
}

/* A decoded point in memory: y + x, y - x and 2dxy, five limbs each, and a word that says nothing. */
#define POINT_WORDS (DECODED_BYTES / 8)
#define POINT_PARTS (3 * LIMBS)

/* Load one point for each lane. */
INLINE affine_point load_affine(const uint64_t *const from[LANES])
{
    lanes rows[POINT_WORDS];
    UNROLL for (int i = 0; i < POINT_WORDS; i += LANES)
    {
        UNROLL for (int lane = 0; lane < LANES; lane++) rows[i + lane] = lanes_load(from[lane] + i);
        lanes_transpose(rows + i);
    }
    affine_point p;
    EACH_LIMB(p.y_plus_x.limb[i] = rows[i];
              p.y_minus_x.limb[i] = rows[LIMBS + i];
              p.t2d.limb[i] = rows[2 * LIMBS + i]);
    return p;
}

/* Take up to GROUP_SIZE elements of a list from position `first` on; the first refused one counted from there, or
 * ACCEPTED. */
INLINE outcome take(point out[CHAINS], element_list elements, size_t first, size_t count)
{
    if (!elements.are_decoded) return decode(out, elements.octets + first * ELEMENT_BYTES, count);
    const uint64_t *words = (const uint64_t *)(elements.octets + first * DECODED_BYTES);
    for (size_t k = 0; k < CHAINS; k++) {
        const uint64_t *from[LANES];
        for (size_t lane = 0; lane < LANES; lane++) from[lane] = words + smaller(k * LANES + lane, count - 1) * POINT_WORDS;
        out[k] = point_of_affine(load_affine(from));
    }
    return ACCEPTED;
}

#endif
