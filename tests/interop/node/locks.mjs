/** Locks of a pair and the round's binding (PROTOCOL.md 3.3.4, 3.3.8). */
import { concat, digest, framed, hex, hmac, unhex } from './bytes.mjs';
import { hkdf, openSealed, sealTo } from './sealing.mjs';
import { need } from './errors.mjs';

/** The binding of a round from its manifest's digest and the consents' digests by party. */
export function bindingOf(manifestDigest, consents) {
  const parts = Object.keys(consents).sort().map((party) => framed('consent', party, unhex(consents[party])));
  return hex(digest('aquila/2 binding', unhex(manifestDigest), ...parts));
}

/** The half of a lock, from the one secret of the round. */
export function halfOf(secret, binding, party, counterpart) {
  return hmac('sha512', secret, framed('aquila/2 lock half', unhex(binding), party, counterpart)).slice(0, 32);
}

export const lockInfo = (binding, party, counterpart) => framed('aquila/2 lock', unhex(binding), party, counterpart);

export const sealHalf = (half, binding, party, counterpart, sealingKey, random) =>
  sealTo(sealingKey, lockInfo(binding, party, counterpart), half, random);

/** The half that `party` made for `counterpart`, who opens it. */
export function openHalf(sealed, binding, party, counterpart, sealingSeed) {
  const half = openSealed(sealingSeed, lockInfo(binding, party, counterpart), sealed);
  need(half.length === 32, 'seal', 'a half has 32 bytes');
  return half;
}

/**
 * The key `s(purpose)` of a pair, 64 bytes.
 * @param {{party: string, half: Uint8Array, locks: string}[]} sides both sides, with the half that each made and the digest of its Locks
 */
export function pairKey(binding, sides, purpose) {
  const [lo, hi] = [...sides].sort((a, b) => (a.party < b.party ? -1 : 1));
  const info = framed('aquila/2 lock', unhex(lo.locks), unhex(hi.locks), lo.party, hi.party, purpose);
  return hkdf('sha512', unhex(binding), concat(lo.half, hi.half), info, 64);
}
