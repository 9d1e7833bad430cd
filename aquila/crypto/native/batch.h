/* The operations of aquila.crypto.group.Group over contiguous bytes: what the Python module calls.
 *
 * Nothing here needs Python or its lock. The caller has checked lengths and scalars; encodings are checked here. A
 * function that decodes returns the position of the first refused element, or ACCEPTED. What is written to `out` is
 * undefined then. The identity is accepted, and encoded as zeros, where nothing else is said: the caller refuses it,
 * which needs no curve arithmetic.
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

/* Bytes of an element as batch_decode leaves it: y + x, y - x and 2dxy, limb by limb, on two cache lines. */
#define DECODED_BYTES 128

/* Elements as they are sent, or as batch_decode left them. */
typedef struct {
    const uint8_t *octets;
    int are_decoded;
} element_list;

static inline element_list encoded(const uint8_t *octets) { return (element_list){octets, 0}; }

/* Decode n elements, for calls that each would decode them again; `out` begins on a cache line. */
outcome batch_decode(uint8_t *out, const uint8_t *elements, size_t n);

/* Multiply n elements by n secret scalars of 32 bytes, `scalar_stride` bytes apart: 0 repeats one scalar. */
outcome batch_multiply(uint8_t *out, element_list elements, const uint8_t *scalars, size_t scalar_stride, size_t n);

/* Multiply the generator by n secret scalars. */
outcome batch_multiply_base(uint8_t *out, const uint8_t *scalars, size_t n);

/* Decode and forget. */
outcome batch_validate(const uint8_t *elements, size_t n);

/* The sum of weight[i] times element[i], with public weights; one element. */
outcome batch_weighted_sum(uint8_t *out, element_list elements, const uint8_t *weights, size_t n);

/* expand_message_xmd and the one-way map for n messages of `width` bytes. */
outcome batch_hash_to_group(uint8_t *out, const uint8_t *messages, size_t width, const uint8_t *dst, size_t dst_bytes,
                            size_t n);

/* The product of one secret scalar and the element of each message, in one pass. */
outcome batch_multiply_hashed(uint8_t *out, const uint8_t *messages, size_t width, const uint8_t *dst,
                              size_t dst_bytes, const uint8_t *scalar, size_t n);

/* Blinding: the sum of the element of message i and secret scalar[i] times the generator. */
outcome batch_blind(uint8_t *out, const uint8_t *messages, size_t width, const uint8_t *dst, size_t dst_bytes,
                    const uint8_t *scalars, size_t n);

/* Unblinding: element i minus secret scalar[i] times a public key, which the caller has checked to be an element. */
outcome batch_unblind(uint8_t *out, element_list elements, const uint8_t *public_key, const uint8_t *scalars, size_t n);

/* HMAC-SHA-512 (RFC 2104) under a key of at most 128 bytes of n messages of `width` bytes; 64 bytes each. */
outcome batch_mac(uint8_t *out, const uint8_t *key, size_t key_bytes, const uint8_t *messages, size_t width, size_t n);

/* Scalars: reduce n integers of 64 bytes; nonce - challenge * secret. */
outcome batch_reduce(uint8_t *out, const uint8_t *wide, size_t n);
outcome batch_respond(uint8_t *out, const uint8_t *nonce, const uint8_t *challenge, const uint8_t *secret);

#endif
