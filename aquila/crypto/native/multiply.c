/* Multiplication by secret scalars, in constant time: the same operations and addresses whatever the scalars are.
 *
 * Digits to the base 16 from -8 to 7; a table of 1 to 8 times the point; each digit's entry is chosen by reading the
 * whole table under masks. The scalar is halved before, and the product doubled while it is encoded, because the
 * encodings of doubles share one inversion (ristretto_encode_doubled).
 *
 * The decoded point may lie outside the subgroup of order L by a point of order 4 or less. Halving modulo L then
 * gives k/2 or (k + L)/2, and L times the point is such a point: the element is the same.
 */
#include "group.h"
#include "scalar.h"

#define TABLE 8
#define CHUNK 8 /* groups whose encodings share an inversion: 256 elements */

typedef struct {
    cached_point multiple[TABLE];
} multiples;

/* What a batch needs beside its operands; on the heap, because it is a quarter of a megabyte. */
typedef struct {
    doubled_point doubled[CHUNK * CHAINS];
    field scratch[CHUNK * CHAINS];
    multiples table;
    uint64_t digits[SCALAR_DIGITS][LANES];
} workspace;

static NOINLINE void make_multiples(multiples *table, const point *p)
{
    point sum = *p;
    cached_point one = point_cache(*p);
    table->multiple[0] = one;
    for (int i = 1; i < TABLE; i++) {
        sum = i == 1 ? point_double(sum, 1) : point_add(sum, one, 0, 1);
        table->multiple[i] = point_cache(sum);
    }
}

/* Write the digits of eight scalars, halved: digit i of lane l to digits[i][l], as a 64-bit integer. */
static void make_digits(uint64_t digits[SCALAR_DIGITS][LANES], const uint8_t *scalars, size_t stride, size_t count,
                        int halved)
{
    int8_t single[SCALAR_DIGITS];
    for (size_t lane = 0; lane < LANES; lane++) {
        /* Lanes behind the end of a batch repeat its last scalar; one scalar for all is recoded once. */
        if (lane == 0 || (stride && lane < count)) {
            scalar a = scalar_read(scalars + lane * stride);
            scalar_digits(single, halved ? scalar_halve(a) : a);
            wipe(&a, sizeof a);
        }
        for (int i = 0; i < SCALAR_DIGITS; i++) digits[i][lane] = (uint64_t)(int64_t)single[i];
    }
    wipe(single, sizeof single);
}

INLINE field select_field(const lane_mask chosen[TABLE], field start, const field *first)
{
    /* `first` is the field in the first entry; the same field of the next entry is one entry further on. */
    const size_t step = sizeof(cached_point) / sizeof(field);
    UNROLL for (int i = 0; i < TABLE; i++) start = field_select(chosen[i], start, first[i * step]);
    return start;
}

/* p + digit times the table's point. */
static NOINLINE void add_multiple(point *p, const multiples *table, const uint64_t digits[LANES], int with_t)
{
    const lanes zero = lanes_zero();
    lanes digit = lanes_load(digits);
    lane_mask negative = lanes_test(digit, lanes_same(1ull << 63));
    lane_mask chosen[TABLE];
    /* -digit modulo 2^64 is ~digit + 1. */
    lanes flipped = lanes_wrapping_add(lanes_xor3(digit, lanes_same(~0ull), zero), lanes_same(1));
    lanes magnitude = lanes_select(negative, digit, flipped);
    for (int i = 0; i < TABLE; i++) chosen[i] = lanes_equal(magnitude, lanes_same((uint64_t)i + 1));
    /* The digit 0 finds nothing and keeps the identity: Y + X = Y - X = 1, 2Z = 2, T = 0. */
    const field one = field_same(FIELD_ONE);
    const cached_point *first = table->multiple;
    cached_point q;
    q.y_plus_x = select_field(chosen, one, &first->y_plus_x);
    q.y_minus_x = select_field(chosen, one, &first->y_minus_x);
    q.z2 = select_field(chosen, field_add(one, one), &first->z2);
    q.t2d = select_field(chosen, field_zero(), &first->t2d);
    *p = point_add(*p, q, negative, with_t);
}

static NOINLINE void double_four_times(point *p)
{
    point r = *p;
    for (int i = 0; i < 4; i++) r = point_double(r, i == 3);
    *p = r;
}

/* The product of the table's point and the digits; its T is not computed. */
static void multiply_digits(point *p, const multiples *table, uint64_t digits[SCALAR_DIGITS][LANES])
{
    *p = point_identity();
    for (int i = SCALAR_DIGITS - 1; i >= 0; i--) {
        if (i < SCALAR_DIGITS - 1) double_four_times(p);
        add_multiple(p, table, digits[i], 0);
    }
}

/* Multiply up to CHUNK groups and encode them to `encoded`, which has room for whole groups. */
static outcome multiply_chunk(workspace *w, uint8_t *encoded, const uint8_t *elements, const uint8_t *scalars,
                              size_t stride, size_t n)
{
    size_t vectors = 0;
    if (stride == 0) make_digits(w->digits, scalars, 0, LANES, 1);
    for (size_t done = 0; done < n; done += GROUP_SIZE) {
        point p[CHAINS];
        outcome refused = decode(p, elements + done * ELEMENT_BYTES, n - done);
        if (refused != ACCEPTED) return (outcome)done + refused;
        for (size_t k = 0; k < CHAINS && done + k * LANES < n; k++) {
            size_t first = done + k * LANES;
            if (stride) make_digits(w->digits, scalars + first * stride, stride, n - first, 1);
            make_multiples(&w->table, &p[k]);
            multiply_digits(&p[k], &w->table, w->digits);
            w->doubled[vectors++] = ristretto_double(&p[k]);
        }
    }
    ristretto_encode_doubled(encoded, w->doubled, w->scratch, vectors);
    return ACCEPTED;
}

static workspace *new_workspace(void) { return aligned_alloc(64, (sizeof(workspace) + 63) / 64 * 64); }
static void end_workspace(workspace *w)
{
    wipe(w, sizeof *w);
    free(w);
}

outcome batch_multiply(uint8_t *out, const uint8_t *elements, const uint8_t *scalars, size_t scalar_stride, size_t n)
{
    uint8_t encoded[CHUNK * GROUP_SIZE * ELEMENT_BYTES]; /* whole vectors: the batch may end within one */
    const size_t most = CHUNK * GROUP_SIZE;
    workspace *w = new_workspace();
    if (!w) return EXHAUSTED;
    outcome refused = ACCEPTED;
    for (size_t done = 0; done < n && refused == ACCEPTED; done += most) {
        size_t count = smaller(n - done, most);
        refused = multiply_chunk(w, encoded, elements + done * ELEMENT_BYTES, scalars + done * scalar_stride,
                                 scalar_stride, count);
        if (refused != ACCEPTED) refused += (outcome)done;
        else memcpy(out + done * ELEMENT_BYTES, encoded, count * ELEMENT_BYTES);
    }
    end_workspace(w);
    return refused;
}

outcome batch_multiply_base(uint8_t *out, const uint8_t *scalars, size_t n)
{
    /* The generator's multiples come from the same table as any element's: key generation and proofs need one
     * product each, so that a larger table would be made more often than used. */
    static const uint8_t GENERATOR[ELEMENT_BYTES] = {
        0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e, 0x71, 0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00, 0x51, 0x5f,
        0x58, 0xe3, 0x0b, 0x6a, 0xa5, 0x82, 0xdd, 0x8d, 0xb6, 0xa6, 0x59, 0x45, 0xe0, 0x8d, 0x2d, 0x76};
    uint8_t same[GROUP_SIZE * ELEMENT_BYTES];
    for (size_t i = 0; i < GROUP_SIZE; i++) memcpy(same + i * ELEMENT_BYTES, GENERATOR, ELEMENT_BYTES);
    outcome result = ACCEPTED;
    for (size_t done = 0; done < n && result == ACCEPTED; done += GROUP_SIZE) {
        size_t count = smaller(n - done, GROUP_SIZE);
        result = batch_multiply(out + done * ELEMENT_BYTES, same, scalars + done * SCALAR_BYTES, SCALAR_BYTES, count);
    }
    return result;
}

/* Two tables and one chain of doublings (Straus). */
static void combine_vector(workspace *w, multiples *second, uint64_t digits[SCALAR_DIGITS][LANES], point *p,
                           const point *q)
{
    make_multiples(&w->table, p);
    make_multiples(second, q);
    *p = point_identity();
    for (int i = SCALAR_DIGITS - 1; i >= 0; i--) {
        if (i < SCALAR_DIGITS - 1) double_four_times(p);
        add_multiple(p, &w->table, w->digits[i], 1);
        add_multiple(p, second, digits[i], i == 0);
    }
}

outcome batch_combine(uint8_t *out, const uint8_t *p, const uint8_t *a, const uint8_t *q, const uint8_t *b, size_t n)
{
    typedef struct {
        multiples table;
        uint64_t digits[SCALAR_DIGITS][LANES];
    } second_operand;
    workspace *w = new_workspace();
    second_operand *second = aligned_alloc(64, (sizeof(second_operand) + 63) / 64 * 64);
    outcome result = w && second ? ACCEPTED : EXHAUSTED;
    for (size_t done = 0; done < n && result == ACCEPTED; done += GROUP_SIZE) {
        point left[CHAINS], right[CHAINS];
        uint8_t encoded[GROUP_SIZE * ELEMENT_BYTES];
        size_t count = smaller(n - done, GROUP_SIZE);
        outcome first = decode(left, p + done * ELEMENT_BYTES, count);
        outcome other = decode(right, q + done * ELEMENT_BYTES, count);
        if (first != ACCEPTED || other != ACCEPTED) {
            result = (outcome)done + (other == ACCEPTED || (first != ACCEPTED && first < other) ? first : other);
            break;
        }
        for (size_t k = 0; k < CHAINS && done + k * LANES < n; k++) {
            size_t start = done + k * LANES;
            make_digits(w->digits, a + start * SCALAR_BYTES, SCALAR_BYTES, n - start, 0);
            make_digits(second->digits, b + start * SCALAR_BYTES, SCALAR_BYTES, n - start, 0);
            combine_vector(w, &second->table, second->digits, &left[k], &right[k]);
        }
        /* A sum can be the identity, so that the encoding of doubles does not serve here. */
        ristretto_encode(encoded, left);
        memcpy(out + done * ELEMENT_BYTES, encoded, count * ELEMENT_BYTES);
    }
    if (second) wipe(second, sizeof *second);
    free(second);
    if (w) end_workspace(w);
    return result;
}

#include "lanes_end.h"
