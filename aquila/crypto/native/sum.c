/* Sums of public multiples: sum of weight[i] times element[i] (Pippenger's bucket method).
 *
 * The weights are written with signed digits of `bits` bits. For each digit position (a window) the points are
 * sorted by the size of their digit; a bucket is the sum of all points with one size; and the window's sum is
 * the sum of size times bucket. Weights are public, so that everything here may depend on them.
 *
 * Each lane owns a range of sizes, and so of buckets: lane l the sizes from l * per_lane + 1 on. It adds up the
 * points of its range, one bucket after the other, in registers. The lanes stay apart until the very end.
 */
#include "group.h"
#include "scalar.h"

/* A vector of points in memory, lane by lane: X, Y, Z and T, five limbs each. */
#define BUCKET_WORDS (4 * LIMBS)

typedef struct {
    size_t points, windows, sizes, per_lane;
    int bits;
    const uint64_t *table; /* points * POINT_WORDS */
    int16_t *digits;     /* windows * points */
    uint32_t *order;     /* the points of one window by size: 2 * position + (1 if the digit is negative) */
    uint32_t *ends;      /* sizes + 1: where the points of a size end in `order` */
    lanes *buckets;      /* per_lane * BUCKET_WORDS */
} sum_work;

/* How many bits the largest weight has. */
static int weight_bits(const uint8_t *weights, size_t n)
{
    int highest = 31;
    for (; highest > 0; highest--) {
        uint8_t any = 0;
        for (size_t i = 0; i < n; i++) any |= weights[i * SCALAR_BYTES + (size_t)highest];
        if (any) break;
    }
    return 8 * (highest + 1);
}

/* The window that needs the fewest additions: for each window n / LANES steps and, for the buckets, two for each size
 * of a lane, which cost a quarter more. */
static int window_bits(size_t n, int weight)
{
    int best = 4;
    double least = 0;
    for (int bits = 4; bits <= 14; bits++) {
        double windows = (weight + 1 + bits - 1) / bits;
        double cost = windows * ((double)n / LANES + 2.5 * (double)(1 << (bits - 1)) / LANES + 20);
        if (bits == 4 || cost < least) {
            best = bits;
            least = cost;
        }
    }
    return best;
}

outcome batch_decode(uint8_t *out, const uint8_t *elements, size_t n)
{
    for (size_t done = 0; done < n; done += GROUP_SIZE) {
        point p[CHAINS];
        size_t count = smaller(n - done, GROUP_SIZE);
        outcome refused = decode(p, elements + done * ELEMENT_BYTES, count);
        if (refused != ACCEPTED) return (outcome)done + refused;
        for (size_t k = 0; k < CHAINS && k * LANES < count; k++) {
            cached_point c = point_cache(p[k]);
            const field parts[3] = {c.y_plus_x, c.y_minus_x, c.t2d};
            lanes rows[POINT_WORDS];
            for (int i = 0; i < POINT_PARTS; i++) rows[i] = parts[i / LIMBS].limb[i % LIMBS];
            rows[15] = lanes_zero();
            for (int i = 0; i < POINT_WORDS; i += LANES) lanes_transpose(rows + i);
            for (size_t lane = 0; lane < LANES && k * LANES + lane < count; lane++) {
                uint64_t *to = (uint64_t *)(out + (done + k * LANES + lane) * DECODED_BYTES);
                for (size_t i = 0; i < POINT_WORDS; i += LANES) lanes_store(to + i, rows[i + lane]);
            }
        }
    }
    return ACCEPTED;
}

/* Signed digits from -2^(bits-1) to 2^(bits-1) - 1: a larger one is taken off the next position. */
static void fill_digits(sum_work *w, const uint8_t *weights)
{
    for (size_t i = 0; i < w->points; i++) {
        uint64_t word[5] = {0};
        memcpy(word, weights + i * SCALAR_BYTES, SCALAR_BYTES);
        int carry = 0;
        for (size_t window = 0; window < w->windows; window++) {
            size_t bit = window * (size_t)w->bits;
            uint64_t digit = bit < 256 ? word[bit / 64] >> (bit % 64) : 0;
            if (bit < 256 && bit % 64) digit |= word[bit / 64 + 1] << (64 - bit % 64);
            int value = (int)(digit & ((1u << w->bits) - 1)) + carry;
            carry = value >= 1 << (w->bits - 1);
            w->digits[window * w->points + i] = (int16_t)(value - (carry << w->bits));
        }
    }
}

/* Sort a window's points by the size of their digit (counting sort); size 0 is left out. */
static void sort_window(sum_work *w, const int16_t *digits)
{
    memset(w->ends, 0, (w->sizes + 1) * sizeof *w->ends);
    for (size_t i = 0; i < w->points; i++) w->ends[abs(digits[i])]++;
    uint32_t total = 0;
    w->ends[0] = 0;
    for (size_t size = 1; size <= w->sizes; size++) {
        uint32_t count = w->ends[size];
        w->ends[size] = total;
        total += count;
    }
    for (size_t i = 0; i < w->points; i++) {
        if (digits[i]) w->order[w->ends[abs(digits[i])]++] = (uint32_t)(2 * i) + (digits[i] < 0);
    }
}

INLINE void store_point(lanes *to, point p)
{
    EACH_LIMB(to[i] = p.x.limb[i];
              to[LIMBS + i] = p.y.limb[i];
              to[2 * LIMBS + i] = p.z.limb[i];
              to[3 * LIMBS + i] = p.t.limb[i]);
}
INLINE point load_point(const lanes *from)
{
    point p;
    EACH_LIMB(p.x.limb[i] = from[i];
              p.y.limb[i] = from[LIMBS + i];
              p.z.limb[i] = from[2 * LIMBS + i];
              p.t.limb[i] = from[3 * LIMBS + i]);
    return p;
}

/* Where a lane is in its range. */
typedef struct {
    uint32_t next, end;   /* in `order` */
    uint32_t size, bucket_end;
} lane_cursor;

/* Write lane `lane` of the sum to its bucket. */
INLINE void flush(sum_work *w, const lanes sum[BUCKET_WORDS], int lane, size_t size)
{
    uint64_t *to = (uint64_t *)(w->buckets + (size - 1) % w->per_lane * BUCKET_WORDS) + lane;
    const uint64_t *from = (const uint64_t *)sum + lane;
    for (int i = 0; i < BUCKET_WORDS; i++) to[i * LANES] = from[i * LANES];
}

/* Move a lane on to its next bucket that has points. */
INLINE void next_bucket(const sum_work *w, lane_cursor *c)
{
    while (c->bucket_end <= c->next) c->bucket_end = w->ends[++c->size];
}

/* The buckets of one window. */
static NOINLINE void fill_buckets(sum_work *w)
{
    uint64_t one[LANES];
    lanes_store(one, field_same(FIELD_ONE).limb[0]);
    const uint64_t neutral[POINT_WORDS] = {[0] = one[0], [LIMBS] = one[0]}; /* y + x = y - x = 1 */
    lane_cursor cursor[LANES];
    lanes stored[BUCKET_WORDS];
    point sum = point_identity();
    size_t steps = 0;
    for (size_t i = 0; i < w->per_lane; i++) store_point(w->buckets + i * BUCKET_WORDS, sum);
    for (size_t lane = 0; lane < LANES; lane++) {
        lane_cursor *c = &cursor[lane];
        c->size = (uint32_t)(lane * w->per_lane);
        c->next = c->bucket_end = c->size ? w->ends[c->size] : 0;
        c->end = w->ends[(lane + 1) * w->per_lane];
        if (c->next < c->end) next_bucket(w, c);
        if (c->end - c->next > steps) steps = c->end - c->next;
    }
    for (size_t step = 0; step < steps; step++) {
        const uint64_t *from[LANES];
        unsigned negative = 0, full = 0;
        for (int lane = 0; lane < LANES; lane++) {
            lane_cursor *c = &cursor[lane];
            if (c->next == c->end) {
                from[lane] = neutral;
                continue;
            }
            uint32_t entry = w->order[c->next];
            __builtin_prefetch(w->table + (size_t)(w->order[c->next + 6] >> 1) * POINT_WORDS);
            __builtin_prefetch(w->table + (size_t)(w->order[c->next + 6] >> 1) * POINT_WORDS + 8);
            from[lane] = w->table + (size_t)(entry >> 1) * POINT_WORDS;
            negative |= (entry & 1u) << lane;
            c->next++;
            full |= (unsigned)(c->next == c->bucket_end) << lane;
        }
        sum = point_add_affine(sum, load_affine(from), lanes_chosen(negative), 1);
        if (!full) continue;
        store_point(stored, sum);
        sum = point_select(lanes_chosen(full), sum, point_identity());
        for (int lane = 0; lane < LANES; lane++) {
            if (!(full >> lane & 1)) continue;
            flush(w, stored, lane, cursor[lane].size);
            if (cursor[lane].next < cursor[lane].end) next_bucket(w, &cursor[lane]);
        }
    }
}

/* The sum of size times bucket, lane by lane: from the largest size on, each bucket joins a running sum, and every
 * running sum joins the total. That counts sizes from 1 in each lane; lane l's sizes are l * per_lane larger, so
 * that many times its running sum is added at the end. */
static NOINLINE point window_sum(const sum_work *w)
{
    uint64_t numbers[LANES];
    for (uint64_t i = 0; i < LANES; i++) numbers[i] = i;
    point running = point_identity(), total = point_identity();
    for (size_t i = w->per_lane; i-- > 0;) {
        running = point_sum(running, load_point(w->buckets + i * BUCKET_WORDS));
        total = point_sum(total, running);
    }
    point offset = point_identity();
    lanes number = lanes_load(numbers);
    for (uint64_t bit = LANES / 2; bit; bit >>= 1) {
        offset = point_double(offset, 1);
        point more = point_sum(offset, running);
        offset = point_select(lanes_test(number, lanes_same(bit)), offset, more);
    }
    for (size_t i = 1; i < w->per_lane; i *= 2) offset = point_double(offset, 1);
    return point_sum(total, offset);
}

/* Add up the lanes; every lane of the result is the sum. */
static point add_lanes(point p)
{
    for (size_t distance = LANES / 2; distance; distance >>= 1) {
        point q;
        EACH_LIMB(q.x.limb[i] = lanes_exchange(p.x.limb[i], distance);
                  q.y.limb[i] = lanes_exchange(p.y.limb[i], distance);
                  q.z.limb[i] = lanes_exchange(p.z.limb[i], distance);
                  q.t.limb[i] = lanes_exchange(p.t.limb[i], distance));
        p = point_sum(p, q);
    }
    return p;
}

static point sum_windows(sum_work *w)
{
    point total = point_identity();
    for (size_t window = w->windows; window-- > 0;) {
        for (int i = 0; i < w->bits; i++) total = point_double(total, i == w->bits - 1);
        sort_window(w, w->digits + window * w->points);
        fill_buckets(w);
        total = point_sum(total, window_sum(w));
    }
    return add_lanes(total);
}

static void *room(size_t count, size_t size)
{
    return count > SIZE_MAX / 2 / size ? NULL : aligned_alloc(64, (count * size + 63) / 64 * 64);
}

outcome batch_weighted_sum(uint8_t *out, element_list elements, const uint8_t *weights, size_t n)
{
    int weight = weight_bits(weights, n);
    sum_work w = {.points = n, .bits = window_bits(n, weight)};
    uint8_t *decoded = elements.are_decoded ? NULL : room(n, DECODED_BYTES);
    w.table = (const uint64_t *)(elements.are_decoded ? elements.octets : decoded);
    w.windows = (size_t)((weight + 1 + w.bits - 1) / w.bits);
    w.sizes = (size_t)1 << (w.bits - 1);
    w.per_lane = w.sizes / LANES;
    w.digits = room(w.windows * n, sizeof *w.digits);
    w.order = room(n + 8, sizeof *w.order); /* the prefetch looks up to six positions ahead */
    w.ends = room(w.sizes + 1, sizeof *w.ends);
    w.buckets = room(w.per_lane * BUCKET_WORDS, sizeof *w.buckets);
    outcome result = EXHAUSTED;
    if (n <= UINT32_MAX / 2 && w.table && w.digits && w.order && w.ends && w.buckets) {
        memset(w.order, 0, (n + 8) * sizeof *w.order);
        result = decoded ? batch_decode(decoded, elements.octets, n) : ACCEPTED;
        if (result == ACCEPTED) {
            uint8_t encoded[GROUP_SIZE * ELEMENT_BYTES];
            fill_digits(&w, weights);
            point total = sum_windows(&w);
            point same[CHAINS];
            for (int k = 0; k < CHAINS; k++) same[k] = total;
            ristretto_encode(encoded, same);
            memcpy(out, encoded, ELEMENT_BYTES);
        }
    }
    free(decoded);
    free(w.digits);
    free(w.order);
    free(w.ends);
    free(w.buckets);
    return result;
}

#include "lanes_end.h"
