// The files of a log: registry, checkpoints, cosignatures, tiles and entries (PROTOCOL.md 10.3 to 10.8; checks 1 to 7).
import { base64, bytesOf, Fault, fits, hex, joined, readEntry, readKey, same, sha256, textOf, unbase64, verify } from './encoding.mjs';

const DAY = 86_400;
export const WIDTH = 256;

// The registry file of an auditor (2.4).

/** Read TOML as far as a registry file uses it: tables, strings, lists of strings, and booleans. */
export function readRegistry(text) {
  const matcher = { holder: 'matcher' };
  const tables = [matcher];
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '[[party]]') tables.push({});
    else if (/^\w+ = /.test(line)) tables.at(-1)[line.split(' = ', 1)[0]] = JSON.parse(line.slice(line.indexOf(' = ') + 3));
    else if (line && line !== '[matcher]' && !line.startsWith('#')) throw new Error(`the registry has a line that cannot be read: ${line}`);
  }
  const holders = tables.map((table) => {
    const keys = [...(table.former_keys ?? []), table.identity_key].map(readKey);
    return { holder: table.holder ?? table.code, keys };
  });
  const byFingerprint = new Map(holders.flatMap(({ holder, keys }) => keys.map((key) => [key.fingerprint, { holder, key }])));
  return { holders: new Map(holders.map(({ holder, keys }) => [holder, keys])), byFingerprint };
}

export const nameOf = (kind, holder, keys) => `aquila-${kind}/${holder}/${keys[0].fingerprint.slice(0, 16)}`;

// The tree (RFC 6962).

export const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

/** A tree that grows: the heads of its perfect subtrees, the largest first. */
export class Frontier {
  size = 0;
  heads = [];

  append(leaf) {
    this.heads.push(leaf);
    for (let bits = this.size; bits & 1; bits >>= 1) this.heads.push(nodeHash(...this.heads.splice(-2)));
    this.size += 1;
  }

  /** Let it grow to the first leaves of a log, and return the head. */
  head(leaves, size) {
    while (this.size < size) this.append(leaves[this.size]);
    return this.root();
  }

  root() {
    return this.heads.length ? this.heads.reduceRight((right, left) => nodeHash(left, right)) : sha256();
  }
}

export const rootOf = (hashes) => new Frontier().head(hashes, hashes.length);

/** Yield number and width of each tile of a level with so many hashes. */
function* tilesOf(hashes) {
  for (let number = 0; number * WIDTH < hashes; number += 1) yield [number, Math.min(WIDTH, hashes - number * WIDTH)];
}

export function pathOf(kind, number, width) {
  const digits = String(number).padStart(Math.ceil(String(number).length / 3) * 3, '0');
  const parts = digits.match(/\d{3}/g).map((part, index, all) => (index < all.length - 1 ? `x${part}` : part));
  return `tile/${kind}/${parts.join('/')}${width < WIDTH ? `.p/${width}` : ''}`;
}

// Signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature).

export function readNote(bytes) {
  const text = textOf(bytes);
  const end = text.lastIndexOf('\n\n');
  if (end < 0 || !text.endsWith('\n') || /[\0-\t\v-\x1f]/.test(text)) throw new Error('it is no signed note');
  const lines = text.slice(end + 2, -1).split('\n').map((line) => {
    const [, name, encoded] = /^— ([^\s+]+) (\S+)$/u.exec(line) ?? [];
    const content = encoded ? unbase64(encoded) : '';
    if (content.length < 5) throw new Error('a line of it is no signature');
    return { name, id: hex(content.slice(0, 4)), signature: content.slice(4) };
  });
  return { text: text.slice(0, end + 1), lines };
}

/** Return the newest of some keys by which a line of a note is signed, with this line. */
export function lineOf(note, name, algorithm, keys) {
  for (const key of [...keys].reverse()) {
    const id = hex(sha256(bytesOf(`${name}\n`), Uint8Array.of(algorithm), key.bytes)).slice(0, 8);
    const line = note.lines.find((one) => one.name === name && one.id === id);
    if (line) return { key, signature: line.signature };
  }
  return null;
}

export function readCheckpoint(bytes, registry) {
  const note = readNote(bytes);
  const [, origin, size, root] = /^(.+)\n(0|[1-9]\d{0,19})\n(\S+)\n$/u.exec(note.text) ?? [];
  const head = root ? unbase64(root) : '';
  if (head.length !== 32 || (size === '0' && !same(head, sha256()))) throw new Error('it is no checkpoint');
  for (const [holder, keys] of registry.holders) {
    if (nameOf('log', holder, keys) !== origin) continue;
    const line = lineOf(note, origin, 1, keys);
    if (!line || !verify(line.key, line.signature, bytesOf(note.text))) throw new Error("the log's signature is wrong");
    return { note, holder, size: Number(size), root: head, key: line.key };
  }
  throw new Error('the log is of nobody whom the registry names');
}

/** Yield the cosignatures of all holders but the log's owner, who is no witness of it. */
function* cosignaturesOf({ note, holder: owner }, registry) {
  for (const [holder, keys] of registry.holders) {
    if (holder === owner) continue;
    const line = lineOf(note, nameOf('witness', holder, keys), 4, keys);
    if (!line) continue;
    const time = line.signature.length === 72 ? Buffer.from(line.signature).readBigUInt64BE() : 0n;
    const signed = bytesOf(`cosignature/v1\ntime ${time}\n${note.text}`);
    if (!verify(line.key, line.signature.slice(8), signed)) throw new Error(`the cosignature of ${holder} is wrong`);
    yield { holder, key: line.key, time: Number(time) };
  }
}

/** Run a part of a check, and say where it failed. */
function at(check, place, part) {
  try {
    return part();
  } catch (error) {
    throw error instanceof Fault ? error : new Fault(check, place, error.message);
  }
}

/** Check the files of a log (checks 1 to 7), and return what is in them. */
export function readLog(files, registry, retentionDays = 1095) {
  const log = { files, registry, cosigned: new Map(), signedBy: [], seen: new Map(), unproven: [] };
  const file = (check, name) => {
    const content = files(name);
    if (content === null) throw new Fault(check, name, 'the file is missing');
    return content;
  };
  const opened = (check, name, content) => at(check, name, () => readCheckpoint(content, registry));
  const takeCosignatures = (check, name, checkpoint) => at(check, name, () => {
    for (const { holder, key, time } of cosignaturesOf(checkpoint, registry)) {
      if (!log.cosigned.has(holder)) log.cosigned.set(holder, new Map());
      log.cosigned.get(holder).set(checkpoint.size, time);
      log.signedBy.push([checkpoint.size, holder, key]);
    }
  });

  // 1
  const named = at(1, 'registry.json', () => JSON.parse(textOf(file(1, 'registry.json'))));
  if (named === null || typeof named !== 'object' || Array.isArray(named)) throw new Fault(1, 'registry.json', 'it cannot be read');
  for (const holder of [...Object.keys(named), 'matcher']) {
    const known = (registry.holders.get(holder) ?? []).map((key) => key.fingerprint);
    if (!Object.hasOwn(named, holder) || !known.includes(named[holder])) {
      throw new Fault(1, 'registry.json', `the log names another key for ${holder}`);
    }
  }
  // 2
  const checkpoint = opened(2, 'checkpoint', file(2, 'checkpoint'));
  Object.assign(log, { checkpoint, holder: checkpoint.holder, size: checkpoint.size });
  takeCosignatures(2, 'checkpoint', checkpoint);
  if (log.size > 2 ** 30) throw new Fault(2, 'checkpoint', 'it has more entries than an auditor can hold');
  // 3
  log.leaves = readTiles(file, log.size);
  if (!same(rootOf(log.leaves), checkpoint.root)) throw new Fault(3, 'checkpoint', 'its head is not the one that the tiles give');
  // 4
  const lines = Buffer.from(file(4, 'checkpoints/index')).toString().split('\n');
  if (lines.pop() || !lines.every((line) => /^[1-9]\d{0,15}$/.test(line))) throw new Fault(4, 'checkpoints/index', 'it cannot be read');
  const sizes = lines.map(Number);
  if (sizes.some((size, index) => index && size <= sizes[index - 1]) || sizes.at(-1) !== log.size) {
    throw new Fault(4, 'checkpoints/index', 'the sizes do not ascend to that of the checkpoint');
  }
  const tree = new Frontier();
  for (const size of sizes) {
    const name = `checkpoints/${size}`;
    const saved = opened(4, name, file(4, name));
    if (saved.holder !== log.holder || saved.size !== size) throw new Fault(4, name, 'it is another checkpoint than its name says');
    if (!same(tree.head(log.leaves, size), saved.root)) throw new Fault(4, name, 'the log forked');
    log.signedBy.push([size, log.holder, saved.key]);
    takeCosignatures(4, name, saved);
  }
  // 5
  readEntries(log, file);
  // 6
  log.keys = keyPeriods(log);
  for (const [size, holder, key] of log.signedBy) log.keys.check(6, `checkpoints/${size}`, holder, key, size);
  checkTimes(log);
  checkErased(log, retentionDays);
  // 7
  for (const holder of registry.holders.keys()) {
    const content = holder === log.holder ? null : files(`seen/${holder}`);
    if (content === null) continue;
    const seen = opened(7, `seen/${holder}`, content);
    if (seen.holder !== holder) throw new Fault(7, `seen/${holder}`, 'it is a checkpoint of another log');
    log.seen.set(holder, seen);
  }
  if (log.leftOut.size) log.unproven.push('left_out');
  const covered = Math.max(0, ...[...log.cosigned.values()].flatMap((of) => [...of.keys()]));
  if (log.entries.slice(covered).some((entry) => entry?.kind !== 'log_exported')) log.unproven.push('uncovered');
  return log;
}

function readTiles(file, size) {
  let leaves = [];
  for (let level = 0, below = [], hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / WIDTH)) {
    const found = [];
    for (const [number, width] of tilesOf(hashes)) {
      const name = pathOf(level, number, width);
      const tile = file(3, name);
      if (tile.length !== width * 32) throw new Fault(3, name, 'it has another length than its name says');
      for (let place = 0; place < width; place += 1) {
        const hash = tile.slice(place * 32, place * 32 + 32);
        const start = found.length * WIDTH;
        if (level && !same(rootOf(below.slice(start, start + WIDTH)), hash)) throw new Fault(3, name, `hash ${place} is not that of the tile below it`);
        found.push(hash);
      }
    }
    if (level === 0) leaves = found;
    below = found;
  }
  return leaves;
}

/** Cut a bundle into its parts, each behind its length. */
function partsOf(bytes, width, lengthBytes) {
  const [buffer, parts] = [Buffer.from(bytes), []];
  let place = 0;
  for (let number = 0; number < width; number += 1) {
    const start = place + lengthBytes;
    if (start > buffer.length) throw new Error('it does not hold as many parts as its name says');
    place = start + buffer.readUIntBE(place, lengthBytes);
    if (place > buffer.length) throw new Error('it does not hold as many parts as its name says');
    parts.push(new Uint8Array(buffer.subarray(start, place)));
  }
  if (place !== buffer.length) throw new Error('it holds more than its name says');
  return parts;
}

const RANGE = { type: 'array', minItems: 2, maxItems: 2, items: { type: 'integer', minimum: 0, maximum: 2 ** 40 } };
const LEFT_OUT = {
  type: 'object',
  required: ['entries', 'rounds'],
  additionalProperties: false,
  properties: {
    entries: { type: 'array', items: RANGE },
    rounds: { type: 'object', additionalProperties: false, patternProperties: { '^[0-9a-f]{32}$': { type: 'integer', minimum: 1 } } },
  },
};

function readEntries(log, file) {
  const listed = log.files('left_out.json');
  const left = listed === null ? { entries: [], rounds: {} } : at(5, 'left_out.json', () => JSON.parse(textOf(listed)));
  const ascend = () => [0, ...left.entries.flat(), log.size].every((edge, index, all) => !index || edge >= all[index - 1]);
  if (!fits(LEFT_OUT, left) || !ascend() || left.entries.some(([first, end]) => first >= end)) {
    throw new Fault(5, 'left_out.json', 'it does not list ranges of entries of this log');
  }
  const lacked = Object.values(left.rounds).reduce((sum, entries) => sum + entries, 0);
  if (lacked > left.entries.reduce((sum, [first, end]) => sum + end - first, 0)) throw new Fault(5, 'left_out.json', 'its rounds lack more entries than are left out');
  log.leftOutRounds = left.rounds;
  log.leftOut = new Set(left.entries.flatMap(([first, end]) => Array.from({ length: end - first }, (_, n) => first + n)));
  Object.assign(log, { entries: [], envelopes: [] });
  for (const [number, width] of tilesOf(log.size)) {
    const [name, said] = [pathOf('entries', number, width), pathOf('statements', number, width)];
    const contents = at(5, name, () => partsOf(file(5, name), width, 2));
    log.envelopes.push(...at(5, said, () => partsOf(file(5, said), width, 4)));
    for (const content of contents) {
      const place = `entry ${log.entries.length}`;
      if (content.length && !same(sha256(Uint8Array.of(0), content), log.leaves[log.entries.length])) {
        throw new Fault(5, place, 'it is not the one that the tree holds');
      }
      log.entries.push(content.length ? at(5, place, () => readEntry(content)) : null);
    }
  }
  for (const index of log.leftOut) if (log.entries[index]) throw new Fault(5, `entry ${index}`, 'it is there, and left_out.json names it');
}

/** Which keys count from which entry on (11.9.4). */
function keyPeriods(log) {
  const begins = new Map();
  const of = (holder) => begins.get(holder) ?? [];
  const keysOf = (holder) => log.registry.holders.get(holder) ?? [];
  log.entries.forEach((entry, index) => {
    if (entry?.kind !== 'key_replaced') return;
    const holder = entry.recipient;
    const [former, next] = ['former', 'key'].map((name) => keysOf(holder).findIndex((key) => key.fingerprint === entry.digests[name]));
    if (former < (of(holder).at(-1)?.oldest ?? 0) || next <= former) throw new Fault(6, `entry ${index}`, 'it replaces a key that the registry does not have there');
    begins.set(holder, [...of(holder), { index, oldest: next }]);
  });
  const check = (number, place, holder, key, index) => {
    const which = keysOf(holder).indexOf(key);
    if (of(holder).some((one) => one.index < index && which < one.oldest)) throw new Fault(number, place, `a key of ${holder} signed that was replaced before`);
    if (which > Math.max(0, ...of(holder).map((one) => one.oldest))) throw new Fault(number, place, `a key of ${holder} signed that no entry introduces`);
  };
  return { check };
}

/** Each entry lies between the first cosignature over it and the first over a checkpoint without it. */
function checkTimes(log) {
  const first = new Map();
  for (const sizes of log.cosigned.values()) for (const [size, time] of sizes) first.set(size, Math.min(time, first.get(size) ?? Infinity));
  const before = [];
  for (let index = log.size - 1, found = Infinity; index >= 0; index -= 1) {
    found = Math.min(found, first.get(index + 1) ?? Infinity);
    before[index] = found;
  }
  log.entries.reduce((latest, entry, index) => {
    const after = Math.max(latest, first.get(index) ?? 0);
    if (entry && entry.time < after - 3600) throw new Fault(6, `entry ${index}`, 'it is dated before a witness saw the log without it');
    if (entry && entry.time > before[index] + 600) throw new Fault(6, `entry ${index}`, 'it is dated after a witness saw it');
    return after;
  }, 0);
}

/** 10.8: contents are gone only below what an entry allows, as long after a witness saw them as it says. */
function checkErased(log, retentionDays) {
  let allowed = 0;
  log.entries.forEach((entry, index) => {
    if (entry?.kind !== 'log_pruned') return;
    const { days = 0, size = 0 } = entry.counts;
    const behind = [...log.cosigned.values()].flatMap((sizes) => [...sizes].filter(([covered]) => covered > index).map(([, time]) => time));
    const until = Math.min(...behind) + 1200;
    const passed = [...log.cosigned.values()].map((sizes) => {
      const saw = [...sizes].filter(([covered]) => covered >= size).map(([, time]) => time);
      const without = [...sizes].filter(([covered, time]) => covered <= index && time <= until).map(([, time]) => time);
      return Math.floor((Math.max(...without) - Math.min(...saw)) / DAY);
    });
    if (days < retentionDays || !passed.some((one) => one >= days)) throw new Fault(6, `entry ${index}`, 'contents were erased too early');
    allowed = Math.max(allowed, size);
  });
  const early = log.entries.findIndex((entry, index) => !entry && !log.leftOut.has(index) && index >= allowed);
  if (early >= 0) throw new Fault(6, `entry ${early}`, 'its content is gone, and no entry says that retention allowed it');
}
