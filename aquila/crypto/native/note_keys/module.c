/* The Python module aquila.crypto.native.note_keys._note_keys: the keys and marks of many notes, and their seals, in one call.
 *
 * HKDF-SHA-512 (RFC 5869) makes of a note's token secrets 64 bytes for each context: a key that seals and one that marks.
 * A mark is the first bytes of a token enciphered with AES-256 under the second. A note is sealed with AES-256-GCM-SIV.
 * `aquila.crypto.sealing` says the same without this module. Keys, secrets and tokens go through no branch and no address, and their copies are overwritten.
 *
 * Only what is in the limited API of Python 3.11, so that one build serves that version and all later ones; no format
 * with `#`, because the headers of 3.13 make of it a call that fails in 3.12. The lock that Python has is held: a batch
 * takes a millisecond.
 */
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#include "aes256.h"
#include "gcm_siv.h"
#include "sha512.h"

#define KEY_BYTES 32
#define NOTE_KEYS (2 * KEY_BYTES) /* one key seals a note, the other makes marks */
#define MARK_BYTES 5
#define MOST_SIDES 2

/* Where messages are padded. */
typedef struct {
    uint8_t *octets;
    size_t room;
} scratch;

static void drop(scratch *s)
{
    if (s->octets) wipe(s->octets, s->room);
    free(s->octets);
    *s = (scratch){0};
}

/* Copy a message to where an HMAC can pad it, with a byte behind it; NULL, and an error set, where there is no memory. */
static uint8_t *message_of(scratch *s, const char *octets, Py_ssize_t length)
{
    size_t room = hmac_room((size_t)length + 1);
    if (room > s->room) {
        drop(s);
        s->octets = malloc(2 * room);
        if (!s->octets) {
            PyErr_NoMemory();
            return NULL;
        }
        s->room = 2 * room;
    }
    memcpy(s->octets, octets, (size_t)length);
    s->octets[length] = 1; /* RFC 5869 section 2.3: the counter of the one block that is needed */
    return s->octets;
}

/* The octets of item i of a list, which is bytes; NULL, and an error set, where it is not. */
static const uint8_t *item(PyObject *list, Py_ssize_t i, Py_ssize_t *length)
{
    char *octets;
    PyObject *one = PyList_GetItem(list, i);
    return one && PyBytes_AsStringAndSize(one, &octets, length) >= 0 ? (const uint8_t *)octets : NULL;
}

/* Refuse what belongs together and differs in length. */
static int require_same(Py_ssize_t left, Py_ssize_t right)
{
    if (left == right) return 1;
    PyErr_SetString(PyExc_ValueError, "what belongs together differs in length");
    return 0;
}

/* The number of octets in a list of tokens, each note's whole blocks; -1 with an error set. */
static Py_ssize_t octets_of(PyObject *tokens)
{
    Py_ssize_t length, sum = 0;
    for (Py_ssize_t i = 0; i < PyList_Size(tokens); i++) {
        if (!item(tokens, i, &length)) return -1;
        if (length % AES_BLOCK) {
            PyErr_SetString(PyExc_ValueError, "tokens are not whole blocks");
            return -1;
        }
        sum += length;
    }
    return sum;
}

/* The keys of a side's notes and their marks, while they are made. */
typedef struct {
    PyObject *contexts, *keys, *marks;
    uint8_t *next_key, *next_mark;
} side;

/* Make room for the keys and marks of n notes with some contexts; 0 with an error set. */
static int start_side(side *made, PyObject *contexts, Py_ssize_t n, Py_ssize_t token_bytes)
{
    if (!PyList_Check(contexts)) {
        PyErr_SetString(PyExc_TypeError, "contexts are a list");
        return 0;
    }
    if (!require_same(PyList_Size(contexts), n)) return 0;
    made->contexts = contexts;
    made->keys = PyBytes_FromStringAndSize(NULL, n * NOTE_KEYS);
    made->marks = PyBytes_FromStringAndSize(NULL, token_bytes / AES_BLOCK * MARK_BYTES);
    if (!made->keys || !made->marks) return 0;
    made->next_key = (uint8_t *)PyBytes_AsString(made->keys);
    made->next_mark = (uint8_t *)PyBytes_AsString(made->marks);
    return 1;
}

/* Make the keys and marks of note i of a side; 0 with an error set. */
static int expand(side *made, const hmac_key *expanding, scratch *s, Py_ssize_t i, const uint8_t *tokens, size_t count)
{
    Py_ssize_t length;
    const uint8_t *context = item(made->contexts, i, &length);
    uint8_t *message = context ? message_of(s, (const char *)context, length) : NULL;
    if (!message) return 0;
    hmac(expanding, message, (size_t)length + 1, made->next_key);
    aes256_heads(made->next_key + KEY_BYTES, tokens, count, made->next_mark, MARK_BYTES);
    made->next_key += NOTE_KEYS;
    made->next_mark += count * MARK_BYTES;
    return 1;
}

/* Make the keys and marks of note i on all sides; 0 with an error set. */
static int derive_note(const hmac_key *salted, scratch *s, PyObject *secrets, PyObject *tokens, Py_ssize_t i,
                       side *sides, Py_ssize_t count)
{
    Py_ssize_t length, token_bytes;
    const uint8_t *secret = item(secrets, i, &length), *blocks = secret ? item(tokens, i, &token_bytes) : NULL;
    uint8_t *message = blocks ? message_of(s, (const char *)secret, length) : NULL, drawn[SHA512_DIGEST];
    if (!message) return 0;
    hmac_key expanding;
    hmac(salted, message, (size_t)length, drawn);
    hmac_start(&expanding, drawn, sizeof drawn);
    int ok = 1;
    for (Py_ssize_t k = 0; ok && k < count; k++) {
        ok = expand(sides + k, &expanding, s, i, blocks, (size_t)token_bytes / AES_BLOCK);
    }
    wipe(drawn, sizeof drawn);
    wipe(&expanding, sizeof expanding);
    return ok;
}

/* [(keys, marks), ...] of all sides; NULL with an error set. */
static PyObject *listed(const side *sides, Py_ssize_t count)
{
    PyObject *answer = PyList_New(0);
    for (Py_ssize_t k = 0; answer && k < count; k++) {
        PyObject *pair = PyTuple_Pack(2, sides[k].keys, sides[k].marks);
        if (!pair || PyList_Append(answer, pair) < 0) Py_CLEAR(answer);
        Py_XDECREF(pair);
    }
    return answer;
}

static PyObject *derive(PyObject *module, PyObject *arguments)
{
    (void)module;
    char *salt;
    Py_ssize_t length;
    PyObject *salts, *secrets, *tokens, *contexts;
    if (!PyArg_ParseTuple(arguments, "SO!O!O!", &salts, &PyList_Type, &secrets, &PyList_Type, &tokens, &PyTuple_Type,
                          &contexts)) {
        return NULL;
    }
    if (PyBytes_AsStringAndSize(salts, &salt, &length) < 0) return NULL;
    if (length > SHA512_BLOCK) {
        PyErr_SetString(PyExc_ValueError, "the salt is too long");
        return NULL;
    }
    Py_ssize_t n = PyList_Size(secrets), count = PyTuple_Size(contexts), token_bytes = octets_of(tokens);
    if (count > MOST_SIDES) {
        PyErr_SetString(PyExc_ValueError, "a note has two sides");
        return NULL;
    }
    if (token_bytes < 0 || !require_same(PyList_Size(tokens), n)) return NULL;
    hmac_key salted;
    scratch s = {0};
    side sides[MOST_SIDES] = {{0}};
    int ok = 1;
    hmac_start(&salted, (const uint8_t *)salt, (size_t)length);
    for (Py_ssize_t k = 0; ok && k < count; k++) {
        ok = start_side(sides + k, PyTuple_GetItem(contexts, k), n, token_bytes);
    }
    for (Py_ssize_t i = 0; ok && i < n; i++) ok = derive_note(&salted, &s, secrets, tokens, i, sides, count);
    PyObject *answer = ok ? listed(sides, count) : NULL;
    for (Py_ssize_t k = 0; k < count; k++) {
        Py_XDECREF(sides[k].keys);
        Py_XDECREF(sides[k].marks);
    }
    drop(&s);
    return answer;
}

/* Refuse keys that are not one pair for each note. */
static int require_keys(Py_ssize_t key_bytes, PyObject *notes)
{
    return require_same(key_bytes, NOTE_KEYS * PyList_Size(notes));
}

static PyObject *seal_one(const uint8_t *key, const uint8_t *nonce, const uint8_t *plaintext, Py_ssize_t length)
{
    PyObject *sealed = PyBytes_FromStringAndSize(NULL, NONCE_BYTES + length + TAG_BYTES);
    if (!sealed) return NULL;
    uint8_t *to = (uint8_t *)PyBytes_AsString(sealed);
    memcpy(to, nonce, NONCE_BYTES);
    gcm_siv_seal(key, nonce, plaintext, (size_t)length, to + NONCE_BYTES);
    return sealed;
}

static PyObject *seal(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *key_octets, *nonce_octets, *plaintexts;
    char *keys, *nonces;
    Py_ssize_t key_bytes, nonce_bytes, length;
    if (!PyArg_ParseTuple(arguments, "SSO!", &key_octets, &nonce_octets, &PyList_Type, &plaintexts)) return NULL;
    if (PyBytes_AsStringAndSize(key_octets, &keys, &key_bytes) < 0) return NULL;
    if (PyBytes_AsStringAndSize(nonce_octets, &nonces, &nonce_bytes) < 0) return NULL;
    if (!require_keys(key_bytes, plaintexts) || !require_same(nonce_bytes, NONCE_BYTES * PyList_Size(plaintexts))) {
        return NULL;
    }
    PyObject *answer = PyList_New(0);
    for (Py_ssize_t i = 0; answer && i < PyList_Size(plaintexts); i++) {
        const uint8_t *key = (const uint8_t *)keys + i * NOTE_KEYS, *plaintext = item(plaintexts, i, &length);
        PyObject *one = plaintext ? seal_one(key, (const uint8_t *)nonces + i * NONCE_BYTES, plaintext, length) : NULL;
        if (!one || PyList_Append(answer, one) < 0) Py_CLEAR(answer);
        Py_XDECREF(one);
    }
    return answer;
}

/* The plaintext of a sealed note, or None where it does not open; NULL with an error set. */
static PyObject *open_one(const uint8_t *key, const uint8_t *sealed, Py_ssize_t length)
{
    Py_ssize_t inside = length - NONCE_BYTES - TAG_BYTES;
    PyObject *plaintext = inside < 0 ? NULL : PyBytes_FromStringAndSize(NULL, inside);
    if (inside >= 0 && !plaintext) return NULL;
    if (plaintext) {
        uint8_t *to = (uint8_t *)PyBytes_AsString(plaintext);
        if (gcm_siv_open(key, sealed, sealed + NONCE_BYTES, (size_t)inside, to)) return plaintext;
        wipe(to, (size_t)inside);
        Py_DECREF(plaintext);
    }
    Py_RETURN_NONE;
}

static PyObject *open_all(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *key_octets, *sealed;
    char *keys;
    Py_ssize_t key_bytes, length;
    if (!PyArg_ParseTuple(arguments, "SO!", &key_octets, &PyList_Type, &sealed)) return NULL;
    if (PyBytes_AsStringAndSize(key_octets, &keys, &key_bytes) < 0) return NULL;
    if (!require_keys(key_bytes, sealed)) return NULL;
    PyObject *answer = PyList_New(0);
    for (Py_ssize_t i = 0; answer && i < PyList_Size(sealed); i++) {
        const uint8_t *octets = item(sealed, i, &length);
        PyObject *one = octets ? open_one((const uint8_t *)keys + i * NOTE_KEYS, octets, length) : NULL;
        if (!one || PyList_Append(answer, one) < 0) Py_CLEAR(answer);
        Py_XDECREF(one);
    }
    return answer;
}

static PyObject *is_usable(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    return PyBool_FromLong(aes256_is_usable());
}

static PyMethodDef METHODS[] = {
    {"derive", derive, METH_VARARGS,
     "derive(salt, secrets, tokens, (contexts, ...)) -> [(keys, marks), ...], one for each list of contexts"},
    {"seal", seal, METH_VARARGS, "seal(keys, nonces, plaintexts) -> nonce, ciphertext and tag of each"},
    {"open", open_all, METH_VARARGS, "open(keys, sealed) -> plaintexts, None where one does not open"},
    {"is_usable", is_usable, METH_NOARGS, "is_usable() -> whether the processor has instructions for AES"},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot SLOTS[] = {{0, NULL}};

static struct PyModuleDef MODULE = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "aquila.crypto.native.note_keys._note_keys",
    .m_doc = "The keys, marks and seals of many notes in one call.",
    .m_methods = METHODS,
    .m_slots = SLOTS,
};

PyMODINIT_FUNC PyInit__note_keys(void) { return PyModuleDef_Init(&MODULE); }
