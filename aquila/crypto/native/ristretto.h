/* Elements of ristretto255 as 32 bytes: RFC 9496 sections 4.3.1 to 4.3.4. */
#ifndef AQUILA_RISTRETTO_H
#define AQUILA_RISTRETTO_H

#include "point.h"

#define ELEMENT_BYTES 32
/* Elements that are decoded, encoded and mapped at once. */
#define GROUP_SIZE (CHAINS * LANES)
/* One bit for each of them. */
typedef uint32_t group_mask;

/* Decode GROUP_SIZE elements (section 4.3.1). The points have Z = 1. A bit is set where the encoding is refused:
 * not canonical (bit 255 included), negative, or not on the curve. The identity is not refused here; it is the only
 * accepted encoding that is all zero. The point of a refused encoding is undefined. */
group_mask ristretto_decode(point out[CHAINS], const uint8_t octets[GROUP_SIZE * ELEMENT_BYTES]);

/* Encode GROUP_SIZE points (section 4.3.2). */
void ristretto_encode(uint8_t octets[GROUP_SIZE * ELEMENT_BYTES], const point p[CHAINS]);

/* What is kept of a point until the double of it is encoded. */
typedef struct {
    field e, f, g, h;
} doubled_point;

/* Prepare the encoding of 2p. */
doubled_point ristretto_double(const point *p);

/* Encode `count` vectors of doubled points with one inversion; the identity as zeros. `scratch` has room for
 * `count` fields. */
void ristretto_encode_doubled(uint8_t *octets, const doubled_point *p, field *scratch, size_t count);

/* The one-way map of section 4.3.4 from 64 uniform bytes each. */
void ristretto_map(point out[CHAINS], const uint8_t uniform[GROUP_SIZE * 64]);

#endif
