/* The parts of a multiplication by secret scalars, for the operations that are built of it.
 *
 * In constant time: the same operations and addresses whatever the scalars are. Digits to the base 16 from -8 to 7; a
 * table of 1 to 8 times the point; each digit's entry is chosen by reading the whole table under masks. fixed.c has
 * such a table for each digit, of a point that many scalars multiply.
 *
 * The scalar is halved before, and the product doubled while it is encoded, because the encodings of doubles share
 * one inversion (ristretto_encode_doubled). A point may lie outside the subgroup of order L by a point of order 4 or
 * less, but it is always twice a point of the curve: what was decoded, what was mapped, and sums of such. Halving
 * modulo L gives k/2 or (k + L)/2, and L times the point is a point of order 4 or less: the element is the same.
 */
#ifndef AQUILA_MULTIPLY_H
#define AQUILA_MULTIPLY_H

#include "group.h"
#include "scalar.h"

#define TABLE 8
/* Elements whose encodings share an inversion, and how many vectors that are. */
#define CHUNK_SIZE 256
#define CHUNK_VECTORS (CHUNK_SIZE / LANES)

typedef struct {
    cached_point multiple[TABLE];
} multiples;

/* A point with its scalar, for each lane: digit i of lane l is digits[i][l], as a 64-bit
 * integer. */
typedef struct {
    multiples table;
    uint64_t digits[SCALAR_DIGITS][LANES];
} operand;

/* Products that wait for their encoding. */
typedef struct {
    doubled_point doubled[CHUNK_VECTORS];
    field scratch[CHUNK_VECTORS];
    size_t vectors;
} product_chunk;

/* The digits of up to LANES scalars, or of their halves; with the stride 0 it is one scalar for all lanes. */
void read_digits(uint64_t digits[SCALAR_DIGITS][LANES], const uint8_t *scalars, size_t stride, size_t count, int halved);

/* Which of a table's entries a digit's size names in each lane, and in which lanes the digit is negative. The digit 0
 * names none. */
INLINE lane_mask choose_multiple(lane_mask chosen[TABLE], const uint64_t digits[LANES])
{
    lanes digit = lanes_load(digits);
    lane_mask negative = lanes_test(digit, lanes_same(1ull << 63));
    /* -digit modulo 2^64 is ~digit + 1. */
    lanes flipped = lanes_wrapping_add(lanes_xor3(digit, lanes_same(~0ull), lanes_zero()), lanes_same(1));
    lanes magnitude = lanes_select(negative, digit, flipped);
    for (int i = 0; i < TABLE; i++) chosen[i] = lanes_equal(magnitude, lanes_same((uint64_t)i + 1));
    return negative;
}

/* Set the digits of an operand's scalars, halved. */
void operand_scalars(operand *o, const uint8_t *scalars, size_t stride, size_t count);

/* Set the point. */
void operand_point(operand *o, const point *p);

/* Add half the operand's product to the chunk. */
void push_product(product_chunk *chunk, const operand *o);

/* Encode all products of the chunk, CHUNK_SIZE * ELEMENT_BYTES at most, and empty it. The identity is encoded as zeros. */
void encode_products(product_chunk *chunk, uint8_t *encoded);

/* Memory for a structure of vectors, or NULL; and its end, after it was overwritten. */
void *secret_room(size_t size);
void end_secret_room(void *room, size_t size);

#endif
