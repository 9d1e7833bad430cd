/* What lanes_ifma.h has, in loops of plain C; see lanes.h. */
#ifndef AQUILA_LANES_EMULATED_H
#define AQUILA_LANES_EMULATED_H

#define LANES 8

typedef struct {
    uint64_t word[LANES];
} lanes;

typedef uint8_t lane_mask;

#define EACH_LANE for (int i = 0; i < LANES; i++)
#define MASK_52 0xfffffffffffffull

INLINE lanes lanes_same(uint64_t word)
{
    lanes r;
    EACH_LANE r.word[i] = word;
    return r;
}
INLINE lanes lanes_zero(void) { return lanes_same(0); }
INLINE lanes lanes_load(const uint64_t words[LANES])
{
    lanes r;
    memcpy(r.word, words, sizeof r.word);
    return r;
}
INLINE void lanes_store(uint64_t words[LANES], lanes a) { memcpy(words, a.word, sizeof a.word); }

/* Comparisons by arithmetic: a compiler might turn the operators into branches. */
INLINE lane_mask lanes_test(lanes a, lanes b)
{
    unsigned mask = 0;
    EACH_LANE
    {
        uint64_t both = a.word[i] & b.word[i];
        mask |= (unsigned)((both | (0 - both)) >> 63) << i;
    }
    return (lane_mask)mask;
}
INLINE lane_mask lanes_equal(lanes a, lanes b)
{
    EACH_LANE a.word[i] ^= b.word[i];
    return (lane_mask)~lanes_test(a, a);
}
INLINE lane_mask lanes_below(lanes a, lanes b)
{
    unsigned mask = 0;
    EACH_LANE mask |= (unsigned)(((unsigned __int128)a.word[i] - b.word[i]) >> 127) << i;
    return (lane_mask)mask;
}

INLINE unsigned lanes_bits(lane_mask mask) { return mask; }
INLINE lane_mask lanes_chosen(unsigned bits) { return (lane_mask)bits; }

INLINE lanes lanes_wrapping_add(lanes a, lanes b)
{
    EACH_LANE a.word[i] += b.word[i];
    return a;
}
INLINE lanes lanes_add(lanes a, lanes b)
{
    lanes sum = lanes_wrapping_add(a, b);
    CHECK_BOUND(!lanes_below(sum, a));
    return sum;
}
INLINE lanes lanes_subtract(lanes a, lanes b)
{
    CHECK_BOUND(!lanes_below(a, b));
    EACH_LANE a.word[i] -= b.word[i];
    return a;
}
INLINE lanes lanes_and(lanes a, lanes b)
{
    EACH_LANE a.word[i] &= b.word[i];
    return a;
}
INLINE lanes lanes_or(lanes a, lanes b)
{
    EACH_LANE a.word[i] |= b.word[i];
    return a;
}
INLINE lanes lanes_xor3(lanes a, lanes b, lanes c)
{
    EACH_LANE a.word[i] ^= b.word[i] ^ c.word[i];
    return a;
}
INLINE lanes lanes_choose(lanes a, lanes b, lanes c)
{
    EACH_LANE a.word[i] = (a.word[i] & b.word[i]) | (~a.word[i] & c.word[i]);
    return a;
}
INLINE lanes lanes_majority(lanes a, lanes b, lanes c)
{
    EACH_LANE a.word[i] = (a.word[i] & b.word[i]) | (a.word[i] & c.word[i]) | (b.word[i] & c.word[i]);
    return a;
}
INLINE lanes lanes_left(lanes a, int bits)
{
    EACH_LANE a.word[i] <<= bits;
    return a;
}
INLINE lanes lanes_right(lanes a, int bits)
{
    EACH_LANE a.word[i] >>= bits;
    return a;
}
INLINE lanes lanes_rotate_right(lanes a, int bits)
{
    EACH_LANE a.word[i] = a.word[i] >> bits | a.word[i] << (64 - bits);
    return a;
}

INLINE lanes lanes_product(lanes sum, lanes a, lanes b, int shift)
{
    lanes part;
    EACH_LANE
    {
        unsigned __int128 product = (unsigned __int128)(a.word[i] & MASK_52) * (b.word[i] & MASK_52);
        part.word[i] = (uint64_t)(product >> shift) & MASK_52;
    }
    return lanes_add(sum, part);
}
INLINE lanes lanes_low(lanes sum, lanes a, lanes b) { return lanes_product(sum, a, b, 0); }
INLINE lanes lanes_high(lanes sum, lanes a, lanes b) { return lanes_product(sum, a, b, 52); }

INLINE lanes lanes_add_multiple(lanes sum, lanes a, uint64_t small) { return lanes_low(sum, a, lanes_same(small)); }

INLINE lanes lanes_select(lane_mask mask, lanes a, lanes b)
{
    EACH_LANE
    {
        uint64_t chosen = 0 - (uint64_t)(mask >> i & 1);
        a.word[i] = (a.word[i] & ~chosen) | (b.word[i] & chosen);
    }
    return a;
}
INLINE lanes lanes_swap_bytes(lanes a)
{
    EACH_LANE a.word[i] = __builtin_bswap64(a.word[i]);
    return a;
}
INLINE void lanes_transpose(lanes r[LANES])
{
    for (int row = 0; row < LANES; row++) {
        for (int column = 0; column < row; column++) {
            uint64_t word = r[row].word[column];
            r[row].word[column] = r[column].word[row];
            r[column].word[row] = word;
        }
    }
}

#endif
