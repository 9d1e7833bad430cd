/** Follow-ups on hits: sealed parts, what is told of a third party, and the triangle (PROTOCOL.md 3.11.6, 3.11.7). This node reads and makes them; it tells none by itself. */
import { big, concat, framed, hex, text, unhex, utf8 } from './bytes.mjs';
import { need } from './errors.mjs';
import { pieces } from './group.mjs';
import { lockBytes, unlockBytes } from './sealing.mjs';

const STATES = ['open', 'asked', 'confirmed', 'refuted', 'unresolved', 'withdrawn'];
const REFERENCE = /^[0-9A-Z]{12}$/;
const sizeOf = (third) => 17 + 20 * third.length;
const dataOf = ({ binding, sender, receiver, part }) => framed('aquila/2 follow-up', unhex(binding), sender, receiver, big(part, 4));
const maskOf = (rules) => rules.reduce((mask, rule) => mask | (1n << BigInt(rule - 1)), 0n);
const rulesOf = (mask) => Array.from({ length: 63 }, (_, i) => i + 1).filter((rule) => (mask >> BigInt(rule - 1)) & 1n);

/**
 * A sealed part: an entry for each hit that is told of, filled with zeros to as many as the part has hits.
 * @param {{hitId: string, state: string, third: object}[]} entries of each third party its rules and the own reference
 * @param {string[]} third third parties in their order
 */
export function sealPart(key, terms, third, hits, entries, nonce) {
  const bytes = entries.map((entry) => concat(unhex(entry.hitId), Uint8Array.of(STATES.indexOf(entry.state) + 1), ...third.map((party) => {
    const told = entry.third[party];
    return told ? concat(big(maskOf(told.rules), 8), utf8(told.reference.split('-').slice(1).join(''))) : new Uint8Array(20);
  })));
  const plain = concat(...bytes, new Uint8Array((hits - entries.length) * sizeOf(third)));
  return lockBytes(key.subarray(0, 32), plain, dataOf(terms), nonce);
}

/** The entries of a sealed part. */
export function openPart(key, terms, third, sealed) {
  const plain = unlockBytes(key.subarray(0, 32), sealed, dataOf(terms));
  need(plain.length > 0 && plain.length % sizeOf(third) === 0, 'malformed', 'not whole entries');
  const entries = pieces(plain, sizeOf(third)).filter((bytes) => bytes.some((b) => b !== 0));
  return entries.map((bytes) => {
    const state = STATES[bytes[16] - 1];
    need(state, 'malformed', 'an unknown state');
    const told = {};
    third.forEach((party, i) => {
      const at = bytes.subarray(17 + 20 * i, 37 + 20 * i);
      if (at.every((b) => b === 0)) return;
      const rules = rulesOf(BigInt('0x' + hex(at.subarray(0, 8))));
      const letters = text(at.subarray(8));
      need(rules.length > 0 && at[0] < 128 && REFERENCE.test(letters), 'malformed', 'not what is told of a third party');
      told[party] = { rules, reference: [terms.sender, letters.slice(0, 4), letters.slice(4, 8), letters.slice(8)].join('-') };
    });
    return { hitId: hex(bytes.subarray(0, 16)), state, third: told };
  });
}

/**
 * The rules under which a record surely met on one input in two of its hits: every token under the rule met in one of the two.
 * @param {number[]} rules of each token of the record, ascending by token @param {number[]} hit places that met @param {number[]} other
 */
export function sureRules(rules, hit, other) {
  return [...new Set(rules)].sort((a, b) => a - b).filter((rule) => {
    const places = rules.flatMap((r, i) => (r === rule ? [i] : []));
    const [here, there] = [hit, other].map((met) => places.filter((place) => met.includes(place)).length);
    return here > 0 && there > 0 && Math.max(here, there) === places.length;
  });
}

/** Refuses rules told of a third party that contradict the own report with it (3.11.7). */
export function checkTriangle({ told, own, sets, met }) {
  need(told.every((rule) => own.includes(rule)), 'contradicted', 'rules under which this hit did not meet here');
  if (sets.some((set) => set.every((rule) => told.includes(rule)))) {
    need(met.some((rules) => told.every((rule) => rules.includes(rule))), 'contradicted', 'no pair of the own record met under all of these rules');
  }
}
