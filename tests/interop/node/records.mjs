/** A party's own list: CSV or JSON to records (schemas/records/lists.md). */
import { readFileSync } from 'node:fs';
import { need } from './errors.mjs';

const SEVERAL = ['given_names', 'family_names', 'aliases', 'nationality', 'document_numbers', 'national_numbers', 'phones', 'emails', 'indicators'];
const ONE = ['record_id', 'full_name', 'date_of_birth', 'sex', 'place_of_birth', 'country_of_birth', 'category', 'source_evaluation', 'information_evaluation', 'handling_code'];
const WORDS = { sex: ['F', 'M', 'X'], source_evaluation: ['A', 'B', 'C', 'X'], information_evaluation: ['1', '2', '3', '4'], handling_code: ['H0', 'H1', 'H2', 'H3'] };
const SEXES = { female: 'F', male: 'M', other: 'X' };

const days = (year, month) => new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();

function dateOf(year, month, day) {
  need(year >= 1000 && year <= 9999, 'input', 'a year has four digits');
  need(month === null || (month >= 1 && month <= 12), 'input', 'no month of a year');
  need(day === null || (day >= 1 && day <= days(year, month)), 'input', 'no day of the month');
  return { year, month, day };
}

/** A date in its one written form: YYYY, YYYY-MM or YYYY-MM-DD (6.1). */
export function readDate(source) {
  const found = /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?$/.exec(source);
  need(found, 'input', 'not a date');
  return dateOf(...[1, 2, 3].map((i) => (found[i] === undefined ? null : Number(found[i]))));
}

/**
 * A date as a list may write it, or null where it has no single meaning (lists.md, Dates). Names of months are not read.
 * @param {'day'|'month'|null} first what the column shows to come first where both numbers may be a month
 */
export function salvageDate(source, first = null) {
  const s = source.trim().replace(/[T ]00:00(:00(\.0+)?)?$/, '');
  let found;
  let parts = null;
  if ((found = /^(\d{4})(\d{2})(\d{2})$/.exec(s))) parts = found.slice(1);
  else if ((found = /^(\d{4})(?:[-/.]\s*(\d{1,2})(?:[-/.]\s*(\d{1,2}))?)?\.?$/.exec(s))) parts = found.slice(1);
  else if ((found = /^(?:(\d{1,2})\.\s*)?(\d{1,2})\.\s*(\d{4})\.?$/.exec(s))) parts = [found[3], found[2], found[1]];
  else if ((found = /^(\d{1,2})[-/](\d{4})$/.exec(s))) parts = [found[2], found[1]];
  else if ((found = /^(\d{1,2})[-/](\d{1,2})[-/](\d{4})$/.exec(s))) {
    const [a, b] = [Number(found[1]), Number(found[2])];
    if (a > 12 || (b <= 12 && (first === 'day' || a === b))) parts = [found[3], b, a];
    else if (b > 12 || first === 'month') parts = [found[3], a, b];
    else parts = [found[3]];
  }
  if (!parts) return null;
  let [year, month, day] = [0, 1, 2].map((i) => Number(parts[i] ?? 0) || null);
  if (year === null || year < 1000) return null;
  if (month > 12 && day !== null && day <= 12) [month, day] = [day, month];
  if (month === null || month > 12) month = day = null;
  if (day !== null && day > days(year, month)) day = null;
  const whole = `${year}-${month}-${day}`;
  return ['1900-1-1', '1899-12-30', '1899-12-31'].includes(whole) ? null : { year, month, day };
}

/** A record that may be matched, or a refusal (6.1). */
export function checkRecord(fields) {
  const record = { ...fields };
  need(typeof record.record_id === 'string' && record.record_id.trim() !== '' && record.record_id.length <= 200, 'input', 'no usable id');
  for (const [name, words] of Object.entries(WORDS)) need(record[name] === undefined || record[name] === null || words.includes(record[name]), 'input', `an unknown ${name}`);
  for (const name of SEVERAL) record[name] ??= [];
  const whole = Boolean(record.full_name) || record.aliases.length > 0;
  if (typeof record.date_of_birth === 'string') record.date_of_birth = record.date_of_birth ? readDate(record.date_of_birth) : null;
  const has = [whole || record.given_names.length > 0, whole || record.family_names.length > 0, Boolean(record.date_of_birth)];
  need(has.filter(Boolean).length >= 2, 'input', 'too little to match on');
  return record;
}

/** Rows of a CSV text; quotes may hold separators and lines. */
function csvRows(text) {
  const head = text.split(/\r?\n/, 1)[0];
  const separator = [',', ';', '\t'].map((c) => [head.split(c).length, c]).sort((a, b) => b[0] - a[0])[0][1];
  const rows = [];
  let row = [];
  let field = '';
  let inside = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (inside) {
      if (c === '"' && text[i + 1] === '"') field += text[++i];
      else if (c === '"') inside = false;
      else field += c;
    } else if (c === '"' && field === '') inside = true;
    else if (c === separator) row.push(field), (field = '');
    else if (c === '\n') rows.push([...row, field.replace(/\r$/, '')]), (row = []), (field = '');
    else field += c;
  }
  if (field || row.length) rows.push([...row, field]);
  return rows.filter((r) => r.some((f) => f.trim()));
}

/** Records of a list's file, and what was found wrong: `{line, field, reason}` without any content. */
export function readList(path) {
  const text = readFileSync(path, 'utf8').replace(/^\ufeff/, '');
  const rows = /^\s*\[/.test(text) ? JSON.parse(text) : fromCsv(csvRows(text));
  const findings = [];
  const first = columnOrder(rows);
  const records = [];
  const seen = new Set();
  rows.forEach((fields, index) => {
    const line = index + 2;
    const record = {};
    for (const name of [...SEVERAL, ...ONE]) {
      const given = fields[name];
      if (given === undefined || given === null || given === '') continue;
      const values = (Array.isArray(given) ? given : SEVERAL.includes(name) ? String(given).split(';') : [String(given)]).map((v) => v.trim()).filter(Boolean);
      if (SEVERAL.includes(name)) record[name] = values.slice(0, 50);
      else if (values.length) record[name] = values[0];
    }
    if (record.sex) record.sex = SEXES[record.sex.toLowerCase()] ?? record.sex;
    for (const [name, words] of Object.entries(WORDS)) {
      if (record[name] && !words.includes(record[name])) findings.push({ line, field: name, reason: 'an unknown code' }), delete record[name];
    }
    if (record.date_of_birth) {
      const date = salvageDate(record.date_of_birth, first);
      if (!date) findings.push({ line, field: 'date_of_birth', reason: 'another form of date' });
      record.date_of_birth = date;
    }
    try {
      const checked = checkRecord(record);
      need(!seen.has(checked.record_id), 'input', 'an id seen before');
      seen.add(checked.record_id);
      records.push(checked);
    } catch (error) {
      findings.push({ line, field: null, reason: error.message });
    }
  });
  need(records.length > 0, 'input', 'a list without a record');
  return { records, findings };
}

function fromCsv([header, ...rows]) {
  const names = header.map((name) => name.trim());
  need(names.includes('record_id') && new Set(names).size === names.length, 'input', 'no header with a record_id, or a column twice');
  return rows.map((row) => (row.length === names.length ? Object.fromEntries(names.map((name, i) => [name, row[i]])) : {}));
}

/** Whether a column's dates show that the day or the month comes first. */
function columnOrder(rows) {
  const shown = new Set();
  for (const { date_of_birth: date } of rows) {
    const found = /^(\d{1,2})[-/](\d{1,2})[-/]\d{4}$/.exec(String(date ?? '').trim());
    if (found && Number(found[1]) > 12) shown.add('day');
    if (found && Number(found[2]) > 12) shown.add('month');
  }
  return shown.size === 1 ? [...shown][0] : null;
}
