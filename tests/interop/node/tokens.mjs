/** Tokens, columns and shadow columns (PROTOCOL.md 3.6, 3.7.12, 3.7.13). */
import { big, compare, concat, digest, framed, hex, hmac, sha256 } from './bytes.mjs';
import { need } from './errors.mjs';
import { element, hashToGroup, multiply, pieces, unblinded } from './group.mjs';

export const ROW = 33;
const LIST_DUMMIES = 4096;
const QUERY_DUMMIES = 128;
const MOST_TAGS = 128;

/** Token and token secret of an input from both its values (3.6.0). `values` are by party. */
export function tokenOf(key, inputClass, x, values) {
  const [lo, hi] = Object.keys(values).sort();
  const o = hmac('sha512', key, framed('aquila/2 token', inputClass, x, values[lo], values[hi]));
  return { token: o.subarray(0, 16), secret: o.subarray(32, 64) };
}

/** Both values of an input: `V_p = k_p · H(x)` and `V_q = E_q - r · K_q` (3.6.0). */
export function valuesOf({ party, share, counterpart, publicKey, x, point = hashToGroup(x), blind, evaluated }) {
  return { [party]: multiply(point, share).toBytes(), [counterpart]: unblinded(element(evaluated), element(publicKey), blind).toBytes() };
}

/** Rows of one class in their order: by token, then by handle (3.6.2). */
export const sortRows = (rows) => rows.sort((a, b) => compare(a.token, b.token) || compare(a.handle, b.handle));

export const rowBytes = (row) => concat(row.handle, Uint8Array.of(row.rule), row.token);

/** Rows from their bytes. */
export function readRows(bytes) {
  need(bytes.length % ROW === 0, 'malformed', 'not whole rows');
  return pieces(bytes, ROW).map((b) => ({ handle: b.subarray(0, 16), rule: b[16], token: b.subarray(17) }));
}

/** Tokens of each record by its handle, in ascending order: the order of the places (3.7.3). */
export function byRecord(rows) {
  const records = new Map();
  for (const row of rows) {
    const handle = hex(row.handle);
    if (!records.has(handle)) records.set(handle, []);
    records.get(handle).push(row);
  }
  for (const own of records.values()) own.sort((a, b) => compare(a.token, b.token) || a.rule - b.rule);
  return records;
}

/** Checks the rows of a column against what was signed (3.6.2). `chunks` are `{inputClass, bytes}` in their order. */
export function checkRows(chunks, classOf, signed) {
  const counted = new Map();
  let before = null;
  let inputClass = null;
  for (const chunk of chunks) {
    if (chunk.inputClass !== inputClass) before = null;
    inputClass = chunk.inputClass;
    for (const row of readRows(chunk.bytes)) {
      need(classOf(row.rule) === inputClass, 'malformed', 'a row of another class');
      const ascends = before === null || compare(before.token, row.token) < 0 || (compare(before.token, row.token) === 0 && compare(before.handle, row.handle) <= 0);
      need(ascends, 'malformed', 'rows do not ascend');
      before = row;
      counted.set(row.rule, (counted.get(row.rule) ?? 0) + 1);
    }
  }
  const same = counted.size === signed.length && signed.every(({ rule, rows }) => counted.get(rule) === rows);
  need(same, 'malformed', 'other numbers of rows by rule than were signed');
}

/** The pairs of records that meet: handles of both sides and rules, beyond the frequency limit left out (3.7.1). */
export function join(left, right, limit) {
  const by = (rows) => {
    const tokens = new Map();
    for (const row of rows) {
      const key = hex(row.token) + ':' + row.rule;
      if (!tokens.has(key)) tokens.set(key, new Set());
      tokens.get(key).add(hex(row.handle));
    }
    return tokens;
  };
  const other = by(right);
  const pairs = new Map();
  for (const [key, handles] of by(left)) {
    const theirs = other.get(key);
    if (!theirs || handles.size > limit || theirs.size > limit) continue;
    for (const a of handles) {
      for (const b of theirs) {
        const id = a + b;
        if (!pairs.has(id)) pairs.set(id, [a, b, new Set()]);
        pairs.get(id)[2].add(Number(key.split(':')[1]));
      }
    }
  }
  return [...pairs.values()].map(([a, b, rules]) => [a, b, [...rules].sort((x, y) => x - y)]).sort((p, q) => (p[0] + p[1] < q[0] + q[1] ? -1 : 1));
}

// Shadow columns (3.7.12)

export const tagOf = (key, set, tokens) => hmac('sha256', key, framed('aquila/2 shadow', Uint8Array.of(set), ...tokens)).subarray(0, 16);

/** A dummy of a list's column; of a query's, with its asker. */
export function dummyOf(key, number, asker = null) {
  const label = asker === null ? ['aquila/2 shadow dummy'] : ['aquila/2 shadow query dummy', asker];
  return hmac('sha256', key, framed(...label, big(number, 4))).subarray(0, 16);
}

export const keyDigest = (key) => hex(digest('aquila/2 shadow key', key));

/** What report and check name of the tags that met. */
export const metDigest = (tags) => hex(digest('aquila/2 shadow met', concat(...tags)));

/** The combinations of one set that a record's tokens have: one token for every rule of the set. */
export function combinations(tokens, rules) {
  let all = [[]];
  for (const rule of rules) {
    const own = tokens.filter((row) => row.rule === rule);
    all = all.flatMap((chosen) => own.map((row) => [...chosen, row]));
  }
  return all;
}

/** All dummies of a list's column; with queries also those of each query of the counterpart. */
export function listDummies(key, asker = null) {
  const list = Array.from({ length: LIST_DUMMIES }, (_, i) => dummyOf(key, i));
  if (asker === null) return list;
  return list.concat(Array.from({ length: 256 * QUERY_DUMMIES }, (_, i) => dummyOf(key, i, asker)));
}

/**
 * A list's shadow column: its tags, ascending and each once, and the sets that it leaves out.
 * @param {string|null} asker the counterpart, in a round that takes queries
 */
export function shadowColumn(key, sets, rows, records, asker = null) {
  const perSet = sets.map(() => new Set());
  const choices = sets.map(() => 0);
  for (const tokens of byRecord(rows).values()) {
    sets.forEach((rules, n) => {
      for (const chosen of combinations(tokens, rules)) {
        choices[n]++;
        perSet[n].add(hex(tagOf(key, n, chosen.map((row) => row.token))));
      }
    });
  }
  const leftOut = [];
  while (choices.reduce((sum, count) => sum + count, 0) > MOST_TAGS * records) {
    const most = choices.indexOf(Math.max(...choices));
    leftOut.push(most);
    choices[most] = 0;
  }
  leftOut.sort((a, b) => a - b);
  const tags = new Set(listDummies(key, asker).map(hex));
  perSet.forEach((own, n) => leftOut.includes(n) || own.forEach((tag) => tags.add(tag)));
  return { tags: [...tags].sort(), leftOut };
}

/** The tags of a column cut into pieces of at most 65,535. */
export function tagPieces(tags) {
  const all = [];
  for (let i = 0; i < tags.length; i += 65535) {
    const part = tags.slice(i, i + 65535);
    const bytes = new Uint8Array(Buffer.from(part.join(''), 'hex'));
    all.push({ bytes, tags: part.length, digest: hex(sha256(bytes)) });
  }
  return all;
}

/** The own tokens at the places that a report names, or null where they are none of the record (3.7.3). */
export function metTokens(tokens, places) {
  if (!tokens) return null;
  const at = [...Buffer.from(places, 'hex')];
  return at.every((p, i) => p < tokens.length && (i === 0 || at[i - 1] < p)) ? at.map((p) => tokens[p]) : null;
}

/**
 * What a side finds of the tags of a report of two lists: null, `tags` (a) or `pairs` (b) (3.7.13).
 * @param {{own: string, other: string, places: string}[]} pairs hits and others together
 * @param {number[]} leftOut sets that one of the two columns leaves out
 */
export function checkTags({ key, sets, leftOut = [], records, pairs, met, asker = null }) {
  const found = new Map(); // tag by hex: the chosen tokens, and which own records met which others
  for (const pair of pairs) {
    const tokens = metTokens(records.get(pair.own), pair.places);
    if (tokens === null) return 'tags';
    sets.forEach((rules, n) => {
      if (leftOut.includes(n)) return;
      for (const chosen of combinations(tokens, rules)) {
        const tag = hex(tagOf(key, n, chosen.map((row) => row.token)));
        if (!found.has(tag)) found.set(tag, { chosen, met: new Map() });
        const { met: byOwn } = found.get(tag);
        if (!byOwn.has(pair.own)) byOwn.set(pair.own, new Set());
        byOwn.get(pair.own).add(pair.other);
      }
    });
  }
  const tags = new Set(found.keys());
  for (const dummy of listDummies(key, asker)) tags.add(hex(dummy));
  const sorted = [...tags].sort();
  if (sorted.length !== met.tags || metDigest(sorted.map((t) => new Uint8Array(Buffer.from(t, 'hex')))) !== met.digest) return 'tags';
  const holders = new Map(); // own records by token and rule
  for (const [handle, tokens] of records) {
    for (const row of tokens) {
      const id = hex(row.token) + row.rule;
      if (!holders.has(id)) holders.set(id, new Set());
      holders.get(id).add(handle);
    }
  }
  for (const { chosen, met: byOwn } of found.values()) {
    const [first, ...rest] = chosen.map((row) => holders.get(hex(row.token) + row.rule));
    const owners = [...first].filter((handle) => rest.every((set) => set.has(handle)));
    const others = new Set([...byOwn.values()].flatMap((set) => [...set]));
    if (owners.length !== byOwn.size || owners.some((handle) => byOwn.get(handle)?.size !== others.size)) return 'pairs';
  }
  return null;
}


/**
 * The column of a submission for a counterpart: rows by class in their order, cut as the submission's chunks are (3.6.2).
 * @param {object} terms `{party, counterpart, shares, publicKeys, key, handles}`; own shares and the counterpart's public keys by class, `key` for the purpose `tokens`
 * @param {{inputClass: string, elements: object[], outputs: Uint8Array}[]} chunks of the submission, with the counterpart's evaluations
 */
export function makeColumn({ party, counterpart, shares, publicKeys, key, handles }, chunks) {
  const byClass = new Map();
  for (const { inputClass, elements, outputs } of chunks) {
    const evaluated = pieces(outputs, 32);
    if (!byClass.has(inputClass)) byClass.set(inputClass, []);
    elements.forEach((e, i) => {
      const values = valuesOf({ party, share: shares[inputClass], counterpart, publicKey: publicKeys[inputClass], x: e.x, point: e.point, blind: e.blind, evaluated: evaluated[i] });
      byClass.get(inputClass).push({ handle: handles(e.position), position: e.position, rule: e.rule, ...tokenOf(key, inputClass, e.x, values) });
    });
  }
  for (const rows of byClass.values()) sortRows(rows);
  const used = new Map();
  const cut = chunks.map(({ inputClass, elements }) => {
    const from = used.get(inputClass) ?? 0;
    used.set(inputClass, from + elements.length);
    return concat(...byClass.get(inputClass).slice(from, from + elements.length).map(rowBytes));
  });
  const rows = [...byClass.values()].flat();
  const counts = new Map();
  for (const row of rows) counts.set(row.rule, (counts.get(row.rule) ?? 0) + 1);
  return { rows, chunks: cut, rules: [...counts].sort((a, b) => a[0] - b[0]).map(([rule, n]) => ({ rule, rows: n })) };
}
