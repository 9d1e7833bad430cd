// The rules of a round, as a record that sees everything takes its statements (PROTOCOL.md, section 3; check 9).
import { ed25519, ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { bytesOf, canonical, digest, framed, hex, joined, unhex } from './encoding.mjs';

const DAY = 86_400;
const LEVELS = ['high', 'medium', 'low'];
const CLASSES = ['full', 'partial', 'coarse'];
const PER_RECORD = { full: 10, partial: 15, coarse: 17 };
const [DUMMIES, QUERY_DUMMIES, QUERIES, TAGS_OF_A_RECORD] = [4096, 128, 256, 128];
const [CHANGES_OF_A_HIT, MOST_CHANGES_TOLD, HITS_OF_A_PART] = [8, 1000, 4096];
const NOT_AFTER_THE_END = ['Consent', 'Locks', 'Submission', 'Evaluation', 'Tokens'];
const NOT_AFTER_THE_LAST = [...NOT_AFTER_THE_END, 'Receipt', 'ReportCheck', 'Alarm', 'WithheldAnswer', 'Closing', 'Refusal'];
const WITHOUT_BINDING = ['Consent', 'Closing', 'Refusal'];

export class NotAllowed extends Error {}

function refuseIf(condition, sentence) {
  if (condition) throw new NotAllowed(sentence);
}

/** The name of a report, and of what its party says of it. */
export const keyOf = (party, counterpart, query) => `${party}/${counterpart}/${query ?? ''}`;
export const sidesOf = (key) => {
  const [party, counterpart, query] = key.split('/');
  return { party, counterpart, query: query || null, other: keyOf(counterpart, party, query) };
};
const reportOf = (m) => keyOf(m.party, m.counterpart, m.submission_id);

// 3.3.2 and 4.2: each share is known to its holder.

const { Point } = ristretto255;
const ORDER = ed25519.Point.Fn.ORDER;
const scalarOf = (bytes) => BigInt(`0x${hex(bytes.slice().reverse())}`);
const known = new Map();

function isKnown(manifestDigest, consent, share) {
  const [key, proof] = [unhex(share.public_key), unhex(share.proof)];
  const keys = [...consent.shares.map((one) => one.public_key), consent.sealing_key].map(unhex);
  const context = framed('aquila/2 share', unhex(manifestDigest), consent.party, share.input_class, ...keys);
  const name = hex(joined(context, proof));
  if (!known.has(name)) known.set(name, verifiesKnowledge(key, proof, context));
  return known.get(name);
}

function verifiesKnowledge(key, proof, context) {
  const [c, s] = [scalarOf(proof.slice(0, 32)), scalarOf(proof.slice(32))];
  const element = Point.fromBytes(key);
  if (c >= ORDER || s >= ORDER || element.is0()) return false;
  const commitment = Point.BASE.multiplyUnsafe(s).add(element.multiplyUnsafe(c));
  const transcript = framed(Point.BASE.toBytes(), key, commitment.toBytes(), context);
  return ristretto255_hasher.hashToScalar(transcript, { DST: bytesOf('aquila/2 proof of knowledge') }) === c;
}

/** 4.6: whether something can be sealed to an X-Wing key: ML-KEM-768's coefficients are reduced, X25519's part is there. */
function canBeSealedTo(text) {
  const key = unhex(text);
  if (key.length !== 1216) return false;
  for (let place = 0; place < 1152; place += 3) {
    const [one, two, three] = key.slice(place, place + 3);
    if ((one | ((two & 15) << 8)) >= 3329 || ((two >> 4) | (three << 4)) >= 3329) return false;
  }
  return key.slice(1184).some((octet) => octet);
}

/** The record of one round. Of a round that lacks entries it is what a party would have: it does not see everything. */
export class Round {
  consents = new Map();
  participants = [];
  bindings = [];
  locks = new Set();
  submissions = new Map();
  evaluations = new Set();
  columns = new Map();
  reports = new Map();
  reported = new Map();
  met = new Map();
  receipts = new Map();
  notes = new Map();
  batches = new Map();
  confirmations = new Map();
  checked = new Map();
  alarms = new Map();
  withheld = new Map();
  closings = new Set();
  refusals = new Set();
  withdrawals = new Map();
  withdrawn = new Set();
  acknowledged = new Set();
  told = new Map();
  followUps = new Map();
  sequences = new Map();
  ending = null;

  constructor(opened, registry, seesEverything) {
    const { message: manifest, digest: manifestDigest, holder, kind } = opened;
    refuseIf(kind !== 'Manifest' || holder !== 'matcher', 'the matcher did not sign the manifest');
    for (const { party, identity_fingerprint: print } of manifest.participants) {
      refuseIf(registry.byFingerprint.get(print)?.holder !== party, `the manifest names another identity key of ${party}`);
    }
    const parties = manifest.participants.map(({ party }) => party);
    refuseIf(`${parties}` !== `${[...new Set(parties)].sort()}` || `${manifest.caps.map(({ party }) => party)}` !== `${parties}`, 'the parties of the manifest are out of order');
    const { consent_by: one, submit_by: two, evaluate_by: three, closes_at: four } = manifest.window;
    refuseIf(!(one <= two && two <= three && three <= four), 'the deadlines do not follow each other');
    Object.assign(this, { id: manifest.round_id, manifest, manifestDigest, seesEverything });
  }

  get binding() {
    return this.bindings.at(-1);
  }

  mayMatch(one, other) {
    return this.manifest.pairs.some(([left, right]) => (left === one && right === other) || (left === other && right === one));
  }

  counterpartsOf(party) {
    return this.participants.filter((other) => other !== party && this.mayMatch(party, other));
  }

  listOf(party) {
    return [...this.submissions.values()].find((one) => one.party === party && one.kind === 'list')?.submission_id;
  }

  isQuery(id) {
    return this.submissions.get(id)?.kind === 'query';
  }

  /** The reports of the lists, or of a query: one for each side of each pair. */
  reportsOf(query) {
    const askers = query ? [this.submissions.get(query).party] : this.participants;
    const asked = askers.flatMap((party) => this.counterpartsOf(party).map((other) => keyOf(party, other, query)));
    return query ? [...asked, ...asked.map((key) => sidesOf(key).other)] : asked;
  }

  compares(key) {
    const { party, counterpart, query } = sidesOf(key);
    if (query && !(this.isQuery(query) && [party, counterpart].includes(this.submissions.get(query).party))) return false;
    return this.participants.includes(party) && this.counterpartsOf(party).includes(counterpart);
  }

  /** The two columns that a report rests on; of a party without a list there is none. */
  columnsOf(key) {
    const { party, counterpart, query } = sidesOf(key);
    const of = (one) => (query && this.submissions.get(query)?.party === one ? query : this.listOf(one));
    return [[party, counterpart], [counterpart, party]].map(([one, other]) => this.columns.get(`${of(one)}/${other}`));
  }

  canBeJoined(key) {
    return this.columnsOf(key).every(Boolean);
  }

  /** Whether the time for a pair of lists was over before both of its columns were there. */
  isMissed(key, now) {
    const { party, counterpart } = sidesOf(key);
    const { submit_by: submitBy, evaluate_by: evaluateBy } = this.manifest.window;
    return !this.canBeJoined(key) && now > (this.listOf(party) && this.listOf(counterpart) ? evaluateBy : submitBy);
  }

  missingEvaluations(id, evaluator) {
    return this.submissions.get(id).chunks.filter((_, index) => !this.evaluations.has(`${id}/${index}/${evaluator}`)).length;
  }

  isRefused(key) {
    return [key, sidesOf(key).other].some((one) => this.withheld.get(one) === 'refused');
  }

  /** How many hits a party has acknowledged, by counterpart and level. */
  acknowledgedHits(party) {
    const found = new Map();
    for (const receipt of [...this.receipts.values()].filter((one) => one.party === party)) {
      for (const [level, hits] of Object.entries(receipt.hits)) {
        const name = `${receipt.counterpart}/${level}`;
        found.set(name, (found.get(name) ?? 0) + hits);
      }
    }
    return found;
  }

  allHits(party) {
    return [...this.acknowledgedHits(party).values()].reduce((sum, hits) => sum + hits, 0);
  }

  /** Take a statement, at the time at which it came, or throw NotAllowed and stay as it is. */
  accept({ kind, message, digest: name, holder }, now) {
    if (!('party' in message)) {
      refuseIf(holder !== 'matcher', 'the matcher did not sign it');
      RULES[kind](this, message, name, now);
      return;
    }
    const { party, sequence } = message;
    refuseIf(party !== holder || !this.manifest.participants.some((one) => one.party === party), `${party} did not sign it`);
    const spoken = this.sequences.get(party) ?? new Map();
    if (spoken.get(sequence) === name) return;
    refuseIf(spoken.has(sequence), `${party} said something else under the number ${sequence}`);
    refuseIf(this.ending && NOT_AFTER_THE_END.includes(kind), 'the round has ended');
    refuseIf(!message.log_head && kind !== 'Refusal', 'it names no head of the log');
    const isOver = this.refusals.has(party) || this.closings.has(party);
    refuseIf(isOver && NOT_AFTER_THE_LAST.includes(kind) && !(kind === 'ReportCheck' && message.submission_id), `${party} has said its last word`);
    if (!WITHOUT_BINDING.includes(kind)) {
      refuseIf(!this.bindings.length, 'the round is not open yet');
      refuseIf(!this.bindings.includes(message.binding), 'it names another binding');
      refuseIf(!this.participants.includes(party), `${party} takes no part`);
    }
    refuseIf(!RULES[kind], 'a round has no rule for it');
    RULES[kind](this, message, name, now);
    this.sequences.set(party, spoken.set(sequence, name));
  }
}

const inTime = (now, deadline) => refuseIf(now > deadline, 'its time is over');
const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);

/** Of each kind of statement what must hold, and what it changes. */
const RULES = {
  Consent(round, m, name, now) {
    refuseIf(m.manifest_digest !== round.manifestDigest, 'it is of another manifest');
    refuseIf(round.consents.has(m.party), `${m.party} has consented`);
    refuseIf(round.bindings.length, 'the round is open');
    inTime(now, round.manifest.window.consent_by);
    const { elements: caps } = round.manifest.caps.find(({ party }) => party === m.party);
    refuseIf(CLASSES.some((one) => m.elements[one] > caps[one]), 'it declares more than the manifest allows');
    const own = m.shares.map((share) => share.public_key);
    const others = [...round.consents.values()].flatMap(({ message }) => message.shares.map((share) => share.public_key));
    refuseIf(`${m.shares.map((share) => share.input_class)}` !== `${CLASSES}`, 'it has no share of each class');
    refuseIf(new Set([...own, ...others]).size !== own.length + others.length, 'a share is used twice');
    refuseIf(!m.shares.every((share) => isKnown(round.manifestDigest, m, share)), 'a proof of knowledge does not verify');
    refuseIf(!canBeSealedTo(m.sealing_key), 'nothing can be sealed to its key');
    round.consents.set(m.party, { message: m, digest: name });
  },

  Opening(round, m) {
    refuseIf(round.bindings.length || round.ending, 'the round is open or over');
    refuseIf(m.consents.some(({ party, digest: one }) => round.consents.get(party)?.digest !== one), 'it names a consent that did not come');
    const consents = m.consents.map(({ party, digest: one }) => framed('consent', party, unhex(one)));
    refuseIf(digest('aquila/2 binding', unhex(round.manifestDigest), ...consents) !== m.binding, 'the binding is another one');
    round.bindings.push(m.binding);
    round.participants = m.consents.map(({ party }) => party);
  },

  Locks(round, m, name, now) {
    refuseIf(round.locks.has(m.party), `${m.party} has signed its locks`);
    refuseIf(`${m.halves.map((half) => half.counterpart)}` !== `${round.counterpartsOf(m.party).sort()}`, 'they are for other parties');
    inTime(now, round.manifest.window.submit_by);
    round.locks.add(m.party);
  },

  Submission(round, m, name, now) {
    const { mode, window, chunk_elements: most } = round.manifest;
    const own = [...round.submissions.values()].filter((one) => one.party === m.party);
    refuseIf(!round.locks.has(m.party), `${m.party} submits before it has signed its locks`);
    refuseIf(m.kind === 'query' && (mode !== 'lists_and_queries' || own.filter((one) => one.kind === 'query').length >= QUERIES), 'no such query');
    refuseIf((m.kind === 'list' && round.listOf(m.party)) || round.submissions.has(m.submission_id), 'it was submitted before');
    inTime(now, m.kind === 'list' ? window.submit_by : window.closes_at);
    for (const one of CLASSES) {
      const sizes = m.chunks.filter((chunk) => chunk.input_class === one).map((chunk) => chunk.elements);
      refuseIf(sum(sizes) !== m.elements[one] || sizes.some((size) => size > most) || sizes.slice(0, -1).some((size) => size < most), 'its chunks do not fit');
      const declared = round.consents.get(m.party).message.elements[one];
      refuseIf(sum([m, ...own].map((of) => of.elements[one])) > declared, `it has more elements than ${m.party} declared`);
    }
    round.submissions.set(m.submission_id, m);
  },

  Evaluation(round, m) {
    const submission = round.submissions.get(m.submission_id);
    refuseIf(submission?.party !== m.origin, `${m.origin} has no such submission`);
    refuseIf(!round.counterpartsOf(m.origin).includes(m.party), `${m.party} does not evaluate for ${m.origin}`);
    refuseIf(!round.locks.has(m.party), `${m.party} evaluates before its locks`);
    const chunk = submission.chunks[m.index];
    refuseIf(!chunk || chunk.input_class !== m.input_class || chunk.elements !== m.elements || chunk.digest !== m.input_digest, 'the chunk is another one');
    const key = `${m.submission_id}/${m.index}/${m.party}`;
    refuseIf(round.evaluations.has(key), 'it was evaluated before');
    round.evaluations.add(key);
  },

  Tokens(round, m) {
    const submission = round.submissions.get(m.submission_id);
    refuseIf(m.binding !== round.binding, 'it names an earlier binding');
    refuseIf(submission?.party !== m.party, `${m.party} has no such submission`);
    const { counterpart, chunks, pieces, rules } = m.column;
    refuseIf(!round.counterpartsOf(m.party).includes(counterpart), `${m.party} and ${counterpart} may not be compared`);
    const key = `${m.submission_id}/${counterpart}`;
    const before = [...round.columns].find(([one]) => one.startsWith(`${m.submission_id}/`))?.[1];
    refuseIf(round.columns.has(key), 'its tokens came before');
    refuseIf(`${chunks.map((chunk) => chunk.rows)}` !== `${submission.chunks.map((chunk) => chunk.elements)}`, 'it has another number of rows');
    refuseIf(before && canonical(before.rules) !== canonical(rules), 'its columns have other numbers of rows under a rule');
    refuseIf(!round.listOf(counterpart), `tokens before the list of ${counterpart}`);
    refuseIf(round.seesEverything && round.missingEvaluations(m.submission_id, counterpart), `tokens before the evaluations of ${counterpart}`);
    refuseIf(submission.kind === 'query' && !round.canBeJoined(keyOf(m.party, counterpart)), "a query's tokens before those of the lists");
    const { elements } = round.consents.get(m.party).message;
    const declared = Math.max(...CLASSES.map((one) => Math.ceil(elements[one] / PER_RECORD[one])));
    const planned = round.manifest.mode === 'lists_and_queries' ? QUERIES * QUERY_DUMMIES : 0;
    const dummies = submission.kind === 'query' ? QUERY_DUMMIES : DUMMIES + planned;
    refuseIf(sum(pieces.map((piece) => piece.tags)) > dummies + TAGS_OF_A_RECORD * Math.min(submission.records, declared), 'it has too many tags');
    round.columns.set(key, m.column);
  },

  Receipt(round, m) {
    const key = reportOf(m);
    refuseIf(m.binding !== round.binding, 'it names an earlier binding');
    refuseIf(round.reports.get(key) !== m.report_digest, `${m.party} tells of a report that it was not sent`);
    refuseIf(round.receipts.has(key) || round.isRefused(key), 'there is a receipt, or the answer was refused');
    const reported = round.reported.get(key);
    refuseIf(reported && `${LEVELS.map((level) => m.hits[level])}` !== `${reported}`, 'it has other hits than the report');
    round.receipts.set(key, m);
  },

  ReportCheck(round, m) {
    const [key, query] = [reportOf(m), m.submission_id];
    refuseIf(m.binding !== round.binding, 'it names an earlier binding');
    refuseIf(!round.compares(key) || !round.canBeJoined(key), 'there is nothing to check');
    refuseIf(round.checked.has(key) || round.isRefused(key), 'it was checked, or the answer was refused');
    const isOwner = query && round.submissions.get(query).party !== m.party;
    refuseIf(isOwner && !round.checked.has(sidesOf(key).other), "the owner's check before the asker's");
    const untold = round.seesEverything ? null : m.report_digest;
    refuseIf((round.reports.get(key) ?? untold) !== m.report_digest, `${m.party} tells of a report that it was not sent`);
    refuseIf(round.met.has(key) && round.met.get(key) !== m.met, 'it names other tags than the match');
    round.checked.set(key, m);
  },

  Alarm(round, m) {
    const query = round.submissions.get(m.submission_id);
    const key = keyOf(m.party, query?.party, m.submission_id);
    refuseIf(m.binding !== round.binding, 'it names an earlier binding');
    refuseIf(!round.isQuery(m.submission_id) || query.party === m.party, 'it is over no query');
    refuseIf(round.alarms.has(key) || round.receipts.has(key), 'the report was answered');
    refuseIf(round.reports.get(key) !== m.report_digest, `${m.party} tells of a report that it was not sent`);
    round.alarms.set(key, m);
  },

  WithheldAnswer(round, m) {
    const query = round.submissions.get(m.submission_id);
    refuseIf(m.binding !== round.binding, 'it names an earlier binding');
    refuseIf(!round.isQuery(m.submission_id) || !round.counterpartsOf(query.party).includes(m.party), 'it is of no query');
    const key = keyOf(m.party, query.party, m.submission_id);
    refuseIf(round.reports.has(sidesOf(key).other) || round.receipts.has(key), 'it comes too late');
    refuseIf(round.withheld.get(key) !== (m.state === 'on_hold' ? undefined : 'on_hold'), 'it comes out of order');
    refuseIf(round.seesEverything && !round.alarms.has(key), 'it comes before the alarm');
    round.withheld.set(key, m.state);
  },

  Confirmation(round, m, name, now) {
    const sent = round.notes.get(m.notes);
    refuseIf(m.binding !== round.binding, 'it names an earlier binding');
    refuseIf(!sent && round.seesEverything, 'the confirmation is of no notes that were sent');
    refuseIf(sent && sent.key !== keyOf(m.to, m.party, m.submission_id), 'it confirms notes for another party');
    refuseIf(round.confirmations.has(m.notes), 'they were confirmed');
    refuseIf(sent && (sent.number !== m.notes_sequence || sent.hits !== m.confirmed + m.refuted.length), 'it confirms notes of another number');
    inTime(now, round.manifest.window.closes_at + 7 * DAY);
    round.confirmations.set(m.notes, m);
  },

  Closing(round, m) {
    refuseIf(!(round.bindings.length ? round.bindings : [null]).includes(m.binding), 'it is of another round');
    const all = round.participants.length && round.counterpartsOf(m.party).every((other) => round.receipts.has(keyOf(m.party, other)));
    refuseIf(round.seesEverything && !round.ending && !all, 'a closing before its hits');
    round.closings.add(m.party);
  },

  Refusal(round, m) {
    round.refusals.add(m.party);
  },

  Ending(round, m) {
    refuseIf(round.ending, 'the round has ended');
    refuseIf(m.outcome === 'closed' && !(round.seesEverything ? round.reports.size : round.bindings.length), 'it is closed before a report');
    round.ending = m;
  },

  Withdrawal(round, m, name, now) {
    const { hits, ground, party, counterpart, submission_id: query } = m;
    inTime(now, round.manifest.window.closes_at + round.manifest.retention_days * DAY);
    refuseIf(!round.counterpartsOf(party).includes(counterpart), `${party} has no hits with ${counterpart}`);
    const report = keyOf(counterpart, party, query);
    refuseIf(query && (!round.isQuery(query) || (round.seesEverything && !round.reports.has(report)) || round.isRefused(report)), 'the asker has no report');
    const names = hits.map((hit) => `${party}/${hit}/${ground === 'erased'}`);
    refuseIf(names.some((one) => round.withdrawn.has(one)), 'hits were withdrawn before');
    const all = new Set([...round.withdrawn, ...names].filter((one) => one.startsWith(`${party}/`)).map((one) => one.split('/')[1]));
    refuseIf(round.seesEverything && all.size > round.allHits(party), 'they are more hits than were acknowledged');
    round.withdrawals.set(name, m);
    names.forEach((one) => round.withdrawn.add(one));
  },

  Acknowledgement(round, m, name, now) {
    const withdrawal = round.withdrawals.get(m.withdrawal);
    inTime(now, round.manifest.window.closes_at + round.manifest.retention_days * DAY);
    refuseIf(withdrawal?.counterpart !== m.party || round.acknowledged.has(m.withdrawal), 'there is nothing to acknowledge');
    refuseIf(m.hits > withdrawal.hits.length, 'it had more hits than were withdrawn');
    round.acknowledged.add(m.withdrawal);
  },

  Outcomes(round, m, name, now) {
    const told = round.told.get(m.party) ?? 0;
    refuseIf(round.seesEverything && told > CHANGES_OF_A_HIT * round.allHits(m.party), 'it tells of outcomes too often');
    inTime(now, round.manifest.window.closes_at + round.manifest.retention_days * DAY);
    refuseIf(m.pairs.some((pair) => !round.counterpartsOf(m.party).includes(pair.counterpart)), 'it is of hits with others');
    const known = round.acknowledgedHits(m.party);
    const beyond = m.pairs.some(({ counterpart, levels }) =>
      levels.some(({ certainty, ...counts }) => sum(Object.values(counts)) > (known.get(`${counterpart}/${certainty}`) ?? 0)));
    refuseIf(round.seesEverything && beyond, 'they are more hits than were acknowledged');
    round.told.set(m.party, told + 1);
  },

  FollowUp(round, m, name, now) {
    const [key, sides] = [`${m.party}/${m.to}/${m.part}`, [keyOf(m.party, m.to), keyOf(m.to, m.party)]];
    const third = round.counterpartsOf(m.party).filter((one) => round.counterpartsOf(m.to).includes(one)).length;
    const receipt = round.receipts.get(sides[0]) ?? round.receipts.get(sides[1]);
    const hits = Math.min(HITS_OF_A_PART, sum(Object.values(receipt?.hits ?? {})) - m.part * HITS_OF_A_PART);
    const told = round.followUps.get(key) ?? 0;
    refuseIf(round.seesEverything && told > third + Math.min(MOST_CHANGES_TOLD, CHANGES_OF_A_HIT * Math.max(0, hits)), 'it tells of a follow-up too often');
    inTime(now, round.manifest.window.closes_at + round.manifest.retention_days * DAY);
    refuseIf(!round.counterpartsOf(m.party).includes(m.to), `${m.party} has no hits with ${m.to}`);
    refuseIf(round.seesEverything && !sides.every((one) => round.receipts.has(one)), 'a follow-up before both receipts');
    const letters = 4 * Math.ceil((12 + hits * (17 + 20 * third) + 16) / 3);
    refuseIf(receipt && (hits <= 0 || m.sealed.length !== letters), 'a follow-up of another size');
    round.followUps.set(key, told + 1);
  },
};
