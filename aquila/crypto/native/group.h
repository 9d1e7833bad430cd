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

#endif
