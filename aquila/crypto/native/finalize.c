/* Finalize of RFC 9497 section 3.3.1 for a key that is a sum of shares: everything between what was evaluated and the
 * output in one pass, so that every element is decoded once at most and the sum is never encoded.
 *
 * With the blind r, the origin's share k and element P, and the others' evaluations Q_j, the unblinded element is
 *     1/r (k P + sum of Q_j) = (k/r) P + (1/r) (sum of Q_j),
 * a sum of two products, which share their doublings.
 */
#include "element.h"
#include "multiply.h"

typedef struct {
    product_chunk chunk;
    operand operand[2];
    uint8_t unblind[CHUNK_SIZE * SCALAR_BYTES]; /* 1/r */
    uint8_t shared[CHUNK_SIZE * SCALAR_BYTES];  /* k/r */
    uint8_t encoded[CHUNK_SIZE * ELEMENT_BYTES];
} workspace;

/* The scalars of a chunk. */
static void make_scalars(workspace *w, const finalizing *f, size_t first, size_t count)
{
    batch_invert(w->unblind, f->blinds + first * SCALAR_BYTES, count);
    if (!f->own.octets) return;
    scalar share = scalar_read(f->share);
    for (size_t i = 0; i < count; i++) {
        scalar inverse = scalar_read(w->unblind + i * SCALAR_BYTES);
        scalar_write(w->shared + i * SCALAR_BYTES, scalar_multiply(share, inverse));
    }
    wipe(&share, sizeof share);
}

/* Take a group of every column: the own elements, and the sums of the evaluations. */
static outcome take_columns(point own[CHAINS], point sum[CHAINS], const finalizing *f, size_t first, size_t count)
{
    outcome refused = f->own.octets ? take(own, f->own, first, count) : ACCEPTED;
    for (size_t j = 0; j < f->parties; j++) {
        point evaluated[CHAINS];
        refused = earlier(refused, take(evaluated, f->evaluated[j], first, count));
        for (int k = 0; k < CHAINS; k++) sum[k] = j ? point_sum(sum[k], evaluated[k]) : evaluated[k];
    }
    return refused;
}

/* Push the products of up to CHUNK_SIZE positions; where one is refused, of those before it. */
static outcome push_chunk(workspace *w, const finalizing *f, size_t first, size_t count)
{
    outcome refused = ACCEPTED;
    for (size_t done = 0; done < count && refused == ACCEPTED; done += GROUP_SIZE) {
        point own[CHAINS], sum[CHAINS];
        size_t left = smaller(count - done, GROUP_SIZE);
        refused = take_columns(own, sum, f, first + done, left);
        if (refused != ACCEPTED) {
            left = (size_t)refused;
            refused += (outcome)done;
        }
        for (size_t k = 0; k < CHAINS && k * LANES < left; k++) {
            size_t at = (done + k * LANES) * SCALAR_BYTES, operands = 0;
            if (f->own.octets) {
                operand_scalars(&w->operand[operands], w->shared + at, SCALAR_BYTES, left - k * LANES);
                operand_point(&w->operand[operands++], &own[k]);
            }
            if (f->parties) {
                operand_scalars(&w->operand[operands], w->unblind + at, SCALAR_BYTES, left - k * LANES);
                operand_point(&w->operand[operands++], &sum[k]);
            }
            push_product(&w->chunk, w->operand, operands);
        }
    }
    return refused;
}

/* Put the first position whose element is zero into `first`, unless `found` tells that there is one. The elements are
 * secret, so that nothing branches on them. */
static void find_identity(uint64_t *found, uint64_t *first, const uint8_t *elements, size_t start, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t word[4], any;
        memcpy(word, elements + i * ELEMENT_BYTES, sizeof word);
        any = word[0] | word[1] | word[2] | word[3];
        uint64_t zero = ((any | (0 - any)) >> 63) - 1; /* all ones where `any` is 0 */
        uint64_t take = zero & ~*found;
        *first = (*first & ~take) | ((start + i) & take);
        *found |= zero;
    }
}

outcome batch_finalize(uint8_t *out, const finalizing *f, size_t n)
{
    workspace *w = secret_room(sizeof *w);
    if (!w) return EXHAUSTED;
    w->chunk.vectors = 0;
    outcome refused = ACCEPTED;
    uint64_t found = 0, identity = 0;
    for (size_t done = 0; done < n && refused == ACCEPTED; done += CHUNK_SIZE) {
        size_t count = smaller(n - done, CHUNK_SIZE);
        make_scalars(w, f, done, count);
        refused = push_chunk(w, f, done, count);
        if (refused != ACCEPTED) {
            count = (size_t)refused;
            refused += (outcome)done;
        }
        encode_products(&w->chunk, w->encoded);
        find_identity(&found, &identity, w->encoded, done, count);
        outcome hashed = hash_outputs(out + done * OUTPUT_BYTES, f->inputs + done * f->width, f->width, w->encoded, count);
        if (hashed == EXHAUSTED && refused == ACCEPTED) refused = EXHAUSTED;
    }
    end_secret_room(w, sizeof *w);
    return (outcome)((identity & found) | ((uint64_t)refused & ~found));
}

#include "lanes_end.h"
