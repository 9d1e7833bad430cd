/* The operations of aquila.crypto.group.Group over contiguous bytes: what the Python module calls.
 *
 * Nothing here needs Python or its lock. The caller has checked lengths and scalars; encodings are checked here. A
 * function that decodes returns the position of the first refused element, or ACCEPTED. What is written to `out` is
 * undefined then. The identity is accepted: the caller refuses it, which needs no curve arithmetic.
 *
 * Secret scalars go through no branch and no address. Their copies are overwritten.
 */
#ifndef AQUILA_BATCH_H
#define AQUILA_BATCH_H

#include <stddef.h>
#include <stdint.h>

#define ACCEPTED (-1)
/* There was no memory. */
#define EXHAUSTED (-2)

typedef ptrdiff_t outcome;

/* Multiply n elements by n secret scalars of 32 bytes, `scalar_stride` bytes apart: 0 repeats one scalar. */
outcome batch_multiply(uint8_t *out, const uint8_t *elements, const uint8_t *scalars, size_t scalar_stride, size_t n);

/* Multiply the generator by n secret scalars. */
outcome batch_multiply_base(uint8_t *out, const uint8_t *scalars, size_t n);

/* a[i] p[i] + b[i] q[i] for secret scalars. */
outcome batch_combine(uint8_t *out, const uint8_t *p, const uint8_t *a, const uint8_t *q, const uint8_t *b, size_t n);

/* left[i] + right[i]. */
outcome batch_add(uint8_t *out, const uint8_t *left, const uint8_t *right, size_t n);

/* Decode and forget. */
outcome batch_validate(const uint8_t *elements, size_t n);

/* The sum of weight[i] times element[i], with public weights; one element. */
outcome batch_weighted_sum(uint8_t *out, const uint8_t *elements, const uint8_t *weights, size_t n);

/* expand_message_xmd and the one-way map for n messages of `width` bytes. */
outcome batch_hash_to_group(uint8_t *out, const uint8_t *messages, size_t width, const uint8_t *dst, size_t dst_bytes,
                            size_t n);

/* Finalize of RFC 9497 section 3.3.1 from elements whose blind is gone: 64 bytes each. */
outcome batch_finalize_hash(uint8_t *out, const uint8_t *inputs, size_t width, const uint8_t *elements, size_t n);

/* Scalars: reduce n integers of 64 bytes; invert n scalars; nonce - challenge * secret. */
outcome batch_reduce(uint8_t *out, const uint8_t *wide, size_t n);
outcome batch_invert(uint8_t *out, const uint8_t *scalars, size_t n);
outcome batch_respond(uint8_t *out, const uint8_t *nonce, const uint8_t *challenge, const uint8_t *secret);

#endif
