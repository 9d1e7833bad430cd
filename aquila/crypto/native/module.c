/* The Python modules aquila.crypto.native._ifma, _avx2 and _portable, one for each backend: buffers in, buffers out.
 *
 * Each function checks the lengths of its buffers, releases the lock that Python has, and calls batch.h. It writes
 * to its first argument and returns the position of the first refused element, or None.
 *
 * Only what is in the limited API of Python 3.11, so that one build serves that version and all later ones.
 */
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include "batch.h"
#include "scalar.h"

#if defined(AQUILA_IFMA)
#define NAME "_ifma"
#define INIT PyInit__ifma
#elif defined(AQUILA_AVX2)
#define NAME "_avx2"
#define INIT PyInit__avx2
#else
#define NAME "_portable"
#define INIT PyInit__portable
#endif

#define ELEMENT 32
#define MOST_BUFFERS 4
/* RFC 9380 section 5.3.3. */
#define LONGEST_DST 255
/* SHA-512's block, which an HMAC key is filled up to. */
#define LONGEST_KEY 128
#define MAC_BYTES 64

typedef struct {
    Py_ssize_t count;
    Py_buffer view[MOST_BUFFERS];
} buffers;

static void release(buffers *b)
{
    while (b->count > 0) PyBuffer_Release(&b->view[--b->count]);
}

/* Take `count` buffers from the arguments; the first one is written to. */
static int take(buffers *b, PyObject *const *arguments, Py_ssize_t given, Py_ssize_t count)
{
    b->count = 0;
    if (given < count) {
        PyErr_SetString(PyExc_TypeError, "too few arguments");
        return 0;
    }
    while (b->count < count) {
        int flags = b->count == 0 ? PyBUF_WRITABLE : PyBUF_SIMPLE;
        if (PyObject_GetBuffer(arguments[b->count], &b->view[b->count], flags) < 0) {
            release(b);
            return 0;
        }
        b->count++;
    }
    return 1;
}

/* Whether buffer i is n values of `width` bytes; if not, everything is released and an error set. */
static int require(buffers *b, Py_ssize_t i, size_t n, size_t width)
{
    if ((size_t)b->view[i].len == n * width) return 1;
    release(b);
    PyErr_SetString(PyExc_ValueError, "buffers that belong together differ in length");
    return 0;
}

static PyObject *answer(buffers *b, outcome result)
{
    release(b);
    if (result == EXHAUSTED) return PyErr_NoMemory();
    if (result == ACCEPTED) Py_RETURN_NONE;
    return PyLong_FromSsize_t(result);
}

/* Whether buffer i is n elements, encoded or decoded; if not, everything is released and an error set. */
static int require_list(buffers *b, Py_ssize_t i, size_t n)
{
    size_t width = n && (size_t)b->view[i].len == n * DECODED_BYTES ? DECODED_BYTES : ELEMENT;
    return require(b, i, n, width);
}
/* Buffer i as n elements. */
static element_list list_of(const buffers *b, Py_ssize_t i, size_t n)
{
    return (element_list){b->view[i].buf, n && (size_t)b->view[i].len == n * DECODED_BYTES};
}

#define OUT ((uint8_t *)b.view[0].buf)
#define IN(i) ((const uint8_t *)b.view[i].buf)
#define POSITIONS(i, width) ((size_t)b.view[i].len / (width))
#define RUN(call)                                                                                                      \
    outcome result = ACCEPTED;                                                                                         \
    if (n) {                                                                                                           \
        Py_BEGIN_ALLOW_THREADS                                                                                         \
        result = (call);                                                                                               \
        Py_END_ALLOW_THREADS                                                                                           \
    }                                                                                                                  \
    return answer(&b, result)
#define FUNCTION(name) static PyObject *name(PyObject *module, PyObject *const *arguments, Py_ssize_t given)

FUNCTION(multiply)
{
    (void)module;
    buffers b;
    if (!take(&b, arguments, given, 3)) return NULL;
    size_t n = POSITIONS(0, ELEMENT);
    if (!require(&b, 0, n, ELEMENT) || !require_list(&b, 1, n) || !require(&b, 2, 1, SCALAR_BYTES)) return NULL;
    RUN(batch_multiply(OUT, list_of(&b, 1, n), IN(2), 0, n));
}

FUNCTION(multiply_base)
{
    (void)module;
    buffers b;
    if (!take(&b, arguments, given, 2)) return NULL;
    size_t n = POSITIONS(0, ELEMENT);
    if (!require(&b, 0, n, ELEMENT) || !require(&b, 1, n, SCALAR_BYTES)) return NULL;
    RUN(batch_multiply_base(OUT, IN(1), n));
}

FUNCTION(validate)
{
    (void)module;
    buffers b;
    b.count = 0;
    if (given != 1 || PyObject_GetBuffer(arguments[0], &b.view[0], PyBUF_SIMPLE) < 0) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "one argument is needed");
        return NULL;
    }
    b.count = 1;
    size_t n = POSITIONS(0, ELEMENT);
    if (!require(&b, 0, n, ELEMENT)) return NULL;
    RUN(batch_validate(IN(0), n));
}

FUNCTION(decode)
{
    (void)module;
    buffers b;
    if (!take(&b, arguments, given, 2)) return NULL;
    size_t n = POSITIONS(1, ELEMENT);
    if (!require(&b, 0, n, DECODED_BYTES) || !require(&b, 1, n, ELEMENT)) return NULL;
    if ((uintptr_t)OUT % 64) {
        release(&b);
        PyErr_SetString(PyExc_ValueError, "decoded elements begin on a cache line");
        return NULL;
    }
    RUN(batch_decode(OUT, IN(1), n));
}

FUNCTION(weighted_sum)
{
    (void)module;
    buffers b;
    if (!take(&b, arguments, given, 3)) return NULL;
    size_t n = POSITIONS(2, SCALAR_BYTES);
    if (!require(&b, 0, 1, ELEMENT) || !require_list(&b, 1, n) || !require(&b, 2, n, SCALAR_BYTES)) return NULL;
    RUN(batch_weighted_sum(OUT, list_of(&b, 1, n), IN(2), n));
}

FUNCTION(hash_to_group)
{
    (void)module;
    buffers b;
    if (!take(&b, arguments, given, 3)) return NULL;
    size_t n = POSITIONS(0, ELEMENT), width = n ? POSITIONS(1, n) : 0, dst = POSITIONS(2, 1);
    if (!require(&b, 0, n, ELEMENT) || !require(&b, 1, n, width)) return NULL;
    if (!require(&b, 2, dst > LONGEST_DST ? LONGEST_DST : dst, 1)) return NULL;
    RUN(batch_hash_to_group(OUT, IN(1), width, IN(2), dst, n));
}

FUNCTION(blind)
{
    (void)module;
    buffers b;
    if (!take(&b, arguments, given, 4)) return NULL;
    size_t n = POSITIONS(0, ELEMENT), width = n ? POSITIONS(1, n) : 0, dst = POSITIONS(2, 1);
    if (!require(&b, 0, n, ELEMENT) || !require(&b, 1, n, width) || !require(&b, 3, n, SCALAR_BYTES)) return NULL;
    if (!require(&b, 2, dst > LONGEST_DST ? LONGEST_DST : dst, 1)) return NULL;
    RUN(batch_blind(OUT, IN(1), width, IN(2), dst, IN(3), n));
}

FUNCTION(multiply_hashed)
{
    (void)module;
    buffers b;
    if (!take(&b, arguments, given, 4)) return NULL;
    size_t n = POSITIONS(0, ELEMENT), width = n ? POSITIONS(1, n) : 0, dst = POSITIONS(2, 1);
    if (!require(&b, 0, n, ELEMENT) || !require(&b, 1, n, width) || !require(&b, 3, 1, SCALAR_BYTES)) return NULL;
    if (!require(&b, 2, dst > LONGEST_DST ? LONGEST_DST : dst, 1)) return NULL;
    RUN(batch_multiply_hashed(OUT, IN(1), width, IN(2), dst, IN(3), n));
}

FUNCTION(unblind)
{
    (void)module;
    buffers b;
    if (!take(&b, arguments, given, 4)) return NULL;
    size_t n = POSITIONS(0, ELEMENT);
    if (!require(&b, 0, n, ELEMENT) || !require_list(&b, 1, n)) return NULL;
    if (!require(&b, 2, 1, ELEMENT) || !require(&b, 3, n, SCALAR_BYTES)) return NULL;
    RUN(batch_unblind(OUT, list_of(&b, 1, n), IN(2), IN(3), n));
}

FUNCTION(mac)
{
    (void)module;
    buffers b;
    if (!take(&b, arguments, given, 3)) return NULL;
    size_t n = POSITIONS(0, MAC_BYTES), width = n ? POSITIONS(2, n) : 0, key = POSITIONS(1, 1);
    if (!require(&b, 0, n, MAC_BYTES) || !require(&b, 2, n, width)) return NULL;
    if (!require(&b, 1, key > LONGEST_KEY ? LONGEST_KEY : key, 1)) return NULL;
    RUN(batch_mac(OUT, IN(1), key, IN(2), width, n));
}

FUNCTION(reduce_each)
{
    (void)module;
    buffers b;
    if (!take(&b, arguments, given, 2)) return NULL;
    size_t n = POSITIONS(0, SCALAR_BYTES);
    if (!require(&b, 0, n, SCALAR_BYTES) || !require(&b, 1, n, 64)) return NULL;
    RUN(batch_reduce(OUT, IN(1), n));
}

FUNCTION(respond)
{
    (void)module;
    buffers b;
    if (!take(&b, arguments, given, 4)) return NULL;
    size_t n = 1;
    for (int i = 0; i < 4; i++) {
        if (!require(&b, i, n, SCALAR_BYTES)) return NULL;
    }
    RUN(batch_respond(OUT, IN(1), IN(2), IN(3)));
}

/* What this code needs of a processor and this one lacks, as a tuple of names. */
static PyObject *missing(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    return Py_BuildValue("(s)", "little-endian byte order");
#elif defined(AQUILA_PORTABLE) || defined(AQUILA_EMULATED)
    return PyTuple_New(0);
#else
    PyObject *names = PyList_New(0);
    __builtin_cpu_init();
#define NEED(feature)                                                                                                  \
    if (names && !__builtin_cpu_supports(feature)) {                                                                   \
        PyObject *name = PyUnicode_FromString(feature);                                                                \
        if (!name || PyList_Append(names, name) < 0) Py_CLEAR(names);                                                  \
        Py_XDECREF(name);                                                                                              \
    }
#if defined(AQUILA_IFMA)
    NEED("avx512f")
    NEED("avx512dq")
    NEED("avx512bw")
    NEED("avx512vl")
    NEED("avx512ifma")
#else
    NEED("avx2")
    NEED("fma")
#endif
    NEED("bmi2")
    if (!names) return NULL;
    PyObject *all = PyList_AsTuple(names);
    Py_DECREF(names);
    return all;
#endif
}

#define METHOD(name, text) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, text}

static PyMethodDef METHODS[] = {
    METHOD(multiply, "multiply(out, elements, scalar)"),
    METHOD(multiply_base, "multiply_base(out, scalars)"),
    METHOD(validate, "validate(elements)"),
    METHOD(decode, "decode(out, elements)"),
    METHOD(weighted_sum, "weighted_sum(out, elements, weights)"),
    METHOD(hash_to_group, "hash_to_group(out, messages, dst)"),
    METHOD(multiply_hashed, "multiply_hashed(out, messages, dst, scalar)"),
    METHOD(blind, "blind(out, messages, dst, scalars)"),
    METHOD(unblind, "unblind(out, elements, public_key, scalars)"),
    METHOD(mac, "mac(out, key, messages)"),
    METHOD(reduce_each, "reduce_each(out, wide)"),
    METHOD(respond, "respond(out, nonce, challenge, secret)"),
    {"missing", missing, METH_NOARGS, "missing() -> what the processor lacks"},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot SLOTS[] = {{0, NULL}};

static struct PyModuleDef MODULE = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "aquila.crypto.native." NAME,
    .m_doc = "Batches of ristretto255 over contiguous bytes.",
    .m_methods = METHODS,
    .m_slots = SLOTS,
};

PyMODINIT_FUNC INIT(void) { return PyModuleDef_Init(&MODULE); }
