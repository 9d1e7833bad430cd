/** The log as a witness sees it: entries of statements, trees, checkpoints and cosignatures (PROTOCOL.md 10.1 to 10.5). */
import { readFileSync } from 'node:fs';
import { base64, big, concat, equal, hex, sha256, unbase64, unhex, utf8 } from './bytes.mjs';
import { need, Refused } from './errors.mjs';
import { jcs, parseCanonical, SCHEMAS, validateWith } from './json.mjs';
import { verify } from './keys.mjs';
import { CLASSES, LEVELS } from './messages.mjs';

const ENTRY = JSON.parse(readFileSync(SCHEMAS + 'log/Entry.schema.json', 'utf8'));
const audit = (condition, message) => need(condition, 'audit', message);

const counts = (message, names) => Object.fromEntries(names.map((name) => [name, message[name]]));
const levels = (list) => Object.fromEntries(LEVELS.map((level) => [level, list.filter((hit) => hit.certainty === level).length]));
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const ofIds = (m) => (m.submission_id ? { of: 'query', submission: m.submission_id } : { of: 'lists' });

/** What the entry of each statement holds besides the statement's digest and number (schemas/log/forms.md). */
const FORMS = {
  Manifest: (m) => ({ kind: 'proposal', counts: { participants: m.participants.length, pairs: m.pairs.length, retention_days: m.retention_days }, ids: { mode: m.mode },
    reason: { ...counts(m, ['legal_basis', 'purpose', 'category']), case_reference: null } }),
  Consent: (m) => ({ kind: 'consent', counts: { earlier_rounds: m.earlier_rounds.length }, digests: { manifest: m.manifest_digest } }),
  Opening: (m) => ({ kind: 'opening', counts: { participants: m.consents.length }, digests: { binding: m.binding } }),
  Locks: (m) => ({ kind: 'locks', counts: { halves: m.halves.length }, digests: { binding: m.binding } }),
  Submission: (m) => ({ kind: 'submission', counts: { records: m.records, ...counts(m.elements, CLASSES), chunks: m.chunks.length }, ids: { submission: m.submission_id, kind: m.kind },
    reason: counts(m.justification, ['legal_basis', 'purpose', 'case_reference', 'category']), person: /^p-[0-9a-f]{12}$/.test(m.justification.officer) ? m.justification.officer : null }),
  Evaluation: (m) => ({ kind: 'evaluation', recipient: m.origin, counts: { chunk: m.index, elements: m.elements }, digests: { input: m.input_digest, output: m.output_digest },
    ids: { submission: m.submission_id, class: m.input_class } }),
  Tokens: (m) => ({ kind: 'tokens', recipient: m.column.counterpart, counts: { rows: sum(m.column.chunks.map((c) => c.rows)), chunks: m.column.chunks.length }, ids: { submission: m.submission_id } }),
  HitReport: (m) => ({ kind: 'report', recipient: m.party, counts: { hits: m.hits.length, ...levels(m.hits), ...(m.page ? { page: m.page.number, pages: m.page.pages } : {}) },
    ids: { counterpart: m.counterpart, ...ofIds(m) } }),
  Receipt: (m) => ({ kind: 'receipt', recipient: m.counterpart, counts: { hits: sum(Object.values(m.hits)), ...m.hits }, digests: { report: m.report_digest }, ids: ofIds(m) }),
  Notes: (m) => ({ kind: 'disclosure', recipient: m.to, counts: { notes: m.hits, batch: m.index }, ids: ofIds(m) }),
  Confirmation: (m) => ({ kind: 'note_received', recipient: m.to, counts: { confirmed: m.confirmed, refuted: m.refuted.length }, digests: { notes: m.notes }, ids: ofIds(m) }),
  Alarm: (m) => ({ kind: 'fishing_alarm', counts: { hits: m.hits, expected_thousandths: m.expected }, digests: { report: m.report_digest }, ids: ofIds(m) }),
  WithheldAnswer: (m) => ({ kind: 'answer_withheld', ids: { ...ofIds(m), value: m.state } }),
  ReportCheck: (m) => ({ kind: 'checked', recipient: m.counterpart, counts: { faults: m.fault === null ? 0 : 1, below: m.below }, digests: { report: m.report_digest }, ids: ofIds(m) }),
  Closing: (m) => ({ kind: 'closing', counts: { hits: m.hits } }),
  Refusal: () => ({ kind: 'refusal' }),
  Withdrawal: (m) => ({ kind: 'withdrawal', recipient: m.counterpart, counts: { hits: m.hits.length }, ids: { value: m.ground, ...(m.submission_id ? ofIds(m) : {}) } }),
  Acknowledgement: (m) => ({ kind: 'withdrawal_acknowledged', counts: { hits: m.hits, erased: m.erased ? 1 : 0 }, digests: { withdrawal: m.withdrawal } }),
  FollowUp: (m) => ({ kind: 'follow_up_told', recipient: m.to, counts: { part: m.part } }),
  Ending: (m) => ({ kind: 'ending', ids: { outcome: m.outcome } }),
};

/** The entry of a statement, made from the statement, its time and salt alone (10.2). */
export function entryOf(name, message, digest, time, salt) {
  const form = FORMS[name](message);
  const sequence = message.sequence === undefined || name === 'HitReport' ? {} : { sequence: message.sequence };
  const signer = name === 'HitReport' ? 'matcher' : message.party ?? 'matcher';
  return jcs({ counts: { ...form.counts, ...sequence }, digests: { ...form.digests, statement: digest }, ids: form.ids ?? {}, kind: form.kind, log: 'aquila-log/1', party: signer,
    person: form.person ?? null, reason: form.reason ?? null, recipient: form.recipient ?? null, role: null, round: message.round_id, salt, time });
}

/** An entry in its one encoding, or a refusal (10.1). */
export function readEntry(source) {
  try {
    return validateWith(ENTRY, parseCanonical(source));
  } catch (error) {
    throw new Refused('audit', error.message);
  }
}

// RFC 6962 trees (10.3)

export const leafHash = (entry) => sha256(Uint8Array.of(0), typeof entry === 'string' ? utf8(entry) : entry);
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

export function treeRoot(leaves) {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0];
  const half = 2 ** (Math.ceil(Math.log2(leaves.length)) - 1);
  return nodeHash(treeRoot(leaves.slice(0, half)), treeRoot(leaves.slice(half)));
}

const hashes = (proof) => proof.map((h) => {
  const bytes = typeof h === 'string' ? unhex(h) : h;
  audit(bytes.length === 32, 'a hash of another length');
  return bytes;
});

/** Refuses a proof that does not show the leaf at this place (RFC 9162, 2.1.3.2). */
export function verifyInclusion(leaf, index, size, root, proof) {
  audit(Number.isSafeInteger(index) && index >= 0 && index < size, 'a place beyond the end');
  let [fn, sn] = [BigInt(index), BigInt(size - 1)];
  let r = leaf;
  for (const p of hashes(proof)) {
    audit(sn > 0n, 'a hash too many');
    if (fn & 1n || fn === sn) {
      r = nodeHash(p, r);
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else r = nodeHash(r, p);
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  audit(sn === 0n && equal(r, root), 'the entry is not in the log');
}

/** Refuses a proof that the later tree does not begin with the earlier one (RFC 9162, 2.1.4.2). */
export function verifyConsistency(size1, root1, size2, root2, proof) {
  audit(size1 > 0 && size1 <= size2, 'sizes out of order');
  let path = hashes(proof);
  if (size1 === size2) return audit(path.length === 0 && equal(root1, root2), 'another head of one size');
  if ((size1 & (size1 - 1)) === 0) path = [root1, ...path];
  audit(path.length > 0, 'a proof without a hash');
  let [fn, sn] = [BigInt(size1 - 1), BigInt(size2 - 1)];
  while (fn & 1n) [fn, sn] = [fn >> 1n, sn >> 1n];
  let [fr, sr] = [path[0], path[0]];
  for (const c of path.slice(1)) {
    audit(sn > 0n, 'a hash too many');
    if (fn & 1n || fn === sn) {
      [fr, sr] = [nodeHash(c, fr), nodeHash(c, sr)];
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else sr = nodeHash(sr, c);
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  audit(sn === 0n && equal(fr, root1) && equal(sr, root2), 'the log did not only grow');
}

// Checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature)

export const originOf = (holder, fingerprint) => `aquila-log/${holder}/${fingerprint.slice(0, 16)}`;
export const witnessOf = (holder, fingerprint) => `aquila-witness/${holder}/${fingerprint.slice(0, 16)}`;
const keyId = (name, kind, publicKey) => sha256(utf8(name), Uint8Array.of(10, kind), publicKey).slice(0, 4);
const line = (name, id, signature) => `— ${name} ${base64(concat(id, signature))}\n`;

/** A signed note on a head. */
export function makeCheckpoint(origin, key, size, root) {
  const body = `${origin}\n${size}\n${base64(root)}\n`;
  return `${body}\n${line(origin, keyId(origin, 1, key.publicKey), key.sign(utf8(body)))}`;
}

function readNote(note) {
  const at = note.indexOf('\n\n');
  audit(at > 0 && note.endsWith('\n') && !note.includes('\r'), 'not a signed note');
  const lines = note.slice(at + 2, -1).split('\n').map((l) => {
    const found = /^— (\S+) (\S+)$/.exec(l);
    audit(found, 'not a signature line');
    try {
      return { name: found[1], bytes: unbase64(found[2]) };
    } catch {
      throw new Refused('audit', 'not a signature line');
    }
  });
  return { body: note.slice(0, at + 1), lines };
}

function signedLine(lines, name, kind, publicKey, length) {
  const id = keyId(name, kind, publicKey);
  const found = lines.find((l) => l.name === name && equal(l.bytes.subarray(0, 4), id));
  audit(found && found.bytes.length === 4 + length, 'no signature of this key');
  return found.bytes.subarray(4);
}

function auditVerify(publicKey, message, signature) {
  try {
    verify(publicKey, message, signature);
  } catch (error) {
    throw new Refused('audit', error.message);
  }
}

/** Size and root of a checkpoint of this log, or a refusal. */
export function openCheckpoint(note, origin, publicKey) {
  const { body, lines } = readNote(note);
  const found = /^([^\n]+)\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/=]+)\n$/.exec(body);
  audit(found && found[1] === origin, 'a checkpoint of another log');
  const signature = signedLine(lines, origin, 1, publicKey, 64);
  auditVerify(publicKey, utf8(body), signature);
  let root;
  try {
    root = unbase64(found[3]);
  } catch {
    throw new Refused('audit', 'not a head');
  }
  audit(root.length === 32 && Number.isSafeInteger(Number(found[2])), 'not a head');
  return { size: Number(found[2]), root, note };
}

const cosigned = (time, body) => utf8(`cosignature/v1\ntime ${time}\n${body}`);

/** The note with a witness's cosignature (tlog-cosignature, cosignature/v1). */
export function cosign(note, name, key, time) {
  const { body } = readNote(note);
  return note + line(name, keyId(name, 4, key.publicKey), concat(big(time, 8), key.sign(cosigned(time, body))));
}

/** The seconds of a witness's cosignature. */
export function openCosignature(note, name, publicKey) {
  const { body, lines } = readNote(note);
  const bytes = signedLine(lines, name, 4, publicKey, 72);
  const time = Number(BigInt('0x' + hex(bytes.subarray(0, 8))));
  auditVerify(publicKey, cosigned(time, body), bytes.subarray(8));
  return time;
}

/**
 * What a look at the log showed: the body of C2SP tlog-witness, from the checkpoint that was seen last (10.5).
 * @param {{size: number, root: Uint8Array}|null} seen
 */
export function grown(update, seen, origin, publicKey) {
  const at = update.indexOf('\n\n');
  audit(at > 0, 'not an update of a log');
  const [old, ...proof] = update.slice(0, at).split('\n');
  const from = /^old (0|[1-9][0-9]*)$/.exec(old);
  audit(from, 'not an update of a log');
  const shown = openCheckpoint(update.slice(at + 2), origin, publicKey);
  const size = seen?.size ?? 0;
  need(shown.size >= size, 'log-rewritten', 'the log shrank');
  audit(Number(from[1]) === size, 'a proof from another size');
  let path;
  try {
    path = proof.map(unbase64);
  } catch {
    throw new Refused('audit', 'not a proof');
  }
  if (size === 0) audit(path.length === 0, 'a proof from nothing');
  else {
    try {
      verifyConsistency(size, seen.root, shown.size, shown.root, path);
    } catch (error) {
      throw new Refused(shown.size === size || path.length ? 'log-rewritten' : 'audit', error.message);
    }
  }
  return shown;
}
