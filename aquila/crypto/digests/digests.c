/* The Python module aquila.crypto.digests._digests: the inputs of many records, digested in one call; and HMAC of many
 * messages of one length (`hmac_each`, at the end).
 *
 * A rule is a number, a prefix and some parts; a record has some values for each part. An input is one value of each
 * part, joined by a mark; its digest is SHA-256 of prefix and input. The inputs of a rule are taken in ascending order,
 * each once. `aquila.records.inputs` says what the values are, and does the same without this module.
 *
 * Only what is in the limited API of Python 3.11, so that one build serves that version and all later ones; no format
 * with `#`, because the headers of 3.13 make of it a call that fails in 3.12. The lock that Python has is held: values are
 * read from Python's own strings.
 */
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#include "sha256.h"

/* Between the parts of one input. */
#define PART_MARK 0x1e
/* Of one record: its count is kept in two bytes. */
#define MOST_INPUTS 65535

/* Bytes that grow; what is left behind is overwritten. */
typedef struct {
    uint8_t *bytes;
    size_t used, room;
} buffer;

/* A part of a rule: a member of what a column has for each record. */
typedef struct {
    Py_ssize_t column, member;
    PyObject *values; /* of the record at hand, and which of them is chosen */
    Py_ssize_t chosen;
} part;

typedef struct {
    uint8_t number;
    sha256_state state; /* after the whole blocks of the prefix */
    const uint8_t *tail; /* the rest of it */
    size_t tail_bytes, prefix_bytes;
    part *parts;
    Py_ssize_t part_count;
} rule;

/* One input in the buffer of values; `bytes` once that no longer moves. */
typedef struct {
    size_t start, length;
    const uint8_t *bytes;
} input;

typedef struct {
    rule *rules;
    Py_ssize_t rule_count;
    sha256_blocks *take;
    buffer values, message, inputs, counts, numbers, digests;
} work;

static void overwrite(void *bytes, size_t length)
{
    memset(bytes, 0, length);
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

static void drop(buffer *b)
{
    if (b->bytes) overwrite(b->bytes, b->room);
    free(b->bytes);
    *b = (buffer){0};
}

/* Room for `length` bytes more, which count as used; NULL, and an error set, where there is no memory. */
static uint8_t *extend(buffer *b, size_t length)
{
    if (length > b->room - b->used) {
        size_t room = 2 * (b->used + length) + 1024;
        uint8_t *bytes = malloc(room);
        if (!bytes) {
            PyErr_NoMemory();
            return NULL;
        }
        if (b->used) memcpy(bytes, b->bytes, b->used);
        size_t used = b->used;
        drop(b);
        *b = (buffer){bytes, used, room};
    }
    b->used += length;
    return b->bytes + b->used - length;
}

static int in_order(const void *left, const void *right)
{
    const input *a = left, *b = right;
    size_t shared = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->bytes, b->bytes, shared);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* Find a rule's values of record i; returns how many inputs they make, or -1 with an error set. */
static Py_ssize_t find_values(rule *r, PyObject *columns, Py_ssize_t i)
{
    Py_ssize_t product = 1;
    for (part *p = r->parts; p < r->parts + r->part_count; p++) {
        PyObject *column = PyTuple_GetItem(columns, p->column);
        PyObject *members = column ? PyList_GetItem(column, i) : NULL;
        p->values = members ? PyTuple_GetItem(members, p->member) : NULL;
        Py_ssize_t count = p->values ? PyTuple_Size(p->values) : -1;
        if (count <= 0) return count;
        if (product > MOST_INPUTS / count) {
            PyErr_SetString(PyExc_OverflowError, "more inputs of a record than can be counted");
            return -1;
        }
        product *= count;
        p->chosen = 0;
    }
    return product;
}

/* Append the input of the chosen values. */
static int join(work *w, const rule *r, input *joined)
{
    joined->start = w->values.used;
    for (const part *p = r->parts; p < r->parts + r->part_count; p++) {
        Py_ssize_t length;
        PyObject *value = PyTuple_GetItem(p->values, p->chosen);
        const char *text = value ? PyUnicode_AsUTF8AndSize(value, &length) : NULL;
        uint8_t *to = text ? extend(&w->values, (size_t)length + 1) : NULL;
        if (!to) return 0;
        memcpy(to, text, (size_t)length);
        to[length] = PART_MARK;
    }
    joined->length = --w->values.used - joined->start; /* no mark behind the last */
    return 1;
}

/* Choose the next values, as one counts: the last part's first. */
static void choose_next(rule *r)
{
    for (part *p = r->parts + r->part_count; p-- > r->parts;) {
        if (++p->chosen < PyTuple_Size(p->values)) return;
        p->chosen = 0;
    }
}

/* Append the digest of an input, and its rule. */
static int digest(work *w, const rule *r, const input *one)
{
    uint8_t *number = extend(&w->numbers, 1), *to = number ? extend(&w->digests, SHA256_DIGEST) : NULL;
    w->message.used = 0;
    size_t tail = r->tail_bytes + one->length;
    uint8_t *message = to ? extend(&w->message, tail + 2 * SHA256_BLOCK) : NULL;
    if (!message) return 0;
    memcpy(message, r->tail, r->tail_bytes);
    memcpy(message + r->tail_bytes, one->bytes, one->length);
    sha256_state state = r->state;
    w->take(&state, message, sha256_pad(message + tail, tail, r->prefix_bytes + one->length));
    sha256_finish(&state, to);
    *number = r->number;
    return 1;
}

/* Append the inputs of a rule for record i, ascending, each once; returns how many, or -1 with an error set. */
static Py_ssize_t digest_rule(work *w, rule *r, PyObject *columns, Py_ssize_t i)
{
    Py_ssize_t product = find_values(r, columns, i), found = 0;
    if (product <= 0) return product;
    w->values.used = w->inputs.used = 0;
    input *inputs = (input *)extend(&w->inputs, (size_t)product * sizeof *inputs);
    if (!inputs) return -1;
    for (Py_ssize_t k = 0; k < product; k++, choose_next(r)) {
        if (!join(w, r, &inputs[k])) return -1;
    }
    for (Py_ssize_t k = 0; k < product; k++) inputs[k].bytes = w->values.bytes + inputs[k].start;
    if (product > 1) qsort(inputs, (size_t)product, sizeof *inputs, in_order);
    for (Py_ssize_t k = 0; k < product; k++) {
        if (k && !in_order(&inputs[k - 1], &inputs[k])) continue;
        if (!digest(w, r, &inputs[k])) return -1;
        found++;
    }
    return found;
}

static int digest_record(work *w, PyObject *columns, Py_ssize_t i)
{
    Py_ssize_t all = 0;
    for (rule *r = w->rules; r < w->rules + w->rule_count; r++) {
        Py_ssize_t found = digest_rule(w, r, columns, i);
        if (found < 0) return 0;
        all += found;
    }
    if (all > MOST_INPUTS) {
        PyErr_SetString(PyExc_OverflowError, "more inputs of a record than can be counted");
        return 0;
    }
    uint8_t *count = extend(&w->counts, 2);
    if (!count) return 0;
    count[0] = (uint8_t)all;
    count[1] = (uint8_t)(all >> 8);
    return 1;
}

/* Read one rule: (number, prefix, ((column, member), ...)). The strings stay the caller's. */
static int read_rule(work *w, rule *r, PyObject *given)
{
    PyObject *prefix, *parts;
    char *bytes;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(given, "bSO!", &r->number, &prefix, &PyTuple_Type, &parts)) return 0;
    if (PyBytes_AsStringAndSize(prefix, &bytes, &length) < 0) return 0;
    size_t whole = (size_t)length / SHA256_BLOCK;
    sha256_start(&r->state);
    w->take(&r->state, (const uint8_t *)bytes, whole);
    r->tail = (const uint8_t *)bytes + whole * SHA256_BLOCK;
    r->tail_bytes = (size_t)length % SHA256_BLOCK;
    r->prefix_bytes = (size_t)length;
    Py_ssize_t count = PyTuple_Size(parts);
    if (!count) {
        PyErr_SetString(PyExc_ValueError, "a rule without parts");
        return 0;
    }
    r->parts = PyMem_Calloc((size_t)count, sizeof *r->parts);
    if (!r->parts) {
        PyErr_NoMemory();
        return 0;
    }
    for (; r->part_count < count; r->part_count++) {
        part *p = &r->parts[r->part_count];
        if (!PyArg_ParseTuple(PyTuple_GetItem(parts, r->part_count), "nn", &p->column, &p->member)) return 0;
    }
    return 1;
}

static int read_rules(work *w, PyObject *given)
{
    Py_ssize_t count = PyTuple_Size(given);
    w->rules = PyMem_Calloc((size_t)count + 1, sizeof *w->rules);
    if (!w->rules) {
        PyErr_NoMemory();
        return 0;
    }
    for (; w->rule_count < count; w->rule_count++) {
        PyObject *one = PyTuple_GetItem(given, w->rule_count);
        if (!PyTuple_Check(one)) {
            PyErr_SetString(PyExc_TypeError, "a rule is a tuple");
            return 0;
        }
        if (!read_rule(w, &w->rules[w->rule_count], one)) return 0;
    }
    return 1;
}

static void end(work *w)
{
    /* The rule that could not be read may have parts too. */
    for (Py_ssize_t i = 0; w->rules && i <= w->rule_count; i++) PyMem_Free(w->rules[i].parts);
    PyMem_Free(w->rules);
    buffer *buffers[] = {&w->values, &w->message, &w->inputs, &w->counts, &w->numbers, &w->digests};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) drop(buffers[i]);
}

static PyObject *bytes_of(const buffer *b)
{
    return PyBytes_FromStringAndSize((const char *)b->bytes, (Py_ssize_t)b->used);
}

/* The tuple of counts, rules and digests; NULL with an error set. */
static PyObject *made(const work *w)
{
    PyObject *counts = bytes_of(&w->counts), *numbers = bytes_of(&w->numbers), *digests = bytes_of(&w->digests);
    PyObject *answer = counts && numbers && digests ? PyTuple_Pack(3, counts, numbers, digests) : NULL;
    Py_XDECREF(counts);
    Py_XDECREF(numbers);
    Py_XDECREF(digests);
    return answer;
}

static PyObject *digest_records(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *rules, *columns, *answer = NULL;
    Py_ssize_t records;
    int portable = 0;
    if (!PyArg_ParseTuple(arguments, "O!O!n|p", &PyTuple_Type, &rules, &PyTuple_Type, &columns, &records, &portable)) {
        return NULL;
    }
    work w = {.take = sha256_chosen(portable)};
    int is_sound = read_rules(&w, rules);
    for (Py_ssize_t i = 0; is_sound && i < records; i++) is_sound = digest_record(&w, columns, i);
    if (is_sound) answer = made(&w);
    end(&w);
    return answer;
}

/* Messages of one length: a prefix, and some parts of one width, each behind the same lead. */
typedef struct {
    Py_buffer key, prefix, lead, parts, places;
    Py_ssize_t width, count, taken;
    sha256_blocks *take;
} hmac_work;

#define MOST_PARTS 255
#define LONGEST_FIXED 255

static int hmac_is_sound(const hmac_work *w)
{
    return w->key.len <= SHA256_BLOCK && w->prefix.len <= LONGEST_FIXED && w->lead.len <= LONGEST_FIXED &&
           w->width > 0 && w->width <= LONGEST_FIXED && w->count > 0 && w->count <= MOST_PARTS && w->taken > 0 &&
           w->taken <= SHA256_DIGEST && w->parts.len % w->width == 0 &&
           w->places.len % (w->count * (Py_ssize_t)sizeof(int64_t)) == 0;
}

/* The state after the key, each byte of it xor `pad` (RFC 2104). */
static sha256_state keyed(const hmac_work *w, uint8_t pad)
{
    uint8_t block[SHA256_BLOCK];
    memset(block, pad, sizeof block);
    for (Py_ssize_t i = 0; i < w->key.len; i++) block[i] ^= ((const uint8_t *)w->key.buf)[i];
    sha256_state state;
    sha256_start(&state);
    w->take(&state, block, 1);
    overwrite(block, sizeof block);
    return state;
}

/* Write the tags; returns 0 where a place is none. Of a message and its padding only the parts change. */
static int hmac_make(const hmac_work *w, uint8_t *message, uint8_t *to)
{
    Py_ssize_t messages = w->places.len / (Py_ssize_t)sizeof(int64_t) / w->count, parts = w->parts.len / w->width;
    sha256_state inner = keyed(w, 0x36), outer = keyed(w, 0x5c), state;
    size_t step = (size_t)(w->lead.len + w->width), length = (size_t)w->prefix.len + (size_t)w->count * step;
    uint8_t last[2 * SHA256_BLOCK], digest[SHA256_DIGEST];
    memcpy(message, w->prefix.buf, (size_t)w->prefix.len);
    for (Py_ssize_t j = 0; j < w->count; j++) {
        memcpy(message + (size_t)w->prefix.len + (size_t)j * step, w->lead.buf, (size_t)w->lead.len);
    }
    size_t blocks = sha256_pad(message + length, length % SHA256_BLOCK, SHA256_BLOCK + length) + length / SHA256_BLOCK;
    sha256_pad(last + SHA256_DIGEST, SHA256_DIGEST, SHA256_BLOCK + SHA256_DIGEST);
    int is_sound = 1;
    const uint8_t *place = w->places.buf;
    for (Py_ssize_t i = 0; is_sound && i < messages; i++, to += w->taken) {
        uint8_t *part = message + w->prefix.len + w->lead.len;
        for (Py_ssize_t j = 0; j < w->count; j++, part += step, place += sizeof(int64_t)) {
            int64_t at;
            memcpy(&at, place, sizeof at);
            is_sound &= at >= 0 && at < parts;
            if (is_sound) memcpy(part, (const uint8_t *)w->parts.buf + at * w->width, (size_t)w->width);
        }
        state = inner;
        w->take(&state, message, blocks);
        sha256_finish(&state, last);
        state = outer;
        w->take(&state, last, 1);
        sha256_finish(&state, digest);
        memcpy(to, digest, (size_t)w->taken);
    }
    overwrite(&inner, sizeof inner);
    overwrite(&outer, sizeof outer);
    overwrite(&state, sizeof state);
    overwrite(last, sizeof last);
    overwrite(digest, sizeof digest);
    return is_sound;
}

static PyObject *hmac_answer(const hmac_work *w)
{
    if (!hmac_is_sound(w)) {
        PyErr_SetString(PyExc_ValueError, "sizes that do not fit");
        return NULL;
    }
    size_t room = (size_t)w->prefix.len + (size_t)w->count * (size_t)(w->lead.len + w->width) + 2 * SHA256_BLOCK;
    Py_ssize_t messages = w->places.len / (Py_ssize_t)sizeof(int64_t) / w->count;
    PyObject *answer = PyBytes_FromStringAndSize(NULL, messages * w->taken);
    uint8_t *to = answer ? (uint8_t *)PyBytes_AsString(answer) : NULL, *message = to ? malloc(room) : NULL;
    if (!message) {
        Py_XDECREF(answer);
        return PyErr_NoMemory();
    }
    int is_sound;
    Py_BEGIN_ALLOW_THREADS
    is_sound = hmac_make(w, message, to);
    overwrite(message, room);
    free(message);
    Py_END_ALLOW_THREADS
    if (!is_sound) {
        Py_DECREF(answer);
        PyErr_SetString(PyExc_IndexError, "a place of no part");
        return NULL;
    }
    return answer;
}

static PyObject *hmac_each(PyObject *module, PyObject *arguments)
{
    (void)module;
    hmac_work w;
    int portable = 0;
    if (!PyArg_ParseTuple(arguments, "y*y*y*y*y*nnn|p", &w.key, &w.prefix, &w.lead, &w.parts, &w.places, &w.width,
                          &w.count, &w.taken, &portable)) {
        return NULL;
    }
    w.take = sha256_chosen(portable);
    PyObject *answer = hmac_answer(&w);
    Py_buffer *held[] = {&w.key, &w.prefix, &w.lead, &w.parts, &w.places};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) PyBuffer_Release(held[i]);
    return answer;
}

static PyMethodDef METHODS[] = {
    {"digest_records", digest_records, METH_VARARGS,
     "digest_records(rules, columns, records, portable=False) -> counts, rules, digests"},
    {"hmac_each", hmac_each, METH_VARARGS,
     "hmac_each(key, prefix, lead, parts, places, width, count, taken, portable=False) -> the first bytes of each"},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot SLOTS[] = {{0, NULL}};

static struct PyModuleDef MODULE = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "aquila.crypto.digests._digests",
    .m_doc = "The inputs of many records, digested in one call, and HMAC of many messages.",
    .m_methods = METHODS,
    .m_slots = SLOTS,
};

PyMODINIT_FUNC PyInit__digests(void) { return PyModuleDef_Init(&MODULE); }
