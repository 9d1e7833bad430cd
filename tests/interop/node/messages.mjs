/** Statements in DSSE envelopes, and what no schema says of a message (PROTOCOL.md 2.1, 2.1.1, 2.2). */
import { base64, concat, hex, sha256, unbase64, utf8 } from './bytes.mjs';
import { need } from './errors.mjs';
import { jcs, MESSAGES, parseCanonical, schemaOf, validate } from './json.mjs';
import { verify } from './keys.mjs';

export const CLASSES = ['full', 'partial', 'coarse'];
export const LEVELS = ['low', 'medium', 'high'];

export const typeOf = (name) => schemaOf(name).$comment;

/** DSSE's pre-authentication encoding: what an envelope signs. */
export function signedBytes(type, payload) {
  return concat(utf8(`DSSEv1 ${utf8(type).length} ${type} ${payload.length} `), payload);
}

/** The digest of a message (2.2). */
export const messageDigest = (type, payload) => hex(sha256(signedBytes(type, payload)));

/** A message in its envelope: its digest, and the envelope's text. */
export function seal(name, message, key) {
  const type = typeOf(name);
  check(name, message);
  const payload = utf8(jcs(message));
  const signed = signedBytes(type, payload);
  return { name, message, digest: hex(sha256(signed)), envelope: envelopeOf(type, payload, key.fingerprint, key.sign(signed)) };
}

export function envelopeOf(type, payload, keyid, signature) {
  return jcs({ payload: base64(payload), payloadType: type, signatures: [{ keyid, sig: base64(signature) }] });
}

/** The parts of an envelope in its one encoding, before its signature is looked at. */
export function readEnvelope(envelope) {
  const outer = parseCanonical(envelope);
  const members = (value, names) => value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).sort().join() === names;
  need(members(outer, 'payload,payloadType,signatures'), 'malformed', 'not an envelope');
  need(Array.isArray(outer.signatures) && outer.signatures.length === 1, 'malformed', 'exactly one signature');
  const [signature] = outer.signatures;
  need(members(signature, 'keyid,sig') && [outer.payload, outer.payloadType, signature.sig].every((t) => typeof t === 'string'), 'malformed', 'not an envelope');
  need(/^[0-9a-f]{64}$/.test(signature.keyid), 'malformed', 'not a fingerprint');
  const sig = unbase64(signature.sig);
  need(sig.length === 64, 'malformed', 'a signature has 64 bytes');
  return { type: outer.payloadType, payload: unbase64(outer.payload), keyid: signature.keyid, sig };
}

/**
 * Opens an envelope whose type is one of `types`, signed by one of `keys` (public keys by fingerprint).
 * @returns {{name: string, message: object, digest: string, keyid: string, envelope: string}}
 */
export function open(envelope, types, keys) {
  const { type, payload, keyid, sig } = readEnvelope(envelope);
  need(types.includes(type) && MESSAGES.has(type), 'malformed', 'another payload type');
  const key = keys.get(keyid);
  need(key, 'signature', 'a key that the registry does not have');
  const signed = signedBytes(type, payload);
  verify(key, signed, sig);
  const name = MESSAGES.get(type);
  return { name, message: read(name, payload), digest: hex(sha256(signed)), keyid, envelope };
}

/** A message from its payload: canonical, of its schema, and as 2.1.1 has it. */
export const read = (name, payload) => check(name, parseCanonical(payload));

const ascending = (list, by = (x) => x) => list.every((item, i) => i === 0 || by(list[i - 1]) < by(item));
const order = (condition, what) => need(condition, 'malformed', what + ' are not distinct and ascending');

/** Letters that a reader does not see, of Unicode 14 (2.1.1). */
const UNSEEN = /[\0-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{110bd}\u{110cd}\u{13430}-\u{13438}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}\p{Co}]/u;

const FURTHER = {
  Manifest(m) {
    order(ascending(m.participants, (p) => p.party), 'participants');
    order(ascending(m.caps, (c) => c.party), 'caps');
    need(m.caps.map((c) => c.party).join() === m.participants.map((p) => p.party).join(), 'malformed', 'caps name other parties');
    const known = new Set(m.participants.map((p) => p.party));
    order(ascending(m.pairs, (p) => p.join()), 'pairs');
    need(m.pairs.every(([a, b]) => a < b && known.has(a) && known.has(b)), 'malformed', 'a pair of others');
    order(ascending(m.padding.inputs_per_record), 'sizes of the padding');
    const { consent_by, submit_by, evaluate_by, closes_at } = m.window;
    need(consent_by <= submit_by && submit_by <= evaluate_by && evaluate_by <= closes_at, 'malformed', 'deadlines out of order');
  },
  Opening: (m) => order(ascending(m.consents, (c) => c.party), 'consents'),
  Locks: (m) => order(ascending(m.halves, (h) => h.counterpart), 'halves'),
  Confirmation: (m) => order(ascending(m.refuted, (r) => r.hit_id), 'refuted hits'),
  Withdrawal: (m) => order(ascending(m.hits), 'hits'),
  Outcomes(m) {
    order(ascending(m.pairs, (p) => p.counterpart), 'pairs');
    for (const pair of m.pairs) order(ascending(pair.levels, (l) => LEVELS.indexOf(l.level ?? l.certainty)), 'levels');
  },
  HitReport(m) {
    order(ascending(m.basis.learned, (l) => l.of), 'learned weights');
    order(ascending(m.hits, (h) => h.hit_id), 'hits');
    order(ascending(m.below, (b) => b.pair_id), 'pairs');
    if (!m.page) return;
    need(m.page.number < m.page.pages && m.submission_id === null, 'malformed', 'not a page of a report');
    need(m.hits.length + m.below.length > 0, 'malformed', 'a page without a pair');
  },
  RegistryStatement: (m) => order(ascending(m.parties, (p) => p.party), 'parties'),
  Consent: (m) => need(m.shares.map((s) => s.input_class).join() === CLASSES.join(), 'malformed', 'not one share of each class in order'),
  Submission(m) {
    const places = m.chunks.map((c) => CLASSES.indexOf(c.input_class));
    need(places.every((place, i) => i === 0 || places[i - 1] <= place), 'malformed', 'classes out of order');
    for (const name of CLASSES) {
      const sum = m.chunks.filter((c) => c.input_class === name).reduce((n, c) => n + c.elements, 0);
      need(sum === m.elements[name], 'malformed', 'chunks do not add up to the elements');
    }
  },
  Tokens(m) {
    order(ascending(m.column.rules, (r) => r.rule), 'rules');
    order(ascending(m.column.left_out), 'sets');
    const rows = (parts) => parts.reduce((n, part) => n + part.rows, 0);
    need(rows(m.column.rules) === rows(m.column.chunks), 'malformed', 'rows of the rules do not add up to those of the chunks');
  },
  Invitation: (m) => need(!UNSEEN.test(m.name), 'malformed', 'a letter that nobody sees'),
  JoinRequest: (m) => need(!UNSEEN.test(m.name), 'malformed', 'a letter that nobody sees'),
};

function check(name, message) {
  validate(name, message);
  FURTHER[name]?.(message);
  if (message.given_up) {
    need(message.given_up.every(([a, b], i, all) => a <= b && (i === 0 || all[i - 1][1] < a)), 'malformed', 'ranges overlap or descend');
    need(message.given_up.at(-1)[1] < message.sequence, 'malformed', 'a range reaches the own number');
  }
  return message;
}
