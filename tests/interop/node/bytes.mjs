/** Bytes, framing and digests (PROTOCOL.md 2.2, 2.3). */
import { createHash, createHmac } from 'node:crypto';
import { Refused } from './errors.mjs';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 bytes of a text. */
export const utf8 = (text) => encoder.encode(text);

/** The text of UTF-8 bytes; anything else is refused. */
export function text(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Refused('malformed', 'not UTF-8');
  }
}

/** Lower-case hexadecimal. */
export const hex = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

/** Bytes of lower-case hexadecimal. */
export function unhex(digits) {
  if (typeof digits !== 'string' || !/^([0-9a-f]{2})*$/.test(digits)) throw new Refused('malformed', 'not hexadecimal');
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

export const base64 = (bytes) => Buffer.from(bytes).toString('base64');

/** Bytes of base64 in its one encoding, padding included. */
export function unbase64(digits) {
  const bytes = Buffer.from(digits, 'base64');
  if (bytes.toString('base64') !== digits) throw new Refused('malformed', 'not canonical base64');
  return new Uint8Array(bytes);
}

export function concat(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A number as `size` bytes, big endian. */
export function big(number, size) {
  const bytes = new Uint8Array(size);
  for (let i = size - 1, rest = BigInt(number); i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

/** A number as `size` bytes, little endian. */
export const little = (number, size) => big(number, size).reverse();

export const fromLittle = (bytes) => BigInt('0x0' + hex(Uint8Array.from(bytes).reverse()));

/** The order of byte strings. */
export const compare = (a, b) => Buffer.compare(a, b);

export const equal = (a, b) => Buffer.compare(a, b) === 0;

export const sha256 = (...parts) => hash('sha256', parts);
export const sha512 = (...parts) => hash('sha512', parts);

function hash(name, parts) {
  const state = createHash(name);
  for (const part of parts) state.update(part);
  return new Uint8Array(state.digest());
}

export const hmac = (name, key, bytes) => new Uint8Array(createHmac(name, key).update(bytes).digest());

/** `framed(label, p1, ...)`: label and parts, each behind its length as 4 bytes (2.3). Texts are their UTF-8. */
export function framed(label, ...parts) {
  const pieces = [];
  for (const part of [label, ...parts]) {
    const bytes = typeof part === 'string' ? utf8(part) : part;
    pieces.push(big(bytes.length, 4), bytes);
  }
  return concat(...pieces);
}

/** `digest(label, p1, ...)` (2.3). */
export const digest = (label, ...parts) => sha256(framed(label, ...parts));
