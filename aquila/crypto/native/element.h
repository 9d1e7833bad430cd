/* Hashing to the group and from it, for the operations that are built of it. */
#ifndef AQUILA_ELEMENT_H
#define AQUILA_ELEMENT_H

#include "group.h"
#include "sha512.h"

/* One message of one length for each lane, with room for their padding. */
typedef struct {
    uint8_t *octets;
    size_t blocks, stride;
} messages;

/* What hashing messages of one width under one domain separation tag needs. */
typedef struct {
    size_t width;
    sha512_state after_zeros;
    messages first, second;
} element_hash;

/* Whether there was memory; it has to be ended in either case. */
int start_element_hash(element_hash *hash, size_t width, const uint8_t *dst, size_t dst_bytes);
void end_element_hash(element_hash *hash);

/* Map up to GROUP_SIZE messages to points: expand_message_xmd (RFC 9380 section 5.3.1), then the one-way map. */
void hash_elements(element_hash *hash, point out[CHAINS], const uint8_t *octets, size_t count);

#endif
