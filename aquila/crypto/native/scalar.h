/* Integers modulo the group's order L = 2^252 + 27742317777372353535851937790883648493, in constant time.
 *
 * Four words of 64 bits, least significant first. Reduced means below L. One at a time: these take nanoseconds
 * where a point takes microseconds.
 */
#ifndef AQUILA_SCALAR_H
#define AQUILA_SCALAR_H

#include <stddef.h>
#include <stdint.h>

#include "wipe.h"

#define SCALAR_BYTES 32

typedef struct {
    uint64_t word[4];
} scalar;

scalar scalar_read(const uint8_t octets[SCALAR_BYTES]);
void scalar_write(uint8_t octets[SCALAR_BYTES], scalar a);

/* Reduce 512 bits. */
scalar scalar_reduce(const uint8_t wide[64]);

/* a b modulo L, for reduced a and b; a - b modulo L likewise. */
scalar scalar_multiply(scalar a, scalar b);
scalar scalar_subtract(scalar a, scalar b);

/* a / 2 modulo L, for a reduced a. */
scalar scalar_halve(scalar a);

/* Digits to the base 16 from -8 to 7, least significant first: sum of digit[i] 16^i = a, for a reduced a. */
#define SCALAR_DIGITS 64
void scalar_digits(int8_t digits[SCALAR_DIGITS], scalar a);

#endif
