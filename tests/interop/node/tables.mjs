/** The normalizer's tables (schemas/records/normalizer/). */
import { readFileSync } from 'node:fs';
import { SCHEMAS } from './json.mjs';

/** The tables in the order of the conformance digest. */
const ORDER = ['serbian', 'macedonian', 'bulgarian', 'russian', 'ukrainian', 'greek', 'arabic', 'folding', 'particles', 'titles', 'variants', 'nicknames', 'women', 'phones', 'countries', 'romanization', 'unseen'];
export const FILES = ORDER.map((name) => [name, readFileSync(`${SCHEMAS}records/normalizer/${name}.json`)]);
const table = Object.fromEntries(FILES.map(([name, bytes]) => [name, JSON.parse(bytes)]));
const spellings = (object) => new Map(Object.entries(object).map(([written, becomes]) => [written.normalize('NFC'), becomes]));

/** In the order in which their letters are taken for those that a language's own table has not. */
const bases = ['serbian', 'macedonian', 'bulgarian', 'russian', 'ukrainian'].map((name) => table[name].letters);
const cyrillic = (name) => ({ map: spellings(Object.assign({}, ...bases.toReversed(), table[name].letters, table[name].pairs)), letters: [...table[name].marks] });
export const SERBIAN = cyrillic('serbian');
/** In the order in which their letters decide. */
export const CYRILLIC = ['russian', 'ukrainian', 'macedonian', 'serbian', 'bulgarian'].map(cyrillic);
export const GREEK = spellings(table.greek.letters);
export const ARABIC = spellings(table.arabic.letters);
export const BEGINNINGS = spellings(table.folding.beginnings);
export const ENDINGS = spellings(table.folding.endings);
export const ANYWHERE = spellings(table.folding.spellings);
export const PARTICLES = table.particles.dropped;
export const NOT_ARTICLES = table.particles.whole;
export const JOIN_NEXT = spellings(table.particles.begins);
export const JOIN_BEFORE = spellings(table.particles.ends);
const titles = (kind) => Object.values(table.titles).flatMap((language) => language[kind] ?? []);
export const TITLES = titles('titles');
export const MAYBE_TITLES = titles('before');
export const BEHIND_TITLES = titles('after');
export const VARIANTS = table.variants.groups;
export const KEEP_VOWELS = table.variants.apart;
export const NICKNAMES = table.nicknames.groups;
export const WOMEN = table.women.names;
export const PHONES = Object.values(table.phones.countries);
export const SHORT_CODES = table.phones.codes.short;
export const HUNGARIAN_MOBILE = new RegExp(`^${table.phones.hungarian.mobile}$`);
export const COUNTRIES = Object.entries(table.countries.countries);

/** Readings by letter: each key is a code point, its value the readings of that one and those that follow; a dot is nothing, a hyphen stays. */
function readings(object) {
  const map = new Map();
  for (const [first, list] of Object.entries(object)) {
    list.trim().split(/\s+/).forEach((reading, i) => {
      if (reading !== '-') map.set(String.fromCodePoint(parseInt(first, 16) + i), reading === '.' ? '' : reading);
    });
  }
  return map;
}
export const LATIN_LETTERS = readings(table.romanization.latin);
export const SCRIPTS = readings(table.romanization.scripts);

const anyOf = (ranges) => new RegExp(`[${ranges.map((range) => range.split('-').map((code) => `\\u{${code}}`).join('-')).join('')}]`, 'gu');
export const GOES = anyOf(table.unseen.goes);
export const BLANKS = anyOf(table.unseen.blanks);
