/** What each operation of the vectors is in this node; see `operations` of each file in schemas/vectors/. */
import { readFileSync } from 'node:fs';
import { big, digest, framed, hex, sha256, text, unbase64, unhex, utf8 } from './bytes.mjs';
import { Refused } from './errors.mjs';
import * as group from './group.mjs';
import { signCall, takeCall } from './calls.mjs';
import { jcs, MESSAGES, SCHEMAS } from './json.mjs';
import { openManifest, pairId, RoundRecord } from './record.mjs';
import { IdentityKey, verify } from './keys.mjs';
import * as locksOf from './locks.mjs';
import * as messages from './messages.mjs';
import * as followUps from './followup.mjs';
import * as grades from './grading.mjs';
import * as inputs from './inputs.mjs';
import { computed } from './conformance.mjs';
import * as records from './records.mjs';
import * as table from './table.mjs';
import * as sealing from './sealing.mjs';
import * as logs from './log.mjs';
import * as notes from './notes.mjs';
import { nationalNumber } from './national.mjs';
import * as norm from './normalize.mjs';
import * as subs from './submission.mjs';
import * as toks from './tokens.mjs';

/** A published rule table by name. */
const TABLES = [...table.readTables(SCHEMAS + 'records/tables').values()];
const namedTable = (name) => TABLES.find((t) => t.name === name);

const seedKey = (seed) => new IdentityKey(unhex(seed));
const registryOf = (seeds) => new Map(seeds.map((s) => seedKey(s)).map((k) => [k.fingerprint, k.publicKey]));
const joined = (list) => unhex(list.join(''));

export const framing = () => ({
  framed: ({ label, parts }) => hex(framed(label, ...parts.map(unhex))),
  digest: ({ label, parts }) => hex(digest(label, ...parts.map(unhex))),
  sign({ seed, payload_type, payload }) {
    const key = seedKey(seed);
    const signed = messages.signedBytes(payload_type, utf8(payload));
    return { fingerprint: key.fingerprint, signed: hex(signed), digest: hex(sha256(signed)),
      envelope: messages.envelopeOf(payload_type, utf8(payload), key.fingerprint, key.sign(signed)) };
  },
  open: ({ envelope, payload_types, registry }) => jcs(messages.open(envelope, payload_types, registryOf(registry)).message),
  verify: ({ public_key, message, signature }) => verify(unhex(public_key), unhex(message), unhex(signature)),
});

export const submission = () => ({
  input_digest: ({ binding, class: c, rule, value }) => hex(subs.inputDigest(binding, c, rule, unhex(value))),
  hash_to_group: ({ x }) => hex(group.hashToGroup(unhex(x)).toBytes()),
  blind({ seed, submission_id, number, x }) {
    const r = subs.blindOf(unhex(seed), submission_id, number, unhex(x));
    return { blind: hex(group.scalarBytes(r)), element: hex(group.blinded(group.hashToGroup(unhex(x)), r).toBytes()) };
  },
  elements: ({ elements }) => void group.elements(unhex(elements)),
  scalar: ({ scalar }) => void group.scalar(unhex(scalar)),
  ascending: ({ elements }) => subs.checkAscending(unhex(elements)),
  handles: ({ seed, positions, counterpart }) => positions.map(subs.handlesOf(unhex(seed), counterpart ?? null)).map(hex),
  padding: ({ seed, numbers, rules }) => ({ digests: numbers.map(subs.paddingOf(unhex(seed))).map(hex), rules: numbers.map((n) => (n % 256) % rules) }),
  profiles: ({ seed, positions, records }) => positions.map(subs.profileOf(unhex(seed), records)),
  padded: (g) => ({ inputs: subs.paddedInputs(g.inputs, g.sizes), records: subs.paddedRecords(g.records, g.multiple) }),
});

const termsOf = (g) => ({ binding: g.binding, inputClass: g.class, evaluator: g.evaluator, origin: g.origin, submissionId: g.submission_id, index: g.index });
const cut = (bytes) => group.pieces(bytes, 32).map(hex);

export const chunk = () => ({
  evaluate(g) {
    const inputs = joined(g.elements);
    const done = group.evaluateChunk(termsOf(g), group.scalar(unhex(g.share)), inputs, group.scalar(unhex(g.nonce)));
    return { context: hex(group.evaluationContext(termsOf(g))), seed: hex(done.seed),
      weights: group.batchWeights(done.seed, g.elements.length).map((w) => hex(big(w, 16).reverse())),
      M: hex(done.m), Z: hex(done.z), evaluated: cut(done.output), input_digest: hex(sha256(inputs)), output_digest: hex(sha256(done.output)), proof: hex(done.proof) };
  },
  nonce: ({ share, fresh, seed }) => hex(group.scalarBytes(group.nonceOf(group.scalar(unhex(share)), unhex(fresh), unhex(seed)))),
  verify: (g) => void group.verifyChunk(termsOf(g), unhex(g.public_key), joined(g.elements), joined(g.evaluated), unhex(g.proof)),
});

export const consent = () => ({
  consent(g) {
    const manifestDigest = messages.messageDigest(messages.typeOf('Manifest'), utf8(g.manifest));
    const shares = {}; const publics = {}; const contexts = {}; const proofs = {};
    for (const c of messages.CLASSES) {
      shares[c] = group.wideScalar(unhex(g.drawn.shares[c]));
      publics[c] = group.publicOf(shares[c]);
    }
    const sealingKey = sealing.sealingPublic(unhex(g.drawn.sealing));
    const keys = [...messages.CLASSES.map((c) => publics[c]), sealingKey];
    for (const c of messages.CLASSES) {
      contexts[c] = group.shareContext(manifestDigest, g.party, c, keys);
      proofs[c] = group.proveKnowledge(shares[c], contexts[c], group.scalar(unhex(g.nonces[c])));
    }
    const each = (values, f) => Object.fromEntries(messages.CLASSES.map((c) => [c, f(values[c])]));
    const sealed = messages.seal('Consent', { round_id: JSON.parse(g.manifest).round_id, party: g.party, sequence: g.sequence, log_head: g.log_head,
      manifest_digest: manifestDigest, elements: g.elements, sealing_key: hex(sealingKey), earlier_rounds: [],
      shares: messages.CLASSES.map((c) => ({ input_class: c, public_key: hex(publics[c]), proof: hex(proofs[c]) })) }, seedKey(g.identity));
    return { shares: each(shares, (s) => hex(group.scalarBytes(s))), public_keys: each(publics, hex), sealing_key: hex(sealingKey),
      contexts: each(contexts, hex), proofs: each(proofs, hex), payload: jcs(sealed.message), envelope: sealed.envelope };
  },
  verify_knowledge: ({ public_key, context, proof }) => group.verifyKnowledge(unhex(public_key), unhex(context), unhex(proof)),
  binding: ({ manifest_digest, consents }) => locksOf.bindingOf(manifest_digest, consents),
});

export const locks = ({ sides }) => ({
  half: (g) => hex(locksOf.halfOf(unhex(g.secret), g.binding, g.party, g.counterpart)),
  seal: (g) => ({ info: hex(locksOf.lockInfo(g.binding, g.party, g.counterpart)),
    sealed: hex(locksOf.sealHalf(unhex(g.half), g.binding, g.party, g.counterpart, unhex(g.sealing_key), unhex(g.randomness))) }),
  open: (g) => hex(locksOf.openHalf(unhex(g.sealed), g.binding, g.party, g.counterpart, unhex(g.sealing))),
  locks({ payload }) {
    messages.read('Locks', payload);
    return messages.messageDigest(messages.typeOf('Locks'), utf8(payload));
  },
  pair_key({ binding, purpose }) {
    const both = Object.entries(sides).map(([party, side]) => ({ party, locks: side.locks, half: unhex(side.half) }));
    return hex(locksOf.pairKey(binding, both, purpose));
  },
});

export const tokens = () => ({
  token(g) {
    const values = toks.valuesOf({ party: g.origin, share: group.scalar(unhex(g.share)), counterpart: g.counterpart, publicKey: unhex(g.public_key), x: unhex(g.x), blind: group.scalar(unhex(g.blind)), evaluated: unhex(g.evaluated) });
    const { token, secret } = toks.tokenOf(unhex(g.key), g.class, unhex(g.x), values);
    const [lo, hi] = Object.keys(values).sort();
    return { V_lo: hex(values[lo]), V_hi: hex(values[hi]), token: hex(token), secret: hex(secret) };
  },
  rows(g) {
    const handles = subs.handlesOf(unhex(g.seed), g.handles_for ?? null);
    const rows = toks.sortRows(g.elements.map((e) => {
      const blind = subs.blindOf(unhex(g.seed), g.submission_id, e.number, unhex(e.x));
      const values = toks.valuesOf({ party: g.origin, share: group.scalar(unhex(g.share)), counterpart: g.counterpart, publicKey: unhex(g.public_key), x: unhex(e.x), blind, evaluated: unhex(e.evaluated) });
      return { handle: handles(Math.floor(e.number / 256)), rule: e.rule, ...toks.tokenOf(unhex(g.key), g.class, unhex(e.x), values) };
    }));
    return { rows: rows.map(toks.rowBytes).map(hex), secrets: rows.map((r) => hex(r.secret)) };
  },
  count: ({ classes, rules, chunks }) => toks.checkRows(chunks.map((c) => ({ inputClass: c.class, bytes: unhex(c.rows) })), (n) => classes[n],
    Object.entries(rules).map(([rule, rows]) => ({ rule: Number(rule), rows }))),
  join: ({ left, right, frequency_limit }) => toks.join(toks.readRows(unhex(left)), toks.readRows(unhex(right)), frequency_limit),
});

export const shadow = () => ({
  tag: ({ key, set, tokens: t }) => hex(toks.tagOf(unhex(key), set, t.map(unhex))),
  dummy: ({ key, number, asker }) => hex(toks.dummyOf(unhex(key), number, asker ?? null)),
  key_digest: ({ key }) => toks.keyDigest(unhex(key)),
  met_digest: ({ tags }) => toks.metDigest(tags.map(unhex)),
  column({ key, sets, rows }) {
    const list = toks.readRows(unhex(rows));
    const { tags } = toks.shadowColumn(unhex(key), sets, list, toks.byRecord(list).size);
    return { tags: tags.length, sha256: hex(sha256(unhex(tags.join('')))), first: tags[0], last: tags.at(-1) };
  },
  check({ key, sets, rows, pairs, met }) {
    const fault = toks.checkTags({ key: unhex(key), sets, records: toks.byRecord(toks.readRows(unhex(rows))), pairs, met });
    if (fault) throw new Refused(fault, 'a fault of the report');
  },
});

export const normalizer = () => ({
  answers: ({ kind, texts }) => texts.map((t) => ANSWERS[kind]?.(t)),
  reference: () => computed,
  date: ({ date }) => records.readDate(date),
  record: ({ record }) => void records.checkRecord(record),
  table: ({ table: source }) => void new table.RuleTable(source),
  inputs: ({ table: name, record }) => inputs.inputsOf(records.checkRecord(record), namedTable(name)).map(({ rule, value }) => ({ rule, value: text(value) })),
});

const ANSWERS = {
  name(t) {
    const words = norm.nameWords(t);
    const each = (form) => words.map(norm.FORMS[form]).join(' ');
    return [norm.toLatin(t).replace(/[\s]+/g, ' '), words.join(' '), each('initial'), each('skeleton'), each('sound'), each('start')].join('|');
  },
  document: norm.documentNumber,
  phone: (t) => { const p = norm.phone(t); return p ? `${p.number} ${p.compared}` : ' '; },
  email: norm.email,
  national: (t) => { const n = nationalNumber(t); return [n.number, ...n.schemes].join(' '); },
  pairs(t) {
    const [given, family, full, alias] = t.split('|');
    const list = (v) => (v ? [v] : []);
    const record = { record_id: '1', given_names: list(given), family_names: list(family), aliases: [...list(full), ...list(alias)] };
    const of = (reads) => inputs.partValues(reads, record).map((v) => v.replaceAll('\x1f', '+'));
    return ['all:folded', 'pair:folded', 'letters', 'pair:folded+initial', 'word:folded'].map((p) => of(p).join(' ')).join('|');
  },
  'birth forms'(t) {
    const date_of_birth = records.readDate(t);
    return ['any-order', 'bare-year', 'day-month', 'decade', 'full', 'near-year', 'new-year', 'some-month', 'year', 'year-day', 'year-month']
      .map((form) => `${form}=${inputs.partValues('birth:' + form, { date_of_birth }, []).join(' ')}`).join('|');
  },
  place: (t) => norm.placeWords(t).join('+'),
  nationality: (t) => t.split('|').map(norm.country).join(' '),
};

export const log = () => ({
  entry({ payload_type, payload, time, salt }) {
    const name = MESSAGES.get(payload_type);
    const entry = logs.entryOf(name, messages.read(name, payload), messages.messageDigest(payload_type, utf8(payload)), time, salt);
    return { entry, leaf: hex(logs.leafHash(entry)) };
  },
  read_entry: ({ entry }) => void logs.readEntry(entry),
  root: ({ leaves }) => hex(logs.treeRoot(leaves.map(unhex))),
  inclusion: (g) => logs.verifyInclusion(unhex(g.leaf), g.index, g.size, unhex(g.root), g.proof),
  consistency: (g) => logs.verifyConsistency(g.size1, unhex(g.root1), g.size2, unhex(g.root2), g.proof),
  checkpoint({ holder, seed, size, root }) {
    const origin = logs.originOf(holder, seedKey(seed).fingerprint);
    return { origin, note: logs.makeCheckpoint(origin, seedKey(seed), size, unhex(root)) };
  },
  open_checkpoint: ({ note, origin, seed }) => void logs.openCheckpoint(note, origin, seedKey(seed).publicKey),
  cosign({ note, holder, seed, time }) {
    const witness = logs.witnessOf(holder, seedKey(seed).fingerprint);
    return { witness, note: logs.cosign(note, witness, seedKey(seed), time) };
  },
  cosigned: ({ note, witness, seed }) => logs.openCosignature(note, witness, seedKey(seed).publicKey),
  grown(g) {
    const seen = g.seen ? logs.openCheckpoint(g.seen, g.origin, seedKey(g.seed).publicKey) : null;
    return void logs.grown(g.update, seen, g.origin, seedKey(g.seed).publicKey);
  },
});

export const calls = () => ({
  call(g) {
    const body = g.body ? unhex(g.body) : undefined;
    const { headers, signatureBase } = signCall(seedKey(g.seed), { ...g, body, contentType: g.content_type });
    return { headers, signature_base: signatureBase };
  },
  take: (g) => takeCall({ ...g, body: unhex(g.body), registry: registryOf(g.registry) }),
});

const registryBy = (identities) => ({ matcher: seedKey(identities.matcher).publicKey,
  parties: new Map(Object.entries(identities).filter(([p]) => p !== 'matcher').map(([p, seed]) => [p, seedKey(seed).publicKey])) });

const wholeRound = () => JSON.parse(readFileSync(SCHEMAS + 'vectors/whole_round.json', 'utf8')).shared;

function replay({ identities, statements }, count) {
  const registry = registryBy(identities);
  const record = new RoundRecord(openManifest(statements[0].envelope, registry), registry);
  for (const { envelope, time } of statements.slice(1, count)) record.take(envelope, time);
  return record;
}

export const statements = () => ({
  read: ({ payload_type, payload }) => void messages.read(MESSAGES.get(payload_type), payload),
  propose: ({ envelope }) => void openManifest(envelope, registryBy(wholeRound().identities)),
  take: ({ after, time, envelope }) => void replay(wholeRound(), after).take(envelope, time),
});

/** The whole round: everybody's secrets are given, and what each would compute is compared. */
export const whole_round = (shared) => {
  const rules = new table.RuleTable(shared.rules);
  const record = replay(shared, shared.statements.length);
  const { binding, manifest } = record;
  const own = (party) => shared.parties[party];
  const shares = (party) => Object.fromEntries(messages.CLASSES.map((c) => [c, group.scalar(unhex(own(party).shares[c]))]));
  const submissions = new Map();
  const submission = (party) => {
    if (!submissions.has(party)) {
      const list = inputs.listInputs(own(party).list.map(records.checkRecord), rules, manifest.frequency_limit);
      submissions.set(party, subs.makeSubmission({ records: list.records, table: rules, padding: manifest.padding, binding,
        seed: unhex(own(party).submission_seed), submissionId: own(party).submission_id }, manifest.chunk_elements));
    }
    return submissions.get(party);
  };
  const keyOf = (a, b, purpose) => locksOf.pairKey(binding, [[a, b], [b, a]].map(([p, q]) =>
    ({ party: p, locks: record.locks.get(p).digest, half: locksOf.halfOf(unhex(own(p).lock), binding, p, q) })), purpose);
  const column = (party, counterpart) => {
    const everybody = record.participants.every((p) => record.participants.every((q) => p === q || record.mayCompare(p, q)));
    return toks.makeColumn({ party, counterpart, shares: shares(party), publicKeys: Object.fromEntries(Object.entries(shares(counterpart)).map(([c, share]) => [c, group.publicOf(share)])), key: keyOf(party, counterpart, 'tokens'),
      handles: subs.handlesOf(unhex(own(party).submission_seed), everybody ? null : counterpart) },
    submission(party).chunks.map((c) => ({ ...c, outputs: group.evaluateAll(group.elements(c.bytes), shares(counterpart)[c.inputClass]) })));
  };
  const sizesOf = (a, b) => [a, b].sort().map((p) => record.lists.get(p).message.records);
  const sets = (a, b) => rules.sets(Math.max(...sizesOf(a, b)));
  const noteTerms = (party, counterpart) => {
    const report = record.reportOf(party, counterpart);
    const byHandle = toks.byRecord(column(party, counterpart).rows);
    return { report: report.message, hits: new Map(report.hits.map((h) => [h.hit_id, h])), sizes: sizesOf(party, counterpart), tokensOf: (h) => byHandle.get(h), table: rules, seen: new Set() };
  };
  return {
    replay() {
      const hits = {};
      for (const id of new Set([...record.reports.values()].map(([r]) => pairId(r.message.party, r.message.counterpart)))) {
        const [a, b] = id.split('-');
        const all = record.reportOf(a, b).hits;
        hits[id] = Object.fromEntries(messages.LEVELS.map((l) => [l, all.filter((h) => h.certainty === l).length]));
      }
      return { phase: record.phase, binding, participants: record.participants, hits };
    },
    phases: () => shared.statements.map((_, i) => replay(shared, i + 1).phase),
    submission: ({ party }) => submission(party).chunks.map((c) => hex(c.bytes)),
    evaluation: ({ evaluator, origin, index }) => {
      const { bytes, inputClass } = submission(origin).chunks[index];
      return hex(group.evaluateChunk({ binding, inputClass, evaluator, origin, submissionId: own(origin).submission_id, index }, shares(evaluator)[inputClass], bytes).output);
    },
    column({ party, counterpart }) {
      const made = column(party, counterpart);
      const { tags } = toks.shadowColumn(keyOf(party, counterpart, 'shadow'), sets(party, counterpart), made.rows, submission(party).records);
      return { rows: made.rows.map(toks.rowBytes).map(hex), tags: tags.length, sha256: hex(sha256(unhex(tags.join('')))) };
    },
    hits({ party, counterpart }) {
      const report = record.reportOf(party, counterpart);
      const rows = toks.byRecord(column(party, counterpart).rows);
      const found = report.hits.map((hit) => {
        const met = toks.metTokens(rows.get(hit.handle), hit.met);
        notes.checkHit(noteTerms(party, counterpart), hit);
        return { record: own(party).list[met[0].position].record_id, level: hit.certainty, rules: [...new Set(met.map((r) => r.rule))].sort((a, b) => a - b) };
      });
      const fault = toks.checkTags({ key: keyOf(party, counterpart, 'shadow'), sets: sets(party, counterpart), records: rows, met: report.message.basis.met,
        pairs: [...report.hits, ...report.below].map((p) => ({ own: p.handle, other: p.counterpart_handle, places: p.met })) });
      if (fault) throw new Refused(fault, 'the report does not hold');
      return found.sort((a, b) => (a.record < b.record ? -1 : 1));
    },
    notes({ sender, receiver }) {
      const terms = noteTerms(receiver, sender);
      const found = {};
      for (const batch of [...record.notes.values()].filter((n) => n.message.party === sender && n.message.to === receiver)) {
        const m = batch.message;
        const entries = notes.openBatch({ binding, sender, receiver, submissionId: null, index: m.index }, m.hits, unhex(own(receiver).sealing), unbase64(m.sealed));
        for (const { hitId, note, fault } of notes.verifyNotes(terms, entries)) found[hitId] = fault ? { fault } : note;
      }
      return found;
    },
  };
};

const allNotes = notes;
export { notesOperations as notes };
const notesOperations = (shared) => ({
  told(g) {
    return allNotes.toldOf({ sizes: g.sizes, basis: g.basis, level: g.level, second: g.second, families: g.families, hitId: g.hit_id });
  },
  keys(g) {
    const k = allNotes.noteKeys({ binding: g.binding, hitId: g.hit_id, sender: g.sender, receiver: g.receiver, senderHandle: g.sender_handle, receiverHandle: g.receiver_handle,
      met: g.met.map((t) => ({ rule: t.rule, secret: unhex(t.secret) })) });
    return { info: hex(k.info), seal: hex(k.seal), mark: hex(k.mark) };
  },
  marks: ({ mark, tokens: t }) => allNotes.marksOf(unhex(mark), t.map(unhex)).map(hex),
  seal: ({ seal, note, marks, nonce }) => hex(allNotes.sealNote(unhex(seal), note, unhex(marks), unhex(nonce))),
  batch(g) {
    const { info, sealed } = allNotes.sealBatch({ binding: g.binding, sender: g.sender, receiver: g.receiver, submissionId: null, index: g.number },
      g.entries.map((e) => ({ hitId: e.hit_id, sealed: unhex(e.sealed) })), unhex(g.sealing_key), unhex(g.randomness));
    return { info: hex(info), sealed: hex(sealed) };
  },
  open(g) {
    const entries = allNotes.openBatch({ binding: g.binding, sender: g.sender, receiver: g.receiver, submissionId: g.submission_id ?? null, index: g.number }, g.notes, unhex(g.sealing), unhex(g.batch ?? shared.batch));
    return entries.map((e) => ({ hit_id: e.hitId, sealed: hex(e.sealed) }));
  },
  verify(g) {
    const report = messages.read('HitReport', g.report);
    const own = g.tokens.map((t) => ({ token: unhex(t.token), rule: t.rule, secret: unhex(t.secret) })).sort((a, b) => (hex(a.token) < hex(b.token) ? -1 : 1));
    const terms = { report, hits: new Map(report.hits.map((h) => [h.hit_id, h])), sizes: report.party < report.counterpart ? g.sizes : [...g.sizes].reverse(), seen: new Set(), table: namedTable('default'),
      tokensOf: (handle) => (handle === RECORD_OF_NOTES ? own : undefined) };
    const found = allNotes.verifyNotes(terms, g.entries.map((e) => ({ hitId: e.hit_id, sealed: unhex(e.sealed) })));
    const fault = found.find((f) => f.fault);
    if (fault) throw new Refused(fault.fault, 'a fault of the hit');
    return found[0].note;
  },
});
const RECORD_OF_NOTES = '0d0f260b35007721af3aa0e0905519ef';

export const grading = () => ({
  log: ({ n, d }) => grades.log(n, d),
  grade: (g) => grades.grade(namedTable('default'), g),
  least_share({ common_per_million }) {
    if (common_per_million < namedTable('default').leastShare) throw new Refused('policy', 'a share below the least');
  },
  declared: ({ records: n, records_multiple, queries }) => grades.declared(n, records_multiple, queries),
});

export const follow_up = () => {
  const terms = (g) => ({ binding: g.binding, sender: g.sender, receiver: g.receiver, part: g.part });
  return {
    seal: (g) => hex(followUps.sealPart(unhex(g.key), terms(g), g.third, g.hits, g.entries.map((e) => ({ ...e, hitId: e.hit_id })), unhex(g.nonce))),
    open: (g) => followUps.openPart(unhex(g.key), terms(g), g.third, unhex(g.sealed)).map(({ hitId, state, third }) => ({ hit_id: hitId, state, third })),
    told: ({ rules, hit, other }) => followUps.sureRules(rules, hit, other),
    triangle: (g) => followUps.checkTriangle(g),
  };
};
