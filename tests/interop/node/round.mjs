/** A party in one round: what it says, in the order of section 3 of PROTOCOL.md. */
import { randomBytes, randomInt } from 'node:crypto';
import { base64, hex, sha256, unbase64, unhex } from './bytes.mjs';
import { need, Refused } from './errors.mjs';
import { jcsBytes } from './json.mjs';
import { declared } from './grading.mjs';
import { elements, evaluateChunk, proveKnowledge, publicOf, randomScalar, shareContext, verifyChunk } from './group.mjs';
import { checkGuesses, listInputs } from './inputs.mjs';
import { halfOf, openHalf, pairKey, sealHalf } from './locks.mjs';
import { CLASSES, LEVELS, seal } from './messages.mjs';
import { BATCH, fillMarks, marksCount, marksOf, noteKeys, openBatch, sealBatch, sealedLength, sealNote, toldOf, verifyNotes } from './notes.mjs';
import { openManifest, recordKey, RoundRecord } from './record.mjs';
import { sealingPublic } from './sealing.mjs';
import { checkAscending, handlesOf, makeSubmission } from './submission.mjs';
import { byRecord, checkTags, keyDigest, makeColumn, metTokens, shadowColumn, tagPieces } from './tokens.mjs';

const CLOCKS = 600;
/** Bytes of one part that are sent by themselves, and those of a consignment. */
const LARGE = 300_000;
const MOST_BYTES = 3_000_000;
const RETRY = [429, 502, 503, 504];

export class Round {
  /** @param {object} node `{party, key, registry, client, store, witness, tables, records, justification, contact, say, fault}` */
  constructor(node, id, manifestEnvelope) {
    Object.assign(this, { node, id });
    this.manifest = openManifest(manifestEnvelope, node.registry);
    need(this.manifest.message.round_id === id, 'binding', 'a manifest of another round');
    this.record = new RoundRecord(this.manifest, node.registry, node.party);
    this.table = node.tables.get(this.manifest.message.rules.digest) ?? null;
    this.own = node.store.readJson(`rounds/${id}/own.json`, { sequence: 0, statements: [], refused: null, evaluated: {}, references: {}, notes: {}, states: {}, closed: false });
    this.secrets = node.store.openSecrets(id, 'round') ?? node.store.openSecrets(id, 'note');
    this.readTo = 0;
    this.wholeAt = 0;
    this.blinded = new Map(); // chunks that can be fetched, with their bytes where the feed brought them
    this.available = new Map();
    this.outputs = new Map(); // evaluated chunks that were verified, by counterpart and index
    this.checked = new Map(); // faults of reports, or null, by counterpart
    this.distrusted = new Set(); // parties for which nothing more is done
    this.mark();
  }

  get party() {
    return this.node.party;
  }
  get over() {
    return this.own.refused !== null || (this.own.closed && this.#pendingNotes().length === 0) || (this.record.ending !== null && !this.record.consents.has(this.party));
  }
  #save() {
    this.node.store.writeJson(`rounds/${this.id}/own.json`, this.own);
  }
  #saveSecrets() {
    this.node.store.sealSecrets(this.id, 'round', this.secrets);
  }

  /** The high-water mark: a database behind it is an older copy, and the round is refused for good (3.2.4). */
  mark() {
    const name = `keys/${this.id}.mark`;
    const mark = this.node.store.readJson(name, { sequence: 0 });
    if (mark.sequence > this.own.sequence && this.own.refused === null) {
      this.own.sequence = mark.sequence;
      this.own.refused = 'an older copy of the database';
      this.#save();
      this.node.fault('3.2.4', 'The state of the node is older than what it has signed; the round is refused.', this.party);
    }
    if (this.own.sequence > mark.sequence) this.node.store.writeJson(name, { sequence: this.own.sequence });
  }

  // What the feed brings

  /** Takes the next events of the feed. */
  take(events) {
    for (const event of events) {
      this.readTo = event.event_id;
      if (event.kind === 'blinded') this.blinded.set(recordKey(event.submission_id, event.index), event.content ?? null);
      else if (event.kind === 'evaluation') this.available.set(recordKey(event.party, event.index), event.content ?? null);
      else this.#statement(event.envelope);
    }
  }
  /** The whole feed was read: deadlines are held against this time (3.2.7). */
  wholeFeed() {
    this.wholeAt = Math.floor(Date.now() / 1000);
  }

  #statement(envelope) {
    let opened;
    try {
      opened = this.record.take(envelope, Math.max(0, this.wholeAt - CLOCKS));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.node.fault(PARAGRAPHS[error.problem] ?? '3.2', `A statement of the feed does not count: ${error.message}.`, 'matcher');
      return;
    }
    if (!opened) return;
    const { name, message } = opened;
    if (message.party === this.party && name !== 'HitReport') {
      const known = this.own.statements.find((s) => s.digest === opened.digest);
      if (!known) {
        this.own.refused = 'a statement under the own key that this node did not make';
        this.#save();
        this.node.fault('3.2.4', 'The feed has a statement signed with the own key that this node does not hold.', null);
      } else if (!known.taken) {
        known.taken = true;
        if (known.next === undefined) known.next = 0;
        if (known.bytes.length === 0) known.sent = true;
        this.#save();
      }
      this.node.witness.promise(opened);
    } else {
      if (message.log_head) this.node.witness.named(message.log_head);
      if (['Opening', 'HitReport', 'Ending'].includes(name)) this.node.witness.promise(opened);
    }
    this.node.say({ round: this.id, read: name, of: message.party ?? 'matcher' });
  }

  // What the party says

  /** Signs a statement and commits it before it leaves (3.2.1); `bytes` are sent after it. */
  #sign(name, content, bytes = []) {
    const head = this.node.witness.head;
    const message = { round_id: this.id, party: this.party, sequence: this.own.sequence + 1, ...(head ? { log_head: head } : {}), ...content };
    const sealed = seal(name, message, this.node.key);
    this.own.sequence++;
    bytes.forEach((part, i) => this.node.store.write(`rounds/${this.id}/bytes/${message.sequence}.${i}`, part.content));
    this.own.statements.push({ name, sequence: message.sequence, digest: sealed.digest, envelope: sealed.envelope, bytes: bytes.map((p) => p.path), sent: false, refused: null });
    this.#save();
    this.mark();
    return sealed;
  }

  /** Sends what has not been taken yet, in order: in consignments (9.8), and what is too large for them by itself. */
  async send() {
    for (let parts = this.#parts(); parts.length; parts = this.#parts()) {
      if (parts[0].large) await this.#put(parts[0]);
      else await this.#consign(parts);
    }
  }

  /** The next parts to send, as many as fit one consignment. */
  #parts() {
    const parts = [];
    let size = 0;
    for (const statement of this.own.statements) {
      if (statement.refused || statement.sent) continue;
      const all = [...(statement.taken ? [] : [-1]), ...statement.bytes.keys()].filter((i) => i >= (statement.next ?? -1));
      for (const i of all) {
        const content = i < 0 ? statement.envelope : this.node.store.read(`rounds/${this.id}/bytes/${statement.sequence}.${i}`);
        const large = i >= 0 && content.length > LARGE;
        size += content.length;
        if (parts.length && (large || parts.length >= 100 || size > MOST_BYTES)) return parts;
        parts.push({ statement, i, content, large });
        if (large) return parts;
      }
    }
    return parts;
  }

  async #consign(parts) {
    const body = jcsBytes({ parts: parts.map(({ statement, i, content }) => {
      if (i < 0) return { part: 'statement', envelope: content };
      const [submission_id, kind, third, fourth] = statement.bytes[i].split('/');
      const part = { blinded: 'blinded', evaluations: 'evaluation', tokens: 'tokens' }[kind];
      return { part, submission_id, index: Number(fourth ?? third), content: base64(content), ...(part === 'tokens' ? { counterpart: third } : {}) };
    }) });
    const { taken, problem } = await this.node.client.json('POST', `/v1/rounds/${this.id}/consignments`, { body });
    parts.slice(0, taken).forEach((part) => this.#taken(part));
    if (taken < parts.length && problem) this.#refused(parts[taken], JSON.parse(problem));
  }

  async #put({ statement, i, content }) {
    try {
      await this.node.client.call('PUT', `/v1/rounds/${this.id}/submissions/${statement.bytes[i]}`, { body: content, type: 'application/octet-stream' });
      this.#taken({ statement, i });
    } catch (error) {
      if (!error.status) throw error;
      this.#refused({ statement, i }, { type: error.problem, status: error.status });
    }
  }

  #taken({ statement, i }) {
    statement.next = i + 1;
    if (i < 0) {
      this.node.say({ round: this.id, said: statement.name, number: statement.sequence });
      this.node.witness.promise({ name: statement.name, digest: statement.digest, message: messageOf(statement.envelope) });
    } else this.node.store.remove(`rounds/${this.id}/bytes/${statement.sequence}.${i}`);
    if (statement.next >= statement.bytes.length) statement.sent = true;
    this.#save();
  }

  #refused({ statement, i }, problem) {
    const word = String(problem.type ?? problem.status).split(':').at(-1);
    if (word === 'store-full' || RETRY.includes(problem.status)) throw Object.assign(new Error('the matcher cannot take it now'), { code: word });
    if (i < 0) statement.refused = word;
    else statement.sent = true; // bytes that are not wanted any more
    this.node.say({ round: this.id, refused: statement.name, number: statement.sequence, problem: word });
    this.#save();
  }

  #said(name, test = () => true) {
    return this.own.statements.find((s) => s.name === name && test(messageOf(s.envelope)));
  }

  /** Everything that is due now (3.10). */
  async advance() {
    if (this.own.refused !== null) return;
    if (this.record.ending || Date.now() / 1000 > this.manifest.message.window.closes_at) return this.#end();
    if (!this.record.opening) return this.#consent();
    const mine = this.record.opening.message.consents.find((c) => c.party === this.party);
    if (!mine || mine.digest !== this.#said('Consent')?.digest) return; // 3.3.5: it takes no part
    this.#lock();
    this.#submit();
    await this.#evaluate();
    await this.#fetch();
    this.#tokens();
    this.#reports();
    this.#notes();
    this.#confirm();
    this.#acknowledge();
  }

  /** 3.3.1, 3.3.2, 3.3.7: a consent with fresh keys. */
  #consent() {
    const m = this.manifest.message;
    if (this.#said('Consent') || Date.now() / 1000 > m.window.consent_by) return;
    const named = m.participants.find((p) => p.party === this.party);
    need(named && named.identity_fingerprint === this.node.key.fingerprint, 'policy', 'the manifest does not name this party with its key');
    need(this.table, 'policy', 'no rule table of this digest');
    need(m.normalizer.name === this.node.normalizer.name && m.normalizer.digest === this.node.normalizer.digest, 'policy', 'another normalizer');
    need(m.mode === 'lists', 'policy', 'this node takes part in rounds of lists alone');
    const wanted = declared(this.node.records.length, m.padding.records_multiple);
    const cap = m.caps.find((c) => c.party === this.party).elements;
    const counts = Object.fromEntries(CLASSES.map((c) => [c, Math.min(wanted[c], cap[c])]));
    this.secrets ??= { shares: Object.fromEntries(CLASSES.map((c) => [c, randomScalar()])), lock: random(32), sealing: random(32), seed: random(32), submissionId: hex(random(16)), columns: {} };
    this.#saveSecrets();
    const publics = CLASSES.map((c) => publicOf(this.secrets.shares[c]));
    const sealingKey = sealingPublic(this.secrets.sealing);
    const shares = CLASSES.map((c, i) => ({ input_class: c, public_key: hex(publics[i]),
      proof: hex(proveKnowledge(this.secrets.shares[c], shareContext(this.manifest.digest, this.party, c, [...publics, sealingKey]))) }));
    this.#sign('Consent', { manifest_digest: this.manifest.digest, elements: counts, shares, sealing_key: hex(sealingKey), earlier_rounds: this.node.earlierRounds(this) });
  }

  /** 3.3.8: a half for each counterpart. */
  #lock() {
    if (this.#said('Locks')) return;
    const { binding } = this.record;
    const halves = this.record.counterparts(this.party).map((counterpart) => ({ counterpart,
      sealed: hex(sealHalf(halfOf(this.secrets.lock, binding, this.party, counterpart), binding, this.party, counterpart, unhex(this.record.consents.get(counterpart).message.sealing_key))) }));
    this.#sign('Locks', { binding, halves });
  }

  /** The key of a pair for a purpose, or null where the other side's half does not open (3.3.8). */
  #pairKey(counterpart, purpose) {
    const { binding, locks } = this.record;
    if (!locks.has(counterpart) || !this.#said('Locks') || this.distrusted.has(counterpart)) return null;
    try {
      const sealed = locks.get(counterpart).message.halves.find((h) => h.counterpart === this.party).sealed;
      const theirs = openHalf(unhex(sealed), binding, counterpart, this.party, this.secrets.sealing);
      const ours = halfOf(this.secrets.lock, binding, this.party, counterpart);
      return pairKey(binding, [{ party: this.party, half: ours, locks: this.#said('Locks').digest }, { party: counterpart, half: theirs, locks: locks.get(counterpart).digest }], purpose);
    } catch (error) {
      this.#distrust(counterpart, '3.3.8', 'The half of the lock that this party made does not open.', error);
      return null;
    }
  }
  #distrust(party, paragraph, sentence, error) {
    if (!(error instanceof Refused)) throw error;
    this.distrusted.add(party);
    this.node.fault(paragraph, sentence, party);
  }

  get #submission() {
    const m = this.manifest.message;
    this.made ??= makeSubmission({ records: this.#inputs(), table: this.table, padding: m.padding, binding: this.record.binding, seed: this.secrets.seed, submissionId: this.secrets.submissionId }, m.chunk_elements);
    return this.made;
  }
  #inputs() {
    const { records, heldBack } = listInputs(this.node.records, this.table, this.manifest.message.frequency_limit);
    this.node.say({ round: this.id, held_back: heldBack });
    return records;
  }

  /** 3.4: the list, blinded. */
  #submit() {
    if (this.#said('Submission') || !this.record.locks.has(this.party)) return;
    if (Date.now() / 1000 > this.manifest.message.window.submit_by) return;
    checkGuesses(this.node.records);
    const { records, chunks } = this.#submission;
    const counts = Object.fromEntries(CLASSES.map((c) => [c, chunks.filter((k) => k.inputClass === c).reduce((n, k) => n + k.elements.length, 0)]));
    const consent = this.record.consents.get(this.party).message;
    need(CLASSES.every((c) => counts[c] <= consent.elements[c]), 'cap', 'the list has more elements than were declared');
    this.#sign('Submission', { binding: this.record.binding, submission_id: this.secrets.submissionId, kind: 'list', justification: this.node.justification, records, elements: counts,
      chunks: chunks.map((c) => ({ input_class: c.inputClass, elements: c.elements.length, digest: c.digest })) },
    chunks.map((c, i) => ({ path: `${this.secrets.submissionId}/blinded/${i}`, content: c.bytes })));
  }

  /** 3.5: every chunk of every counterpart's submission, once. */
  async #evaluate() {
    const { binding } = this.record;
    for (const submission of this.record.submissions.values()) {
      const { party: origin, submission_id: id, chunks } = submission.message;
      if (!this.record.mayCompare(this.party, origin) || !this.record.locks.has(this.party) || this.#pairKey(origin, 'tokens') === null) continue;
      for (const [index, chunk] of chunks.entries()) {
        const name = recordKey(id, index);
        if (this.own.evaluated[name] || !this.blinded.has(name) || this.distrusted.has(origin)) continue;
        if (!this.node.mayEvaluate(this, origin, chunk.input_class, chunk.elements)) continue;
        const bytes = await this.#bytes(this.blinded, name, `${id}/blinded/${index}`);
        try {
          need(hex(sha256(bytes)) === chunk.digest && bytes.length === 32 * chunk.elements, 'digest', 'bytes that differ from what was signed');
          checkAscending(bytes);
          elements(bytes);
        } catch (error) {
          this.#distrust(origin, '3.5.1', 'A chunk of this party is not what it signed, or not in order.', error);
          continue;
        }
        const terms = { binding, inputClass: chunk.input_class, evaluator: this.party, origin, submissionId: id, index };
        const { output, proof } = evaluateChunk(terms, this.secrets.shares[chunk.input_class], bytes);
        this.own.evaluated[name] = true;
        this.node.count(this, origin, chunk.input_class, chunk.elements);
        this.#sign('Evaluation', { binding, origin, submission_id: id, index, input_class: chunk.input_class, elements: chunk.elements, input_digest: chunk.digest, output_digest: hex(sha256(output)), proof: hex(proof) },
          [{ path: `${id}/evaluations/${this.party}/${index}`, content: output }]);
      }
    }
  }

  /** Bytes that came with the feed (9.7), or are fetched. Both are held against the signed digest. */
  async #bytes(known, name, path) {
    const content = known.get(name);
    return content ? unbase64(content) : new Uint8Array(await this.node.client.call('GET', `/v1/rounds/${this.id}/submissions/${path}`));
  }

  /** 3.6.0: others' evaluations of the own list, verified. What does not verify is never used. */
  async #fetch() {
    if (!this.#said('Submission')) return;
    const id = this.secrets.submissionId;
    for (const counterpart of this.record.counterparts(this.party)) {
      if (this.#said('Tokens', (m) => m.column.counterpart === counterpart)) continue;
      for (const [index, chunk] of this.#submission.chunks.entries()) {
        const name = recordKey(counterpart, index);
        const evaluation = this.record.evaluations.get(recordKey(id, counterpart, index));
        if (this.outputs.has(name) || !evaluation || !this.available.has(name) || this.distrusted.has(counterpart)) continue;
        const output = await this.#bytes(this.available, name, `${id}/evaluations/${counterpart}/${index}`);
        try {
          need(hex(sha256(output)) === evaluation.message.output_digest, 'digest', 'bytes that differ from what was signed');
          const share = this.record.consents.get(counterpart).message.shares.find((s) => s.input_class === chunk.inputClass);
          verifyChunk({ binding: this.record.binding, inputClass: chunk.inputClass, evaluator: counterpart, origin: this.party, submissionId: id, index }, unhex(share.public_key), chunk.bytes, output, unhex(evaluation.message.proof));
          this.outputs.set(name, output);
        } catch (error) {
          this.#distrust(counterpart, '3.6.0', 'An evaluation of the own list does not verify; nothing of it is used.', error);
        }
      }
    }
  }

  /** Padded records of both lists of a pair, in the order of the parties. */
  #sizes(counterpart) {
    return [this.party, counterpart].sort().map((p) => this.record.lists.get(p).message.records);
  }
  #sets(counterpart) {
    return this.table.sets(Math.max(...this.#sizes(counterpart)));
  }

  /** 3.6.1 to 3.6.3, 3.7.12: the column for each counterpart, when it is due. */
  #tokens() {
    const id = this.secrets?.submissionId;
    const submission = this.record.submissions.get(id);
    if (!submission || !this.node.witness.settled) return;
    for (const counterpart of this.record.counterparts(this.party)) {
      const { chunks } = this.#submission;
      if (this.#said('Tokens', (m) => m.column.counterpart === counterpart) || !this.record.tokensDue(submission, counterpart)) continue;
      if (!chunks.every((_, i) => this.outputs.has(recordKey(counterpart, i)))) continue;
      const [key, shadow] = [this.#pairKey(counterpart, 'tokens'), this.#pairKey(counterpart, 'shadow')];
      if (!key || !shadow) continue;
      const { participants } = this.record;
      const everybody = participants.every((p) => participants.every((q) => p === q || this.record.mayCompare(p, q)));
      const publicKeys = Object.fromEntries(this.record.consents.get(counterpart).message.shares.map((s) => [s.input_class, unhex(s.public_key)]));
      const column = makeColumn({ party: this.party, counterpart, shares: this.secrets.shares, publicKeys, key, handles: handlesOf(this.secrets.seed, everybody ? null : counterpart) },
        chunks.map((c, i) => ({ ...c, outputs: this.outputs.get(recordKey(counterpart, i)) })));
      const { tags, leftOut } = shadowColumn(shadow, this.#sets(counterpart), column.rows, this.#submission.records);
      const parts = tagPieces(tags);
      this.secrets.columns[counterpart] = column.rows.map((r) => ({ ...r, record: this.node.records[r.position]?.record_id ?? null }));
      this.#saveSecrets();
      this.#sign('Tokens', { binding: this.record.binding, submission_id: id, column: { counterpart, rules: column.rules, key: keyDigest(shadow), left_out: leftOut,
        chunks: column.chunks.map((bytes) => ({ rows: bytes.length / 33, digest: hex(sha256(bytes)) })), pieces: parts.map((p) => ({ tags: p.tags, digest: p.digest })) } },
      [...column.chunks, ...parts.map((p) => p.bytes)].map((content, i) => ({ path: `${id}/tokens/${counterpart}/${i}`, content })));
    }
  }

  #report(counterpart) {
    return this.record.reportOf(this.party, counterpart);
  }

  /** What is looked at as soon as the feed has it, before anything is signed. */
  look() {
    if (this.own.refused === null && this.record.opening && this.secrets && !this.record.ending) this.#check();
  }

  #check() {
    for (const counterpart of this.record.counterparts(this.party)) {
      const report = this.#report(counterpart);
      if (!report || this.checked.has(counterpart) || !this.secrets.columns[counterpart]) continue;
      const fault = this.#checkReport(counterpart, report);
      this.checked.set(counterpart, fault);
      if (fault) this.node.fault('3.7.13', `The report of the pair with ${counterpart} does not hold (${fault}): its hits are not to be trusted.`, null);
    }
  }

  /** 3.7.13, 3.7.4: each report is checked when it comes; check and receipt are signed when all that was promised is proved (10.5.2). */
  #reports() {
    for (const counterpart of this.record.counterparts(this.party)) {
      const report = this.#report(counterpart);
      if (!report || this.#said('Receipt', (m) => m.counterpart === counterpart)) continue;
      const { message } = report;
      if (!this.node.witness.settled || !this.checked.has(counterpart)) continue;
      if (message.basis.common_per_million < this.table.leastShare) {
        this.#distrust(counterpart, '3.7.15', 'A report states a smaller share of common persons than the least.', new Refused('policy', ''));
        continue;
      }
      const content = { binding: this.record.binding, counterpart, submission_id: null, report_digest: report.digest };
      if (!this.#said('ReportCheck', (m) => m.counterpart === counterpart)) {
        this.#sign('ReportCheck', { ...content, met: message.basis.met?.digest ?? null, below: report.below.length, fault: this.checked.get(counterpart) });
      }
      this.#sign('Receipt', { ...content, hits: Object.fromEntries(LEVELS.map((l) => [l, report.hits.filter((h) => h.certainty === l).length])) });
      this.writeHits();
    }
  }

  /** The fault of a report of two lists, or null: `columns`, `tags` or `pairs` (3.7.13 a and b). */
  #checkReport(counterpart, { message, hits, below }) {
    const theirs = this.record.tokens.get(recordKey(this.record.lists.get(counterpart).message.submission_id, this.party)).message.column;
    const ours = messageOf(this.#said('Tokens', (m) => m.column.counterpart === counterpart).envelope).column;
    if (!message.basis.met || theirs.key !== ours.key) return 'columns';
    return checkTags({ key: this.#pairKey(counterpart, 'shadow'), sets: this.#sets(counterpart), leftOut: [...ours.left_out, ...theirs.left_out], records: byRecord(this.secrets.columns[counterpart]),
      pairs: [...hits, ...below].map((p) => ({ own: p.handle, other: p.counterpart_handle, places: p.met })), met: message.basis.met });
  }

  /** What the notes of a pair are verified against. */
  #noteTerms(counterpart) {
    const report = this.#report(counterpart);
    const rows = byRecord(this.secrets.columns[counterpart]);
    return { report: report.message, hits: new Map(report.hits.map((h) => [h.hit_id, h])), sizes: this.#sizes(counterpart), tokensOf: (handle) => rows.get(handle), table: this.table, seen: new Set() };
  }

  /** 3.7.6, 3.7.7: a note on each hit, in batches. */
  #notes() {
    for (const counterpart of this.record.counterparts(this.party)) {
      if (!this.record.receipts.has(recordKey(this.party, counterpart, null)) || this.#said('Notes', (m) => m.to === counterpart)) continue;
      const terms = this.#noteTerms(counterpart);
      const hits = [...terms.hits.values()].sort((a, b) => (a.hit_id < b.hit_id ? -1 : 1));
      if (!hits.length) continue;
      const most = Math.max(...hits.map((hit) => terms.tokensOf(hit.handle)?.length ?? 0));
      const count = marksCount(most);
      const entries = hits.map((hit) => ({ hitId: hit.hit_id, sealed: this.#note(counterpart, terms, hit, count) }));
      const sealingKey = unhex(this.record.consents.get(counterpart).message.sealing_key);
      for (let index = 0; index * BATCH < entries.length; index++) {
        const part = entries.slice(index * BATCH, (index + 1) * BATCH);
        const { sealed } = sealBatch({ binding: this.record.binding, sender: this.party, receiver: counterpart, submissionId: null, index }, part, sealingKey);
        this.#sign('Notes', { binding: this.record.binding, to: counterpart, submission_id: null, index, hits: part.length, sealed: base64(sealed) });
      }
      this.writeHits();
    }
  }

  #note(counterpart, terms, hit, count) {
    const tokens = terms.tokensOf(hit.handle);
    const met = metTokens(tokens, hit.met);
    if (!met?.length) return random(sealedLength(count));
    const keys = noteKeys({ binding: this.record.binding, hitId: hit.hit_id, sender: this.party, receiver: counterpart, senderHandle: hit.handle, receiverHandle: hit.counterpart_handle, met });
    const record = this.node.records.find((r) => r.record_id === met[0].record) ?? {};
    this.own.references[hit.hit_id] ??= reference(this.party);
    const note = { source_evaluation: record.source_evaluation ?? null, information_evaluation: record.information_evaluation ?? null, handling_code: record.handling_code ?? null,
      category: record.category ?? null, reference: this.own.references[hit.hit_id], contact: this.node.contact,
      report: toldOf({ sizes: terms.sizes, basis: terms.report.basis, level: hit.certainty, second: hit.second, families: hit.families, hitId: hit.hit_id }).told };
    return sealNote(keys.seal, JSON.stringify(note), fillMarks(marksOf(keys.mark, tokens.map((t) => t.token)), count));
  }

  /** Batches of notes for this party that it has not confirmed. */
  #pendingNotes() {
    const isDone = ({ digest }) => this.own.unopened?.includes(digest) || this.#said('Confirmation', (m) => m.notes === digest);
    return [...this.record.notes.values()].filter((n) => n.message.to === this.party && !isDone(n));
  }

  /** 3.7.8: others' notes are opened, verified and confirmed. */
  #confirm() {
    for (const batch of this.#pendingNotes()) {
      const { party: sender, index, hits, sealed, sequence } = batch.message;
      if (!this.secrets || !this.#report(sender)) continue;
      const terms = this.#noteTerms(sender);
      for (const id of Object.keys(this.own.notes)) terms.seen.add(id);
      let found;
      try {
        const entries = openBatch({ binding: this.record.binding, sender, receiver: this.party, submissionId: null, index }, hits, this.secrets.sealing, unbase64(sealed));
        found = verifyNotes(terms, entries);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.node.fault('3.7.8', `A batch of notes does not open: ${error.message}`, sender);
        this.own.unopened = [...(this.own.unopened ?? []), batch.digest];
        this.#save();
        continue;
      }
      const refuted = found.filter((f) => f.fault).map((f) => ({ hit_id: f.hitId, fault: f.fault })).sort((a, b) => (a.hit_id < b.hit_id ? -1 : 1));
      for (const { hit_id: id, fault } of refuted) this.node.fault('3.7.8', `The note of the hit ${id} does not hold (${fault}).`, fault === 'level' ? 'matcher' : sender);
      for (const { hitId, note, fault } of found) this.own.notes[hitId] = { note: note && JSON.parse(note), fault };
      this.#sign('Confirmation', { binding: this.record.binding, to: sender, submission_id: null, notes: batch.digest, notes_sequence: sequence, confirmed: found.length - refuted.length, refuted });
      this.writeHits();
    }
    if (this.record.confirmations.size !== this.confirmedAt) {
      this.confirmedAt = this.record.confirmations.size;
      this.writeHits();
    }
  }

  /** 3.11.3: a withdrawal by a counterpart is acknowledged. */
  #acknowledge() {
    for (const withdrawal of this.record.withdrawals.values()) {
      const { counterpart, party, hits, ground } = withdrawal.message;
      if (counterpart !== this.party || this.#said('Acknowledgement', (m) => m.withdrawal === withdrawal.digest)) continue;
      const held = this.#report(party)?.hits.filter((h) => hits.includes(h.hit_id)) ?? [];
      const erased = ground === 'erased';
      if (erased) for (const hit of held) if (this.own.notes[hit.hit_id]) this.own.notes[hit.hit_id].note = null;
      this.#sign('Acknowledgement', { binding: this.record.binding, withdrawal: withdrawal.digest, hits: held.length, erased });
      this.writeHits();
    }
  }

  /** 3.9.2: the round's key is destroyed, then the closing signed. What the notes still need is kept under a key of its own. */
  #end() {
    if (!this.own.destroyed) {
      const waiting = this.record.counterparts(this.party).some((q) => this.#report(q)?.hits.some((h) => !this.own.notes[h.hit_id]));
      if (waiting && this.secrets) this.node.store.sealSecrets(this.id, 'note', { sealing: this.secrets.sealing, columns: this.secrets.columns });
      this.node.store.destroy(this.id, 'round');
      this.node.store.remove(`rounds/${this.id}/bytes`);
      this.secrets = this.node.store.openSecrets(this.id, 'note');
      this.made = null;
      this.outputs.clear();
      this.own.destroyed = true;
      this.#save();
      this.node.say({ round: this.id, destroyed: 'round key' });
    }
    if (this.record.opening && this.secrets) this.#confirm();
    if (this.record.opening) this.#acknowledge();
    if (!this.#pendingNotes().length && this.node.store.openSecrets(this.id, 'note')) this.node.store.destroy(this.id, 'note');
    if (this.#said('Consent')?.taken && !this.#said('Closing') && this.node.witness.settled && this.record.ending) {
      const given = this.own.statements.filter((s) => s.refused).map((s) => [s.sequence, s.sequence]);
      const hits = this.record.counterparts(this.party).reduce((n, q) => n + (this.#report(q)?.hits.length ?? 0), 0);
      this.#sign('Closing', { binding: this.record.binding, destroyed: true, hits: this.record.opening ? hits : 0, ...(given.length ? { given_up: given } : {}) });
    }
    if (this.#said('Closing')?.sent && !this.own.closed) {
      this.own.closed = true;
      this.#save();
      this.node.say({ round: this.id, closed: this.record.ending.message.outcome });
    }
  }

  /** The hits of this round, as the state's file has them. */
  hits() {
    if (!this.record.opening) return [];
    return this.record.counterparts(this.party).flatMap((counterpart) => (this.#report(counterpart)?.hits ?? []).map((hit) => {
      const rows = this.secrets?.columns?.[counterpart];
      const known = (this.own.records ??= {});
      if (rows && !known[hit.hit_id]) {
        const row = rows.find((r) => hex(r.handle) === hit.handle);
        known[hit.hit_id] = row?.record ?? null;
      }
      const own = this.own.notes[hit.hit_id];
      const batch = [...this.record.notes.values()].find((n) => n.message.party === this.party && n.message.to === counterpart);
      const answer = batch && this.record.confirmations.get(batch.digest)?.message;
      const theirs = answer?.refuted.some((r) => r.hit_id === hit.hit_id);
      const state = own?.fault || theirs ? 'refuted' : own?.note && answer ? 'confirmed' : 'unconfirmed';
      return { round: this.id, hit_id: hit.hit_id, counterpart, record_id: known[hit.hit_id] ?? null, level: hit.certainty, families: hit.families, state,
        reference: this.own.references[hit.hit_id] ?? null, note: state === 'confirmed' ? own.note : null };
    }));
  }
  writeHits() {
    this.node.writeHits();
    this.#save();
  }
}

/** The paragraph that a refusal of a statement rests on, by its problem. */
const PARAGRAPHS = { signature: '2.4', malformed: '2.1', binding: '3.2.3', equivocation: '3.2.2', order: '3.10', repeated: '3.2.6', cap: '3.4.3', proof: '3.3.2', policy: '3.1' };

const random = (size) => new Uint8Array(randomBytes(size));
const messageOf = (envelope) => JSON.parse(Buffer.from(JSON.parse(envelope).payload, 'base64').toString('utf8'));
const SIGNS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const reference = (party) => [party, ...Array.from({ length: 3 }, () => Array.from({ length: 4 }, () => SIGNS[randomInt(36)]).join(''))].join('-');
