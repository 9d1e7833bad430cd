/** Odds, levels, families and standing (PROTOCOL.md 7.1, 7.2, 7.4). All of it is integer arithmetic. */
import { need } from './errors.mjs';

const BOUNDS = [['high', 663], ['medium', 317], ['low', 0]];
const MOST_LIFT = 660;

const logs = new Map();

/** `100 log2(n/d)` rounded down: the greatest k with 2^k d^100 <= n^100 (7.1). */
export function log(n, d) {
  const key = n + '/' + d;
  if (!logs.has(key)) {
    need(n > 0 && d > 0, 'input', 'a logarithm of nothing');
    const [a, b] = [BigInt(n) ** 100n, BigInt(d) ** 100n];
    // 2^k b <= a; the bit lengths tell k but for one.
    let k = a.toString(2).length - b.toString(2).length + 1;
    const holds = (x) => (x >= 0 ? b << BigInt(x) <= a : b <= a << BigInt(-x));
    while (!holds(k)) k--;
    logs.set(key, k);
  }
  return logs.get(key);
}

export const levelOf = (centibits) => BOUNDS.find(([, bound]) => centibits >= bound)?.[0] ?? null;

/** The parts that agree where these rules met, each with the lowest number of a rule that shows it; what is only known is no evidence. */
function agreeing(table, rules) {
  const parts = new Map();
  for (const number of [...rules].sort((a, b) => a - b)) {
    const rule = table.rule(number);
    for (const part of [...rule.parts, ...(rule.also ?? [])]) if (!isKnown(table, part) && !parts.has(part)) parts.set(part, number);
  }
  return parts;
}

const isKnown = (table, part) => table.parts[part].known === true;

/** The strongest agreeing part of each family (7.1). */
function strongest(table, parts) {
  const families = new Map();
  for (const [part, rule] of parts) {
    const { family, bits = 0 } = table.parts[part];
    const best = families.get(family);
    if (!best || bits > best.bits || (bits === best.bits && rule < best.rule)) families.set(family, { part, bits, rule });
  }
  return families;
}

/** The families that are silent, where these rules met (7.1). */
export function silences(table, rules, parts, families) {
  const names = namesFamilies(table);
  const stronger = (part) => {
    const best = families.get(table.parts[part].family);
    return parts.has(part) || (best !== undefined && best.bits >= (table.parts[part].bits ?? 0));
  };
  const silent = [];
  for (const family of new Set(Object.values(table.parts).map((p) => p.family))) {
    if (families.has(family)) continue;
    const others = (rule) => rule.parts.filter((part) => table.parts[part].family !== family);
    const reads = (rule) => rule.parts.some((part) => table.parts[part].family === family && !isKnown(table, part));
    const shown = table.rules.some((rule) => {
      if (!reads(rule)) return false;
      return others(rule).every((part) => (table.counted && rule.parts.length === 2 && names.has(table.parts[part].family) ? stronger(part) : parts.has(part)));
    });
    const unknown = table.rules.some((rule) => {
      const known = rule.parts.some((part) => table.parts[part].family === family && isKnown(table, part));
      return known && !rules.includes(rule.number) && others(rule).every((part) => (table.counted && names.has(table.parts[part].family)) || stronger(part));
    });
    if (shown && !unknown) silent.push(family);
  }
  return silent;
}

const namesFamilies = (table) => new Set(table.counted?.names ?? []);

/**
 * The odds of a pair, its level and families (7.1 to 7.4).
 * @param {{sizes: number[], common_per_million, duplicates_per_million, settled, learned, rules: number[], second: boolean}} basis
 */
export function grade(table, basis) {
  const { sizes, common_per_million: common, duplicates_per_million: duplicates, settled, rules, second } = basis;
  need(rules.length > 0 && rules.every((n) => table.rule(n)), 'input', 'a rule that the table does not have');
  need(sizes.every((n) => n > 0) && common > 0 && common <= 1e6 && duplicates > 0 && duplicates <= 1e6, 'input', 'no lists to grade');
  const parts = agreeing(table, rules);
  const families = strongest(table, parts);
  const silent = silences(table, rules, parts, families);
  const learned = new Map(basis.learned.map(({ of, centibits }) => [of, centibits]));
  let sum = log(second ? Math.min(common, duplicates) : common, BigInt(1e6) * BigInt(Math.max(...sizes)));
  for (const { part, bits } of families.values()) sum += bits + (learned.get(part) ?? 0);
  for (const family of silent) sum += table.silentWeight(family) + (learned.get(`${family}: silent`) ?? 0);
  sum += learned.get(wayOf(table, families, silent)) ?? 0;
  if (!second && sum < BOUNDS[0][1]) sum += lift(sizes, settled);
  const order = [...families].sort((a, b) => b[1].bits - a[1].bits || (a[0] < b[0] ? -1 : 1));
  return { centibits: sum, level: levelOf(sum), families: order.map(([family]) => family) };
}

/** `log(ab / ((a - s)(b - s)))`, at most 660 (7.4). */
function lift([a, b], s) {
  if (s >= Math.min(a, b)) return MOST_LIFT;
  return Math.min(MOST_LIFT, log(BigInt(a) * BigInt(b), BigInt(a - s) * BigInt(b - s)));
}

/** The way in which names agree: `names: ` and its parts, then the part or the silence of the context (7.3). */
function wayOf(table, families, silent) {
  if (!table.counted) return null;
  const parts = (table.counted.names ?? []).filter((family) => families.has(family)).map((family) => families.get(family).part);
  const context = table.counted.context;
  if (families.has(context)) parts.push(families.get(context).part);
  else if (silent.includes(context)) parts.push(`${context}: silent`);
  return 'names: ' + parts.join(' + ');
}

/** The elements that a consent declares for a list and queries (3.3.7). */
export function declared(records, multiple, queries = 0) {
  const padded = Math.max(100, Math.ceil(records / multiple) * multiple);
  const all = padded + queries * multiple;
  return { full: 10 * all, partial: 15 * all, coarse: 17 * all };
}
