/* Operations on elements that need no scalar: checks, hashing to the group, and HMAC. */
#include "element.h"

#include "scalar.h"

outcome batch_validate(const uint8_t *elements, size_t n)
{
    for (size_t done = 0; done < n; done += GROUP_SIZE) {
        point p[CHAINS];
        outcome refused = decode(p, elements + done * ELEMENT_BYTES, n - done);
        if (refused != ACCEPTED) return (outcome)done + refused;
    }
    return ACCEPTED;
}

static int new_messages(messages *m, size_t length)
{
    m->blocks = sha512_blocks(length);
    m->stride = m->blocks * SHA512_BLOCK;
    m->octets = malloc(LANES * m->stride);
    return m->octets != NULL;
}
/* Messages hold inputs and digests: whoever reads freed memory, or a core dump, can test guesses against these. */
static void end_messages(messages *m)
{
    if (m->octets) wipe(m->octets, LANES * m->stride);
    free(m->octets);
}
static void hash_messages(const messages *m, sha512_state *state)
{
    for (size_t i = 0; i < m->blocks; i++) sha512_block(state, m->octets + i * SHA512_BLOCK, m->stride);
}

/* expand_message_xmd (RFC 9380 section 5.3.1) to 64 bytes, one block, of a message in each lane. `first` and `second` hold
 * everything but the messages and the digest already. */
static void expand(uint8_t *uniform, const sha512_state *after_zeros, const messages *first, const messages *second)
{
    sha512_state state = *after_zeros;
    hash_messages(first, &state);
    sha512_finish(&state, second->octets, second->stride); /* b_0 */
    sha512_start(&state);
    hash_messages(second, &state);
    sha512_finish(&state, uniform, SHA512_DIGEST); /* b_1 */
    wipe(&state, sizeof state);
}

/* Write what surrounds the message: l_i_b_str || I2OSP(0, 1) || DST_prime, and I2OSP(1, 1) || DST_prime. */
static void frame(const messages *first, const messages *second, size_t width, const uint8_t *dst, size_t dst_bytes)
{
    const size_t suffix = dst_bytes + 1;
    for (size_t lane = 0; lane < LANES; lane++) {
        uint8_t *one = first->octets + lane * first->stride, *two = second->octets + lane * second->stride;
        const uint8_t length_and_zero[3] = {0, 64, 0};
        memcpy(one + width, length_and_zero, 3);
        memcpy(one + width + 3, dst, dst_bytes);
        one[width + 3 + dst_bytes] = (uint8_t)dst_bytes;
        sha512_pad(one, width + 3 + suffix, SHA512_BLOCK, first->stride);
        two[SHA512_DIGEST] = 1;
        memcpy(two + SHA512_DIGEST + 1, dst, dst_bytes);
        two[SHA512_DIGEST + 1 + dst_bytes] = (uint8_t)dst_bytes;
        sha512_pad(two, SHA512_DIGEST + 1 + suffix, 0, second->stride);
    }
}

int start_element_hash(element_hash *hash, size_t width, const uint8_t *dst, size_t dst_bytes)
{
    const uint8_t zeros[SHA512_BLOCK] = {0};
    hash->width = width;
    int first = new_messages(&hash->first, width + 3 + dst_bytes + 1);
    int second = new_messages(&hash->second, SHA512_DIGEST + 1 + dst_bytes + 1);
    if (!first || !second) return 0;
    sha512_start(&hash->after_zeros);
    sha512_block(&hash->after_zeros, zeros, 0); /* Z_pad */
    frame(&hash->first, &hash->second, width, dst, dst_bytes);
    return 1;
}
void end_element_hash(element_hash *hash)
{
    end_messages(&hash->first);
    end_messages(&hash->second);
}

void hash_elements(element_hash *hash, point out[CHAINS], const uint8_t *octets, size_t count)
{
    uint8_t uniform[GROUP_SIZE * 64];
    for (size_t k = 0; k < CHAINS; k++) {
        for (size_t lane = 0; lane < LANES; lane++) {
            size_t from = smaller(k * LANES + lane, count - 1);
            memcpy(hash->first.octets + lane * hash->first.stride, octets + from * hash->width, hash->width);
        }
        expand(uniform + k * LANES * 64, &hash->after_zeros, &hash->first, &hash->second);
    }
    ristretto_map(out, uniform);
    wipe(uniform, sizeof uniform);
}

outcome batch_hash_to_group(uint8_t *out, const uint8_t *octets, size_t width, const uint8_t *dst, size_t dst_bytes,
                            size_t n)
{
    element_hash hash;
    uint8_t encoded[GROUP_SIZE * ELEMENT_BYTES];
    point p[CHAINS];
    outcome result = start_element_hash(&hash, width, dst, dst_bytes) ? ACCEPTED : EXHAUSTED;
    for (size_t done = 0; done < n && result == ACCEPTED; done += GROUP_SIZE) {
        size_t count = smaller(n - done, GROUP_SIZE);
        hash_elements(&hash, p, octets + done * width, count);
        ristretto_encode(encoded, p);
        memcpy(out + done * ELEMENT_BYTES, encoded, count * ELEMENT_BYTES);
    }
    wipe(encoded, sizeof encoded);
    wipe(p, sizeof p);
    end_element_hash(&hash);
    return result;
}

/* The state after the block of a key of up to SHA512_BLOCK bytes, the same in each lane (RFC 2104). */
static void take_key(sha512_state *state, const uint8_t *key, size_t key_bytes, uint8_t pad)
{
    uint8_t block[SHA512_BLOCK] = {0};
    memcpy(block, key, key_bytes);
    for (size_t i = 0; i < SHA512_BLOCK; i++) block[i] ^= pad;
    sha512_start(state);
    sha512_block(state, block, 0);
    wipe(block, sizeof block);
}

outcome batch_mac(uint8_t *out, const uint8_t *key, size_t key_bytes, const uint8_t *octets, size_t width, size_t n)
{
    messages inner = {0}, outer = {0};
    uint8_t digests[LANES * SHA512_DIGEST];
    sha512_state after_inner, after_outer, state;
    outcome result = new_messages(&inner, width) && new_messages(&outer, SHA512_DIGEST) ? ACCEPTED : EXHAUSTED;
    take_key(&after_inner, key, key_bytes, 0x36);
    take_key(&after_outer, key, key_bytes, 0x5c);
    for (size_t lane = 0; lane < LANES && result == ACCEPTED; lane++) {
        sha512_pad(inner.octets + lane * inner.stride, width, SHA512_BLOCK, inner.stride);
        sha512_pad(outer.octets + lane * outer.stride, SHA512_DIGEST, SHA512_BLOCK, outer.stride);
    }
    for (size_t done = 0; done < n && result == ACCEPTED; done += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            memcpy(inner.octets + lane * inner.stride, octets + smaller(done + lane, n - 1) * width, width);
        }
        state = after_inner;
        hash_messages(&inner, &state);
        sha512_finish(&state, outer.octets, outer.stride);
        state = after_outer;
        hash_messages(&outer, &state);
        sha512_finish(&state, digests, SHA512_DIGEST);
        memcpy(out + done * SHA512_DIGEST, digests, smaller(n - done, LANES) * SHA512_DIGEST);
    }
    wipe(digests, sizeof digests);
    wipe(&state, sizeof state);
    wipe(&after_inner, sizeof after_inner);
    wipe(&after_outer, sizeof after_outer);
    end_messages(&inner);
    end_messages(&outer);
    return result;
}

#include "lanes_end.h"
