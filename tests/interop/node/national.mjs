/** National numbers with check digits (schemas/records/normalizer.md, National numbers). */
import { latinCapitals } from './normalize.mjs';

const digits = (s) => [...s].map(Number);
const sum = (s, weights) => weights.reduce((total, weight, i) => total + weight * Number(s[i]), 0);
const days = (year, month) => new Date(Date.UTC(year, month, 0)).getUTCDate();
const isDay = (years, month, day) => month >= 1 && month <= 12 && day >= 1 && years.some((year) => day <= days(year, month));
const two = (s, at) => Number(s.slice(at, at + 2));
const check = (s, at, value) => Number(s[at]) === value;
const upTo = (first, last) => Array.from({ length: Math.abs(last - first) + 1 }, (_, i) => first + i * Math.sign(last - first));

const SCHEMES = {
  'AL-NID'(s) {
    const letter = (c) => c.charCodeAt(0) - 64;
    const total = letter(s[0]) + sum(s.slice(1), upTo(1, 8));
    if (s[9] !== 'WABCDEFGHIJKLMNOPQRSTUV'[total % 23]) return false;
    const year = 1900 + 10 * (letter(s[0]) - 1) + Number(s[1]);
    const month = two(s, 2);
    return [0, 30, 50, 80].some((more) => isDay([year], month - more, two(s, 4)));
  },
  'AT-SVNR': (s) => check(s, 3, sum(s, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11) && isDay([2000], two(s, 6), two(s, 4)),
  'BG-EGN'(s) {
    if (!check(s, 9, (sum(s, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11) % 10)) return false;
    const month = two(s, 2);
    return [[0, 1900], [20, 1800], [40, 2000]].some(([more, century]) => isDay([century + two(s, 0)], month - more, two(s, 4)));
  },
  'BG-LNCh': (s) => check(s, 9, sum(s, [21, 19, 17, 13, 11, 9, 7, 3, 1]) % 10),
  'HR-OIB'(s) {
    const rest = digits(s.slice(0, 10)).reduce((r, d) => ((((r + d) % 10 || 10) * 2) % 11), 10);
    return check(s, 10, (11 - rest) % 10);
  },
  'HU-SzA'(s) {
    const century = { 1: 1900, 2: 1900, 5: 1900, 6: 1900, 3: 2000, 4: 2000, 7: 1800, 8: 1800 }[s[0]];
    const year = century + two(s, 1);
    const weights = year >= 1997 ? upTo(10, 1) : upTo(1, 10);
    return isDay([year], two(s, 3), two(s, 5)) && check(s, 10, sum(s, weights) % 11);
  },
  'HU-TAJ': (s) => check(s, 8, sum(s, [3, 7, 3, 7, 3, 7, 3, 7]) % 10),
  'HU-tax': (s) => check(s, 9, sum(s, upTo(1, 9)) % 11),
  JMBG(s) {
    const last = Number(s.slice(4, 7));
    const year = last >= 800 ? 1000 + last : 2000 + last;
    const rest = (11 - (sum(s, [7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 11;
    return isDay([year], two(s, 2), two(s, 0)) && check(s, 12, rest % 10);
  },
  'MD-IDNP': (s) => check(s, 12, sum(s, [7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1]) % 10),
  'RO-CNP'(s) {
    const century = { 1: [1900], 2: [1900], 3: [1800], 4: [1800], 5: [2000], 6: [2000] }[s[0]] ?? [1800, 1900, 2000];
    const rest = sum(s, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    return isDay(century.map((c) => c + two(s, 1)), two(s, 3), two(s, 5)) && check(s, 12, rest === 10 ? 1 : rest);
  },
  'SI-tax'(s) {
    const rest = 11 - (sum(s, upTo(8, 2)) % 11);
    return rest !== 11 && check(s, 7, rest % 10);
  },
  'TR-TCKN'(s) {
    const d = digits(s);
    const odd = d[0] + d[2] + d[4] + d[6] + d[8];
    const even = d[1] + d[3] + d[5] + d[7];
    return check(s, 9, (((7 * odd - even) % 10) + 10) % 10) && check(s, 10, (odd + even + d[9]) % 10);
  },
};
const FORMS = {
  'AL-NID': /^[A-T][0-9]{8}[A-W]$/, 'AT-SVNR': /^[1-9][0-9]{9}$/, 'BG-EGN': /^[0-9]{10}$/, 'BG-LNCh': /^[0-9]{10}$/, 'HR-OIB': /^[0-9]{11}$/, 'HU-SzA': /^[1-8][0-9]{10}$/, 'HU-TAJ': /^[0-9]{9}$/,
  'HU-tax': /^8[0-9]{9}$/, JMBG: /^[0-9]{13}$/, 'MD-IDNP': /^[0-2][0-9]{12}$/, 'RO-CNP': /^[1-9][0-9]{12}$/, 'SI-tax': /^[1-9][0-9]{7}$/, 'TR-TCKN': /^[1-9][0-9]{10}$/,
};

const schemesOf = (s) => Object.keys(SCHEMES).filter((name) => FORMS[name].test(s) && SCHEMES[name](s)).sort();

/** Letters that were typed or read for digits. */
const typed = (s) => [...s].map((c) => { const at = 'OQDILZSB'.indexOf(c); return at < 0 ? c : '00011258'[at]; }).join('');

/** What a number that satisfies no scheme may be, in the order in which it counts. */
function* others(s) {
  if (/^(\d{9}|\d{12})$/.test(s)) yield '0' + s;
  if (/^\d+$/.test(s)) return;
  const bare = [s];
  if (/^[A-Z]{2}/.test(s)) bare.push(s.slice(2), s.replace(/^[A-Z]+/, ''));
  yield* bare;
  for (const one of bare) yield typed(one);
  for (const one of bare) yield one[0] + typed(one.slice(1, -1)) + one.slice(-1);
}

/** The canonical form of a national number, and the schemes that it satisfies. */
export function nationalNumber(source) {
  const number = latinCapitals(source);
  if (number.length < 8 || /^(.)\1*$/.test(number)) return { number: '', schemes: [] };
  const schemes = schemesOf(number);
  if (schemes.length) return { number, schemes };
  for (const other of others(number)) {
    const found = other.length >= 8 ? schemesOf(other) : [];
    if (found.length) return { number: other, schemes: found };
  }
  return { number, schemes: [] };
}
