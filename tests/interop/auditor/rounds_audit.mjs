// Every round of a matcher's log, and the two persons behind what needs two (PROTOCOL.md 10.6, 10.6.1 and 10.7; checks 9 to 14).
import { canonical, bytesOf, Fault, hex, same, sha256 } from './encoding.mjs';
import { Frontier } from './log.mjs';
import { NotAllowed, Round, keyOf, sidesOf } from './rounds.mjs';
import { LEVELS, REFUSED, isRefused } from './statements.mjs';

const MOST_REFUSED = 100;
const DAY = 86_400;
const OF_ROUNDS = ['report', 'match', 'disclosure'];
const levelsOf = (counts) => LEVELS.map((level) => counts[level]);
const totalOf = (levels) => levels.reduce((sum, hits) => sum + hits, 0);
const placeOf = (index) => `entry ${index}`;

/** Check a log's statements against its rounds and persons; add to what is not proven. */
export function auditRounds(log, said) {
  const persons = personsOf(log);
  checkRegistry(log, persons);
  if (log.holder !== 'matcher') return checkParty(log, said, persons);
  const wrong = wrongHeads(log, said);
  const rounds = takeRounds(log, said, wrong);
  for (const of of rounds.values()) {
    checkRoundsPersons(log, of, persons);
    if (!of.leftOut) {
      checkToldWithEnding(of);
      checkHits(log, of);
      checkTags(log, of);
      checkComplete(log, of);
      checkQueries(log, of);
    }
    checkNumbers(log, of);
    if (!of.leftOut) checkStatistics(log, of);
    checkWitnessed(log, of);
  }
  for (const [index, sentence] of wrong) if (!isRefused(log.entries[index])) throw new Fault(14, placeOf(index), sentence);
  return rounds;
}

// 14: heads that statements name (3.2.5).

function wrongHeads(log, said) {
  const named = [...said].filter(([, { message }]) => message.log_head).map(([index, { message }]) => [message.log_head, index]);
  const [tree, found] = [new Frontier(), new Map()];
  for (const [head, index] of named.sort(([one, a], [other, b]) => one.size - other.size || a - b)) {
    if (head.size > index) found.set(index, 'it names a head of more entries than came before it');
    else if (hex(tree.head(log.leaves, head.size)) !== head.root) found.set(index, 'it names a head of another log');
  }
  return new Map([...found].sort(([one], [other]) => one - other));
}

// 9: rounds in the order of the log.

function takeRounds(log, said, wrong) {
  const proposed = new Map();
  const last = new Map();
  log.entries.forEach((entry, index) => {
    if (!entry?.round) return;
    last.set(entry.round, index);
    if (entry.kind !== 'proposal') return;
    if (proposed.has(entry.round)) throw new Fault(9, placeOf(index), `its round was proposed before, by entry ${proposed.get(entry.round)}`);
    proposed.set(entry.round, index);
  });
  const erased = (index) => !log.entries[index] && !log.leftOut.has(index);
  const isPruned = (id) => proposed.has(id) && log.entries.slice(0, last.get(id)).some((_, index) => index > proposed.get(id) && erased(index));
  const pruned = new Set([...proposed.keys()].filter(isPruned));
  const rounds = new Map();
  log.entries.forEach((entry, index) => {
    if (!entry?.round || pruned.has(entry.round)) return;
    try {
      if (entry.kind === 'proposal') rounds.set(entry.round, begin(log, entry, said.get(index)));
      const of = rounds.get(entry.round);
      if (of) take(log, of, index, said.get(index), wrong.has(index));
      else refuse(said.has(index) || OF_ROUNDS.includes(entry.kind), 'it is of a round that was never proposed');
    } catch (error) {
      throw error instanceof NotAllowed ? new Fault(9, placeOf(index), error.message) : error;
    }
  });
  return rounds;
}

function refuse(condition, sentence) {
  if (condition) throw new NotAllowed(sentence);
}

function begin(log, entry, opened) {
  const leftOut = log.leftOutRounds[entry.round] ?? 0;
  const round = new Round(opened, log.registry, !leftOut);
  const maps = ['entries', 'reported', 'pages', 'matched', 'met', 'lastWords', 'numbers'].map((name) => [name, new Map()]);
  return { round, leftOut, openedAt: null, ...Object.fromEntries(maps) };
}

function numbersOf(of, party) {
  if (!of.numbers.has(party)) of.numbers.set(party, { entered: new Set(), unseen: new Map(), refused: new Set(), unshown: [], kinds: [], givenUp: [] });
  return of.numbers.get(party);
}

function take(log, of, index, opened, isWrong) {
  const [entry, { round }] = [log.entries[index], of];
  of.entries.set(index, entry);
  if (entry.kind === 'ending') of.toldWithEnding = null;
  else if (opened || ['match', 'disclosure'].includes(entry.kind)) checkToldWithEnding(of);
  if (entry.kind === 'report') takeReport(of, index, entry);
  if (entry.kind === 'disclosure') takeNotes(of, index, entry);
  if (entry.kind === 'match') takeMatch(of, entry);
  if (isRefused(entry)) {
    const { refused, unshown, kinds } = numbersOf(of, entry.recipient);
    kinds.push(entry.kind);
    if (!opened) unshown.push([entry.counts.sequence, entry.digests.statement]);
    else refused.add(entry.counts.sequence);
    if (isWrong) log.unproven.push('head_refused');
    else if (opened) refuse(!of.leftOut && allows(round, opened, entry.time), `it was refused, and the round allows it`);
    return;
  }
  if (!opened || entry.kind === 'proposal') return;
  const { message } = opened;
  round.accept(opened, entry.time);
  if (entry.kind === 'opening') {
    of.openedAt = index;
    refuse(!of.leftOut && !mayOpen(round, entry.time), 'it is opened before everybody has answered, or without two that may be compared');
  }
  if (!message.party) return;
  of.lastWords.set(message.party, index);
  const numbers = numbersOf(of, message.party);
  numbers.entered.add(message.sequence);
  numbers.givenUp.push(...(message.given_up ?? []));
}

function checkToldWithEnding({ toldWithEnding: told }) {
  if (told) throw new Fault(9, placeOf(told.index), `${told.party} is sent a report before the owner's receipt, and the round goes on`);
}

/** 3.3.4: whether everybody has answered, or had the time for it, and two may be compared. */
function mayOpen({ manifest, consents, refusals }, time) {
  const answered = manifest.participants.every(({ party }) => consents.has(party) || refusals.has(party));
  return (answered || time > manifest.window.consent_by) && manifest.pairs.some((pair) => pair.every((party) => consents.has(party)));
}

function allows(round, opened, time) {
  try {
    round.accept(opened, time);
    return true;
  } catch (error) {
    if (!(error instanceof NotAllowed)) throw error;
    return false;
  }
}

function takeMatch(of, { ids, counts, digests }) {
  const key = keyOf(ids.left, ids.right, ids.submission);
  refuse(of.matched.has(key) || !of.round.mayMatch(ids.left, ids.right), `${ids.left} and ${ids.right} are matched twice, or may not be`);
  of.matched.set(key, levelsOf(counts));
  of.met.set(key, digests.met ?? null);
  for (const side of [key, sidesOf(key).other]) of.round.met.set(side, digests.met ?? null);
}

function takeReport(of, index, { recipient, ids, counts, digests }) {
  const key = keyOf(recipient, ids.counterpart, ids.submission);
  const { round } = of;
  const isDue = round.bindings.length && round.compares(key) && round.canBeJoined(key);
  refuse(!isDue || round.withheld.get(sidesOf(key).other) === 'refused', `${recipient} is sent a report that is not due`);
  const isAsker = ids.submission && round.submissions.get(ids.submission).party === recipient;
  const { other } = sidesOf(key);
  if (!of.leftOut && isAsker && !round.receipts.has(other)) {
    refuse(round.ending || round.alarms.has(other) || round.closings.has(ids.counterpart), `${recipient} is sent a report that is held back`);
    of.toldWithEnding = { index, party: recipient };
  }
  refuse(of.reported.has(key), `${recipient} is sent a second report of the same`);
  refuse(totalOf(levelsOf(counts)) !== counts.hits, 'its numbers of hits do not add up');
  const { page = 0, pages = 1 } = counts;
  const before = of.pages.get(key) ?? { taken: 0, levels: [0, 0, 0] };
  of.pages.delete(key);
  refuse(page !== before.taken || page >= pages, 'a page of the report is not the next one');
  const levels = levelsOf(counts).map((hits, place) => hits + before.levels[place]);
  if (page + 1 < pages) {
    of.pages.set(key, { taken: page + 1, levels });
    return;
  }
  round.reports.set(key, digests.statement);
  round.reported.set(key, levels);
  of.reported.set(key, levels);
}

function takeNotes(of, index, { party, recipient, ids, counts, digests }) {
  const { round } = of;
  const key = keyOf(party, recipient, ids.submission);
  refuse(![key, sidesOf(key).other].every((one) => of.reported.has(one)), `${party} sends notes that are not due`);
  const batches = round.batches.get(key) ?? new Set();
  refuse(batches.has(counts.batch), `${party} sends a batch of notes twice`);
  const numbers = numbersOf(of, party);
  refuse(numbers.entered.has(counts.sequence) || numbers.unseen.has(counts.sequence), `${party} said something else under its number`);
  round.batches.set(key, batches.add(counts.batch));
  round.notes.set(digests.statement, { key, number: counts.sequence, hits: counts.notes });
  numbers.unseen.set(counts.sequence, digests.statement);
  round.sequences.set(party, (round.sequences.get(party) ?? new Map()).set(counts.sequence, digests.statement));
  of.lastWords.set(party, index);
}

// 10: matches, reports, receipts and checks.

const inRound = ({ round }) => `round ${round.id}`;

function checkHits(log, of) {
  const { round, reported, matched } = of;
  const fault = (sentence) => new Fault(10, inRound(of), sentence);
  const queries = new Set([...reported.keys()].map((key) => sidesOf(key).query));
  for (const key of [...queries].flatMap((query) => round.reportsOf(query))) {
    const { party, counterpart, other } = sidesOf(key);
    const isTold = reported.has(key) || reported.has(other);
    if (!matched.has(party < counterpart ? key : other) && isTold) throw fault(`${party} and ${counterpart} were not matched`);
  }
  for (const [key, levels] of reported) {
    const { party, counterpart, other } = sidesOf(key);
    if (!same(matched.get(party < counterpart ? key : other), levels)) throw fault(`${party} was told of other hits with ${counterpart} than were matched`);
  }
  if (!reported.size) return;
  for (const key of matched.keys()) if (![key, sidesOf(key).other].some((side) => round.receipts.has(side))) log.unproven.push('hits');
  for (const key of reported.keys()) if (!round.receipts.has(key)) log.unproven.push({ what: 'report', party: sidesOf(key).party, digest: round.reports.get(key) });
}

function checkTags(log, of) {
  const { round, met, reported } = of;
  for (const [key, tags] of met) {
    const sides = [key, sidesOf(key).other];
    const { query } = sidesOf(key);
    const asker = query && round.submissions.get(query)?.party;
    if (query && !sides.some((side) => reported.has(side) && sidesOf(side).party === asker)) continue;
    const found = sides.map((side) => round.checked.get(side));
    for (const check of found) {
      if (!check) log.unproven.push('not_checked');
      else if (check.met !== tags) throw new Fault(10, inRound(of), `${check.party} signed that other tags met than the match says`);
      else if (check.fault) log.unproven.push('hits_left_out');
    }
    if (found.some((check) => !check || check.fault)) continue;
    const [one, other] = round.columnsOf(key).map((column) => column?.key);
    if (one !== other || !one || found[0].below !== found[1].below) log.unproven.push('checks_differ');
  }
}

/** The time of the newest entry or cosignature. */
export function newestOf(log) {
  const seen = [...log.cosigned.values()].flatMap((sizes) => [...sizes.values()]);
  return Math.max(0, ...seen, ...log.entries.filter(Boolean).map((entry) => entry.time));
}

function checkComplete(log, of) {
  const { round, reported, matched } = of;
  if (round.ending?.outcome !== 'closed') return;
  const fault = (sentence) => new Fault(10, inRound(of), sentence);
  const { closes_at: closesAt } = round.manifest.window;
  const ended = [...of.entries.values()].find((entry) => entry.kind === 'ending').time;
  const hasTime = ended <= closesAt;
  for (const key of round.reportsOf(null)) {
    const { party, counterpart, other } = sidesOf(key);
    const lacks = (what) => fault(`it was closed without ${what} of ${party} with ${counterpart}`);
    if (reported.has(key) && hasTime && !round.receipts.has(key)) throw lacks('the receipt');
    if (reported.has(key)) continue;
    if (reported.has(other)) throw lacks('the report');
    if (round.canBeJoined(key) && party < counterpart) log.unproven.push('pair');
    if (!round.canBeJoined(key) && hasTime && !round.isMissed(key, ended)) throw lacks('the tokens');
  }
  for (const [key, levels] of hasTime ? matched : []) {
    for (const side of sidesOf(key).query ? [] : [key, sidesOf(key).other]) {
      const { party, counterpart } = sidesOf(side);
      const confirmed = [...round.confirmations.values()].filter((m) => m.submission_id === null && m.party === party && m.to === counterpart);
      const hits = confirmed.reduce((sum, m) => sum + m.confirmed + m.refuted.length, 0);
      if (hits < totalOf(levels)) throw fault(`it was closed before ${party} had confirmed its hits with ${counterpart}`);
    }
  }
  if (newestOf(log) <= closesAt) return;
  const silent = round.participants.find((party) => !round.closings.has(party) && !round.refusals.has(party));
  if (silent) log.unproven.push('closing');
}

function checkQueries(log, { round, reported }) {
  if (round.ending?.outcome !== 'closed') return;
  for (const { party, kind, submission_id: query } of round.submissions.values()) {
    if (kind !== 'query') continue;
    const untold = round.counterpartsOf(party).map((other) => keyOf(party, other, query)).filter((key) => !reported.has(key) && !round.alarms.has(sidesOf(key).other));
    if (untold.length) log.unproven.push('query');
  }
}

// 11: numbers of statements.

function checkNumbers(log, of) {
  const { round } = of;
  for (const [party, { entered, unseen, refused, unshown, kinds, givenUp }] of of.numbers) {
    const shown = [...entered, ...unseen.keys(), ...refused];
    const highest = Math.max(0, ...shown);
    const unexplained = unshown.filter(([number]) => number < highest && !shown.includes(number) && !givenUp.some(([first, end]) => first <= number && number <= end));
    // What explains numbers, as ranges: those given up may come in any order.
    const explained = [...[...shown, ...unexplained.map(([number]) => number)].map((number) => [number, number]), ...givenUp];
    let [missing, before] = [0, 0];
    for (const [first, end] of explained.sort(([one], [other]) => one - other)) {
      missing += Math.max(0, first - before - 1);
      before = Math.max(before, end);
    }
    const mayLack = REFUSED.some((kind) => kinds.filter((one) => one === kind).length >= MOST_REFUSED);
    if (missing > of.leftOut && !mayLack) throw new Fault(11, inRound(of), `statements of ${party} are missing`);
    if (missing) log.unproven.push('numbers');
    for (const [, digest] of unexplained) log.unproven.push({ what: 'numbers', party, digest });
    for (const digest of unseen.values()) if (!round.confirmations.has(digest)) log.unproven.push({ what: 'numbers', party, digest });
  }
}

// 12: statistics.

const COUNTED = { consent: 'consents', evaluation: 'evaluations', tokens: 'tokens', receipt: 'receipts', refusal: 'refusals', closing: 'closings' };

function statisticsOf(of) {
  const [parties, pairs] = [new Map(), new Map()];
  const found = { round: of.round.id, proposed_at: 0, ended_at: null, outcome: null };
  const count = (party, what, number = 1) => {
    if (!parties.has(party)) parties.set(party, { party });
    parties.get(party)[what] = (parties.get(party)[what] ?? 0) + number;
  };
  for (const { kind, time, party, recipient, ids, counts } of of.entries.values()) {
    if (kind === 'proposal') found.proposed_at = time;
    if (kind === 'ending') Object.assign(found, { ended_at: time, outcome: ids.outcome });
    if (kind === 'report') count(recipient, 'reports', counts.page ? 0 : 1);
    if (kind in COUNTED) count(party, COUNTED[kind]);
    if (kind === 'submission') {
      count(party, ids.kind === 'query' ? 'queries' : 'lists');
      for (const what of ['records', 'full', 'partial', 'coarse', 'chunks']) count(party, what, counts[what]);
    }
    if (kind === 'match' && totalOf(levelsOf(counts))) {
      const name = canonical([ids.left, ids.right, ids.of]);
      const pair = pairs.get(name) ?? { left: ids.left, right: ids.right, of: ids.of, high: 0, medium: 0, low: 0 };
      for (const level of LEVELS) pair[level] += counts[level];
      pairs.set(name, pair);
      for (const one of [ids.left, ids.right]) count(one, 'hits', totalOf(levelsOf(counts)));
    }
  }
  const sorted = (map) => [...map].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, value]) => value);
  return bytesOf(canonical({ ...found, parties: sorted(parties), pairs: sorted(pairs) }));
}

function checkStatistics(log, of) {
  if (!of.round.ending) return;
  const name = `statistics/${of.round.id}.json`;
  const published = log.files(name);
  if (!published || !same(published, statisticsOf(of))) throw new Fault(12, name, 'it is missing, or gives other numbers than the entries');
}

// 13: what parties have cosigned.

function checkWitnessed(log, of) {
  const { round, entries, openedAt } = of;
  const fault = (sentence) => new Fault(13, inRound(of), sentence);
  const all = [...entries];
  const closed = new Map(all.filter(([, entry]) => ['closing', 'refusal'].includes(entry.kind)).map(([index, entry]) => [entry.party, index]));
  const ended = all.find(([, entry]) => entry.kind === 'ending')?.[0];
  const needed = round.participants.length ? round.participants : [...round.consents.keys()];
  for (const [party, last] of of.lastWords) {
    const covered = Math.max(0, ...(log.cosigned.get(party)?.keys() ?? []));
    const worked = openedAt !== null && all.some(([index, entry]) => index > openedAt && entry.party === party && !['locks', 'refusal'].includes(entry.kind));
    if (worked && openedAt >= covered) throw fault(`${party} worked in it and cosigned no checkpoint that holds its opening`);
    if (ended !== undefined && needed.includes(party)) {
      const closing = round.ending.outcome === 'closed' && closed.get(party);
      const hadTime = closing && newestOf(log) > entries.get(closing).time + DAY;
      if (hadTime && covered <= closing) throw fault(`${party} worked in it and cosigned no checkpoint that holds its ending`);
      const times = [...(log.cosigned.get(party) ?? [])].filter(([size]) => size > ended).map(([, time]) => time);
      if (!closed.has(party) && newestOf(log) > Math.min(...times) + DAY && !of.leftOut) log.unproven.push('closing');
    }
    if (covered <= Math.max(last, ended ?? 0)) log.unproven.push('uncovered');
  }
}

// Two persons (10.2.1 and 10.6.1).

const digestOf = (document) => hex(sha256(bytesOf(canonical(document))));

/** The approvals of a log, each with the request before it, and the queries that a node made by itself. */
function personsOf(log) {
  const [asked, approvals, byThemselves] = [new Map(), [], new Map()];
  log.entries.forEach((entry, index) => {
    const name = entry?.ids.approval;
    if (entry?.kind === 'approval_requested') asked.set(name, entry);
    if (entry?.kind === 'approval_denied') asked.delete(name);
    if (entry?.kind === 'approved') {
      approvals.push({ index, entry, request: asked.get(name) });
      asked.delete(name);
    }
    if (entry?.kind === 'standing_query' && entry.ids.submission) byThemselves.set(entry.ids.submission, { index, entry });
  });
  const isOfTwo = ({ entry, request }) =>
    request && ['ids', 'digests'].every((name) => canonical(entry[name]) === canonical(request[name])) &&
    entry.person && request.person && entry.person !== request.person && entry.ids.author === request.person;
  /** Look before an entry for an approval of a content, which is made with what the approval's entry names. */
  const show = (what, round, contentOf, before) => {
    const found = approvals.filter(({ index, entry }) => index < before && entry.ids.what === what && entry.round === round);
    const right = found.filter(({ entry }) => entry.digests.content === digestOf({ kind: what, round_id: round, ...contentOf(entry) }));
    if (!right.some(isOfTwo)) log.unproven.push('dual_control');
  };
  return { show, approvals, byThemselves };
}

function checkRegistry(log, { show }) {
  const kind = log.holder === 'matcher' ? 'registry_changed' : 'registry_accepted';
  log.entries.forEach((entry, index) => {
    if (entry?.kind !== kind) return;
    show('registry', null, ({ digests }) => ({ statement: entry.digests.registry ?? '', changes: digests.changes ?? '' }), index);
  });
}

function checkParty(log, said, { show, approvals, byThemselves }) {
  const manifests = new Map();
  const isStanding = approvals.some(({ entry }) => entry.ids.what === 'standing_query');
  for (const [index, { kind, message }] of said) {
    const { round_id: round, manifest_digest: manifest, submission_id: id, justification } = message;
    if (kind === 'Consent') {
      manifests.set(round, manifest);
      show('consent', round, () => ({ manifest_digest: manifest, manifest, elements: message.elements }), index);
    }
    if (kind !== 'Submission') continue;
    const asked = byThemselves.get(id);
    if (log.entries.slice(0, index).includes(null) && asked && !isStanding) continue;
    if (asked && asked.index < index && message.kind === 'query') {
      show('standing_query', null, ({ ids, digests, counts }) => ({
        standing_id: ids.standing === asked.entry.ids.standing && asked.entry.time < (counts.until ?? 0) ? ids.standing : '',
        like_round: ids.like_round ?? null,
        import: digests.import ?? null,
        terms: digests.terms ?? null,
        until: counts.until ?? 0,
        justification,
      }), index);
    } else {
      show('submission', round, ({ digests }) => ({
        manifest_digest: manifests.get(round) ?? '',
        submission_id: id,
        submission_kind: message.kind,
        import: digests.import ?? '',
        justification,
      }), index);
    }
  }
}

function checkRoundsPersons(log, of, { show }) {
  const { round, entries } = of;
  const { consent_by: consentBy, closes_at: closesAt } = round.manifest.window;
  for (const [index, entry] of entries) {
    if (entry.kind === 'proposal') show('proposal', round.id, () => ({ manifest: round.manifestDigest }), index);
    if (entry.kind !== 'ending' || entry.time > closesAt) continue;
    const before = [...entries].filter(([place]) => place < index).map(([, one]) => one);
    if (round.ending.outcome === 'closed') {
      if (!before.some((one) => one.kind === 'end_asked' && one.ids.what === 'close')) log.unproven.push('dual_control');
      continue;
    }
    const refused = before.filter((one) => one.kind === 'refusal').map((one) => one.party);
    const needed = round.bindings.length ? round.participants : [...round.consents.keys()];
    const answered = round.manifest.participants.every(({ party }) => refused.includes(party) || round.consents.has(party));
    const tooFew = !round.bindings.length && (answered || entry.time > consentBy);
    if (!refused.some((party) => needed.includes(party)) && !tooFew) show('abort', round.id, () => ({ reason: round.ending.reason }), index);
  }
}
