/** Rule tables (PROTOCOL.md 5, 6.2; schemas/records/match-rules.md). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hex, sha256 } from './bytes.mjs';
import { need } from './errors.mjs';
import { jcsBytes } from './json.mjs';
import { CLASSES } from './messages.mjs';

const KINDS = ['all', 'pair', 'letters', 'sole', 'word', 'birth', 'place', 'nationality', 'sex', 'document', 'national', 'phone', 'email'];
const NUMBERS = ['document', 'national', 'phone', 'email'];
const YEARS = ['year', 'bare-year', 'new-year'];

export class RuleTable {
  /** @param {object} content the table as JSON has it: weights in hundredths of a bit, shares in millionths */
  constructor(content) {
    this.content = content;
    this.name = this.content.name;
    this.digest = hex(sha256(jcsBytes(this.content)));
    this.parts = this.content.parts ?? {};
    need(Array.isArray(this.content.rules) && this.content.rules.length > 0, 'input', 'a table without rules');
    this.rules = [...this.content.rules].sort((a, b) => a.number - b.number);
    this.#byNumber = new Map(this.rules.map((rule) => [rule.number, rule]));
    this.shadow = [...(this.content.shadow ?? [])].sort((a, b) => a.longest - b.longest);
    this.#check();
  }
  #byNumber;

  #check() {
    for (const part of Object.values(this.parts)) {
      need(KINDS.includes(part.reads?.split(':')[0]), 'input', 'a part that reads nothing known');
      need(Number.isInteger(part.bits) && Math.abs(part.bits) <= 6000, 'input', 'a weight that is none');
    }
    need(this.#byNumber.size === this.rules.length, 'input', 'a rule number twice');
    for (const rule of this.rules) {
      need(Number.isInteger(rule.number) && rule.number >= 1 && rule.number <= 63, 'input', 'a rule number that is none');
      need(CLASSES.includes(rule.input_class), 'input', 'an unknown class');
      need(rule.parts?.length > 0 && [...rule.parts, ...(rule.also ?? [])].every((part) => this.parts[part]), 'input', 'an unknown part');
      const coarse = rule.parts.every((part) => {
        const [kind, form] = this.parts[part].reads.split(':');
        return !NUMBERS.includes(kind) && (kind !== 'birth' || YEARS.includes(form));
      });
      need(coarse === (rule.input_class === 'coarse'), 'input', 'a rule of another class');
    }
    for (const { sets } of this.shadow) {
      need(sets.length > 0 && sets.every((set) => set.length >= 1 && set.length <= 4 && set.every((n) => this.#byNumber.has(n))), 'input', 'a set of no rule');
    }
  }

  rule(number) {
    return this.#byNumber.get(number);
  }
  classOf(number) {
    return this.#byNumber.get(number)?.input_class;
  }
  /** What the silence of a family adds, in centibits (7.1). */
  silentWeight(family) {
    return this.content.silent?.[family] ?? 0;
  }
  /** Which families are names, and which one is their context and the date; null where nothing is counted. */
  get counted() {
    return this.content.counted ?? null;
  }
  /** The sets of rules for the padded length of the longer list (3.7.12). */
  sets(longest) {
    const row = this.shadow.find((r) => longest <= r.longest) ?? this.shadow.at(-1);
    return row?.sets ?? this.rules.filter((rule) => rule.input_class === 'full').map((rule) => [rule.number]);
  }
  /** The least share of common persons that a report may state, in millionths (7.3). */
  get leastShare() {
    return Math.ceil(this.content.expected_share / 50);
  }
}

/** All tables of these folders, by digest. */
export function readTables(...folders) {
  const files = folders.flatMap((folder) => readdirSync(folder).filter((f) => f.endsWith('.json')).map((f) => join(folder, f)));
  const tables = files.map((file) => new RuleTable(JSON.parse(readFileSync(file, 'utf8'))));
  return new Map(tables.map((table) => [table.digest, table]));
}
