/** Names, places, countries, numbers and addresses in canonical form (schemas/records/normalizer.md). */
import { domainToASCII } from 'node:url';
import * as tables from './tables.mjs';

const VOWELS = 'aeiou';
const MARKS = /\p{M}/gu;
const longestFirst = (map) => [...map].sort((a, b) => b[0].length - a[0].length);

/** Replaces spellings from left to right, the longest first. */
function replaceAnywhere(word, map) {
  const forms = longestFirst(map);
  let result = '';
  for (let at = 0; at < word.length; ) {
    const hit = forms.find(([form]) => word.startsWith(form, at));
    result += hit ? hit[1] : word[at];
    at += hit ? hit[0].length : 1;
  }
  return result;
}

/** A text without letters that nobody sees, or with a blank in their place. */
const seen = (source) => source.replace(tables.GOES, '').replace(tables.BLANKS, ' ');

/** A text in Latin letters, small (step 2). */
export function toLatin(source) {
  let s = seen(source).normalize('NFKC').replaceAll('İ', 'i').toLowerCase().normalize('NFC');
  if (/\p{Script=Cyrillic}/u.test(s)) s = readCyrillic(s);
  if (/\p{Script=Greek}/u.test(s)) s = readGreek(s);
  if (/\p{Script=Arabic}/u.test(s)) s = readArabic(s);
  let out = '';
  for (const letter of s.replaceAll('ـ', '').replace(/\p{Script=Hangul}/gu, (syllable) => syllable.normalize('NFD'))) {
    out += /\p{Script=Latin}/u.test(letter) ? letter : tables.SCRIPTS.get(letter) ?? letter;
  }
  return out.normalize('NFC');
}

function readCyrillic(s) {
  const chosen = tables.CYRILLIC.find(({ letters }) => letters.some((letter) => s.includes(letter)));
  return replaceAnywhere(s, (chosen ?? tables.SERBIAN).map);
}

function readGreek(s) {
  const plain = s.normalize('NFD').replace(/(?<=\p{Script=Greek}\p{M}*)\p{M}/gu, '').normalize('NFC');
  return replaceAnywhere(plain, tables.GREEK);
}

function readArabic(s) {
  return s.replace(/[\p{Script=Arabic}\p{M}]+/gu, (word) => {
    const letters = [...word.replace(MARKS, '')];
    const article = letters[0] === 'ا' && letters[1] === 'ل' && letters.length > 3;
    const body = article ? letters.slice(2) : letters;
    const read = body.map((letter, i) => {
      if (letter === 'و' && (i === 0 || 'اأإآ'.includes(body[i - 1]) || 'اأإآةىيی'.includes(body[i + 1] ?? '-'))) return 'w';
      if (letter === 'ي' && i === 0) return 'y';
      return tables.ARABIC.get(letter) ?? letter;
    });
    return (article ? 'al-' : '') + read.join('');
  });
}

/** A word with the spellings of the region folded to one letter, until nothing changes (step 5). */
export function fold(word) {
  let before;
  do [before, word] = [word, foldOnce(word)];
  while (word !== before);
  return word;
}

const BEGINNINGS = longestFirst(tables.BEGINNINGS);
const ENDINGS = longestFirst(tables.ENDINGS);
const SPELLINGS = longestFirst(tables.ANYWHERE);
const undoubled = (word) => word.replace(/(.)\1+/g, '$1');

/** One pass of (a) to (d): at each place a beginning, else an ending, else a spelling. */
function foldOnce(word) {
  let folded = '';
  for (let at = 0; at < word.length; ) {
    const rest = word.slice(at);
    const hit =
      (at === 0 && BEGINNINGS.find(([form]) => rest.startsWith(form))) ||
      ENDINGS.find(([form]) => rest === form) ||
      SPELLINGS.find(([form]) => rest.startsWith(form));
    folded += hit ? hit[1] : word[at];
    at += hit ? hit[0].length : 1;
  }
  if (/[^a-z]/.test(folded)) {
    folded = [...folded.normalize('NFD')].map((letter) => tables.LATIN_LETTERS.get(letter) ?? letter).join('').replace(/[^a-z]/g, '');
  }
  folded = undoubled(folded);
  if (!/^(abd|al|el)/.test(folded)) return folded;
  folded = folded.replace(/abd[aeiou]l?(?=...)/g, 'abdu');
  if (/^[ae]l[^aeiou].{4}/.test(folded) && !tables.NOT_ARTICLES.some((start) => folded.startsWith(start))) folded = folded.slice(2);
  return undoubled(folded);
}

const NO_LETTERS = /['’‘ʼʻ`ʹʾʿ‛′\u0300-\u036f]/gu;
const BARE = { đ: 'd', ı: 'i', ł: 'l' };
const plainWord = (word) => word.replace(/[đıł]/g, (letter) => BARE[letter]).normalize('NFD').replace(/[^\0-\x7f]/g, '');
const HYPHENED = tables.TITLES.map(toLatin).filter((title) => title.includes('-')).flatMap((title) => [title, plainWord(title)]);
const WORD = new RegExp(`(?<![\\p{L}\\p{N}])(?:${HYPHENED.join('|')})(?![\\p{L}\\p{N}])|[\\p{L}\\p{N}]+`, 'gu');
const split = (text) => toLatin(text.replaceAll('´', "'")).replace(NO_LETTERS, '').match(WORD) ?? [];
const plainSet = (words) => new Set(words.map((w) => split(w).map(plainWord).join(' ')));
const PARTICLES = new Set(tables.PARTICLES);
const TITLES = plainSet(tables.TITLES);
const MAYBE = plainSet(tables.MAYBE_TITLES);
const BEHIND = plainSet(tables.BEHIND_TITLES);

/** Words without titles, wherever they stand (step 4). */
function withoutTitles(words, others) {
  const kept = [];
  let behind = false;
  for (let i = 0; i < words.length; ) {
    const word = words[i++];
    behind = TITLES.has(plainWord(word)) || (behind && BEHIND.has(plainWord(word)));
    if (!behind) kept.push(word);
  }
  if (kept.length) words = kept;
  for (let i = 0; i < words.length - 1; ) {
    if (MAYBE.has(plainWord(words[i])) && words.length > others) words = words.toSpliced(i, 1);
    else i++;
  }
  return words;
}

function joinWords(words) {
  const out = [];
  for (let i = 0; i < words.length; i++) {
    const next = tables.JOIN_NEXT.get(words[i]);
    if (next !== undefined && i + 1 < words.length) {
      words[i + 1] = next + words[i + 1];
      continue;
    }
    const end = tables.JOIN_BEFORE.get(words[i]);
    if (end !== undefined && out.length) out[out.length - 1] += end;
    else out.push(next ?? words[i]);
  }
  return out;
}

/** The folded words of a name; `others` are how many must be left where a word may be a name or an initial (2, in a column 1). */
export function nameWords(source, others = 2) {
  let words = split(seen(source).replaceAll('´', "'").normalize('NFC').replace(/(?<=\p{L})I(?=\p{Ll})/gu, 'l'));
  const rest = words.filter((word) => !PARTICLES.has(word));
  if (rest.length) words = rest;
  words = withoutTitles(words, others);
  words = joinWords([...words]).map(fold).filter(Boolean);
  const long = words.filter((word) => word.length > 1);
  return long.length >= others ? long : words;
}

/** The consonants of a folded word. */
export function skeleton(word) {
  if (word.length === 1) return word;
  let s = word.replace(/g(?=[ei])/g, 'd');
  s = s.replace(/c/g, (c, at) => (/^[aei]?$/.test(s.slice(at + 1)) && s[at - 1] !== 'a' ? 'c' : 'k'));
  s = s.replace(/(?<=[ae])u(?=[^aeiou])/g, 'v').replace(/(?<!^)h(?![aeiou])/g, '');
  s = s.replace(/d$/, 't').replace(/b$/, 'p').replace(/(.)\1+/g, '$1');
  if (/^i[aou]/.test(s)) s = 'j' + s.slice(1);
  else if (/^ie/.test(s)) s = s.slice(1);
  const first = VOWELS.includes(s[0]) ? 'a' : '';
  return first + s.replace(/[aeiou]/g, '');
}

const SOUNDS = new Map();
const oneWord = (name) => split(name).map(fold).join('');
const KEEP = new Set(tables.KEEP_VOWELS.map(oneWord));
const WOMEN = new Set(tables.WOMEN.map(oneWord));
const ownSound = (word) => (KEEP.has(word) ? word : skeleton(word) + (WOMEN.has(word) ? 'a' : ''));
const variants = new Map();
// The sound of a row is that of its first name; a short form's that of the variants of its name.
for (const names of tables.VARIANTS) for (const name of names) variants.set(oneWord(name), ownSound(oneWord(names[0])));
for (const names of tables.NICKNAMES) for (const name of names) SOUNDS.set(oneWord(name), variants.get(oneWord(names[0])) ?? ownSound(oneWord(names[0])));
for (const [word, sound] of variants) SOUNDS.set(word, sound);

/** The skeleton of the name that variants and nicknames assign to a folded word; women's names end in a. */
export const soundOf = (word) => SOUNDS.get(word) ?? ownSound(word);

/** Forms of a folded word. */
export const FORMS = { folded: (w) => w, skeleton, sound: soundOf, start: (w) => w.slice(0, 3), initial: (w) => w[0] };

export const placeWords = (source) => nameWords(source, 1).map(soundOf).sort();

const written = new Map();
const byWords = new Map();
const wordsKey = (source) => nameWords(source, 1).join(' ');
for (const [code, names] of tables.COUNTRIES) {
  for (const name of [code, ...names]) {
    written.set(name.normalize('NFKC').toLowerCase(), code);
    const key = wordsKey(name);
    if (key && !byWords.has(key) && name.length > 3) byWords.set(key, code);
  }
}

/** A country's code of three letters, or the folded words of a text that is in no row. */
export function country(source) {
  const plain = seen(source).normalize('NFKC').trim();
  return written.get(plain.toLowerCase()) ?? byWords.get(wordsKey(plain)) ?? written.get(toLatin(plain).replace(MARKS, '')) ?? (wordsKey(plain) || plain.toLowerCase());
}

export const latinCapitals = (source) => toLatin(digitsOf(seen(source))).normalize('NFD').replace(MARKS, '').replace(/đ/g, 'd').replace(/ı/g, 'i').toUpperCase().replace(/[^A-Z0-9]/g, '');
const digitsOf = (source) => source.normalize('NFKC').replace(/\p{Nd}/gu, (d) => String(digitValue(d)));

function digitValue(digit) {
  const code = digit.codePointAt(0);
  let zero = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1)) && code - zero < 9) zero--;
  return code - zero;
}

export function documentNumber(source) {
  let s = latinCapitals(source).replaceAll('O', '0').replaceAll('I', '1');
  if (/^\d+$/.test(s)) s = s.replace(/^0+/, '');
  return s.length < 5 || s.replace(/\D/g, '').length < 3 || /^(.)\1*$/.test(s) ? '' : s;
}

const EXTENSION = /(?:(?:ext|lok|dw|kl|int|вн|лок)\.?\s*[0-9]+\s*|[x#][0-9]+\s*)$/iu;
const withoutZeros = (digits) => digits.replace(/^0+/, '');

/** A telephone number: `+`, code and subscriber's number where the country is known, and what is compared. */
export function phone(source) {
  const written = seen(source).normalize('NFKC').trim();
  const digits = [...digitsOf(written.replace(EXTENSION, '').replaceAll('(0)', ''))].filter((d) => d >= '0' && d <= '9').join('');
  const significant = withoutZeros(digits);
  if (significant.length < 6 || significant.length > 15 || /^(.)\1*$/.test(digits)) return null;
  const isMarked = /^\(*(\+|00)/.test(written);
  if (isMarked || (digits.length >= 11 && tables.PHONES.some(([code]) => digits.startsWith(code)))) {
    const whole = isMarked ? significant : digits;
    const code = whole.slice(0, [1, 2].find((size) => tables.SHORT_CODES.includes(whole.slice(0, size))) ?? 3);
    const compared = withoutZeros(whole.slice(code.length));
    return compared.length < 5 ? null : { number: `+${code}${compared}`, compared };
  }
  const compared = withoutZeros(tables.HUNGARIAN_MOBILE.test(digits) ? digits.slice(2) : digits);
  return compared.length < 5 ? null : { number: digits, compared };
}

/** RFC 3490 of a domain: ASCII as it is, else label by label, read as of 2003. */
function asciiDomain(domain) {
  const isAscii = /^[\0-\x7f]*$/.test(domain);
  const labels = isAscii ? domain.split('.') : domain.split(/[.\u3002]/).map((label) => domainToASCII(label.replaceAll('ß', 'ss').replaceAll('ς', 'σ')));
  return labels.every((label) => label.length > 0 && label.length < 64) ? labels.join('.') : '';
}

export function email(source) {
  const last = seen(source).normalize('NFKC').trim().split('<').at(-1).replace(/>$/, '').trim();
  const address = last.toLowerCase().replace(/^mailto:/, '').replace(/\.+$/, '');
  if ([...address].length > 254 || !/^[^@\s]+@[^@\s]+\.[^@\s.]+$/.test(address)) return '';
  const [local, domain] = address.split('@');
  const ascii = asciiDomain(domain);
  return ascii && `${local}@${ascii}`;
}
