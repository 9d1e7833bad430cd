/* Multiplication by secret scalars; multiply.h says how. */
#include "multiply.h"

#include "element.h"

static NOINLINE void make_multiples(multiples *table, const point *p)
{
    point sum = *p;
    cached_point one = point_cache(*p);
    table->multiple[0] = one;
    for (int i = 1; i < TABLE; i++) {
        sum = i == 1 ? point_double(sum, 1) : point_add(sum, one, lanes_chosen(0), 1);
        table->multiple[i] = point_cache(sum);
    }
}

void operand_point(operand *o, const point *p) { make_multiples(&o->table, p); }

void read_digits(uint64_t digits[SCALAR_DIGITS][LANES], const uint8_t *scalars, size_t stride, size_t count, int halved)
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

void operand_scalars(operand *o, const uint8_t *scalars, size_t stride, size_t count)
{
    read_digits(o->digits, scalars, stride, count, 1);
}

INLINE field select_field(const lane_mask chosen[TABLE], field start, const field *first)
{
    /* `first` is the field in the first entry; the same field of the next entry is one entry further on. */
    const size_t step = sizeof(cached_point) / sizeof(field);
    UNROLL for (int i = 0; i < TABLE; i++) start = field_select(chosen[i], start, first[i * step]);
    return start;
}

/* p + digit times the table's point, without T, which no doubling needs. */
static NOINLINE void add_multiple(point *p, const multiples *table, const uint64_t digits[LANES])
{
    lane_mask chosen[TABLE], negative = choose_multiple(chosen, digits);
    /* The digit 0 finds nothing and keeps the identity: Y + X = Y - X = 1, 2Z = 2, T = 0. */
    const field one = field_same(FIELD_ONE);
    const cached_point *first = table->multiple;
    cached_point q;
    q.y_plus_x = select_field(chosen, one, &first->y_plus_x);
    q.y_minus_x = select_field(chosen, one, &first->y_minus_x);
    q.z2 = select_field(chosen, field_add(one, one), &first->z2);
    q.t2d = select_field(chosen, field_zero(), &first->t2d);
    *p = point_add(*p, q, negative, 0);
}

static NOINLINE void double_four_times(point *p)
{
    point r = *p;
    for (int i = 0; i < 4; i++) r = point_double(r, i == 3);
    *p = r;
}

void push_product(product_chunk *chunk, const operand *o)
{
    point p = point_identity();
    for (int i = SCALAR_DIGITS - 1; i >= 0; i--) {
        if (i < SCALAR_DIGITS - 1) double_four_times(&p);
        add_multiple(&p, &o->table, o->digits[i]);
    }
    chunk->doubled[chunk->vectors++] = ristretto_double(&p);
}

void encode_products(product_chunk *chunk, uint8_t *encoded)
{
    ristretto_encode_doubled(encoded, chunk->doubled, chunk->scratch, chunk->vectors);
    chunk->vectors = 0;
}

void *secret_room(size_t size) { return aligned_alloc(64, (size + 63) / 64 * 64); }
void end_secret_room(void *room, size_t size)
{
    if (room) wipe(room, size);
    free(room);
}

/* On the heap, because it is a quarter of a megabyte. */
typedef struct {
    product_chunk chunk;
    operand operand;
} workspace;

static workspace *new_workspace(void)
{
    workspace *w = secret_room(sizeof *w);
    if (w) w->chunk.vectors = 0;
    return w;
}

/* Multiply a group of points by their scalars. */
static void multiply_group(workspace *w, const point p[CHAINS], const uint8_t *scalars, size_t stride, size_t count)
{
    for (size_t k = 0; k < CHAINS && k * LANES < count; k++) {
        if (stride) operand_scalars(&w->operand, scalars + k * LANES * stride, stride, count - k * LANES);
        operand_point(&w->operand, &p[k]);
        push_product(&w->chunk, &w->operand);
    }
}

/* Write out what a chunk holds of a batch's last `count` elements. */
static void finish_chunk(workspace *w, uint8_t *out, size_t count)
{
    uint8_t encoded[CHUNK_SIZE * ELEMENT_BYTES]; /* whole vectors: the batch may end within one */
    encode_products(&w->chunk, encoded);
    memcpy(out, encoded, count * ELEMENT_BYTES);
    wipe(encoded, sizeof encoded);
}

outcome batch_multiply(uint8_t *out, element_list elements, const uint8_t *scalars, size_t scalar_stride, size_t n)
{
    workspace *w = new_workspace();
    if (!w) return EXHAUSTED;
    outcome refused = ACCEPTED;
    if (!scalar_stride) operand_scalars(&w->operand, scalars, 0, LANES);
    for (size_t done = 0; done < n && refused == ACCEPTED; done += GROUP_SIZE) {
        point p[CHAINS];
        size_t count = smaller(n - done, GROUP_SIZE), first = done / CHUNK_SIZE * CHUNK_SIZE;
        refused = take(p, elements, done, count);
        if (refused != ACCEPTED) {
            refused += (outcome)done;
            break;
        }
        multiply_group(w, p, scalars + done * scalar_stride, scalar_stride, count);
        if (w->chunk.vectors == CHUNK_VECTORS || done + count == n) {
            finish_chunk(w, out + first * ELEMENT_BYTES, done + count - first);
        }
    }
    end_secret_room(w, sizeof *w);
    return refused;
}

outcome batch_multiply_hashed(uint8_t *out, const uint8_t *messages, size_t width, const uint8_t *dst,
                              size_t dst_bytes, const uint8_t *scalar, size_t n)
{
    workspace *w = new_workspace();
    element_hash hash;
    point p[CHAINS];
    outcome result = w && start_element_hash(&hash, width, dst, dst_bytes) ? ACCEPTED : EXHAUSTED;
    if (w) operand_scalars(&w->operand, scalar, 0, LANES);
    for (size_t done = 0; done < n && result == ACCEPTED; done += GROUP_SIZE) {
        size_t count = smaller(n - done, GROUP_SIZE), first = done / CHUNK_SIZE * CHUNK_SIZE;
        hash_elements(&hash, p, messages + done * width, count);
        multiply_group(w, p, scalar, 0, count);
        if (w->chunk.vectors == CHUNK_VECTORS || done + count == n) {
            finish_chunk(w, out + first * ELEMENT_BYTES, done + count - first);
        }
    }
    wipe(p, sizeof p);
    if (w) end_element_hash(&hash);
    end_secret_room(w, sizeof *w);
    return result;
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
        result = batch_multiply(out + done * ELEMENT_BYTES, encoded(same), scalars + done * SCALAR_BYTES, SCALAR_BYTES, count);
    }
    return result;
}

#include "lanes_end.h"
