/** Notes on hits: keys, marks, sealing and verification (PROTOCOL.md 3.7.5 to 3.7.8). */
import { createCipheriv, randomBytes } from 'node:crypto';
import { big, compare, concat, digest, framed, hex, text, unhex, utf8 } from './bytes.mjs';
import { need, Refused } from './errors.mjs';
import { grade } from './grading.mjs';
import { pieces } from './group.mjs';
import { jcsBytes, validate } from './json.mjs';
import { hkdf, lockBytes, openSealed, sealTo, unlockBytes } from './sealing.mjs';
import { metTokens } from './tokens.mjs';

const NOTE_BYTES = 640;
const MARK = 5;
const OVERHEAD = 12 + 16;
export const BATCH = 512;

/** What both sides were told of a hit: the digests `basis`, `grade` and `told` (3.7.8). */
export function toldOf({ sizes, basis, level, second, families, hitId }) {
  const weights = basis.learned.map((l) => [l.of, l.centibits]);
  const b = digest('aquila/2 basis', jcsBytes({ basis: { ...basis, records: undefined }, learned: weights, sizes }));
  const g = digest('aquila/2 grade', b, level, Uint8Array.of(second ? 1 : 0), ...families);
  return { basis: hex(b), grade: hex(g), told: hex(digest('aquila/2 told', g, unhex(hitId))) };
}

/** The keys of a note (3.7.5). `met` are the tokens that met, ascending, with rule and secret. */
export function noteKeys({ binding, hitId, sender, receiver, senderHandle, receiverHandle, met }) {
  const rules = Uint8Array.from(met.map((row) => row.rule));
  const info = framed('aquila/2 note', unhex(binding), unhex(hitId), sender, receiver, unhex(senderHandle), unhex(receiverHandle), rules);
  const both = hkdf('sha512', unhex(binding), concat(...met.map((row) => row.secret)), info, 64);
  return { info, seal: both.slice(0, 32), mark: both.slice(32) };
}

/** Marks of tokens, in the order of the tokens (3.7.5). */
export function marksOf(key, tokens) {
  return tokens.map((token) => {
    const aes = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
    return new Uint8Array(aes.update(token)).slice(0, MARK);
  });
}

/** How many marks each note of a report has: a multiple of 32, enough for every own record of it. */
export const marksCount = (most) => Math.max(32, Math.ceil(most / 32) * 32);

/** Marks filled up with random ones, ascending. */
export function fillMarks(marks, count) {
  const all = [...marks];
  while (all.length < count) all.push(new Uint8Array(randomBytes(MARK)));
  return concat(...all.sort(compare));
}

/** A sealed note: nonce, then the note behind its length, filled to 640 bytes, and marks (3.7.6). */
export function sealNote(key, note, marks, nonce) {
  const bytes = utf8(note);
  need(bytes.length <= NOTE_BYTES - 2, 'input', 'a note that is too long');
  return lockBytes(key, concat(big(bytes.length, 2), bytes, new Uint8Array(NOTE_BYTES - 2 - bytes.length), marks), undefined, nonce);
}

export const sealedLength = (marks) => OVERHEAD + NOTE_BYTES + MARK * marks;

const batchInfo = ({ binding, sender, receiver, submissionId, index }) =>
  framed('aquila/2 notes', unhex(binding), sender, receiver, submissionId ? unhex(submissionId) : new Uint8Array(0), big(index, 4));

/** A batch of notes, each behind its hit id, sealed to the receiver (3.7.6). */
export function sealBatch(terms, entries, sealingKey, random) {
  const info = batchInfo(terms);
  return { info, sealed: sealTo(sealingKey, info, concat(...entries.flatMap((e) => [unhex(e.hitId), e.sealed])), random) };
}

/** The entries of a batch of which so many were signed. */
export function openBatch(terms, count, sealingSeed, sealed) {
  const plain = openSealed(sealingSeed, batchInfo(terms), sealed);
  const size = plain.length / count;
  const marks = size - 16 - sealedLength(0);
  need(Number.isInteger(size) && marks >= 0 && marks % (32 * MARK) === 0, 'malformed', 'another number of notes than was signed');
  return pieces(plain, size).map((entry) => ({ hitId: hex(entry.subarray(0, 16)), sealed: entry.subarray(16) }));
}

/**
 * Verifies the notes of a batch against the own report (3.7.8).
 * @param {object} own `{report, sizes, tokensOf(handle), table, seen: Set}`; sizes are the padded records of both, in the order of the parties
 * @returns {{hitId: string, note: string|null, fault: string|null}[]}
 */
export function verifyNotes(own, entries) {
  return entries.map(({ hitId, sealed }) => {
    try {
      need(!own.seen.has(hitId), 'repeated', 'a second note of one hit');
      own.seen.add(hitId);
      const hit = own.hits.get(hitId);
      need(hit, 'unreported', 'a hit that was not reported');
      return { hitId, note: verifyNote(own, hit, sealed), fault: null };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { hitId, note: null, fault: error.problem };
    }
  });
}

/** What is wrong with a hit as it was reported: `foreign`, `level`, or nothing (3.7.8). */
export function checkHit(own, hit) {
  const tokens = own.tokensOf(hit.handle);
  const met = metTokens(tokens, hit.met);
  need(met && met.length > 0, 'foreign', 'places that are none of the record');
  const rules = [...new Set(met.map((row) => row.rule))];
  if (own.table) {
    const graded = grade(own.table, { ...own.report.basis, sizes: own.sizes, rules, second: hit.second });
    need(graded.level === hit.certainty && graded.families.join('\n') === hit.families.join('\n'), 'level', 'another level than follows from the rules');
  }
  return { tokens, met };
}

function verifyNote(own, hit, sealed) {
  const { report } = own;
  const { tokens, met } = checkHit(own, hit);
  const keys = noteKeys({ binding: report.binding, hitId: hit.hit_id, sender: report.counterpart, receiver: report.party,
    senderHandle: hit.counterpart_handle, receiverHandle: hit.handle, met });
  let plain;
  try {
    plain = unlockBytes(keys.seal, sealed);
  } catch {
    throw new Refused('sealed', 'the note does not open');
  }
  const { note, marks } = readNote(plain);
  const has = (row) => marks.has(hex(marksOf(keys.mark, [row.token])[0]));
  const told = toldOf({ sizes: own.sizes, basis: report.basis, level: hit.certainty, second: hit.second, families: hit.families, hitId: hit.hit_id });
  need(note.value.report === told.told, 'told', 'the other side was told something else');
  need(!tokens.some((row) => has(row) && !met.includes(row)), 'withheld', 'both sides have a token that was not reported');
  need(met.every(has), 'unreadable', 'a reported token without its mark');
  return note.written;
}

function readNote(plain) {
  try {
    need(plain.length >= NOTE_BYTES, 'unreadable', 'a note that is too short');
    const length = plain[0] * 256 + plain[1];
    need(length <= NOTE_BYTES - 2, 'unreadable', 'a note that is too long');
    const written = text(plain.subarray(2, 2 + length));
    const value = JSON.parse(written);
    validate('Note', value);
    const marks = pieces(plain.subarray(NOTE_BYTES), MARK);
    return { note: { written, value }, marks: new Set(marks.map(hex)) };
  } catch {
    throw new Refused('unreadable', 'not a note');
  }
}
