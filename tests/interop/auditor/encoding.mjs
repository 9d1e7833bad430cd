// Bytes, canonical JSON, JSON Schema, Ed25519 and envelopes (PROTOCOL.md, section 2).
import { readdirSync, readFileSync } from 'node:fs';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 as sha256Of, sha512 } from '@noble/hashes/sha2.js';

export const SCHEMAS = new URL('../../../schemas/', import.meta.url);

/** What is wrong with a log: the number of the check that found it (10.6), the place, and a sentence. */
export class Fault extends Error {
  constructor(check, place, sentence) {
    super(`${place}: ${sentence}`);
    this.check = check;
  }
}

export const bytesOf = (text) => new TextEncoder().encode(text);
export const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const unhex = (text) => new Uint8Array(Buffer.from(text, 'hex'));
export const base64 = (bytes) => Buffer.from(bytes).toString('base64');
export const joined = (...parts) => new Uint8Array(Buffer.concat(parts));
export const same = (one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)) === 0;
export const sha256 = (...parts) => sha256Of(joined(...parts));
export const textOf = (bytes) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);

/** Decode base64 that is written in its one way. */
export function unbase64(text) {
  const bytes = new Uint8Array(Buffer.from(text, 'base64'));
  if (base64(bytes) !== text) throw new Error('base64 is not canonical');
  return bytes;
}

/** Join parts, each behind its length as 4 bytes; `framed` and `digest` of 2.3 have the label as the first one. */
export function framed(...parts) {
  const of = parts.flatMap((part) => {
    const bytes = typeof part === 'string' ? bytesOf(part) : part;
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, bytes.length);
    return [length, bytes];
  });
  return joined(...of);
}
export const digest = (...parts) => hex(sha256(framed(...parts)));

/** RFC 8785 of a value that JSON.parse made: names ascend by their UTF-16 code units, as strings of JavaScript do. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

/** Read JSON that is in its canonical encoding; surrogates without their other half have none. */
export function readCanonical(bytes) {
  const text = textOf(bytes);
  const value = JSON.parse(text);
  if (canonical(value) !== text || /\\ud[89a-f]/i.test(text)) throw new Error('the encoding is not canonical');
  return value;
}

// JSON Schema, as far as schemas/ uses it.

const TYPES = {
  array: Array.isArray,
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isSafeInteger,
  null: (value) => value === null,
  object: (value) => value !== null && typeof value === 'object' && !Array.isArray(value),
  string: (value) => typeof value === 'string',
};

function lengthsFit(schema, number, least, most) {
  return number >= (schema[least] ?? 0) && number <= (schema[most] ?? Infinity);
}

function objectFits(schema, value, root) {
  const names = Object.keys(value);
  const patterns = Object.entries(schema.patternProperties ?? {});
  if (!lengthsFit(schema, names.length, 'minProperties', 'maxProperties')) return false;
  if ((schema.required ?? []).some((name) => !names.includes(name))) return false;
  return names.every((name) => {
    if (Object.hasOwn(schema.properties ?? {}, name)) return fits(schema.properties[name], value[name], root);
    const pattern = patterns.find(([one]) => new RegExp(one, 'u').test(name));
    return pattern ? fits(pattern[1], value[name], root) : schema.additionalProperties !== false;
  });
}

export function fits(schema, value, root = schema) {
  if (schema.$ref) return fits(root.$defs[schema.$ref.split('/').at(-1)], value, root);
  if (schema.anyOf && !schema.anyOf.some((one) => fits(one, value, root))) return false;
  if ('const' in schema && schema.const !== value) return false;
  if (schema.enum && !schema.enum.includes(value)) return false;
  if (schema.type && !TYPES[schema.type](value)) return false;
  if (typeof value === 'string') {
    return lengthsFit(schema, [...value].length, 'minLength', 'maxLength') && (!schema.pattern || new RegExp(schema.pattern, 'u').test(value));
  }
  if (typeof value === 'number') return value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity);
  if (Array.isArray(value)) {
    const of = (index) => schema.prefixItems?.[index] ?? schema.items ?? {};
    return lengthsFit(schema, value.length, 'minItems', 'maxItems') && value.every((one, index) => fits(of(index), one, root));
  }
  return TYPES.object(value) ? objectFits(schema, value, root) : true;
}

const readSchema = (name) => JSON.parse(readFileSync(new URL(name, SCHEMAS), 'utf8'));
/** The schemas of messages by their payload types. */
const FORMS = new Map(readdirSync(new URL('json/', SCHEMAS)).map((name) => readSchema(`json/${name}`)).map((form) => [form.$comment, form]));
const ENTRY = readSchema('log/Entry.schema.json');

/** Read an entry of a log: canonical, and of its schema. */
export function readEntry(bytes) {
  const entry = readCanonical(bytes);
  if (!fits(ENTRY, entry)) throw new Error('it is no entry');
  return entry;
}

// Ed25519 as 2.4 has it: without the cofactor, S below the order, R byte by byte.

const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;
const littleEndian = (bytes) => BigInt(`0x${hex(bytes.slice().reverse())}`);
const verified = new Map();

/** Read a key: not of small order, and its coordinate in its one encoding. */
export function readKey(text) {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new Error('a key is 32 bytes in hexadecimal');
  const bytes = unhex(text);
  const point = Point.fromBytes(bytes, false);
  if (point.isSmallOrder()) throw new Error('a key is of small order');
  return { bytes, point, fingerprint: hex(sha256(bytes)) };
}

export function verify(key, signature, message) {
  if (signature.length !== 64) return false;
  const name = hex(sha256(key.bytes, signature, message));
  if (!verified.has(name)) {
    const [r, s] = [signature.slice(0, 32), littleEndian(signature.slice(32))];
    const k = littleEndian(sha512(joined(r, key.bytes, message))) % ORDER;
    const reached = () => Point.BASE.multiplyUnsafe(s).subtract(key.point.multiplyUnsafe(k)).toBytes();
    verified.set(name, s < ORDER && same(reached(), r));
  }
  return verified.get(name);
}

/** Open a DSSE envelope (2.1): its kind, message, digest (2.2) and the holder that signed it. */
export function openEnvelope(bytes, registry) {
  const envelope = readCanonical(bytes);
  const { payload, payloadType, signatures } = envelope;
  const [signature] = signatures;
  if (Object.keys(envelope).length !== 3 || signatures.length !== 1 || Object.keys(signature).length !== 2) {
    throw new Error('the envelope has other members than one');
  }
  const content = unbase64(payload);
  const signed = joined(bytesOf(`DSSEv1 ${bytesOf(payloadType).length} ${payloadType} ${content.length} `), content);
  const signer = registry.byFingerprint.get(signature.keyid);
  if (!signer) throw new Error('it is signed by a key that the registry does not name');
  if (!verify(signer.key, unbase64(signature.sig), signed)) throw new Error('its signature is wrong');
  return { ...messageOf(payloadType, content), digest: hex(sha256(signed)), holder: signer.holder, key: signer.key };
}

/** Read a message of a payload type (2.1): its kind and its content. */
export function messageOf(payloadType, content) {
  const form = FORMS.get(payloadType);
  const message = readCanonical(content);
  if (!form || !fits(form, message)) throw new Error('it is no message of its kind');
  const optional = Object.keys(form.properties).filter((name) => !form.required.includes(name));
  if (optional.some((name) => message[name] === null)) throw new Error('an optional field is null');
  return { kind: form.title, message };
}
