/** The record of a round: which statements count, in their order (PROTOCOL.md 3.1 to 3.11, the table of 3.10). */
import { unhex } from './bytes.mjs';
import { need } from './errors.mjs';
import { shareContext, verifyKnowledge } from './group.mjs';
import { fingerprint } from './keys.mjs';
import { bindingOf } from './locks.mjs';
import { CLASSES, LEVELS, open, typeOf } from './messages.mjs';
import { checkSealingKey } from './sealing.mjs';

const BY_PARTY = ['Consent', 'Locks', 'Submission', 'Evaluation', 'Tokens', 'ReportCheck', 'Alarm', 'WithheldAnswer', 'Receipt', 'Notes', 'Confirmation', 'Closing', 'Refusal', 'Withdrawal', 'Acknowledgement', 'Outcomes', 'FollowUp'];
const BY_MATCHER = ['Opening', 'HitReport', 'Ending'];
const TYPES = [...BY_PARTY, ...BY_MATCHER].map(typeOf);
const AFTER_LAST = ['Notes', 'Confirmation', 'Withdrawal', 'Acknowledgement', 'Outcomes', 'FollowUp'];
const AFTER_ENDING = [...AFTER_LAST, 'HitReport', 'ReportCheck', 'Alarm', 'WithheldAnswer', 'Receipt', 'Refusal', 'Closing'];
const NOTES_DAYS = 7 * 86400;
const DUMMIES = 4096;
const QUERY_DUMMIES = 256 * 128;

export const pairId = (a, b) => [a, b].sort().join('-');
const levelCounts = (hits) => Object.fromEntries(LEVELS.map((level) => [level, hits.filter((hit) => hit.certainty === level).length]));
const total = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);
const key = (...parts) => parts.map((p) => p ?? '').join(':');

/** A manifest that the matcher's pinned key signed and that names the pinned keys of its participants (3.1.2). */
export function openManifest(envelope, registry) {
  const opened = open(envelope, [typeOf('Manifest')], new Map([[fingerprint(registry.matcher), registry.matcher]]));
  for (const { party, identity_fingerprint: named } of opened.message.participants) {
    need(registry.parties.has(party) && fingerprint(registry.parties.get(party)) === named, 'signature', 'the manifest names another key than the registry');
  }
  return opened;
}

export class RoundRecord {
  /**
   * @param {object} manifest as `openManifest` gives it @param {{matcher: Uint8Array, parties: Map}} registry
   * @param {string|null} viewer the party whose feed this is, which does not see everything; null sees all
   */
  constructor(manifest, registry, viewer = null) {
    Object.assign(this, { manifest: manifest.message, manifestDigest: manifest.digest, registry, viewer });
    this.names = this.manifest.participants.map((p) => p.party);
    this.keys = new Map([[fingerprint(registry.matcher), registry.matcher], ...[...registry.parties.values()].map((k) => [fingerprint(k), k])]);
    this.digests = new Map();
    this.numbers = new Map(); // party and number: digest
    for (const name of ['consents', 'locks', 'lists', 'submissions', 'evaluations', 'tokens', 'reports', 'checks', 'receipts', 'notes', 'confirmations', 'withdrawals', 'acknowledgements', 'last', 'outcomes', 'followUps', 'alarms', 'withheld']) this[name] = new Map();
    this.opening = null;
    this.ending = null;
  }

  get binding() {
    return this.opening?.message.binding ?? null;
  }
  get participants() {
    return this.opening ? this.opening.message.consents.map((c) => c.party) : this.names;
  }
  /** Whether the manifest allows these two to be compared, and both take part. */
  mayCompare(a, b) {
    return a !== b && this.participants.includes(a) && this.participants.includes(b) && this.manifest.pairs.some((p) => p.join('-') === pairId(a, b));
  }
  counterparts(party) {
    return this.participants.filter((other) => this.mayCompare(party, other));
  }
  get phase() {
    if (this.ending) return this.ending.message.outcome;
    if (!this.opening) return 'proposed';
    const lists = this.manifest.pairs.filter(([a, b]) => this.mayCompare(a, b));
    const columns = ([a, b]) => [[a, b], [b, a]].every(([p, q]) => this.lists.has(p) && this.tokens.has(key(this.lists.get(p).message.submission_id, q)));
    const reported = ([a, b]) => [[a, b], [b, a]].every(([p, q]) => this.reportOf(p, q));
    if (!lists.every(columns)) return 'open';
    return lists.every(reported) ? 'reporting' : 'matching';
  }
  /** The whole report of a party with a counterpart, once its last page is there. */
  reportOf(party, counterpart, submissionId = null) {
    const pages = this.reports.get(key(party, counterpart, submissionId));
    const last = pages?.at(-1);
    if (!last || (last.message.page && last.message.page.number + 1 < last.message.page.pages)) return null;
    return { message: last.message, digest: last.digest, pages, hits: pages.flatMap((p) => p.message.hits), below: pages.flatMap((p) => p.message.below) };
  }
  /** Whether the viewer would see what goes to this party alone. */
  sees(party) {
    return this.viewer === null || this.viewer === party;
  }

  /** Takes a statement, or refuses it. The same again changes nothing. Returns the opened statement, or null if it was known. */
  take(envelope, time = null) {
    const opened = open(envelope, TYPES, this.keys);
    const { name, message: m, digest, keyid } = opened;
    const signer = BY_MATCHER.includes(name) ? this.registry.matcher : this.registry.parties.get(m.party);
    need(signer && fingerprint(signer) === keyid, 'signature', 'signed by somebody else');
    if (this.digests.has(digest)) return null;
    need(m.round_id === this.manifest.round_id, 'binding', 'a statement of another round');
    opened.time = time;
    if (BY_PARTY.includes(name)) this.#general(name, m, digest);
    this['take' + name](m, opened, time ?? 0);
    this.digests.set(digest, opened);
    if (m.sequence && name !== 'HitReport') this.numbers.set(key(m.party, m.sequence), digest);
    return opened;
  }

  #general(name, m, digest) {
    need(this.names.includes(m.party), 'binding', 'a party that is not in the round');
    const known = this.numbers.get(key(m.party, m.sequence));
    need(!known || known === digest, 'equivocation', 'another statement under one number');
    need(name === 'Refusal' || m.log_head, 'malformed', 'a statement without a log head');
    if (name === 'Consent' || name === 'Refusal') need(name === 'Refusal' || !this.ending, 'order', 'the round is over');
    else {
      need(this.opening || (name === 'Closing' && m.binding === null), 'order', 'the round has not opened');
      need(m.binding === this.binding, 'binding', 'a statement under another binding');
      need(!this.opening || this.participants.includes(m.party), 'binding', 'a party that is not in the opening');
    }
    if (this.ending) need(AFTER_ENDING.includes(name), 'order', 'the round is over');
    const queryCheck = name === 'ReportCheck' && m.submission_id !== null;
    if (this.last.has(m.party)) need(AFTER_LAST.includes(name) || queryCheck, 'repeated', 'a statement after the last one');
  }

  takeConsent(m, opened, time) {
    need(m.manifest_digest === this.manifestDigest, 'binding', 'a consent to another manifest');
    need(!this.consents.has(m.party), 'equivocation', 'a second consent');
    need(!this.opening && time <= this.manifest.window.consent_by, 'order', 'a consent that comes too late');
    const cap = this.manifest.caps.find((c) => c.party === m.party).elements;
    need(CLASSES.every((c) => m.elements[c] <= cap[c]), 'cap', 'more elements than the cap');
    checkSealingKey(unhex(m.sealing_key));
    const publics = m.shares.map((s) => unhex(s.public_key));
    const others = [...this.consents.values()].flatMap((c) => c.message.shares.map((s) => s.public_key));
    const all = m.shares.map((s) => s.public_key);
    need(new Set(all).size === all.length && !all.some((k) => others.includes(k)), 'policy', 'a share that occurs already');
    m.shares.forEach((share, i) => verifyKnowledge(publics[i], shareContext(m.manifest_digest, m.party, share.input_class, [...publics, unhex(m.sealing_key)]), unhex(share.proof)));
    this.consents.set(m.party, opened);
  }

  takeOpening(m, opened) {
    need(!this.opening, 'equivocation', 'a second opening');
    need(!this.ending, 'order', 'the round is over');
    for (const { party, digest } of m.consents) need(this.consents.get(party)?.digest === digest, 'binding', 'a consent that did not come');
    need(m.consents.length === this.consents.size, 'binding', 'an opening without a consent that came');
    need(m.binding === bindingOf(this.manifestDigest, Object.fromEntries(m.consents.map((c) => [c.party, c.digest]))), 'binding', 'another binding');
    this.opening = opened;
  }

  takeLocks(m, opened, time) {
    need(!this.locks.has(m.party), 'equivocation', 'second Locks');
    need(time <= this.manifest.window.submit_by, 'order', 'Locks that come too late');
    need(m.halves.map((h) => h.counterpart).join() === this.counterparts(m.party).join(), 'malformed', 'Locks that name other parties');
    this.locks.set(m.party, opened);
  }

  takeSubmission(m, opened, time) {
    need(this.locks.has(m.party), 'order', 'a submission before the Locks');
    const list = m.kind === 'list';
    need(list || this.manifest.mode === 'lists_and_queries', 'policy', 'the mode allows no query');
    need(time <= this.manifest.window[list ? 'submit_by' : 'closes_at'], 'order', 'a submission that comes too late');
    need(!(list && this.lists.has(m.party)) && !this.submissions.has(m.submission_id), 'equivocation', 'a second list');
    need(list || [...this.submissions.values()].filter((s) => s.message.party === m.party && s.message.kind === 'query').length < 256, 'repeated', 'too many queries');
    m.chunks.forEach((chunk, i) => {
      need(chunk.elements <= this.manifest.chunk_elements, 'malformed', 'a chunk above the manifest’s size');
      const next = m.chunks[i + 1];
      need(next?.input_class !== chunk.input_class || chunk.elements === this.manifest.chunk_elements, 'repeated', 'a chunk that is not full');
    });
    const declared = this.consents.get(m.party).message.elements;
    const spent = [...this.submissions.values()].filter((s) => s.message.party === m.party);
    need(CLASSES.every((c) => spent.reduce((n, s) => n + s.message.elements[c], m.elements[c]) <= declared[c]), 'cap', 'more elements than were declared');
    this.submissions.set(m.submission_id, opened);
    if (list) this.lists.set(m.party, opened);
  }

  takeEvaluation(m, opened) {
    const submission = this.submissions.get(m.submission_id);
    need(submission && submission.message.party === m.origin && m.origin !== m.party, 'order', 'an evaluation of nothing');
    need(this.mayCompare(m.party, m.origin), 'policy', 'these two may not be compared');
    need(this.locks.has(m.party), 'order', 'an evaluation before the own Locks');
    const chunk = submission.message.chunks[m.index];
    need(chunk, 'malformed', 'a chunk that is not there');
    need(chunk.input_class === m.input_class && chunk.elements === m.elements && chunk.digest === m.input_digest, 'binding', 'other inputs than the origin signed');
    const id = key(m.submission_id, m.party, m.index);
    need(!this.evaluations.has(id), 'equivocation', 'a chunk evaluated twice');
    this.evaluations.set(id, opened);
  }

  /** Whether a counterpart has evaluated every chunk of a submission. */
  evaluated(submission, counterpart) {
    return submission.message.chunks.every((_, i) => this.evaluations.has(key(submission.message.submission_id, counterpart, i)));
  }

  /** Whether the tokens of a list for a counterpart are due (3.6.3). */
  tokensDue(submission, counterpart) {
    const origin = submission.message.party;
    if (!this.locks.has(counterpart) || !this.lists.has(counterpart) || !this.evaluated(submission, counterpart)) return false;
    if (submission.message.kind === 'list') return true;
    return [[origin, counterpart], [counterpart, origin]].every(([p, q]) => this.lists.has(p) && this.tokens.has(key(this.lists.get(p).message.submission_id, q)));
  }

  takeTokens(m, opened) {
    const { column } = m;
    const submission = this.submissions.get(m.submission_id);
    need(submission && submission.message.party === m.party, 'order', 'tokens of nothing');
    need(this.mayCompare(m.party, column.counterpart), 'policy', 'these two may not be compared');
    const id = key(m.submission_id, column.counterpart);
    need(!this.tokens.has(id), 'equivocation', 'a column twice');
    // A node does not see the evaluations of others' lists: the matcher refuses earlier tokens.
    need(this.viewer !== null && this.viewer !== m.party ? true : this.tokensDue(submission, column.counterpart), 'order', 'tokens that are not due');
    const chunks = submission.message.chunks;
    need(column.chunks.length === chunks.length && column.chunks.every((c, i) => c.rows === chunks[i].elements), 'malformed', 'chunks of other rows');
    need(total(column.rules.map((r) => r.rows)) === total(chunks.map((c) => c.elements)), 'malformed', 'other rows by rule than elements');
    const before = [...this.tokens.values()].find((t) => t.message.submission_id === m.submission_id);
    need(!before || JSON.stringify(before.message.column.rules) === JSON.stringify(column.rules), 'malformed', 'other numbers by rule than in another column');
    const declared = this.consents.get(m.party).message.elements;
    const records = Math.max(submission.message.records, ...[['full', 10], ['partial', 15], ['coarse', 17]].map(([c, n]) => Math.ceil(declared[c] / n)));
    const tags = total(column.pieces.map((p) => p.tags));
    need(tags <= DUMMIES + QUERY_DUMMIES + 128 * records, 'repeated', 'more tags than a column may have');
    this.tokens.set(id, opened);
  }

  takeHitReport(m, opened) {
    need(m.binding === this.binding, 'binding', 'a report under another binding');
    need(this.mayCompare(m.party, m.counterpart), 'policy', 'a report of two that may not be compared');
    const lists = [m.party, m.counterpart].map((p) => this.lists.get(p));
    need(lists.every(Boolean), 'order', 'a report before its lists');
    const other = this.#reported(m);
    const own = lists.map((list, i) => this.tokens.get(key(list.message.submission_id, [m.counterpart, m.party][i])));
    need(own.every(Boolean), 'order', 'a report before its columns');
    need(m.basis.records === other.message.records, 'malformed', 'another number of records than the counterpart signed');
    need(m.hits.every((hit) => LEVELS.indexOf(hit.certainty) >= LEVELS.indexOf(this.manifest.minimum_certainty)), 'policy', 'a hit below the minimum certainty');
    const id = key(m.party, m.counterpart, m.submission_id);
    const pages = this.reports.get(id) ?? [];
    need(!this.reportOf(m.party, m.counterpart, m.submission_id), 'equivocation', 'a second report');
    need((m.page?.number ?? 0) === pages.length, 'order', 'a page out of order');
    const last = pages.at(-1)?.message;
    if (last) {
      need(m.page?.pages === last.page.pages && JSON.stringify(m.basis) === JSON.stringify(last.basis), 'binding', 'a page of another report');
      const ids = (r) => [...r.hits.map((h) => h.hit_id), ...r.below.map((b) => b.pair_id)].sort();
      need(ids(last).at(-1) < ids(m)[0], 'order', 'pairs out of order');
    }
    this.reports.set(id, [...pages, opened]);
  }

  /** The submission of the other side that a report is of. */
  #reported(m) {
    if (m.submission_id === null) return this.lists.get(m.counterpart);
    const query = this.submissions.get(m.submission_id);
    need(query && [m.party, m.counterpart].includes(query.message.party), 'policy', 'a report of a query of neither');
    return query.message.party === m.counterpart ? query : this.lists.get(m.counterpart);
  }

  #reportFor(m, opened) {
    if (!this.sees(m.party)) return null;
    const report = this.reportOf(m.party, m.counterpart, m.submission_id);
    need(report && report.digest === m.report_digest, 'binding', 'a report that did not come');
    return report;
  }

  takeReportCheck(m, opened) {
    const report = this.#reportFor(m);
    const id = key(m.party, m.counterpart, m.submission_id);
    need(!this.checks.has(id), 'repeated', 'a second check');
    if (report) {
      const met = report.message.basis.met?.digest ?? null;
      need(m.met === met && m.below === report.below.length, 'malformed', 'a check of other numbers');
    }
    this.checks.set(id, opened);
  }

  takeReceipt(m, opened) {
    const report = this.#reportFor(m);
    const id = key(m.party, m.counterpart, m.submission_id);
    need(!this.receipts.has(id), 'repeated', 'a second receipt');
    if (report) need(JSON.stringify(levelCounts(report.hits)) === JSON.stringify(Object.fromEntries(LEVELS.map((l) => [l, m.hits[l]]))), 'malformed', 'other numbers of hits than reported');
    this.receipts.set(id, opened);
  }

  takeNotes(m, opened, time) {
    need(this.mayCompare(m.party, m.to), 'policy', 'these two may not be compared');
    need(time <= this.manifest.window.closes_at + NOTES_DAYS, 'order', 'notes that come too late');
    for (const [a, b] of [[m.party, m.to], [m.to, m.party]]) need(!this.sees(a) || this.reportOf(a, b, m.submission_id), 'order', 'notes before the report');
    const id = key(m.party, m.to, m.submission_id, m.index);
    need(!this.notes.has(id), 'equivocation', 'a batch twice');
    const batches = [...this.notes.values()].filter((n) => key(n.message.party, n.message.to, n.message.submission_id) === key(m.party, m.to, m.submission_id));
    const report = this.reportOf(m.party, m.to, m.submission_id) ?? this.reportOf(m.to, m.party, m.submission_id);
    if (report) need(batches.reduce((n, b) => n + b.message.hits, m.hits) <= report.hits.length, 'repeated', 'more notes than hits');
    this.notes.set(id, opened);
  }

  takeConfirmation(m, opened, time) {
    need(time <= this.manifest.window.closes_at + NOTES_DAYS, 'order', 'a confirmation that comes too late');
    const seen = this.sees(m.to) || this.sees(m.party);
    const notes = [...this.notes.values()].find((n) => n.digest === m.notes);
    if (seen) {
      need(notes && notes.message.party === m.to && notes.message.to === m.party, 'order', 'a confirmation before its notes');
      need(notes.message.sequence === m.notes_sequence && m.confirmed + m.refuted.length === notes.message.hits, 'malformed', 'a confirmation of other numbers');
    }
    need(!this.confirmations.has(m.notes), 'repeated', 'a second confirmation');
    this.confirmations.set(m.notes, opened);
  }

  takeEnding(m, opened) {
    need(!this.ending, 'equivocation', 'a second ending');
    if (m.outcome === 'closed') need(!this.sees(null) || this.viewer !== null || this.reports.size > 0, 'order', 'a close before any report');
    this.ending = opened;
  }

  takeClosing(m, opened) {
    if (!this.ending && this.sees(m.party)) {
      need(this.counterparts(m.party).every((q) => this.receipts.has(key(m.party, q, null))), 'order', 'a closing before all receipts');
    }
    this.last.set(m.party, opened);
  }
  takeRefusal(m, opened) {
    this.last.set(m.party, opened);
  }
  takeAlarm(m, opened) {
    const query = this.submissions.get(m.submission_id);
    need(query && query.message.party !== m.party && this.mayCompare(m.party, query.message.party), 'policy', 'an alarm over nothing');
    this.alarms.set(key(m.party, m.submission_id), opened);
  }
  takeWithheldAnswer(m, opened) {
    this.withheld.set(key(m.party, m.submission_id, m.state), opened);
  }

  takeWithdrawal(m, opened) {
    need(this.mayCompare(m.party, m.counterpart), 'policy', 'these two may not be compared');
    const receipt = this.receipts.get(key(m.party, m.counterpart, m.submission_id ?? null));
    need(receipt, 'order', 'a withdrawal before the receipt');
    const known = [...this.withdrawals.values()].filter((w) => w.message.party === m.party && w.message.counterpart === m.counterpart && w.message.ground === m.ground);
    need(known.reduce((n, w) => n + w.message.hits.length, m.hits.length) <= total(receipt.message.hits), 'order', 'more hits than were acknowledged');
    this.withdrawals.set(opened.digest, opened);
  }

  takeAcknowledgement(m, opened) {
    const withdrawal = this.withdrawals.get(m.withdrawal);
    need(withdrawal && withdrawal.message.counterpart === m.party, 'binding', 'a withdrawal that was not sent to this party');
    need(m.hits <= withdrawal.message.hits.length, 'malformed', 'more hits than were named');
    need(!this.acknowledgements.has(m.withdrawal), 'repeated', 'acknowledged twice');
    this.acknowledgements.set(m.withdrawal, opened);
  }

  takeOutcomes(m, opened) {
    for (const pair of m.pairs) {
      const receipts = [...this.receipts.values()].filter((r) => r.message.party === m.party && r.message.counterpart === pair.counterpart);
      for (const { level, certainty, ...counts } of pair.levels) {
        const most = receipts.reduce((n, r) => n + r.message.hits[level ?? certainty], 0);
        need(total(counts) <= most, 'order', 'more hits than were acknowledged');
      }
    }
    this.outcomes.set(m.party, opened);
  }

  takeFollowUp(m, opened) {
    need(this.mayCompare(m.party, m.to), 'policy', 'these two may not be compared');
    for (const [a, b] of [[m.party, m.to], [m.to, m.party]]) need(this.receipts.has(key(a, b, null)), 'order', 'a follow-up before the receipts');
    this.followUps.set(key(m.party, m.to, m.part), opened);
  }
}

export { key as recordKey };
