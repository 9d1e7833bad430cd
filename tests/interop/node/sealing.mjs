/** Sealing: HPKE with X-Wing for parties, AES-GCM-SIV under keys (PROTOCOL.md 3.3.2, 4.5, 4.6). */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { gcmsiv } from '@noble/ciphers/aes.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { sha3_256, shake256 } from '@noble/hashes/sha3.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { big, concat, hmac, utf8 } from './bytes.mjs';
import { need, Refused } from './errors.mjs';

const LABEL = utf8('\\.//^\\');
const NOTHING = new Uint8Array(0);
const SUITE = concat(utf8('HPKE'), big(0x647a, 2), big(0x0001, 2), big(0x0002, 2));

function expandKey(seed) {
  const wide = shake256(seed, { dkLen: 96 });
  const lattice = ml_kem768.keygen(wide.subarray(0, 64));
  const curve = wide.subarray(64);
  return { lattice, curve, curvePublic: x25519.getPublicKey(curve) };
}

/** The public sealing key, 1216 bytes, of a private one of 32 bytes. */
export function sealingPublic(seed) {
  const { lattice, curvePublic } = expandKey(seed);
  return concat(lattice.publicKey, curvePublic);
}

/** Refuses a sealing key to which nothing can be sealed (3.3.2). */
export function checkSealingKey(publicKey) {
  need(publicKey.length === 1216, 'malformed', 'a sealing key has 1216 bytes');
  for (let i = 0; i < 1152; i += 3) {
    const low = publicKey[i] | ((publicKey[i + 1] & 15) << 8);
    const high = (publicKey[i + 1] >> 4) | (publicKey[i + 2] << 4);
    need(low < 3329 && high < 3329, 'malformed', 'a coefficient that is not reduced');
  }
  try {
    x25519.getSharedSecret(new Uint8Array(32).fill(1), publicKey.subarray(1184));
  } catch {
    throw new Refused('malformed', 'a point of small order');
  }
}

const combine = (lattice, curve, curveCipher, curvePublic) => sha3_256(concat(lattice, curve, curveCipher, curvePublic, LABEL));

function encapsulate(publicKey, random) {
  const curvePublic = publicKey.subarray(1184);
  const lattice = ml_kem768.encapsulate(publicKey.subarray(0, 1184), random.subarray(0, 32));
  const ephemeral = random.subarray(32, 64);
  const curveCipher = x25519.getPublicKey(ephemeral);
  const curve = x25519.getSharedSecret(ephemeral, curvePublic);
  return { secret: combine(lattice.sharedSecret, curve, curveCipher, curvePublic), cipher: concat(lattice.cipherText, curveCipher) };
}

function decapsulate(seed, cipher) {
  const own = expandKey(seed);
  const curveCipher = cipher.subarray(1088);
  const lattice = ml_kem768.decapsulate(cipher.subarray(0, 1088), own.lattice.secretKey);
  return combine(lattice, x25519.getSharedSecret(own.curve, curveCipher), curveCipher, own.curvePublic);
}

// HPKE's key schedule in base mode (RFC 9180, 5.1)
const extract = (salt, label, ikm) => hmac('sha256', salt, concat(utf8('HPKE-v1'), SUITE, utf8(label), ikm));

function expand(prk, label, info, length) {
  return hkdfExpand('sha256', prk, concat(big(length, 2), utf8('HPKE-v1'), SUITE, utf8(label), info), length);
}

export function hkdfExpand(name, prk, info, length) {
  let block = NOTHING;
  let all = NOTHING;
  for (let i = 1; all.length < length; i++) {
    block = new Uint8Array(createHmac(name, prk).update(block).update(info).update(Uint8Array.of(i)).digest());
    all = concat(all, block);
  }
  return all.slice(0, length);
}

/** HKDF of RFC 5869. */
export const hkdf = (name, salt, ikm, info, length) => hkdfExpand(name, hmac(name, salt, ikm), info, length);

function schedule(secret, info) {
  const context = concat(Uint8Array.of(0), extract(NOTHING, 'psk_id_hash', NOTHING), extract(NOTHING, 'info_hash', info));
  const prk = extract(secret, 'secret', NOTHING);
  return { key: expand(prk, 'key', context, 32), nonce: expand(prk, 'base_nonce', context, 12) };
}

/** Seals to a party: the encapsulation, then the ciphertext (4.6). */
export function sealTo(publicKey, info, plain, random = new Uint8Array(randomBytes(64))) {
  const { secret, cipher } = encapsulate(publicKey, random);
  const { key, nonce } = schedule(secret, info);
  const aes = createCipheriv('aes-256-gcm', key, nonce);
  return concat(cipher, aes.update(plain), aes.final(), aes.getAuthTag());
}

/** Opens what was sealed to a private key of 32 bytes (4.6). */
export function openSealed(seed, info, sealed) {
  need(sealed.length >= 1120 + 16, 'seal', 'sealed bytes are too short');
  try {
    const { key, nonce } = schedule(decapsulate(seed, sealed.subarray(0, 1120)), info);
    const aes = createDecipheriv('aes-256-gcm', key, nonce);
    aes.setAuthTag(sealed.subarray(-16));
    return concat(aes.update(sealed.subarray(1120, -16)), aes.final());
  } catch {
    throw new Refused('seal', 'the sealed bytes do not open');
  }
}

/** AES-256-GCM-SIV (RFC 8452) with its nonce in front. */
export function lockBytes(key, plain, data = NOTHING, nonce = new Uint8Array(randomBytes(12))) {
  return concat(nonce, gcmsiv(key, nonce, data).encrypt(plain));
}

export function unlockBytes(key, sealed, data = NOTHING) {
  need(sealed.length >= 28, 'seal', 'sealed bytes are too short');
  try {
    return gcmsiv(key, sealed.subarray(0, 12), data).decrypt(sealed.subarray(12));
  } catch {
    throw new Refused('seal', 'the sealed bytes do not open');
  }
}
