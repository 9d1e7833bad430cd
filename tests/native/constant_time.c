/* Whether any branch or address depends on a secret (`make constant-time`).
 *
 * The secrets are marked as undefined memory. Valgrind's memcheck follows them through every operation and reports
 * a branch or an address that depends on one. Valgrind does not know AVX-512, so that this is linked with the
 * portable lanes (-DAQUILA_PORTABLE): the same C code step by step, with another lanes.h beneath. What is checked
 * is thus the algorithm and what the compiler makes of it here; in the AVX-512 build each function of lanes.h is an
 * instruction without branches, and none whose time depends on its operands.
 *
 * It also looks for the element of an input on the stack that blinding leaves behind.
 *
 * Called with the argument `leak`, it branches on a secret: the check of the check.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "batch.h"
#include "scalar.h"

#define COUNT 9
#define WIDTH 32

static uint8_t elements[COUNT * 32], out[COUNT * 64];

/* Fill memory with numbers that differ, and say that nobody knows them. */
static void make_secret(uint8_t *octets, size_t length, unsigned seed)
{
    srand(seed);
    for (size_t i = 0; i < length; i++) octets[i] = (uint8_t)(rand() >> 7);
    VALGRIND_MAKE_MEM_UNDEFINED(octets, length);
}
static void make_scalars(uint8_t *scalars, size_t count, unsigned seed)
{
    uint8_t wide[COUNT * 64];
    make_secret(wide, count * 64, seed);
    batch_reduce(scalars, wide, count);
}

static void check(const char *what, outcome result)
{
    VALGRIND_MAKE_MEM_DEFINED(&result, sizeof result);
    printf("%-16s %s\n", what, result == ACCEPTED ? "done" : "FAILED");
    if (result != ACCEPTED) exit(2);
}

/* Whether an element is left on the stack, where the last call had its variables. */
static __attribute__((noinline)) int is_left(const uint8_t element[32])
{
    uint8_t left[1 << 14];
    __asm__ volatile("" : : "r"(left) : "memory"); /* the compiler must not know that nothing was written to it */
    VALGRIND_MAKE_MEM_DEFINED(left, sizeof left);
    for (size_t i = 0; i + 32 <= sizeof left; i++) {
        size_t same = 0;
        while (same < 32 && left[i + same] == element[same]) same++;
        if (same == 32) return 1;
    }
    return 0;
}

int main(int arguments, char **argument)
{
    const uint8_t dst[] = "constant time";
    uint8_t messages[COUNT * WIDTH], a[COUNT * 32], b[COUNT * 32];

    make_secret(messages, sizeof messages, 1);
    check("hash to group", batch_hash_to_group(elements, messages, WIDTH, dst, sizeof dst - 1, COUNT));
    /* Elements are public: they are what is sent. */
    VALGRIND_MAKE_MEM_DEFINED(elements, sizeof elements);

    make_scalars(a, COUNT, 3);
    make_scalars(b, COUNT, 4);
    check("multiply", batch_multiply(out, encoded(elements), a, 0, COUNT));
    check("multiply hashed", batch_multiply_hashed(out, messages, WIDTH, dst, sizeof dst - 1, a, COUNT));
    check("unblind", batch_unblind(out, encoded(elements), elements, a, COUNT));
    check("multiply base", batch_multiply_base(out, a, COUNT));
    check("respond", batch_respond(out, a, b, a + 32));
    outcome blinded = batch_blind(out, messages, WIDTH, dst, sizeof dst - 1, a, COUNT);
    /* Whoever finds the element of an input can test guesses against it. */
    if (is_left(elements + (COUNT - 1) * 32)) blinded = EXHAUSTED;
    check("blind", blinded);
    check("mac", batch_mac(out, b, 32, messages, WIDTH, COUNT));
    static uint8_t room[COUNT * DECODED_BYTES] __attribute__((aligned(64)));
    check("decode", batch_decode(room, elements, COUNT));
    const element_list decoded = {room, 1};
    check("multiply decoded", batch_multiply(out, decoded, a, 0, COUNT));
    check("unblind decoded", batch_unblind(out, decoded, elements, a, COUNT));
    if (arguments > 1 && !strcmp(argument[1], "leak") && a[0] & 1) puts("an odd secret");
    return 0;
}
