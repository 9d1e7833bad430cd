/** Witnessing the matcher's log: looks, cosignatures, heads that others saw and entries that were promised (PROTOCOL.md 10.5). */
import { hex, unhex, utf8 } from './bytes.mjs';
import { need } from './errors.mjs';
import { jcsBytes, parseCanonical, validate } from './json.mjs';
import { fingerprint } from './keys.mjs';
import { cosign, entryOf, grown, leafHash, originOf, readEntry, verifyConsistency, verifyInclusion, witnessOf } from './log.mjs';

const MOST_HEADS = 200;
const MOST_STATEMENTS = 500;
const LOOKS = 3;

export class Witness {
  /** @param {object} node `{client, key, party, registry, store}` */
  constructor(node) {
    this.node = node;
    this.origin = originOf('matcher', fingerprint(node.registry.matcher));
    const saved = node.store.readJson('log.json', null);
    this.seen = saved?.size ? { size: saved.size, root: unhex(saved.root), note: saved.note } : null;
    this.entriesFrom = saved?.entriesFrom ?? 0;
    this.promised = new Map(); // by digest: the statement, and how many looks did not prove it
    this.heads = new Map(); // by size and root: heads that others named
    this.proved = new Set(saved?.proved ?? []);
    this.explained = [];
    this.stopped = null;
  }

  get head() {
    return this.seen ? { size: this.seen.size, root: hex(this.seen.root) } : null;
  }

  /** A statement that the matcher took, or that its feed has, promises an entry (10.5.2). */
  promise(statement) {
    if (!this.proved.has(statement.digest) && !this.promised.has(statement.digest)) this.promised.set(statement.digest, { statement, missed: 0 });
  }

  /** A head that another's statement names is held against the log (10.5.1). */
  named(head) {
    const id = `${head.size}:${head.root}`;
    if (!this.proved.has(id)) this.heads.set(id, head);
  }

  /** A look at the log. What it shows must have grown from what was seen; then it is cosigned. A fork stops the node for good. */
  async look() {
    need(!this.stopped, 'log-rewritten', this.stopped);
    const heads = [...this.heads.values()].slice(0, MOST_HEADS);
    const statements = [...this.promised.keys()].slice(0, MOST_STATEMENTS);
    const wanted = { old: this.seen?.size ?? 0, heads: [...new Set(heads.map((h) => h.size))], statements, entries_from: this.entriesFrom };
    const body = await this.node.client.call('POST', '/v1/log/proofs', { body: jcsBytes(wanted) });
    if (!body.length) return need(!this.seen, 'log-rewritten', 'the log is empty and was not');
    const answer = validate('Proofs', parseCanonical(new Uint8Array(body)));
    try {
      const shown = grown(answer.update, this.seen, this.origin, this.node.registry.matcher);
      this.#heads(heads, answer, shown);
      this.#statements(answer, shown);
      this.#entries(answer, shown);
      await this.#cosign(shown);
    } catch (error) {
      if (error.problem === 'log-rewritten') this.stopped = error.message;
      throw error;
    }
  }

  #heads(heads, answer, shown) {
    for (const head of heads) {
      need(head.size <= shown.size, 'log-rewritten', 'another party saw a longer log');
      const proof = answer.heads.find((h) => h.size === head.size);
      if (!proof && head.size !== shown.size) continue;
      try {
        verifyConsistency(head.size, unhex(head.root), shown.size, shown.root, proof?.hashes ?? []);
      } catch (error) {
        need(false, 'log-rewritten', `another party was shown another log: ${error.message}`);
      }
      this.#prove(`${head.size}:${head.root}`, this.heads);
    }
  }

  #statements(answer, shown) {
    const given = new Map(answer.statements.map((s) => [s.digest, s]));
    for (const [digest, promise] of [...this.promised].slice(0, MOST_STATEMENTS)) {
      const proof = given.get(digest);
      if (!proof) {
        promise.missed++;
        need(promise.missed < LOOKS, 'log-rewritten', 'a statement that the matcher took is not in its log');
        continue;
      }
      const { name, message } = promise.statement;
      const entry = entryOf(name, message, digest, proof.time, proof.salt);
      verifyInclusion(leafHash(entry), proof.index, shown.size, shown.root, proof.hashes);
      this.#prove(digest, this.promised);
    }
  }

  #prove(id, open) {
    open.delete(id);
    this.proved.add(id);
  }

  /** Entries that name this party and that no statement proves are held against what it knows (10.5.3). */
  #entries(answer, shown) {
    for (const { index, content, hashes } of answer.entries) {
      const entry = readEntry(content);
      verifyInclusion(leafHash(content), index, shown.size, shown.root, hashes);
      this.explained.push(entry);
    }
    if (answer.entries_to !== null) this.entriesFrom = answer.entries_to;
    this.explained = this.explained.filter((entry) => !this.node.explains(entry));
  }

  async #cosign(shown) {
    const fresh = !this.seen || shown.size > this.seen.size;
    this.seen = shown;
    this.node.store.writeJson('log.json', { ...this.head, note: shown.note, entriesFrom: this.entriesFrom, proved: [...this.proved] });
    if (!fresh) return;
    const name = witnessOf(this.node.party, this.node.key.fingerprint);
    const note = cosign(shown.note, name, this.node.key, Math.floor(Date.now() / 1000));
    await this.node.client.call('POST', '/v1/log/cosignatures', { body: utf8(note), type: 'text/plain' });
  }

  /** Whether all that was promised and named so far is proved: without it no tokens, receipt or closing is signed (10.5.2). */
  get settled() {
    return this.promised.size === 0 && this.heads.size === 0;
  }
}
