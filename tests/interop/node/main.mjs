/** A node of the Aquila protocol: `node main.mjs CONFIG.json`. It takes part in every round that names its party until all are closed. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { hex, unhex } from './bytes.mjs';
import { Client } from './calls.mjs';
import { reference } from './conformance.mjs';
import { need, Refused } from './errors.mjs';
import { SCHEMAS } from './json.mjs';
import { IdentityKey } from './keys.mjs';
import { entryOf } from './log.mjs';
import { CLASSES } from './messages.mjs';
import { readList } from './records.mjs';
import { readRegistry } from './registry.mjs';
import { Round } from './round.mjs';
import { Store } from './store.mjs';
import { readTables } from './table.mjs';
import { Witness } from './witness.mjs';

/** Seconds for which a call waits for news, and how many events a page of the feed has. */
const WAIT = 5;
const PAGE = 500;

class Node {
  constructor(config) {
    this.config = config;
    this.party = config.party;
    this.key = new IdentityKey(unhex(config.identity_seed));
    this.registry = readRegistry(config.registry);
    need(hex(this.registry.parties.get(this.party) ?? new Uint8Array()) === hex(this.key.publicKey), 'input', 'the registry has another key of this party');
    this.store = new Store(config.state);
    this.client = new Client(config.matcher, this.key);
    this.tables = readTables(SCHEMAS + 'records/tables');
    this.normalizer = reference;
    this.justification = config.justification;
    this.contact = config.contact;
    const { records, findings } = readList(config.records);
    this.records = records;
    this.faults = this.store.readJson('faults.json', []);
    this.counts = this.store.readJson('counts.json', {});
    this.rounds = new Map();
    this.left = new Set();
    this.witness = new Witness(this);
    this.say({ records: records.length, findings: findings.length });
  }

  /** One line of JSON for each step, without data of persons. */
  say(line) {
    process.stdout.write(JSON.stringify(line) + '\n');
  }
  /** What this node refused or noticed. */
  fault(paragraph, sentence, blamed) {
    if (this.faults.some((f) => f.paragraph === paragraph && f.sentence === sentence && f.blamed === blamed)) return;
    this.faults.push({ paragraph, sentence, blamed });
    this.store.writeJson('faults.json', this.faults);
    this.say({ fault: paragraph, sentence, blamed });
  }
  writeHits() {
    this.store.writeJson('hits.json', [...this.rounds.values()].flatMap((round) => round.hits()));
  }

  /** 3.5.4: in a day, twice the most that the party declared for a round of that day. */
  mayEvaluate(round, origin, inputClass, elements) {
    const declared = round.record.consents.get(origin).message.elements[inputClass];
    const { spent = 0, most = 0 } = this.counts[this.#day(origin, inputClass)] ?? {};
    return spent + elements <= 2 * Math.max(most, declared);
  }
  count(round, origin, inputClass, elements) {
    const day = this.#day(origin, inputClass);
    const { spent = 0, most = 0 } = this.counts[day] ?? {};
    this.counts[day] = { spent: spent + elements, most: Math.max(most, round.record.consents.get(origin).message.elements[inputClass]) };
    const spentIn = ((this.counts.rounds ??= {})[round.id] ??= {});
    (spentIn[origin] ??= Object.fromEntries(CLASSES.map((c) => [c, 0])))[inputClass] += elements;
    this.store.writeJson('counts.json', this.counts);
  }
  #day(origin, inputClass) {
    return [new Date().toISOString().slice(0, 10), origin, inputClass].join(' ');
  }
  /** 3.3.2: in which earlier rounds this party evaluated for the same participants, and how much. */
  earlierRounds(round) {
    const others = round.manifest.message.participants.map((p) => p.party);
    return Object.entries(this.counts.rounds ?? {}).filter(([id]) => id !== round.id).map(([id, spent]) => ({ round_id: id,
      spent: Object.entries(spent).filter(([origin]) => others.includes(origin)).sort().map(([origin, elements]) => ({ origin, elements })) })).filter((e) => e.spent.length);
  }

  /** 10.5.3: whether what this node knows explains an entry of the matcher's log; a contradiction is an alarm. */
  explains(entry) {
    const round = this.rounds.get(entry.round);
    if (!round) return entry.kind !== 'match' && entry.kind !== 'report';
    if (entry.kind === 'report' && entry.recipient === this.party) {
      return [...round.record.reports.values()].flat().some((r) => entryOf('HitReport', r.message, r.digest, entry.time, entry.salt) === entryOf('HitReport', r.message, entry.digests.statement, entry.time, entry.salt) && r.digest === entry.digests.statement);
    }
    if (entry.kind === 'match' && entry.ids.of === 'lists') {
      const other = [entry.ids.left, entry.ids.right].find((p) => p !== this.party);
      const report = round.record.opening && round.record.reportOf(this.party, other);
      if (!report) return false;
      const same = ['high', 'medium', 'low'].every((l) => entry.counts[l] === report.hits.filter((h) => h.certainty === l).length) && (entry.digests.met ?? null) === (report.message.basis.met?.digest ?? null);
      if (!same) this.fault('10.5.3', 'The log tells of another match than the report of the pair.', 'matcher');
    }
    return true;
  }

  async run() {
    let state = '';
    while (!this.stopping) {
      // One call waits for news and brings the next page of the feeds (9.6, 9.7).
      const open = [...this.rounds.values()].filter((r) => r.own.refused === null);
      const query = [`wait=${this.idle && state ? WAIT : 0}`, `state=${state}`, 'feeds=true', ...open.map((r) => `read=${r.id}:${r.readTo}`)];
      const answer = await this.client.json('GET', '/v1/rounds', { query: query.join('&') });
      state = answer.state ?? '';
      await this.#find(answer.rounds);
      let done = false;
      for (const round of this.rounds.values()) if (round.own.refused === null && (await this.#step(round, answer.feeds?.[round.id]))) done = true;
      if (this.rounds.size && [...this.rounds.values()].every((r) => r.over)) {
        // It stays a little: withdrawals, and the entry of its last word.
        this.overSince ??= Date.now();
        if (Date.now() - this.overSince > 1000 * (this.config.linger_seconds ?? 15)) break;
      } else this.overSince = undefined;
      this.idle = !done;
      if (this.idle) await sleep(1000 * (this.config.poll_seconds ?? 1));
    }
    await this.witness.look().catch(() => {});
  }

  /** Looks at rounds that are not known yet: their manifests are verified (3.1.2). */
  async #find(list) {
    for (const { round_id: id } of list) {
      if (this.rounds.has(id) || this.left.has(id)) continue;
      const manifest = await this.client.call('GET', `/v1/rounds/${id}/manifest`);
      try {
        const round = new Round(this, id, manifest.toString('utf8'));
        this.rounds.set(id, round);
        this.say({ round: id, found: round.manifest.message.title });
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.left.add(id);
        this.fault('3.1.2', `A manifest is refused: ${error.message}.`, 'matcher');
      }
    }
  }

  /** One step of a round: its feed, a look at the log, what is due, and what is to be sent. Whether anything was done. */
  async #step(round, feed) {
    const progress = () => [round.readTo, round.own.statements.length, round.own.statements.filter((s) => s.sent).length].join();
    const before = progress();
    for (let page = feed?.events; page === undefined || page.length >= PAGE; ) {
      if (page) round.take(page);
      page = (await this.client.json('GET', `/v1/rounds/${round.id}/events`, { query: `after=${round.readTo}&limit=${PAGE}` })).events;
      if (page.length < PAGE) feed = { events: page };
    }
    round.take(feed.events);
    round.wholeFeed();
    round.look();
    await this.witness.look();
    try {
      await round.advance();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.fault('3.3.1', `The node does nothing in this round: ${error.message}.`, null);
      this.left.add(round.id);
      this.rounds.delete(round.id);
      return true;
    }
    await round.send();
    return before !== progress();
  }
}

const node = new Node(JSON.parse(readFileSync(process.argv[2], 'utf8')));
process.on('SIGTERM', () => {
  node.stopping = true;
  setTimeout(() => process.exit(0), 1500).unref();
});
for (let failures = 0; ; ) {
  try {
    await node.run();
    break;
  } catch (error) {
    if (node.stopping) break;
    node.say({ problem: error.problem ?? error.code ?? error.name, message: error.message });
    if (error.problem === 'log-rewritten' || error.problem === 'audit') node.fault('10.5', `The matcher’s log is refused: ${error.message}.`, 'matcher');
    if (!(error instanceof Refused) && !error.status && !error.code) throw error;
    await sleep(Math.min(30, 2 ** failures++) * 500);
  }
}
process.exit(0);
