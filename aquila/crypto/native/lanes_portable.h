/* One lane in plain C, for any processor of 64 bits; see lanes.h. */
#ifndef AQUILA_LANES_PORTABLE_H
#define AQUILA_LANES_PORTABLE_H

#define LANES 1

typedef uint64_t lanes;
/* All bits set, or none. */
typedef uint64_t lane_mask;

/* The compiler must not know that there are but two masks: it might turn them into branches. */
INLINE lane_mask lanes_hidden(lane_mask mask)
{
    __asm__("" : "+r"(mask));
    return mask;
}

INLINE lanes lanes_same(uint64_t word) { return word; }
INLINE lanes lanes_zero(void) { return 0; }
INLINE lanes lanes_load(const uint64_t words[LANES]) { return words[0]; }
INLINE void lanes_store(uint64_t words[LANES], lanes a) { words[0] = a; }

INLINE lane_mask lanes_test(lanes a, lanes b)
{
    uint64_t both = a & b;
    return lanes_hidden(0 - ((both | (0 - both)) >> 63));
}
INLINE lane_mask lanes_equal(lanes a, lanes b) { return ~lanes_test(a ^ b, a ^ b); }
INLINE lane_mask lanes_below(lanes a, lanes b) { return lanes_hidden((uint64_t)(((unsigned __int128)a - b) >> 64)); }
INLINE unsigned lanes_bits(lane_mask mask) { return mask & 1; }
INLINE lane_mask lanes_chosen(unsigned bits) { return lanes_hidden(0 - (uint64_t)bits); }

INLINE lanes lanes_wrapping_add(lanes a, lanes b) { return a + b; }
INLINE lanes lanes_add(lanes a, lanes b)
{
    CHECK_BOUND(a + b >= a);
    return a + b;
}
INLINE lanes lanes_subtract(lanes a, lanes b)
{
    CHECK_BOUND(a >= b);
    return a - b;
}
INLINE lanes lanes_and(lanes a, lanes b) { return a & b; }
INLINE lanes lanes_or(lanes a, lanes b) { return a | b; }
INLINE lanes lanes_xor3(lanes a, lanes b, lanes c) { return a ^ b ^ c; }
INLINE lanes lanes_choose(lanes a, lanes b, lanes c) { return (a & (b ^ c)) ^ c; }
INLINE lanes lanes_majority(lanes a, lanes b, lanes c) { return (a & b) | (c & (a | b)); }
INLINE lanes lanes_left(lanes a, int bits) { return a << bits; }
INLINE lanes lanes_right(lanes a, int bits) { return a >> bits; }
INLINE lanes lanes_rotate_right(lanes a, int bits) { return a >> bits | a << (64 - bits); }
INLINE lanes lanes_add_multiple(lanes sum, lanes a, uint64_t small) { return lanes_add(sum, a * small); }

INLINE lanes lanes_select(lane_mask mask, lanes a, lanes b) { return a ^ ((a ^ b) & mask); }
INLINE lanes lanes_swap_bytes(lanes a) { return __builtin_bswap64(a); }
INLINE void lanes_transpose(lanes r[LANES]) { (void)r; }

#endif
