/* The answers of every operation of batch.h to the same generated operands, as text (`make aarch64`).
 *
 * Linked with one backend it prints what another one must print too, on whatever processor: what the tests of Python
 * compare with libsodium on this machine is so compared with programs for other machines, which an emulator runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "scalar.h"

/* More than share an inversion, and no whole number of vectors. */
#define COUNT 1031
#define WIDTH 41

static uint8_t elements[COUNT * 32], others[COUNT * 32], out[COUNT * 64];

/* The generator of Numerical Recipes, of which the upper bits count. */
static void fill(uint8_t *octets, size_t length, uint64_t seed)
{
    for (size_t i = 0; i < length; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        octets[i] = (uint8_t)(seed >> 56);
    }
}

static void show(const char *what, outcome result, size_t length)
{
    printf("%s %td ", what, result);
    for (size_t i = 0; i < length && result == ACCEPTED; i++) printf("%02x", out[i]);
    puts("");
    memset(out, 0, sizeof out);
}

int main(void)
{
    const uint8_t dst[] = "answers";
    static uint8_t wide[COUNT * 64], messages[COUNT * WIDTH], a[COUNT * 32], b[COUNT * 32], small[COUNT * 32];
    fill(messages, sizeof messages, 1);
    batch_hash_to_group(elements, messages, WIDTH, dst, sizeof dst - 1, COUNT);
    fill(wide, sizeof wide, 2);
    batch_reduce(a, wide, COUNT);
    fill(wide, sizeof wide, 3);
    batch_reduce(b, wide, COUNT);
    for (size_t i = 0; i < COUNT; i++) memcpy(small + 32 * i, a + 32 * i, 16);

    memcpy(out, elements, sizeof elements);
    show("hash", ACCEPTED, sizeof elements);
    memcpy(out, a, sizeof a);
    show("reduce", ACCEPTED, sizeof a);
    show("respond", batch_respond(out, a, b, a + 32), 32);
    show("multiply", batch_multiply(out, encoded(elements), a, 0, COUNT), sizeof elements);
    show("multiply hashed", batch_multiply_hashed(out, messages, WIDTH, dst, sizeof dst - 1, b, COUNT), sizeof elements);
    show("unblind", batch_unblind(out, encoded(elements), elements, b, COUNT), sizeof elements);
    show("multiply base", batch_multiply_base(out, a, COUNT), sizeof elements);
    show("sum", batch_weighted_sum(out, encoded(elements), a, COUNT), 32);
    show("short sum", batch_weighted_sum(out, encoded(elements), small, COUNT), 32);
    show("blind", batch_blind(out, messages, WIDTH, dst, sizeof dst - 1, b, COUNT), sizeof elements);
    show("mac", batch_mac(out, b, 32, messages, WIDTH, COUNT), sizeof out);

    static uint8_t room[COUNT * DECODED_BYTES] __attribute__((aligned(64)));
    show("decode", batch_decode(room, elements, COUNT), 0);
    const element_list decoded = {room, 1};
    show("multiply decoded", batch_multiply(out, decoded, a, 0, COUNT), sizeof elements);
    show("unblind decoded", batch_unblind(out, decoded, elements, b, COUNT), sizeof elements);
    show("sum of decoded", batch_weighted_sum(out, decoded, a, COUNT), 32);

    /* Random encodings, of which three quarters are refused; and those with limbs at an end of their range. */
    for (size_t i = 0; i < COUNT; i++) {
        fill(others + 32 * i, 32, 1000 + i);
        if (i % 2) memset(others + 32 * i, i % 4 == 1 ? 0xff : 0, 25);
        others[32 * i] &= 0xfe;
        others[32 * i + 31] &= 0x7f;
        show("validate", batch_validate(others + 32 * i, 1), 0);
    }
    return 0;
}
