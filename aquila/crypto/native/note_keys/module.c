/* The Python module aquila.crypto.native.note_keys._note_keys: the keys and marks of many notes, and their seals, in one call.
 *
 * HKDF-SHA-512 (RFC 5869) makes of a note's token secrets 64 bytes for each context: a key that seals and one that marks.
 * A mark is the first bytes of a token enciphered with AES-256 under the second. A note is sealed with AES-256-GCM-SIV.
 * `aquila.crypto.sealing` says the same without this module. Keys, secrets and tokens go through no branch and no address, and their copies are overwritten.
 *
 * Only what is in the limited API of Python 3.11, so that one build serves that version and all later ones. The lock
 * that Python has is held: a batch takes a millisecond.
 */
#define Py_LIMITED_API 0x030b0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#include "aes256.h"
#include "gcm_siv.h"
#include "sha512.h"

#define KEY_BYTES 32
#define MARK_BYTES 5

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

/* Return (key that seals, key that marks, marks) for a context, or NULL with an error set. */
static PyObject *expand(const hmac_key *expanding, scratch *s, PyObject *context, const char *tokens, Py_ssize_t count)
{
    char *octets;
    Py_ssize_t length;
    uint8_t keys[SHA512_DIGEST];
    if (!context || PyBytes_AsStringAndSize(context, &octets, &length) < 0) return NULL;
    uint8_t *message = message_of(s, octets, length);
    PyObject *marks = message ? PyBytes_FromStringAndSize(NULL, count * MARK_BYTES) : NULL;
    if (!marks) return NULL;
    hmac(expanding, message, (size_t)length + 1, keys);
    aes256_heads(keys + KEY_BYTES, (const uint8_t *)tokens, (size_t)count, (uint8_t *)PyBytes_AsString(marks),
                 MARK_BYTES);
    PyObject *answer = Py_BuildValue("(y#y#N)", (char *)keys, (Py_ssize_t)KEY_BYTES, (char *)keys + KEY_BYTES,
                                     (Py_ssize_t)KEY_BYTES, marks);
    wipe(keys, sizeof keys);
    return answer;
}

/* Derive what a note needs: (secrets, contexts, tokens). */
static PyObject *derive_note(const hmac_key *salted, scratch *s, PyObject *note)
{
    const char *secrets, *tokens;
    Py_ssize_t length, token_bytes;
    PyObject *contexts;
    if (!PyTuple_Check(note)) {
        PyErr_SetString(PyExc_TypeError, "a note is a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(note, "y#O!y#", &secrets, &length, &PyTuple_Type, &contexts, &tokens, &token_bytes)) {
        return NULL;
    }
    if (token_bytes % AES_BLOCK) {
        PyErr_SetString(PyExc_ValueError, "tokens are not whole blocks");
        return NULL;
    }
    uint8_t *message = message_of(s, secrets, length), drawn[SHA512_DIGEST];
    Py_ssize_t count = PyTuple_Size(contexts);
    PyObject *answer = message ? PyTuple_New(count) : NULL;
    if (!answer) return NULL;
    hmac_key expanding;
    hmac(salted, message, (size_t)length, drawn);
    hmac_start(&expanding, drawn, sizeof drawn);
    for (Py_ssize_t i = 0; answer && i < count; i++) {
        PyObject *one = expand(&expanding, s, PyTuple_GetItem(contexts, i), tokens, token_bytes / AES_BLOCK);
        if (!one || PyTuple_SetItem(answer, i, one) < 0) Py_CLEAR(answer);
    }
    wipe(drawn, sizeof drawn);
    wipe(&expanding, sizeof expanding);
    return answer;
}

static PyObject *derive(PyObject *module, PyObject *arguments)
{
    (void)module;
    const char *salt;
    Py_ssize_t length;
    PyObject *notes;
    if (!PyArg_ParseTuple(arguments, "y#O!", &salt, &length, &PyList_Type, &notes)) return NULL;
    if (length > SHA512_BLOCK) {
        PyErr_SetString(PyExc_ValueError, "the salt is too long");
        return NULL;
    }
    hmac_key salted;
    scratch s = {0};
    PyObject *answer = PyList_New(0);
    hmac_start(&salted, (const uint8_t *)salt, (size_t)length);
    for (Py_ssize_t i = 0; answer && i < PyList_Size(notes); i++) {
        PyObject *one = derive_note(&salted, &s, PyList_GetItem(notes, i));
        if (!one || PyList_Append(answer, one) < 0) Py_CLEAR(answer);
        Py_XDECREF(one);
    }
    drop(&s);
    return answer;
}

/* The octets of item i of a list, which is bytes; NULL, and an error set, where it is not. */
static const uint8_t *item(PyObject *list, Py_ssize_t i, Py_ssize_t *length)
{
    char *octets;
    PyObject *one = PyList_GetItem(list, i);
    return one && PyBytes_AsStringAndSize(one, &octets, length) >= 0 ? (const uint8_t *)octets : NULL;
}

/* Key i of a list; NULL, and an error set, where it is none. */
static const uint8_t *key_of(PyObject *keys, Py_ssize_t i)
{
    Py_ssize_t length;
    const uint8_t *key = item(keys, i, &length);
    if (!key || length == AES_KEY) return key;
    PyErr_SetString(PyExc_ValueError, "a key of another length");
    return NULL;
}

/* Refuse lists of different lengths. */
static int require_pairs(PyObject *left, PyObject *right)
{
    if (PyList_Size(left) == PyList_Size(right)) return 1;
    PyErr_SetString(PyExc_ValueError, "lists that belong together differ in length");
    return 0;
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
    PyObject *keys, *plaintexts;
    const char *nonces;
    Py_ssize_t nonce_bytes, length;
    if (!PyArg_ParseTuple(arguments, "O!y#O!", &PyList_Type, &keys, &nonces, &nonce_bytes, &PyList_Type, &plaintexts)) {
        return NULL;
    }
    if (!require_pairs(keys, plaintexts)) return NULL;
    if (nonce_bytes != NONCE_BYTES * PyList_Size(keys)) {
        PyErr_SetString(PyExc_ValueError, "not one nonce for each note");
        return NULL;
    }
    PyObject *answer = PyList_New(0);
    for (Py_ssize_t i = 0; answer && i < PyList_Size(keys); i++) {
        const uint8_t *key = key_of(keys, i), *plaintext = key ? item(plaintexts, i, &length) : NULL;
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
    PyObject *keys, *sealed;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(arguments, "O!O!", &PyList_Type, &keys, &PyList_Type, &sealed)) return NULL;
    if (!require_pairs(keys, sealed)) return NULL;
    PyObject *answer = PyList_New(0);
    for (Py_ssize_t i = 0; answer && i < PyList_Size(keys); i++) {
        const uint8_t *key = key_of(keys, i), *octets = key ? item(sealed, i, &length) : NULL;
        PyObject *one = octets ? open_one(key, octets, length) : NULL;
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
     "derive(salt, [(secrets, (context, ...), tokens), ...]) -> [((seal, mark, marks), ...), ...]"},
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
