/* Sums of points and secret multiples of one public point: blinding adds multiples of the generator, unblinding takes
 * multiples of a public key away.
 *
 * A row for each digit holds 1 to 8 times the point, times 16 to the power of the digit's place: 64 additions and no
 * doubling. In constant time as multiply.h says; the rows are public, and all lanes read the same one under masks.
 *
 * What is added to a hashed or decoded point is no double of a known point, so that each encoding has a square root of
 * its own.
 */
#include "element.h"
#include "multiply.h"

/* Rows that each lane makes: of the places from lane * ROWS on. */
#define ROWS (SCALAR_DIGITS / LANES)

typedef struct {
    /* As decoded points lie in memory: y + x, y - x and 2dxy, limb by limb. */
    uint64_t row[SCALAR_DIGITS][TABLE][POINT_PARTS];
} fixed_multiples;

/* On the heap, because it is a fifth of a megabyte. */
typedef struct {
    fixed_multiples fixed;
    uint64_t digits[CHAINS][SCALAR_DIGITS][LANES];
    point sum[ROWS * TABLE];
    field before[ROWS * TABLE];
} workspace;

/* Write a vector of sums, with 1/Z, to the rows of its lanes. */
static void keep_sum(fixed_multiples *fixed, int number, const point *sum, field inverse)
{
    point p = {field_multiply(sum->x, inverse), field_multiply(sum->y, inverse), field_same(FIELD_ONE), field_zero()};
    p.t = field_multiply(p.x, p.y);
    cached_point c = point_cache(p);
    const field parts[3] = {c.y_plus_x, c.y_minus_x, c.t2d};
    for (int part = 0; part < POINT_PARTS; part++) {
        uint64_t words[LANES];
        lanes_store(words, parts[part / LIMBS].limb[part % LIMBS]);
        for (int lane = 0; lane < LANES; lane++) {
            fixed->row[lane * ROWS + number / TABLE][number % TABLE][part] = words[lane];
        }
    }
}

/* The rows of an element that is known to be one. */
static void make_rows(workspace *w, const uint8_t *element)
{
    point decoded[CHAINS];
    decode(decoded, element, 1); /* every lane of it */
    point p = decoded[0], start = p;
    for (int place = 0; place < SCALAR_DIGITS; place++) {
        if (place % ROWS == 0) start = point_select(lanes_chosen(1u << (place / ROWS)), start, p);
        for (int i = 0; i < 4; i++) p = point_double(p, i == 3);
    }
    for (int row = 0; row < ROWS; row++) {
        cached_point one = point_cache(start);
        point sum = start;
        for (int i = 0; i < TABLE; i++) {
            if (i) sum = point_add(sum, one, lanes_chosen(0), 1);
            w->sum[row * TABLE + i] = sum;
        }
        start = point_double(sum, 1);
    }
    /* One inversion for all, as in ristretto_encode_doubled. No Z is zero. */
    field running = field_same(FIELD_ONE), inverse;
    for (int i = 0; i < ROWS * TABLE; i++) {
        w->before[i] = running;
        running = field_multiply(running, w->sum[i].z);
    }
    field_invert(&inverse, &running);
    for (int i = ROWS * TABLE; i-- > 0;) {
        keep_sum(&w->fixed, i, &w->sum[i], field_multiply(inverse, w->before[i]));
        inverse = field_multiply(inverse, w->sum[i].z);
    }
}

static workspace *new_workspace(const uint8_t *element)
{
    workspace *w = secret_room(sizeof *w);
    if (w) make_rows(w, element);
    return w;
}

/* p plus digit times the point of a row, or minus that. */
static NOINLINE void add_of_row(point *p, const uint64_t row[TABLE][POINT_PARTS], const uint64_t digits[LANES], int minus)
{
    lane_mask chosen[TABLE], negative = choose_multiple(chosen, digits);
    const field one = field_same(FIELD_ONE);
    affine_point q = {one, one, field_zero()};
    EACH_LIMB(UNROLL for (int j = 0; j < TABLE; j++) {
        q.y_plus_x.limb[i] = lanes_select(chosen[j], q.y_plus_x.limb[i], lanes_same(row[j][i]));
        q.y_minus_x.limb[i] = lanes_select(chosen[j], q.y_minus_x.limb[i], lanes_same(row[j][LIMBS + i]));
        q.t2d.limb[i] = lanes_select(chosen[j], q.t2d.limb[i], lanes_same(row[j][2 * LIMBS + i]));
    });
    *p = point_add_affine(*p, q, minus ? (lane_mask)~negative : negative, 1);
}

/* Add the multiples of up to GROUP_SIZE scalars, or take them away, and encode the sums. */
static void finish_group(workspace *w, uint8_t *out, point p[CHAINS], const uint8_t *scalars, size_t count, int minus)
{
    uint8_t encoded[GROUP_SIZE * ELEMENT_BYTES];
    size_t chains = (count + LANES - 1) / LANES;
    for (size_t k = 0; k < chains; k++) {
        read_digits(w->digits[k], scalars + k * LANES * SCALAR_BYTES, SCALAR_BYTES, count - k * LANES, 0);
    }
    /* Row by row for all chains: a row stays in the nearest cache for these. */
    for (int place = 0; place < SCALAR_DIGITS; place++) {
        for (size_t k = 0; k < chains; k++) add_of_row(&p[k], w->fixed.row[place], w->digits[k][place], minus);
    }
    ristretto_encode(encoded, p);
    memcpy(out, encoded, count * ELEMENT_BYTES);
    wipe(encoded, sizeof encoded); /* behind a batch's end they are elements without a blind */
}

outcome batch_blind(uint8_t *out, const uint8_t *messages, size_t width, const uint8_t *dst, size_t dst_bytes,
                    const uint8_t *scalars, size_t n)
{
    static const uint8_t GENERATOR[ELEMENT_BYTES] = {
        0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e, 0x71, 0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00, 0x51, 0x5f,
        0x58, 0xe3, 0x0b, 0x6a, 0xa5, 0x82, 0xdd, 0x8d, 0xb6, 0xa6, 0x59, 0x45, 0xe0, 0x8d, 0x2d, 0x76};
    workspace *w = new_workspace(GENERATOR);
    element_hash hash;
    point p[CHAINS];
    outcome result = w && start_element_hash(&hash, width, dst, dst_bytes) ? ACCEPTED : EXHAUSTED;
    for (size_t done = 0; done < n && result == ACCEPTED; done += GROUP_SIZE) {
        size_t count = smaller(n - done, GROUP_SIZE);
        hash_elements(&hash, p, messages + done * width, count);
        finish_group(w, out + done * ELEMENT_BYTES, p, scalars + done * SCALAR_BYTES, count, 0);
    }
    wipe(p, sizeof p);
    if (w) end_element_hash(&hash);
    end_secret_room(w, sizeof *w);
    return result;
}

outcome batch_unblind(uint8_t *out, element_list elements, const uint8_t *public_key, const uint8_t *scalars, size_t n)
{
    workspace *w = new_workspace(public_key);
    point p[CHAINS];
    outcome result = w ? ACCEPTED : EXHAUSTED;
    for (size_t done = 0; done < n && result == ACCEPTED; done += GROUP_SIZE) {
        size_t count = smaller(n - done, GROUP_SIZE);
        result = take(p, elements, done, count);
        if (result != ACCEPTED) {
            result += (outcome)done;
            break;
        }
        finish_group(w, out + done * ELEMENT_BYTES, p, scalars + done * SCALAR_BYTES, count, 1);
    }
    wipe(p, sizeof p);
    end_secret_room(w, sizeof *w);
    return result;
}

#include "lanes_end.h"
