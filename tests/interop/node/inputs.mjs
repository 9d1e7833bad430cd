/** Records to inputs under a rule table (schemas/records/match-rules.md), and what is held back (PROTOCOL.md 3.4.7, 3.4.8). */
import { compare, utf8 } from './bytes.mjs';
import { need } from './errors.mjs';
import { country, documentNumber, email, FORMS, nameWords, phone, placeWords } from './normalize.mjs';
import { nationalNumber } from './national.mjs';

const MOST_WORDS = 8;
const two = (n) => String(n).padStart(2, '0');

/** The names of a record: split into given and family words, or whole. */
export function namesOf(record) {
  const names = [];
  const whole = (text) => ({ words: nameWords(text) });
  if (record.full_name) names.push(whole(record.full_name));
  else if (record.given_names.length && record.family_names.length) {
    const column = (values) => values.flatMap((text) => nameWords(text, 1));
    names.push({ given: column(record.given_names), family: column(record.family_names) });
  } else for (const text of [record.given_names, record.family_names]) if (text.length) names.push(whole(text.join(' ')));
  for (const alias of record.aliases) names.push(whole(alias));
  return names.filter((name) => wordsOf(name).length > 0);
}

const wordsOf = (name) => (name.words ? name.words.slice(0, MOST_WORDS) : [...name.given.slice(0, MOST_WORDS), ...name.family.slice(0, MOST_WORDS)]);
const isPair = (name) => (name.words ? name.words.length > 1 : name.given.length > 0 && name.family.length > 0);
const sortedWords = (words) => words.map(utf8).sort(compare).map((bytes) => new TextDecoder().decode(bytes)).join('\x1f');
const distinct = (words) => [...new Set(words)];

/** Which two words of a name stand for the person: ordered pairs. */
function pairsOf(name, endsAlone) {
  if (!isPair(name)) return [];
  if (!name.words) return name.given.slice(0, MOST_WORDS).flatMap((g) => name.family.slice(0, MOST_WORDS).map((f) => [g, f]));
  const [first, second, last] = [name.words[0], name.words[1], name.words.at(-1)];
  if (endsAlone || name.words.length === 2) return [[first, last]];
  return [[first, second], [first, last], [second, last]];
}

function ofLength(name, bound) {
  if (!bound) return true;
  const [, least, more] = /^(\d)(\+?)$/.exec(bound);
  const count = distinct(wordsOf(name)).length;
  return more ? count >= Number(least) : count === Number(least);
}

const birthForms = {
  full: (d) => d.day && [`${d.year}-${two(d.month)}-${two(d.day)}`],
  'any-order': (d) => d.day && !newYear(d) && [`${d.year}/${two(Math.min(d.month, d.day))}/${two(Math.max(d.month, d.day))}`],
  'new-year': (d) => newYear(d) && [String(d.year)],
  'year-month': (d) => d.month && [`${d.year}-${two(d.month)}`],
  'year-day': (d) => d.day && [`${d.year}--${two(d.day)}`],
  'day-month': (d) => d.day && !newYear(d) && [dayMonth(d)],
  'near-year': (d) => d.day && !newYear(d) && [`${dayMonth(d)}~${Math.floor(d.year / 4)}.0`, `${dayMonth(d)}~${Math.floor((d.year + 2) / 4)}.1`],
  decade: (d) => d.day && !newYear(d) && [`${dayMonth(d)}~${Math.floor(d.year / 10)}`],
  year: (d) => [String(d.year)],
  'bare-year': (d) => !d.month && [String(d.year)],
  'some-month': (d) => (d.month ? [d.month] : Array.from({ length: 12 }, (_, i) => i + 1)).map((m) => `${d.year}-${two(m)}`),
};
const newYear = (d) => d.month === 1 && d.day === 1;
const dayMonth = (d) => `${two(Math.min(d.month, d.day))}/${two(Math.max(d.month, d.day))}`;

/** The values of a part, written `kind:form`, in a record. */
export function partValues(reads, record, names = namesOf(record)) {
  const [kind, form = ''] = reads.split(':');
  const [shape, bound] = form.split('/');
  switch (kind) {
    case 'all':
      return names.filter((name) => isPair(name) && ofLength(name, bound)).map((name) => sortedWords(distinct(wordsOf(name).map(FORMS[shape]))));
    case 'pair': {
      const [a, b] = shape.split('+');
      const fit = names.filter((name) => {
        if (!bound) return true;
        return distinct(wordsOf(name).filter((word) => word.length > 1)).length >= Number(bound[0]);
      });
      if (b) return fit.flatMap((name) => pairsOf(name, true)).flatMap(([x, y]) => [[x, y], [y, x]]).map(([x, y]) => FORMS[a](x) + '\x1f' + FORMS[b](y));
      return fit.flatMap((name) => pairsOf(name, false)).map((pair) => sortedWords(pair.map(FORMS[a])));
    }
    case 'letters':
      return names.map((name) => [...wordsOf(name).join('')].filter((c) => !'aeiouhjy'.includes(c)).sort().join('')).filter((s) => s.length >= 5);
    case 'sole': {
      const alone = names.length > 0 && names.every((name) => !isPair(name) && wordsOf(name).every((word) => word.length > 1));
      return alone ? names.flatMap(wordsOf).map(FORMS[shape]) : [];
    }
    case 'word': return names.flatMap(wordsOf).map(FORMS[shape]);
    case 'birth': return (record.date_of_birth && birthForms[shape](record.date_of_birth)) || [];
    case 'place': return record.place_of_birth ? [placeWords(record.place_of_birth).join('\x1f')].filter(Boolean) : [];
    case 'nationality': {
      const codes = distinct(record.nationality.map(country).filter(Boolean));
      return shape === 'known' ? (codes.length ? ['known'] : []) : codes;
    }
    case 'sex': return ['F', 'M'].includes(record.sex) ? [record.sex] : [];
    case 'document': return record.document_numbers.map(documentNumber).filter(Boolean);
    case 'national': return record.national_numbers.map((s) => nationalNumber(s).number).filter(Boolean);
    case 'phone': return record.phones.map((s) => phone(s)?.compared ?? '').filter(Boolean);
    case 'email': return record.emails.map(email).filter(Boolean);
  }
  return [];
}

/** The inputs of a record: rule and value, by rule number and then by value. */
export function inputsOf(record, table) {
  const names = namesOf(record);
  const values = new Map();
  const of = (part) => {
    if (!values.has(part)) values.set(part, distinct(partValues(table.parts[part].reads, record, names)));
    return values.get(part);
  };
  return table.rules.flatMap((rule) => {
    const joined = rule.parts.reduce((all, part) => all.flatMap((head) => of(part).map((v) => [...head, v])), [[]]).map((parts) => parts.join('\x1e'));
    return distinct(joined).map(utf8).sort(compare).map((value) => ({ rule: rule.number, value }));
  });
}

/** Which records are of one person: a number for each record (3.4.7). */
function personsOf(records) {
  const key = (name) => [name.words?.[0] ?? name.given[0], name.words?.at(-1) ?? name.family.at(-1)].sort().join(' ');
  const all = records.map((record) => ({ names: distinct(namesOf(record).filter(isPair).map(key)), date: record.date_of_birth ? JSON.stringify(record.date_of_birth) : null }));
  const count = (list) => list.reduce((map, k) => map.set(k, (map.get(k) ?? 0) + 1), new Map());
  const byName = count(all.flatMap((r) => r.names));
  const byDate = count(all.map((r) => r.date));
  const byBoth = count(all.flatMap((r) => (r.date ? r.names.map((n) => n + r.date) : [])));
  const persons = new Map();
  return all.map((r, i) => {
    for (const name of r.date ? r.names : []) {
      const [a, b, c, n] = [byBoth.get(name + r.date), byName.get(name), byDate.get(r.date), records.length];
      if (8 * b * (c - a) > a * (n - a)) continue;
      if (!persons.has(name + r.date)) persons.set(name + r.date, i);
      return persons.get(name + r.date);
    }
    return i;
  });
}

/**
 * The inputs of a list that are sent, record by record, and how many are held back (3.4.7).
 * @returns {{records: {rule: number, value: Uint8Array}[][], heldBack: number}}
 */
export function listInputs(records, table, frequencyLimit) {
  const all = records.map((record) => inputsOf(record, table));
  const bearers = new Map();
  const id = (input) => input.rule + ':' + Buffer.from(input.value).toString('latin1');
  all.forEach((inputs, i) => inputs.forEach((input) => bearers.set(id(input), [...(bearers.get(id(input)) ?? []), i])));
  const persons = personsOf(records);
  const send = new Map();
  for (const [input, who] of bearers) {
    const own = table.rule(Number(input.split(':')[0])).most_records ?? Infinity;
    if (who.length <= Math.min(own, frequencyLimit)) continue;
    const by = new Map();
    for (const i of who) by.set(persons[i], [...(by.get(persons[i]) ?? []), i]);
    if (who.length > own || by.size > frequencyLimit) send.set(input, new Set());
    else {
      const groups = [...by.values()].map((g) => g.sort((a, b) => all[b].length - all[a].length || a - b));
      const turns = groups.flatMap((g) => g.map((i, turn) => [turn, i])).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      send.set(input, new Set(turns.slice(0, frequencyLimit).map(([, i]) => i)));
    }
  }
  const kept = all.map((inputs, i) => inputs.filter((input) => !send.has(id(input)) || send.get(id(input)).has(i)));
  return { records: kept, heldBack: all.flat().length - kept.flat().length };
}

/** Refuses a list that looks generated: rows of days, or many dates of birth, under one name (3.4.8; the first three of its signs). */
export function checkGuesses(records) {
  const dates = new Map();
  for (const record of records) {
    const d = record.date_of_birth;
    if (!d) continue;
    for (const name of namesOf(record).filter(isPair)) {
      const key = [name.words?.[0] ?? name.given[0], name.words?.at(-1) ?? name.family.at(-1)].sort().join(' ');
      if (!dates.has(key)) dates.set(key, new Map());
      dates.get(key).set(`${d.year}-${d.month}-${d.day}`, d);
    }
  }
  for (const own of dates.values()) {
    const list = [...own.values()];
    const days = list.filter((d) => d.day).map((d) => Date.UTC(d.year, d.month - 1, d.day) / 864e5).sort((a, b) => a - b);
    const row = days.some((day, i) => i >= 7 && day - days[i - 7] === 7);
    const years = list.reduce((map, d) => map.set(d.year, (map.get(d.year) ?? 0) + 1), new Map());
    const year = [...years.values()].some((n) => n > 8 + Math.floor(records.length / 10000));
    need(!row && !year && list.length <= 20 + Math.floor(records.length / 150), 'grid', 'a list that looks like guesses, not like persons');
  }
}
