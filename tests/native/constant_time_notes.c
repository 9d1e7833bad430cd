/* Whether any branch or address depends on the keys of a note (`make constant-time`); constant_time.c says how.
 *
 * Valgrind knows the instructions for AES, so that all of it is checked as it is built. Called with the argument `leak`,
 * it branches on a secret: the check of the check.
 */
#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "aes256.h"
#include "gcm_siv.h"
#include "sha512.h"

#define MESSAGE 200
#define TOKENS 3

int main(int arguments, char **argument)
{
    uint8_t key[SHA512_BLOCK], message[2 * SHA512_BLOCK], digest[SHA512_DIGEST], tokens[TOKENS * AES_BLOCK], marks[TOKENS * 5];
    hmac_key started;
    memset(key, 7, sizeof key);
    memset(message, 8, sizeof message);
    memset(tokens, 9, sizeof tokens);
    VALGRIND_MAKE_MEM_UNDEFINED(key, sizeof key);
    VALGRIND_MAKE_MEM_UNDEFINED(message, sizeof message);
    VALGRIND_MAKE_MEM_UNDEFINED(tokens, sizeof tokens);
    hmac_start(&started, key, sizeof key);
    hmac(&started, message, MESSAGE, digest);
    puts("hmac             done");
    if (aes256_is_usable()) {
        aes256_heads(digest + SHA512_DIGEST - AES_KEY, tokens, TOKENS, marks, 5);
        puts("marks            done");
        uint8_t sealed[MESSAGE + TAG_BYTES], opened[MESSAGE];
        const uint8_t nonce[NONCE_BYTES] = {1};
        gcm_siv_seal(digest, nonce, message, MESSAGE, sealed);
        VALGRIND_MAKE_MEM_DEFINED(sealed, sizeof sealed); /* it is what is sent */
        int opens = gcm_siv_open(digest, nonce, sealed, MESSAGE, opened);
        VALGRIND_MAKE_MEM_DEFINED(&opens, sizeof opens); /* whether a note opens is said */
        puts(opens ? "seal and open    done" : "seal and open    FAILED");
        if (!opens) return 2;
    }
    if (arguments > 1 && !strcmp(argument[1], "leak") && digest[0] & 1) puts("an odd secret");
    return 0;
}
