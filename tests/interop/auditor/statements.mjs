// Statements and the entries that they give (PROTOCOL.md 10.2, schemas/log/entries.md; check 8).
import { Fault, canonical, openEnvelope } from './encoding.mjs';

export const LEVELS = ['high', 'medium', 'low'];
export const REFUSED = ['evidence', 'statement_refused'];
const WITHOUT_ENVELOPE = ['report', 'disclosure'];

export const isRefused = (entry) => REFUSED.includes(entry.kind);
const levelsOf = (hits) => Object.fromEntries(LEVELS.map((level) => [level, hits[level]]));
const totalOf = (hits) => LEVELS.reduce((sum, level) => sum + hits[level], 0);
const ofWhat = (query) => (query == null ? { of: 'lists' } : { of: 'query', submission: query });

function sumsOf(pairs) {
  const sums = { hits: 0 };
  for (const { certainty, ...counts } of pairs.flatMap((pair) => pair.levels)) {
    for (const [name, number] of Object.entries(counts)) {
      sums[name] = (sums[name] ?? 0) + number;
      sums.hits += number;
    }
  }
  return sums;
}

/** For each kind of message: the kind of its entry, and what stands in it besides time, party, round, digest and sequence. */
const ENTRIES = {
  Manifest: (m) => ({
    kind: 'proposal',
    reason: { legal_basis: m.legal_basis, purpose: m.purpose, case_reference: null, category: m.category },
    counts: { participants: m.participants.length, pairs: m.pairs.length, retention_days: m.retention_days },
    ids: { mode: m.mode },
  }),
  Consent: (m) => ({ kind: 'consent', counts: { earlier_rounds: m.earlier_rounds.length }, digests: { manifest: m.manifest_digest } }),
  Opening: (m) => ({ kind: 'opening', counts: { participants: m.consents.length }, digests: { binding: m.binding } }),
  Locks: (m) => ({ kind: 'locks', counts: { halves: m.halves.length }, digests: { binding: m.binding } }),
  Submission: (m) => ({
    kind: 'submission',
    person: /^p-[0-9a-f]{12}$/.test(m.justification.officer) ? m.justification.officer : null,
    reason: Object.fromEntries(['legal_basis', 'purpose', 'case_reference', 'category'].map((name) => [name, m.justification[name]])),
    counts: { records: m.records, ...m.elements, chunks: m.chunks.length },
    ids: { submission: m.submission_id, kind: m.kind },
  }),
  Evaluation: (m) => ({
    kind: 'evaluation',
    recipient: m.origin,
    counts: { chunk: m.index, elements: m.elements },
    digests: { input: m.input_digest, output: m.output_digest },
    ids: { submission: m.submission_id, class: m.input_class },
  }),
  Tokens: (m) => ({
    kind: 'tokens',
    recipient: m.column.counterpart,
    counts: { rows: m.column.chunks.reduce((sum, chunk) => sum + chunk.rows, 0), chunks: m.column.chunks.length },
    ids: { submission: m.submission_id },
  }),
  Receipt: (m) => ({
    kind: 'receipt',
    recipient: m.counterpart,
    counts: { hits: totalOf(m.hits), ...levelsOf(m.hits) },
    digests: { report: m.report_digest },
    ids: ofWhat(m.submission_id),
  }),
  Confirmation: (m) => ({
    kind: 'note_received',
    recipient: m.to,
    counts: { confirmed: m.confirmed, refuted: m.refuted.length },
    digests: { notes: m.notes },
    ids: ofWhat(m.submission_id),
  }),
  Alarm: (m) => ({
    kind: 'fishing_alarm',
    counts: { hits: m.hits, expected_thousandths: m.expected },
    digests: { report: m.report_digest },
    ids: ofWhat(m.submission_id),
  }),
  WithheldAnswer: (m) => ({ kind: 'answer_withheld', ids: { ...ofWhat(m.submission_id), value: m.state } }),
  ReportCheck: (m) => ({
    kind: 'checked',
    recipient: m.counterpart,
    counts: { faults: m.fault === null ? 0 : 1, below: m.below },
    digests: { report: m.report_digest },
    ids: ofWhat(m.submission_id),
  }),
  Closing: (m) => ({ kind: 'closing', counts: { hits: m.hits } }),
  Refusal: () => ({ kind: 'refusal' }),
  Withdrawal: (m) => ({
    kind: 'withdrawal',
    recipient: m.counterpart,
    counts: { hits: m.hits.length },
    ids: { value: m.ground, ...(m.submission_id == null ? {} : ofWhat(m.submission_id)) },
  }),
  Acknowledgement: (m) => ({
    kind: 'withdrawal_acknowledged',
    counts: { hits: m.hits, erased: m.erased ? 1 : 0 },
    digests: { withdrawal: m.withdrawal },
  }),
  Outcomes: (m) => ({ kind: 'outcome', counts: sumsOf(m.pairs) }),
  FollowUp: (m) => ({ kind: 'follow_up_told', recipient: m.to, counts: { part: m.part } }),
  Ending: (m) => ({ kind: 'ending', ids: { outcome: m.outcome } }),
};

const EMPTY = { person: null, role: null, reason: null, recipient: null, counts: {}, digests: {}, ids: {} };

/** The kinds of entries that rest on a signed statement, whose envelope the matcher's log has. */
const SIGNED = [
  ...['answer_withheld', 'checked', 'closing', 'consent', 'ending', 'evaluation', 'fishing_alarm', 'follow_up_told', 'locks', 'note_received', 'opening'],
  ...['outcome', 'proposal', 'receipt', 'refusal', 'submission', 'tokens', 'withdrawal', 'withdrawal_acknowledged'],
];

/** Make an entry anew, with the time and salt of the one that stands there. */
function made(entry, fields) {
  const salt = entry.salt === undefined ? {} : { salt: entry.salt };
  return { ...EMPTY, log: 'aquila-log/1', time: entry.time, ...salt, ...fields };
}

function madeOf(entry, kind, message, digest) {
  const of = { round: message.round_id, digests: { statement: digest } };
  if (isRefused(entry) && message.sequence) {
    return made(entry, { ...of, kind: entry.kind, party: 'matcher', recipient: message.party, counts: { sequence: message.sequence } });
  }
  const fields = ENTRIES[kind](message);
  const counts = { ...fields.counts, ...(message.sequence ? { sequence: message.sequence } : {}) };
  return made(entry, { ...of, party: message.party ?? 'matcher', ...fields, counts, digests: { ...fields.digests, ...of.digests } });
}

const picked = (of, ...names) => Object.fromEntries(names.filter((name) => name in of).map((name) => [name, of[name]]));

const refusedForm = ({ round, recipient, counts, digests }) => ({
  party: 'matcher',
  round,
  recipient: recipient ?? '',
  counts: { sequence: counts.sequence },
  digests: { statement: digests.statement },
});

/** The forms of entries of whose statement no envelope needs to be there, and of matches. */
const FORMS = {
  match: ({ round, counts, ids, digests }) =>
    ids.left < ids.right && {
      party: 'matcher',
      round,
      counts: levelsOf(counts),
      digests: picked(digests, 'met'),
      ids: { ...picked(ids, 'left', 'right'), ...ofWhat(ids.submission) },
    },
  report: ({ round, recipient, counts, ids, digests }) => ({
    party: 'matcher',
    round,
    recipient: recipient ?? '',
    counts: { hits: counts.hits, ...levelsOf(counts), ...('page' in counts ? { page: counts.page, pages: counts.pages } : {}) },
    digests: { statement: digests.statement },
    ids: { ...ofWhat(ids.submission), counterpart: ids.counterpart },
  }),
  evidence: refusedForm,
  statement_refused: refusedForm,
  disclosure: ({ party, round, recipient, counts, ids, digests }) => ({
    party,
    round,
    recipient: recipient ?? '',
    counts: { notes: counts.notes, batch: counts.batch, sequence: counts.sequence },
    digests: { statement: digests.statement },
    ids: ofWhat(ids.submission),
  }),
};

function hasForm(entry) {
  const fields = entry.round !== null && FORMS[entry.kind](entry);
  return fields && sameEntry(made(entry, { kind: entry.kind, ...fields }), entry);
}

const sameEntry = (one, other) => canonical(one) === canonical(other);

/** Check every statement, and make its entry again; return them by the index of their entries. */
export function readStatements(log) {
  const said = new Map();
  const seen = new Map();
  log.entries.forEach((entry, index) => {
    if (entry && entry.kind in FORMS && !hasForm(entry)) throw new Fault(8, `entry ${index}`, `it does not have the form of a ${entry.kind}`);
  });
  log.entries.forEach((entry, index) => {
    const wrong = (sentence) => new Fault(8, `entry ${index}`, sentence);
    const envelope = log.envelopes[index];
    const digest = entry?.digests.statement;
    if (!digest || WITHOUT_ENVELOPE.includes(entry.kind)) {
      if (envelope.length) throw wrong('there is a statement for it, and it is about none');
      if (entry && !digest && log.holder === 'matcher' && SIGNED.includes(entry.kind)) throw wrong('the statement that it is about is missing');
      return;
    }
    if (!envelope.length && isRefused(entry)) return;
    if (!envelope.length) throw wrong('the statement that it is about is missing');
    let opened;
    try {
      opened = openEnvelope(envelope, log.registry);
    } catch (error) {
      throw wrong(`its statement is not valid: ${error.message}`);
    }
    log.keys.check(8, `entry ${index}`, opened.holder, opened.key, index);
    if (opened.digest !== digest) throw wrong('the statement there is another one');
    if (!isRefused(entry) && seen.has(digest)) throw wrong(`its statement is that of entry ${seen.get(digest)} already`);
    if (!isRefused(entry)) seen.set(digest, index);
    if (!(opened.kind in ENTRIES)) throw wrong('no entry is made of such a statement');
    if (!sameEntry(madeOf(entry, opened.kind, opened.message, digest), entry)) throw wrong('it says something else than its statement');
    said.set(index, opened);
  });
  return said;
}
