// The vectors of schemas/vectors, recomputed from schemas/ alone, with none of Aquila's code.
//
//   node vectors.mjs      for each vector a line of JSON: file, name, and null or what is wrong; an operation that is not read says so
import { createCipheriv, createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { gcm, gcmsiv } from '@noble/ciphers/aes.js';
import { ed25519, ristretto255, ristretto255_hasher as hasher } from '@noble/curves/ed25519.js';
import { expand, extract, hkdf } from '@noble/hashes/hkdf.js';
import { sha256 as noble256, sha512 } from '@noble/hashes/sha2.js';
import { shake256 } from '@noble/hashes/sha3.js';
import { ml_kem768_x25519 as xwing } from '@noble/post-quantum/hybrid.js';
import { base64, bytesOf, canonical, digest, framed, hex, joined, messageOf, readCanonical, readEntry, readKey, sha256, unbase64, unhex, verify } from './auditor/encoding.mjs';
import { Frontier, lineOf, nameOf, nodeHash, readLog, readNote, readRegistry } from './auditor/log.mjs';
import { auditRounds } from './auditor/rounds_audit.mjs';
import { readStatements } from './auditor/statements.mjs';

const VECTORS = new URL('../../schemas/vectors/', import.meta.url);
const { Point } = ristretto255;
const ORDER = Point.Fn.ORDER;
const OPRF = joined(bytesOf('OPRFV1-'), Uint8Array.of(1), bytesOf('-ristretto255-SHA512'));

const hmac = (kind, key, message) => new Uint8Array(createHmac(kind, key).update(message).digest());
const number = (value, size) => unhex(value.toString(16).padStart(2 * size, '0'));
const reversed = (bytes) => Uint8Array.from(bytes).reverse();
const littleEndian = (bytes) => BigInt(`0x${hex(reversed(bytes))}`);
const modulo = (value) => ((value % ORDER) + ORDER) % ORDER;
const scalarBytes = (value) => reversed(number(modulo(value), 32));
const reduced = (bytes) => modulo(littleEndian(bytes));
const cut = (bytes, width) => Array.from({ length: bytes.length / width }, (_, at) => bytes.slice(at * width, (at + 1) * width));
const behind = (width, ...parts) => joined(...parts.flatMap((part) => [number(part.length, width), part]));
const fail = (sentence) => {
  throw new Error(sentence);
};
const sum = (points) => points.reduce((left, right) => left.add(right));

// The group (2.5) and the functions of RFC 9497 (2.6).

function element(bytes) {
  const point = Point.fromBytes(bytes);
  return point.equals(Point.ZERO) ? fail('an element is the identity') : point;
}

function scalar(bytes) {
  const value = littleEndian(bytes);
  return bytes.length === 32 && value > 0n && value < ORDER ? value : fail('a scalar is zero or not reduced');
}

function expandMessage(message, dst) {
  const suffix = joined(dst, Uint8Array.of(dst.length));
  const first = sha512(joined(new Uint8Array(128), message, Uint8Array.of(0, 64, 0), suffix));
  return sha512(joined(first, Uint8Array.of(1), suffix));
}

const hashToScalar = (message, dst = joined(bytesOf('HashToScalar-'), OPRF)) => reduced(expandMessage(message, dst));
const hashToGroup = (x) => hasher.deriveToCurve(expandMessage(x, joined(bytesOf('HashToGroup-'), OPRF)));
const base = (value) => Point.BASE.multiply(value).toBytes();

// Envelopes (2.1, 2.4).

const pae = (type, payload) => joined(bytesOf(`DSSEv1 ${bytesOf(type).length} ${type} ${payload.length} `), payload);
const publicOf = (seed) => readKey(hex(ed25519.getPublicKey(unhex(seed))));
const messageDigest = (type, payload) => hex(sha256(pae(type, payload)));

function signed(seed, type, payload) {
  const sig = base64(ed25519.sign(pae(type, payload), unhex(seed)));
  return canonical({ payload: base64(payload), payloadType: type, signatures: [{ keyid: publicOf(seed).fingerprint, sig }] });
}

function opened(text, types, keys) {
  const envelope = readCanonical(bytesOf(text));
  const { payload, payloadType, signatures } = envelope;
  if (Object.keys(envelope).length !== 3 || signatures.length !== 1 || !types.includes(payloadType)) fail('no envelope of this kind');
  const [{ keyid, sig }] = signatures;
  const key = keys.find((one) => one.fingerprint === keyid) ?? fail('an unknown key');
  const content = unbase64(payload);
  if (!verify(key, unbase64(sig), pae(payloadType, content))) fail('the signature is wrong');
  return content;
}

const FRAMING = {
  framed: ({ label, parts }) => hex(framed(label, ...parts.map(unhex))),
  digest: ({ label, parts }) => digest(label, ...parts.map(unhex)),
  sign: ({ seed, payload_type: type, payload }) => ({
    fingerprint: publicOf(seed).fingerprint,
    signed: hex(pae(type, bytesOf(payload))),
    digest: messageDigest(type, bytesOf(payload)),
    envelope: signed(seed, type, bytesOf(payload)),
  }),
  open: ({ envelope, payload_types: types, registry }) => Buffer.from(opened(envelope, types, registry.map(publicOf))).toString(),
  verify: ({ public_key: key, message, signature }) => verify(readKey(key), unhex(signature), unhex(message)) || fail('the signature is wrong'),
};

// Consents (3.3.2, 3.3.4, 4.2).

const CLASSES = ['full', 'partial', 'coarse'];
const KNOWLEDGE = bytesOf('aquila/2 proof of knowledge');
const knowledgeChallenge = (key, commitment, context) => hashToScalar(behind(4, Point.BASE.toBytes(), key, commitment, context), KNOWLEDGE);

function proofScalars(proof) {
  if (proof.length !== 64) fail('a proof has 64 bytes');
  return [scalar(proof.slice(0, 32)), scalar(proof.slice(32))];
}

const CONSENT = {
  consent({ manifest, party, identity, sequence, log_head: head, elements, drawn, nonces }) {
    const manifestDigest = messageDigest('application/vnd.aquila.manifest+json', bytesOf(manifest));
    const of = (make) => Object.fromEntries(CLASSES.map((kind) => [kind, make(kind)]));
    const shares = of((kind) => reduced(unhex(drawn.shares[kind])));
    const keys = of((kind) => base(shares[kind]));
    const sealing = xwing.keygen(unhex(drawn.sealing)).publicKey;
    const every = [...CLASSES.map((kind) => keys[kind]), sealing];
    const contexts = of((kind) => framed('aquila/2 share', unhex(manifestDigest), party, kind, ...every));
    const proofs = of((kind) => {
      const nonce = scalar(unhex(nonces[kind]));
      const c = knowledgeChallenge(keys[kind], base(nonce), contexts[kind]);
      return hex(joined(scalarBytes(c), scalarBytes(nonce - c * shares[kind])));
    });
    const message = {
      round_id: JSON.parse(manifest).round_id, party, sequence, log_head: head, manifest_digest: manifestDigest, elements,
      shares: CLASSES.map((kind) => ({ input_class: kind, public_key: hex(keys[kind]), proof: proofs[kind] })),
      sealing_key: hex(sealing), earlier_rounds: [],
    };
    const payload = canonical(message);
    return {
      shares: of((kind) => hex(scalarBytes(shares[kind]))), public_keys: of((kind) => hex(keys[kind])), sealing_key: hex(sealing),
      contexts: of((kind) => hex(contexts[kind])), proofs, payload,
      envelope: signed(identity, 'application/vnd.aquila.consent+json', bytesOf(payload)),
    };
  },
  binding({ manifest_digest: manifest, consents }) {
    const parts = Object.entries(consents).map(([party, one]) => framed('consent', party, unhex(one)));
    return digest('aquila/2 binding', unhex(manifest), ...parts);
  },
  verify_knowledge({ public_key: key, context, proof }) {
    const point = element(unhex(key));
    const [c, s] = proofScalars(unhex(proof));
    const commitment = Point.BASE.multiply(s).add(point.multiply(c));
    if (commitment.equals(Point.ZERO)) fail('the commitment is the identity');
    if (knowledgeChallenge(unhex(key), commitment.toBytes(), unhex(context)) !== c) fail('the proof does not verify');
  },
};

// Sealing (4.6): HPKE, base mode, X-Wing, HKDF-SHA-256, AES-256-GCM.

const SUITE = joined(bytesOf('HPKE'), unhex('647a00010002'));

function schedule(secret, info) {
  const labelled = (salt, label, ikm) => extract(noble256, joined(bytesOf('HPKE-v1'), SUITE, bytesOf(label), ikm), salt);
  const nothing = new Uint8Array();
  const context = joined(Uint8Array.of(0), labelled(nothing, 'psk_id_hash', nothing), labelled(nothing, 'info_hash', info));
  const made = labelled(secret, 'secret', nothing);
  const part = (label, size) => expand(noble256, made, joined(number(size, 2), bytesOf('HPKE-v1'), SUITE, bytesOf(label), context), size);
  return [part('key', 32), part('base_nonce', 12)];
}

function seal(key, info, content, randomness) {
  const { cipherText, sharedSecret } = xwing.encapsulate(key, randomness);
  return joined(cipherText, gcm(...schedule(sharedSecret, info)).encrypt(content));
}

function unseal(seed, info, sealed) {
  const secret = xwing.decapsulate(sealed.slice(0, 1120), xwing.keygen(unhex(seed)).secretKey);
  return gcm(...schedule(secret, info)).decrypt(sealed.slice(1120));
}

// Locks (3.3.8).

const lockInfo = ({ binding, party, counterpart }, label = 'aquila/2 lock') => framed(label, unhex(binding), party, counterpart);

const LOCKS = {
  half: (given) => hex(hmac('sha512', unhex(given.secret), lockInfo(given, 'aquila/2 lock half')).slice(0, 32)),
  seal(given) {
    const info = lockInfo(given);
    return { info: hex(info), sealed: hex(seal(unhex(given.sealing_key), info, unhex(given.half), unhex(given.randomness))) };
  },
  open: (given) => hex(unseal(given.sealing, lockInfo(given), unhex(given.sealed))),
  locks: ({ payload }) => {
    read({ payload_type: 'application/vnd.aquila.locks+json', payload });
    return messageDigest('application/vnd.aquila.locks+json', bytesOf(payload));
  },
  pair_key({ binding, purpose, sides }) {
    const [lo, hi] = Object.keys(sides).sort();
    const info = framed('aquila/2 lock', unhex(sides[lo].locks), unhex(sides[hi].locks), lo, hi, purpose);
    return hex(hkdf(sha512, joined(unhex(sides[lo].half), unhex(sides[hi].half)), unhex(binding), info, 64));
  },
};

// Submissions (3.4).

const blindOf = (seed, id, place, x) => reduced(hmac('sha512', seed, framed('aquila/2 blind', id, number(place, 8), x)));

function block(seed, label, place, at = 0) {
  const cipher = createCipheriv('aes-256-ecb', hmac('sha256', seed, label), null).setAutoPadding(false);
  return new Uint8Array(cipher.update(joined(reversed(number(place, 8)), reversed(number(at, 8)))));
}

const handleOf = (seed, place, counterpart) => block(seed, framed('aquila/2 handle', ...(counterpart ? [counterpart] : [])), place);
const draw = (seed, label, place, count) => Number(littleEndian(block(seed, framed(`aquila/2 ${label}`), place).slice(0, 8)) % BigInt(count));
const less = (one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)) < 0;

const SUBMISSION = {
  input_digest: ({ binding, class: kind, rule, value }) =>
    hex(sha256(framed('aquila/2 input', unhex(binding), kind, Uint8Array.of(rule)), unhex(value))),
  hash_to_group: ({ x }) => hex(hashToGroup(unhex(x)).toBytes()),
  blind({ seed, submission_id: id, number: place, x }) {
    const r = blindOf(unhex(seed), unhex(id), place, unhex(x));
    return { blind: hex(scalarBytes(r)), element: hex(hashToGroup(unhex(x)).multiply(r).toBytes()) };
  },
  elements({ elements }) {
    if (elements.length % 64) fail('no whole number of elements');
    cut(unhex(elements), 32).forEach(element);
  },
  scalar: (given) => scalar(unhex(given.scalar)),
  ascending({ elements }) {
    if (elements.length % 64) fail('no whole number of elements');
    const every = cut(unhex(elements), 32);
    if (every.some((one, at) => at && !less(every[at - 1], one))) fail('elements are not in ascending order');
  },
  handles: ({ seed, positions, counterpart }) => positions.map((place) => hex(handleOf(unhex(seed), place, counterpart))),
  padding: ({ seed, numbers, rules }) => ({
    digests: numbers.map((one) => hex(joined(...[0, 1].map((at) => block(unhex(seed), framed('aquila/2 padding'), one, at))))),
    rules: numbers.map((one) => (one % 256) % rules),
  }),
  profiles: ({ seed, positions, records }) => positions.map((one) => draw(unhex(seed), 'profile', one, records)),
  padded({ inputs, sizes, records, multiple }) {
    const largest = sizes.at(-1);
    const size = sizes.find((one) => inputs <= one) ?? Math.ceil(inputs / largest) * largest;
    return { inputs: size, records: Math.ceil(records / multiple) * multiple };
  },
};

// Evaluations (3.5, 4.3).

function weighed(given, key, elements, evaluated) {
  const names = [given.class, given.evaluator, given.origin];
  const context = framed('aquila/2 evaluation', unhex(given.binding), ...names, unhex(given.submission_id), number(given.index, 4));
  const digests = [elements, evaluated].map((many) => sha256(...many));
  const start = behind(2, key, joined(bytesOf('Seed-'), OPRF));
  const seed = sha512(joined(start, behind(4, bytesOf('aquila/2 batch weights'), context, ...digests), number(elements.length, 4)));
  const weights = cut(shake256(seed, { dkLen: 16 * elements.length }), 16);
  const values = weights.map((one) => littleEndian(one) || 1n);
  const folded = (many) => sum(many.map((one, at) => element(one).multiply(values[at])));
  return { context, digests, seed, weights, M: folded(elements), folded };
}

const proofChallenge = (key, ...points) => hashToScalar(joined(behind(2, key, ...points.map((one) => one.toBytes())), bytesOf('Challenge')));

const CHUNK = {
  evaluate(given) {
    const [k, nonce, elements] = [scalar(unhex(given.share)), scalar(unhex(given.nonce)), given.elements.map(unhex)];
    const evaluated = elements.map((one) => element(one).multiply(k).toBytes());
    const key = base(k);
    const { context, digests, seed, weights, M } = weighed(given, key, elements, evaluated);
    const Z = M.multiply(k);
    const c = proofChallenge(key, M, Z, Point.BASE.multiply(nonce), M.multiply(nonce));
    return {
      context: hex(context), seed: hex(seed), weights: weights.map(hex), M: hex(M.toBytes()), Z: hex(Z.toBytes()),
      evaluated: evaluated.map(hex), input_digest: hex(digests[0]), output_digest: hex(digests[1]),
      proof: hex(joined(scalarBytes(c), scalarBytes(nonce - c * k))),
    };
  },
  verify(given) {
    const [key, elements, evaluated] = [unhex(given.public_key), given.elements.map(unhex), given.evaluated.map(unhex)];
    const [c, s] = proofScalars(unhex(given.proof));
    const K = element(key);
    if (!elements.length || elements.length !== evaluated.length) fail('the numbers of elements differ');
    const { M, folded } = weighed(given, key, elements, evaluated);
    const Z = folded(evaluated);
    const [t2, t3] = [Point.BASE.multiply(s).add(K.multiply(c)), M.multiply(s).add(Z.multiply(c))];
    if (proofChallenge(key, M, Z, t2, t3) !== c) fail('the proof does not verify');
  },
};

// Tokens (3.6) and their join (3.7.1).

function tokenOf({ key, class: kind, origin, counterpart, share }, x, evaluated, blind) {
  const own = hashToGroup(x).multiply(scalar(unhex(share))).toBytes();
  const theirs = element(unhex(evaluated)).multiply(Point.Fn.inv(blind)).toBytes();
  const [lo, hi] = origin < counterpart ? [own, theirs] : [theirs, own];
  const output = hmac('sha512', unhex(key), framed('aquila/2 token', kind, x, lo, hi));
  return { V_lo: hex(lo), V_hi: hex(hi), token: hex(output.slice(0, 16)), secret: hex(output.slice(32)) };
}

const rowsOf = (column) => cut(unhex(column), 33).map((row) => ({ handle: hex(row.slice(0, 16)), rule: row[16], token: hex(row.slice(17)) }));

const TOKENS = {
  token: (given) => tokenOf(given, unhex(given.x), given.evaluated, scalar(unhex(given.blind))),
  rows(given) {
    const [seed, id] = [unhex(given.seed), unhex(given.submission_id)];
    const made = given.elements.map(({ number: place, rule, x, evaluated }) => {
      const { token, secret } = tokenOf(given, unhex(x), evaluated, blindOf(seed, id, place, unhex(x)));
      const handle = handleOf(seed, Math.floor(place / 256), given.handles_for);
      return { row: hex(handle) + hex(Uint8Array.of(rule)) + token, token, secret };
    });
    made.sort((one, other) => (one.token < other.token ? -1 : 1));
    return { rows: made.map(({ row }) => row), secrets: made.map(({ secret }) => secret) };
  },
  count({ classes, chunks, rules }) {
    const counts = {};
    const last = {};
    for (const { class: kind, rows } of chunks) {
      if (rows.length % 66) fail('no whole number of rows');
      for (const { handle, rule, token } of rowsOf(rows)) {
        if (!classes[rule]) fail('a row of no rule');
        if (classes[rule] !== kind) fail('a row of another class');
        if (token + handle < (last[kind] ?? '')) fail('a row out of the order of its class');
        last[kind] = token + handle;
        counts[rule] = (counts[rule] ?? 0) + 1;
      }
    }
    if (canonical(counts) !== canonical(rules)) fail('another number of rows under a rule');
  },
  join({ left, right, frequency_limit: limit }) {
    const bearers = (rows) => {
      const found = new Map();
      for (const { handle, token } of rows) found.set(token, (found.get(token) ?? new Set()).add(handle));
      return rows.filter(({ token }) => found.get(token).size <= limit);
    };
    const [lefts, rights] = [left, right].map((column) => bearers(rowsOf(column)));
    const met = new Map();
    for (const one of lefts) {
      for (const other of rights.filter(({ token, rule }) => token === one.token && rule === one.rule)) {
        const name = `${one.handle} ${other.handle}`;
        met.set(name, (met.get(name) ?? new Set()).add(one.rule));
      }
    }
    return [...met].sort().map(([name, rules]) => [...name.split(' '), [...rules].sort((a, b) => a - b)]);
  },
};

// Shadow columns (3.7.12, 3.7.13).

const tagOf = (key, set, tokens) => hmac('sha256', key, framed('aquila/2 shadow', Uint8Array.of(set), ...tokens)).slice(0, 16);
const dummyOf = (key, place, asker) =>
  hmac('sha256', key, framed(asker ? 'aquila/2 shadow query dummy' : 'aquila/2 shadow dummy', ...(asker ? [asker] : []), number(place, 4))).slice(0, 16);

function combinationsOf(rows, sets) {
  return sets.flatMap((rules, set) => {
    const chosen = rules.reduce((some, rule) => some.flatMap((one) => rows.filter((row) => row.rule === rule).map((row) => [...one, row.token])), [[]]);
    return chosen.map((tokens) => `${set} ${tokens.join(' ')}`);
  });
}

const tagsOf = (key, named) => new Set([...named].map((one) => {
  const [set, ...tokens] = one.split(' ');
  return hex(tagOf(key, Number(set), tokens.map(unhex)));
}));

function recordsOf(rows) {
  const found = new Map();
  for (const row of rowsOf(rows)) found.set(row.handle, [...(found.get(row.handle) ?? []), row]);
  for (const of of found.values()) of.sort((one, other) => (one.token < other.token ? -1 : 1));
  return found;
}

const SHADOW = {
  tag: ({ key, set, tokens }) => hex(tagOf(unhex(key), set, tokens.map(unhex))),
  dummy: ({ key, number: place, asker }) => hex(dummyOf(unhex(key), place, asker)),
  key_digest: ({ key }) => digest('aquila/2 shadow key', unhex(key)),
  met_digest: ({ tags }) => digest('aquila/2 shadow met', joined(...tags.map(unhex))),
  column({ key, sets, rows }) {
    const named = new Set([...recordsOf(rows).values()].flatMap((of) => combinationsOf(of, sets)));
    const tags = tagsOf(unhex(key), named);
    for (let place = 0; place < 4096; place += 1) tags.add(hex(dummyOf(unhex(key), place)));
    const ordered = [...tags].sort();
    return { tags: ordered.length, sha256: hex(sha256(unhex(ordered.join('')))), first: ordered[0], last: ordered.at(-1) };
  },
  check({ key, sets, rows, pairs, met }) {
    const records = recordsOf(rows);
    const told = new Map();
    for (const { own, other, places } of pairs) {
      const of = (records.get(own) ?? []).filter((_, place) => unhex(places).includes(place));
      for (const one of combinationsOf(of, sets)) {
        if (!told.has(one)) told.set(one, new Map());
        told.get(one).set(own, [...(told.get(one).get(own) ?? []), other].sort());
      }
    }
    const tags = tagsOf(unhex(key), told.keys());
    for (let place = 0; place < 4096; place += 1) tags.add(hex(dummyOf(unhex(key), place)));
    const due = [...tags].sort();
    if (due.length !== met.tags || digest('aquila/2 shadow met', unhex(due.join(''))) !== met.digest) fail('other tags met');
    for (const [one, partners] of told) {
      const bearing = [...records].filter(([, of]) => combinationsOf(of, sets).includes(one)).map(([handle]) => handle);
      if (canonical(bearing.sort()) !== canonical([...partners.keys()].sort())) fail('an own record is not reported');
      if (new Set([...partners.values()].map(canonical)).size > 1) fail('records have different partners');
    }
  },
};

// Notes (3.7.5 to 3.7.8).

const batchInfo = ({ binding, sender, receiver, number: place, submission_id: id }) =>
  framed('aquila/2 notes', unhex(binding), sender, receiver, unhex(id ?? ''), number(place, 4));

const NOTES = {
  told({ sizes, basis, level, second, families, hit_id: hit }) {
    const learned = basis.learned.map(({ of, centibits }) => [of, centibits]);
    const first = digest('aquila/2 basis', bytesOf(canonical({ sizes, basis, learned })));
    const grade = digest('aquila/2 grade', unhex(first), level, Uint8Array.of(Number(second)), ...families);
    return { basis: first, grade, told: digest('aquila/2 told', unhex(grade), unhex(hit)) };
  },
  keys(given) {
    const handles = [unhex(given.sender_handle), unhex(given.receiver_handle)];
    const rules = Uint8Array.from(given.met.map(({ rule }) => rule));
    const info = framed('aquila/2 note', unhex(given.binding), unhex(given.hit_id), given.sender, given.receiver, ...handles, rules);
    const made = hkdf(sha512, unhex(given.met.map(({ secret }) => secret).join('')), unhex(given.binding), info, 64);
    return { info: hex(info), seal: hex(made.slice(0, 32)), mark: hex(made.slice(32)) };
  },
  marks({ mark, tokens }) {
    const cipher = createCipheriv('aes-256-ecb', unhex(mark), null).setAutoPadding(false);
    return tokens.map((one) => hex(cipher.update(unhex(one))).slice(0, 10));
  },
  seal({ seal: key, note, marks, nonce }) {
    const content = new Uint8Array(640);
    content.set(joined(number(bytesOf(note).length, 2), bytesOf(note)));
    return nonce + hex(gcmsiv(unhex(key), unhex(nonce)).encrypt(joined(content, unhex(marks))));
  },
  batch(given) {
    const content = unhex(given.entries.map(({ hit_id: hit, sealed }) => hit + sealed).join(''));
    const info = batchInfo(given);
    return { info: hex(info), sealed: hex(seal(unhex(given.sealing_key), info, content, unhex(given.randomness))) };
  },
  open(given) {
    const content = unseal(given.sealing, batchInfo(given), unhex(given.batch));
    const marks = (content.length / given.notes - 16 - 12 - 640 - 16) / 5;
    if (!Number.isInteger(marks) || marks < 1 || marks > 256) fail('another number of notes');
    return cut(content, content.length / given.notes).map((one) => ({ hit_id: hex(one.slice(0, 16)), sealed: hex(one.slice(16)) }));
  },
};

// The log (10.3).

const rootOf = (leaves) => new Frontier().head(leaves, leaves.length);

/** Fold a proof from a leaf, or from the last perfect subtree of an earlier tree, up to the head (RFC 9162, 2.1.3.2, 2.1.4.2). */
function folded(from, first, last, proof, step) {
  let [place, end] = [first, last];
  for (const sibling of proof) {
    if (!end) fail('a proof has too many hashes');
    const isLeft = place % 2 === 1 || place === end;
    from = step(from, sibling, isLeft);
    while (isLeft && place % 2 === 0 && place) [place, end] = [Math.floor(place / 2), Math.floor(end / 2)];
    [place, end] = [Math.floor(place / 2), Math.floor(end / 2)];
  }
  if (end) fail('a proof has too few hashes');
  return from;
}

const hashes = (proof) => proof.map(unhex).map((one) => (one.length === 32 ? one : fail('a hash has 32 bytes')));

const LOG = {
  read_entry: ({ entry }) => void readEntry(bytesOf(entry)),
  root: ({ leaves }) => hex(rootOf(leaves.map(unhex))),
  inclusion({ leaf, index, size, root, proof }) {
    if (index >= size) fail('beyond the end');
    const step = (node, sibling, isLeft) => (isLeft ? nodeHash(sibling, node) : nodeHash(node, sibling));
    if (hex(folded(unhex(leaf), index, size - 1, hashes(proof), step)) !== root) fail('another head');
  },
  consistency({ size1, size2, root1, root2, proof }) {
    if (size1 < 1 || size1 > size2) fail('no earlier tree');
    if (size1 === size2) return proof.length || root1 !== root2 ? fail('two heads of one size') : undefined;
    const path = hashes(proof);
    let [place, end] = [size1 - 1, size2 - 1];
    while (place % 2) [place, end] = [Math.floor(place / 2), Math.floor(end / 2)];
    const start = place ? path.shift() ?? fail('a proof has too few hashes') : unhex(root1);
    const step = ([one, other], sibling, isLeft) =>
      isLeft ? [nodeHash(sibling, one), nodeHash(sibling, other)] : [one, nodeHash(other, sibling)];
    const [earlier, later] = folded([start, start], place, end, path, step);
    if (hex(earlier) !== root1 || hex(later) !== root2) fail('another head');
  },
  checkpoint({ holder, seed, size, root }) {
    const key = publicOf(seed);
    const origin = nameOf('log', holder, [key]);
    const text = `${origin}\n${size}\n${base64(unhex(root))}\n`;
    return { origin, note: `${text}\n${line(origin, 1, key, ed25519.sign(bytesOf(text), unhex(seed)))}` };
  },
  cosign({ note, holder, seed, time }) {
    const key = publicOf(seed);
    const witness = nameOf('witness', holder, [key]);
    const said = bytesOf(`cosignature/v1\ntime ${time}\n${note.split('\n\n')[0]}\n`);
    return { witness, note: note + line(witness, 4, key, joined(number(time, 8), ed25519.sign(said, unhex(seed)))) };
  },
  open_checkpoint: ({ note, origin, seed }) => void checkpointOf(note, origin, publicOf(seed)),
  cosigned({ note, witness, seed }) {
    const { text, lines } = readNote(bytesOf(note));
    const found = lineOf({ lines }, witness, 4, [publicOf(seed)]) ?? fail('no line of this witness');
    if (found.signature.length !== 72) fail('a cosignature has 72 bytes');
    const time = Number(Buffer.from(found.signature).readBigUInt64BE());
    const said = bytesOf(`cosignature/v1\ntime ${time}\n${text}`);
    return verify(found.key, found.signature.slice(8), said) ? time : fail('the cosignature is wrong');
  },
  grown({ origin, seed, seen, update }) {
    const [, old, proof, note] = /^old (0|[1-9]\d*)\n((?:\S+\n)*)\n(.*)$/s.exec(update) ?? fail('it is no update');
    const [before, after] = [seen, note].map((one) => checkpointOf(one, origin, publicOf(seed)));
    if (after.size < before.size) fail('the log shrank');
    if (after.size !== before.size && Number(old) !== before.size) fail('a proof from another size');
    const lines = proof.split('\n').slice(0, -1).map((one) => hex(unbase64(one)));
    LOG.consistency({ size1: before.size, size2: after.size, root1: before.root, root2: after.root, proof: lines });
  },
  bundle({ bundle, entries }) {
    const [bytes, found] = [unhex(bundle), []];
    for (let place = 0; place < bytes.length; ) {
      const end = place + 2 + bytes[place] * 256 + bytes[place + 1];
      if (end > bytes.length) fail('an entry is cut');
      found.push(Buffer.from(bytes.slice(place + 2, end)).toString());
      place = end;
    }
    return found.length === entries ? found : fail('another number of entries');
  },
  two_persons({ entries, round_id: round, manifest_digest: manifest }) {
    const content = hex(sha256(bytesOf(canonical({ kind: 'proposal', round_id: round, manifest }))));
    const asked = new Map();
    for (const entry of entries.map((one) => JSON.parse(one))) {
      const { kind, ids, digests, person } = entry;
      if (kind === 'approval_requested') asked.set(ids.approval, entry);
      else if (kind === 'approval_denied') asked.delete(ids.approval);
      else if (digests.content === content && asked.has(ids.approval)) {
        const request = asked.get(ids.approval);
        const isSame = canonical([request.ids, request.digests]) === canonical([ids, digests]);
        if (isSame && ids.author === request.person && person !== request.person) return;
      }
    }
    fail('two persons are not shown');
  },
  content({ content }) {
    const hashed = (value) => hex(sha256(bytesOf(canonical(value))));
    const { salt, ...shown } = content;
    if (shown.manifest) shown.manifest = messageDigest('application/vnd.aquila.manifest+json', bytesOf(canonical(shown.manifest)));
    if (shown.import) shown.import = hashed({ import: shown.import, salt });
    return hashed(shown);
  },
};

function checkpointOf(note, origin, key) {
  const { text, lines } = readNote(bytesOf(note));
  const [, of, size, root] = /^(.+)\n(0|[1-9]\d{0,19})\n(\S+)\n$/u.exec(text) ?? fail('it is no checkpoint');
  const found = lineOf({ lines }, origin, 1, [key]);
  if (of !== origin || !found || !verify(key, found.signature, bytesOf(text))) fail('the signature of the log is missing or wrong');
  return { size: Number(size), root: hex(unbase64(root)) };
}

function line(name, algorithm, key, signature) {
  const id = sha256(bytesOf(`${name}\n`), Uint8Array.of(algorithm), key.bytes).slice(0, 4);
  return `\u2014 ${name} ${base64(joined(id, signature))}\n`;
}

// Calls (9.1.1) and logarithms (7.1).

const CALLS = {
  call({ seed, method, authority, path, query, body, content_type: type, created, nonce }) {
    const covered = { '@method': method, '@authority': authority, '@path': path, '@query': query };
    const headers = body ? { 'content-digest': `sha-256=:${base64(sha256(unhex(body)))}:`, 'content-type': type } : {};
    Object.assign(covered, headers);
    const names = Object.keys(covered).map((name) => `"${name}"`).join(' ');
    const parameters = `(${names});created=${created};keyid="${publicOf(seed).fingerprint}";alg="ed25519";nonce="${nonce}";tag="aquila"`;
    const lines = Object.entries(covered).map(([name, value]) => `"${name}": ${value}\n`).join('') + `"@signature-params": ${parameters}`;
    const signature = base64(ed25519.sign(bytesOf(lines), unhex(seed)));
    return { headers: { ...headers, 'signature-input': `aquila=${parameters}`, signature: `aquila=:${signature}:` }, signature_base: lines };
  },
  take({ method, url, headers, body = '', authority, now, registry }) {
    const names = '"@method" "@authority" "@path" "@query"( "content-digest" "content-type")?';
    const form = new RegExp(`^aquila=(\\(${names}\\);created=(0|[1-9]\\d*);keyid="([0-9a-f]{64})";alg="ed25519";nonce="[A-Za-z0-9_-]{1,64}";tag="aquila")$`);
    const [, parameters, content, created, keyid] = form.exec(headers['signature-input'] ?? '') ?? fail('another form');
    const [, signature] = /^aquila=:(\S+):$/.exec(headers.signature ?? '') ?? fail('no signature');
    const key = registry.map(publicOf).find(({ fingerprint }) => fingerprint === keyid) ?? fail('an unknown key');
    const [, host, path, query] = /^https:\/\/([^/]+)(\/[^?]*)(?:\?(.*))?$/.exec(url);
    const covered = { '@method': method, '@authority': host, '@path': path, '@query': `?${query ?? ''}` };
    if (content) for (const name of ['content-digest', 'content-type']) covered[name] = headers[name];
    const lines = Object.entries(covered).map(([name, value]) => `"${name}": ${value}\n`).join('') + `"@signature-params": ${parameters}`;
    if (!verify(key, unbase64(signature), bytesOf(lines))) fail('the signature is wrong');
    if (host !== authority || Math.abs(now - created) > 300) fail('for another service, or at another time');
    const said = body ? `sha-256=:${base64(sha256(unhex(body)))}:` : undefined;
    if (covered['content-digest'] !== said) fail('another body');
  },
};

const GRADING = {
  log({ n, d }) {
    const [over, under] = [BigInt(n) ** 100n, BigInt(d) ** 100n];
    let k = over.toString(2).length - under.toString(2).length;
    const holds = (one) => (under << BigInt(Math.max(0, one))) <= (over << BigInt(Math.max(0, -one)));
    while (!holds(k)) k -= 1;
    return k;
  },
};

// Messages: what their schemas say, and what no schema says (2.1.1).

const ascending = (values, what) => values.some((one, at) => at && !(values[at - 1] < one)) && fail(`${what} are not distinct and ascending`);
const by = (name) => (one) => one[name];

const BEYOND = {
  Manifest({ participants, caps, pairs, padding, window }) {
    const parties = participants.map(by('party'));
    ascending(parties, 'participants');
    if (canonical(caps.map(by('party'))) !== canonical(parties)) fail('caps are of other parties');
    ascending(pairs.map((pair) => pair.join('')), 'pairs');
    if (pairs.some(([left, right]) => left >= right || !parties.includes(left) || !parties.includes(right))) fail('a pair is of no two participants');
    ascending(padding.inputs_per_record, 'sizes');
    const times = ['consent_by', 'submit_by', 'evaluate_by', 'closes_at'].map((name) => window[name]);
    if (times.some((time, at) => at && time < times[at - 1])) fail('a deadline is before the one that it stands behind');
  },
  Opening: ({ consents }) => ascending(consents.map(by('party')), 'consents'),
  Consent: ({ shares }) => canonical(shares.map(by('input_class'))) !== canonical(CLASSES) && fail('shares are of other classes'),
  Locks: ({ halves }) => ascending(halves.map(by('counterpart')), 'halves'),
  Submission: ({ chunks, elements }) =>
    CLASSES.forEach((kind) => {
      const of = chunks.filter(({ input_class: one }) => one === kind).map(by('elements'));
      if (of.reduce((all, one) => all + one, 0) !== elements[kind]) fail('chunks do not add up');
    }),
  Confirmation: ({ refuted }) => ascending(refuted.map(by('hit_id')), 'refuted hits'),
  Withdrawal: ({ hits }) => ascending(hits, 'hits'),
  Outcomes({ pairs }) {
    ascending(pairs.map(by('counterpart')), 'pairs');
    pairs.forEach(({ levels }) => ascending(levels.map(({ certainty }) => ['low', 'medium', 'high'].indexOf(certainty)), 'levels'));
  },
  HitReport({ basis, page, hits, below, submission_id: query }) {
    ascending(basis.learned.map(by('of')), 'learned weights');
    if (!page) return;
    ascending(hits.map(by('hit_id')), 'hits');
    ascending(below.map(by('pair_id')), 'other pairs');
    if (query !== null || !(hits.length + below.length) || page.number >= page.pages) fail('it is no page of lists');
  },
  Closing: ({ given_up: ranges, sequence }) => {
    const numbers = (ranges ?? []).flat();
    if ((ranges ?? []).some(([first, last], at) => first > last || (at && first <= ranges[at - 1][1]))) fail('ranges overlap');
    if (numbers.some((one) => one < 1 || one >= sequence)) fail('a range does not end below the own number');
  },
};
BEYOND.Refusal = BEYOND.Closing;

function read({ payload_type: type, payload }) {
  const { kind, message } = messageOf(type, bytesOf(payload));
  BEYOND[kind]?.(message);
}

const STATEMENTS = { read };

// Audits (10.6).

const LOG_BUNDLE = {
  audit({ registry, files, changes }) {
    const { matcher, ...parties } = registry;
    const tables = Object.entries(parties).map(([code, key]) => `[[party]]\ncode = "${code}"\nidentity_key = "${key}"\n`);
    const pinned = readRegistry([`[matcher]\nidentity_key = "${matcher}"\n`, ...tables].join(''));
    const changed = { ...files };
    for (const [name, change] of Object.entries(changes)) {
      const old = change && (files[change.of ?? name] ?? '');
      if (change) changed[name] = old.slice(0, 2 * change.front) + change.put + old.slice(old.length - 2 * change.behind);
      else delete changed[name];
    }
    const log = readLog((name) => (Object.hasOwn(changed, name) ? unhex(changed[name]) : null), pinned);
    auditRounds(log, readStatements(log));
    return log.unproven;
  },
};

// The registry (11).

const file = (text, type, by) => {
  const content = JSON.parse(Buffer.from(unbase64(JSON.parse(text).payload)).toString());
  opened(text, [type], [readKey(content[by])]);
  return messageOf(type, bytesOf(canonical(content))).message;
};
const typeOf = (word) => `application/vnd.aquila.${word}+json`;
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

function invited({ envelope, now }) {
  const found = file(envelope, typeOf('invitation'), 'matcher_key');
  if (HIDDEN.test(found.name) || new URL(found.url).origin !== found.url || now > found.expires_at) fail('no invitation that counts');
  return found;
}

function renewed(text) {
  const found = file(text, typeOf('keyrenewal'), 'identity_key');
  if (found.handover !== null) {
    const said = JSON.parse(Buffer.from(opened(found.handover, [typeOf('keyhandover')], [readKey(found.former_key)])).toString());
    if (['party', 'former_key', 'identity_key'].some((name) => said[name] !== found[name])) fail('a handover of other keys');
  }
  return found;
}

/** All keys of each holder that a statement names, the oldest first, by its renewals. */
function keysOf(statement) {
  const holders = [{ party: 'matcher', identity_key: statement.matcher_key, renewals: statement.matcher_renewals }, ...statement.parties];
  return new Map(holders.map(({ party, identity_key: key, renewals = [] }) => {
    const found = renewals.map(renewed);
    const keys = [...found.map(by('former_key')), key];
    if (found.some((one, at) => one.party !== party || one.identity_key !== keys[at + 1])) fail('renewals do not lead to the key');
    return [party, keys];
  }));
}

function stated(text, matcher) {
  const found = file(text, typeOf('registry'), 'matcher_key');
  ascending(found.parties.map(by('party')), 'parties');
  const keys = [...keysOf(found).values()].flat();
  if (new Set(keys).size !== keys.length || (found.number === 1) !== (found.previous === null)) fail('the statement contradicts itself');
  if (!keysOf(found).get('matcher').includes(matcher)) fail('the statement of another matcher');
  return found;
}

function continues(before, after, left) {
  for (const [party, keys] of before) {
    const newer = after.get(party) ?? fail('a party is missing');
    const start = newer.indexOf(keys[0]);
    if (start < 0 || keys.some((key, at) => newer[start + at] !== key)) fail('another key');
    if (left?.(party)) fail('a party that had left is back');
  }
}

const pinnedKeys = (seeds) => new Map(Object.entries(seeds).map(([holder, seed]) => [holder, [hex(publicOf(seed).bytes)]]));

const REGISTRY = {
  invitation: (given) => void invited(given),
  request({ envelope, matcher, now }) {
    const found = file(envelope, typeOf('joinrequest'), 'identity_key');
    const answered = invited({ envelope: found.invitation, now });
    if (answered.matcher_key !== hex(publicOf(matcher).bytes)) fail('the invitation of another matcher');
    if (answered.party !== found.party || answered.name !== found.name) fail('the invitation of another party');
  },
  statements({ envelopes, matcher }) {
    const found = envelopes.map((one) => stated(one, hex(publicOf(matcher).bytes)));
    found.slice(1).forEach((after, at) => {
      const before = found[at];
      if (after.number !== before.number + 1 || after.previous !== messageDigest(typeOf('registry'), bytesOf(canonical(before)))) fail('statements do not follow one another');
      const isLeft = (statement, party) => statement.parties.find((one) => one.party === party)?.left ?? false;
      continues(keysOf(before), keysOf(after), (party) => isLeft(before, party) && !isLeft(after, party));
    });
  },
  acceptable({ envelope, in_force: seeds, party, seed }) {
    const keys = keysOf(stated(envelope, hex(publicOf(seeds.matcher).bytes)));
    continues(pinnedKeys(seeds), keys);
    if (keys.get(party)?.at(-1) !== hex(publicOf(seed).bytes)) fail('it does not name the own key');
  },
  acceptance({ envelope, in_force: seeds }) {
    const keys = Object.values(seeds).map(publicOf);
    const { party } = JSON.parse(Buffer.from(opened(envelope, [typeOf('registryacceptance')], keys)).toString());
    if (JSON.parse(envelope).signatures[0].keyid !== publicOf(seeds[party]).fingerprint) fail('another party signed it');
  },
  renewal({ envelope, registered, revoked }) {
    const found = renewed(envelope);
    if (found.former_key !== hex(publicOf(registered).bytes)) fail('it replaces another key');
    if ((found.handover === null) !== revoked) fail('it is signed by a revoked key, or without the former one');
  },
};

const READ = {
  framing: FRAMING, consent: CONSENT, locks: LOCKS, submission: SUBMISSION, chunk: CHUNK, tokens: TOKENS, shadow: SHADOW,
  notes: NOTES, log: LOG, calls: CALLS, grading: GRADING, statements: STATEMENTS, log_bundle: LOG_BUNDLE, registry: REGISTRY,
};

function wrong(answer, given, { result, gives, class: kind }) {
  let found;
  try {
    found = answer(given);
  } catch (error) {
    return result === 'invalid' && kind !== 'differs' ? null : `refused: ${error.message}`;
  }
  if (result === 'invalid' && kind !== 'differs') return 'taken';
  if (gives?.every?.(({ what }) => what)) gives = gives.map(({ what }) => what); // of an audit the words
  const isSame = gives === undefined || canonical(found ?? null) === canonical(gives);
  return isSame === (result !== 'invalid') ? null : `gives ${canonical(found ?? null).slice(0, 300)}`;
}

for (const file of readdirSync(VECTORS).filter((one) => one.endsWith('.json')).sort()) {
  const { shared = {}, vectors } = JSON.parse(readFileSync(new URL(file, VECTORS), 'utf8'));
  const name = file.slice(0, -5);
  for (const vector of vectors) {
    const answer = READ[name]?.[vector.operation];
    const found = answer ? wrong(answer, { ...shared, ...vector.given }, vector) : 'nobody reads it';
    process.stdout.write(`${JSON.stringify({ file: name, name: vector.name, operation: vector.operation, wrong: found })}\n`);
  }
}
