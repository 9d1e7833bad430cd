// Logs held against each other, and against a checkpoint that somebody kept (PROTOCOL.md 10.6, logs together).
import { Fault, canonical, same } from './encoding.mjs';
import { Frontier, readCheckpoint } from './log.mjs';
import { newestOf } from './rounds_audit.mjs';
import { isRefused } from './statements.mjs';

const fault = (sentence) => new Fault('logs', 'logs together', sentence);

/** Check that a log begins with a checkpoint. */
function checkContains(log, { size, root }) {
  if (size > log.size) throw fault(`the log of ${log.holder} is older: it has ${log.size} entries, and ${size} were seen`);
  if (!same(new Frontier().head(log.leaves, size), root)) throw fault(`the log of ${log.holder} forked`);
}

/** Check that a log begins with a checkpoint of it that somebody kept, a signed note. */
export function checkAtLeast(log, note) {
  let kept;
  try {
    kept = readCheckpoint(note, log.registry);
  } catch (error) {
    throw fault(`the checkpoint that was kept: ${error.message}`);
  }
  if (kept.holder !== log.holder) throw fault('the checkpoint that was kept is of another log');
  checkContains(log, kept);
}

/** Hold logs, with what each says, against each other; return what is not proven, or throw a Fault. */
export function compareLogs(logs) {
  const pairs = logs.flatMap((one) => logs.filter((other) => other !== one).map((other) => [one, other]));
  for (const [one, other] of pairs) if (one.holder === other.holder && one.size >= other.size) checkContains(one, { size: other.size, root: other.checkpoint.root });
  for (const [witness, log] of pairs) if (witness.seen.has(log.holder)) checkContains(log, witness.seen.get(log.holder));
  const alarms = logs.flatMap((log) => log.entries.filter((entry) => entry?.kind === 'log_alarm').map(() => 'log_alarm'));
  return [...alarms, ...pairs.filter(([one, other]) => one.holder === 'matcher' && other.holder !== 'matcher').flatMap(([one, other]) => compareStatements(one, other))];
}

/** Leave out the points that another party's own log settles. */
export function stillUnproven(points, others) {
  const shown = new Set(others.flatMap((log) => aboutStatements(log).map(({ digest }) => `${log.holder} ${digest}`)));
  return points.filter(({ party, digest }) => !shown.has(`${party} ${digest}`));
}

function statementsOf(log) {
  return log.entries.flatMap((entry, index) => (entry?.digests.statement ? [{ index, entry, digest: entry.digests.statement }] : []));
}

const aboutStatements = (log) => statementsOf(log).filter(({ entry }) => !isRefused(entry));
const hasGaps = (log) => log.leftOut.size > 0 || log.entries.includes(null);
/** Whether retention or a copy may have taken the entry of a statement, which lies behind the head that it names. */
function mayLack(matchers, { log_head: head, round_id: round }) {
  const erased = matchers.entries.findLastIndex((entry, index) => entry === null && !matchers.leftOut.has(index));
  const isThere = matchers.entries.some((entry) => entry?.kind === 'proposal' && entry.round === round);
  return erased >= (head?.size ?? 0) || (matchers.leftOut.size > 0 && (!isThere || matchers.leftOutRounds[round] > 0));
}

const SAME = ['kind', 'party', 'person', 'round', 'reason', 'recipient', 'counts', 'digests', 'ids'];
const numberOf = ({ counts }) => counts.sequence ?? 0;

function compareStatements(matchers, own) {
  const known = new Map(aboutStatements(matchers).map((one) => [one.digest, one]));
  const refusals = (log) => statementsOf(log).filter(({ entry }) => isRefused(entry));
  const isShown = ({ index }) => matchers.envelopes[index].length > 0;
  const refused = new Set(refusals(matchers).filter(isShown).map(({ digest }) => digest));
  const saidRefused = new Set([...refusals(matchers).filter((one) => !isShown(one)), ...refusals(own)].map(({ digest }) => digest));
  const givenUp = [...own.said.values()].flatMap(({ message }) => (message.given_up ?? []).map((range) => [message.round_id, ...range]));
  const isGivenUp = (entry) => givenUp.some(([round, first, end]) => round === entry.round && first <= numberOf(entry) && numberOf(entry) <= end);
  const cosigned = [...(own.cosigned.get('matcher') ?? [])].filter(([, time]) => time <= newestOf(matchers)).map(([size]) => size);
  const seen = Math.max(matchers.seen.get(own.holder)?.size ?? 0, ...cosigned);
  const [said, newest, open] = [new Set(), new Map(), []];
  for (const { index, entry, digest } of aboutStatements(own)) {
    said.add(digest);
    if (entry.party === own.holder) newest.set(entry.round, Math.max(newest.get(entry.round) ?? 0, numberOf(entry)));
    const there = known.get(digest)?.entry;
    if (there) {
      if (SAME.some((name) => canonical(there[name]) !== canonical(entry[name]))) throw fault(`entry ${index} of ${own.holder} says something else than the matcher's`);
    } else if (!refused.has(digest) && !isGivenUp(entry)) {
      if (saidRefused.has(digest)) open.push('refused_unshown');
      else if (own.envelopes[index].length && index < seen && !mayLack(matchers, own.said.get(index).message)) throw fault(`the matcher's log leaves out what entry ${index} of ${own.holder} shows`);
      else open.push('not_entered');
    }
  }
  for (const { entry, digest } of hasGaps(own) ? [] : known.values()) {
    const isMissing = entry.party === own.holder && !said.has(digest) && numberOf(entry) < (newest.get(entry.round) ?? 0);
    if (isMissing) throw fault(`the log of ${own.holder} lacks its statement ${numberOf(entry)} that the matcher's has`);
  }
  return open;
}
