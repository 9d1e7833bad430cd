/** From a list's inputs to blinded chunks: digests, blinds, handles and padding (PROTOCOL.md 3.4.4 to 3.4.6). */
import { createCipheriv } from 'node:crypto';
import { big, compare, concat, framed, fromLittle, hex, hmac, little, sha256, unhex } from './bytes.mjs';
import { need } from './errors.mjs';
import { blinded, hashToGroup, pieces, wideScalar } from './group.mjs';
import { CLASSES } from './messages.mjs';

/** The OPRF's private input `x` of a value under a rule (3.4.4). */
export const inputDigest = (binding, inputClass, rule, value) =>
  sha256(framed('aquila/2 input', unhex(binding), inputClass, Uint8Array.of(rule)), value);

/** The blind of input number `i` (3.4.5). */
export const blindOf = (seed, submissionId, number, x) =>
  wideScalar(hmac('sha512', seed, framed('aquila/2 blind', unhex(submissionId), big(number, 8), x)));

const derivedKey = (seed, label, ...parts) => hmac('sha256', seed, framed('aquila/2 ' + label, ...parts));

function blockOf(key, number, j) {
  const aes = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  return new Uint8Array(aes.update(concat(little(number, 8), little(j, 8))));
}

/** The handle of a record; `counterpart` where each column has handles of its own (3.4.5). */
export function handlesOf(seed, counterpart = null) {
  const key = counterpart === null ? derivedKey(seed, 'handle') : derivedKey(seed, 'handle', counterpart);
  return (position) => blockOf(key, position, 0);
}

/** The input digest of padding (3.4.6). */
export function paddingOf(seed) {
  const key = derivedKey(seed, 'padding');
  return (number) => concat(blockOf(key, number, 0), blockOf(key, number, 1));
}

/** Which of `records` real records the dummy at a position copies (3.4.6). */
export function profileOf(seed, records) {
  const key = derivedKey(seed, 'profile');
  return (position) => Number(fromLittle(blockOf(key, position, 0).subarray(0, 8)) % BigInt(records));
}

const upTo = (count, multiple) => Math.ceil(count / multiple) * multiple;

/** The padded number of inputs of a record (3.4.6). */
export function paddedInputs(count, sizes) {
  const largest = sizes.at(-1);
  if (largest === undefined) return count;
  return sizes.find((size) => count <= size) ?? upTo(count, largest);
}

export const paddedRecords = (count, multiple) => upTo(count, multiple);

/**
 * The elements of a submission.
 * @param {{rule: number, value: Uint8Array}[][]} records inputs to send, record by record
 * @param {object} table the rule table @param {object} padding the manifest's
 * @returns {{records: number, elements: {number, position, rule, inputClass, x, blind, blinded}[]}}
 */
export function makeElements({ records, table, padding, binding, seed, submissionId }) {
  need(records.length > 0, 'input', 'a list without a record');
  const filler = paddingOf(seed);
  const numbers = table.rules.map((rule) => rule.number);
  const profile = profileOf(seed, records.length);
  const total = paddedRecords(records.length, padding.records_multiple);
  const all = [];
  for (let position = 0; position < total; position++) {
    const dummy = position >= records.length;
    const inputs = firstOfEachRule(dummy ? records[profile(position)] : records[position]);
    const count = Math.min(255, paddedInputs(inputs.length, padding.inputs_per_record));
    for (let place = 0; place < count; place++) {
      const number = 256 * position + place;
      const input = inputs[place];
      const rule = input?.rule ?? numbers[place % numbers.length];
      const inputClass = table.classOf(rule);
      const x = input && !dummy ? inputDigest(binding, inputClass, rule, input.value) : filler(number);
      const blind = blindOf(seed, submissionId, number, x);
      const point = hashToGroup(x);
      all.push({ number, position, rule, inputClass, x, point, blind, blinded: blinded(point, blind).toBytes() });
    }
  }
  return { records: total, elements: all };
}

/** At most 255 inputs, the first of every rule before the second of any (3.4.6). */
function firstOfEachRule(inputs) {
  if (inputs.length <= 255) return inputs;
  const seen = new Map();
  const turn = inputs.map((input) => {
    const n = seen.get(input.rule) ?? 0;
    seen.set(input.rule, n + 1);
    return n;
  });
  const kept = inputs.map((_, i) => i).sort((a, b) => turn[a] - turn[b] || a - b).slice(0, 255);
  return kept.sort((a, b) => a - b).map((i) => inputs[i]);
}

/** Chunks of the elements: by class, strictly ascending by their bytes (3.4.3, 3.4.5). */
export function cutChunks(elements, size) {
  const chunks = [];
  for (const inputClass of CLASSES) {
    const own = elements.filter((e) => e.inputClass === inputClass).sort((a, b) => compare(a.blinded, b.blinded));
    for (let i = 0; i < own.length; i += size) {
      const part = own.slice(i, i + size);
      chunks.push({ inputClass, elements: part, bytes: concat(...part.map((e) => e.blinded)) });
    }
  }
  for (const chunk of chunks) chunk.digest = hex(sha256(chunk.bytes));
  return chunks;
}

/** Refuses a chunk whose elements are not strictly ascending (3.4.5). */
export function checkAscending(bytes) {
  need(bytes.length > 0 && bytes.length % 32 === 0, 'malformed', 'not whole elements');
  const all = pieces(bytes, 32);
  need(all.every((e, i) => i === 0 || compare(all[i - 1], e) < 0), 'malformed', 'elements are not strictly ascending');
}

/** A whole list or query: padded records, elements and chunks. */
export function makeSubmission(terms, chunkElements) {
  const made = makeElements(terms);
  return { records: made.records, elements: made.elements, chunks: cutChunks(made.elements, chunkElements) };
}
