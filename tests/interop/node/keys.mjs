/** Identity keys: Ed25519 by the equation without the cofactor (PROTOCOL.md 2.4). */
import { createPrivateKey, sign as nodeSign } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { equal, fromLittle, hex, sha256, sha512 } from './bytes.mjs';
import { need, Refused } from './errors.mjs';

const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;
const FIELD = 2n ** 255n - 19n;

/** Fingerprint of a public key: the SHA-256 of its 32 raw bytes. */
export const fingerprint = (publicKey) => hex(sha256(publicKey));

/** A public key that may count: 32 bytes, a reduced coordinate, on the curve, not of small order. */
export function checkKey(publicKey) {
  need(publicKey.length === 32, 'malformed', 'a key has 32 bytes');
  const y = fromLittle(publicKey) & (2n ** 255n - 1n);
  need(y < FIELD, 'malformed', 'a coordinate that is not reduced');
  let point;
  try {
    point = Point.fromBytes(publicKey);
  } catch {
    throw new Refused('malformed', 'not a point of the curve');
  }
  need(!point.isSmallOrder(), 'malformed', 'a key of small order');
  return point;
}

/** Refuses a signature that does not count. */
export function verify(publicKey, message, signature) {
  const key = checkKey(publicKey);
  need(signature.length === 64, 'signature', 'a signature has 64 bytes');
  const r = signature.subarray(0, 32);
  const s = fromLittle(signature.subarray(32));
  need(s < ORDER, 'signature', 'S is not smaller than the order');
  const k = fromLittle(sha512(r, publicKey, message)) % ORDER;
  // S·B - k·A must be R byte by byte; the unsafe multiplication is for public values.
  const left = s === 0n ? Point.ZERO : Point.BASE.multiplyUnsafe(s);
  const right = k === 0n ? Point.ZERO : key.multiplyUnsafe(k);
  need(equal(left.subtract(right).toBytes(), r), 'signature', 'the signature does not verify');
}

/** An identity key from its seed of RFC 8032. */
export class IdentityKey {
  #key;
  constructor(seed) {
    this.publicKey = ed25519.getPublicKey(seed);
    this.fingerprint = fingerprint(this.publicKey);
    const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
    this.#key = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' });
  }
  sign(message) {
    return new Uint8Array(nodeSign(null, message, this.#key));
  }
}

