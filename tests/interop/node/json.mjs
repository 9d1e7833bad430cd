/** RFC 8785 JSON and the JSON Schemas of the messages (PROTOCOL.md 2.1). */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { text, utf8 } from './bytes.mjs';
import { need, Refused } from './errors.mjs';

/** Where the published text lies: the folder `schemas` beside this program or above it. */
export const SCHEMAS = process.env.AQUILA_SCHEMAS ?? findSchemas(new URL('.', import.meta.url));

function findSchemas(folder) {
  const schemas = new URL('schemas/', folder);
  if (existsSync(new URL('PROTOCOL.md', schemas))) return fileURLToPath(schemas);
  const above = new URL('..', folder);
  need(above.href !== folder.href, 'input', 'the folder schemas is not there');
  return findSchemas(above);
}

/** The RFC 8785 text of a value; members that are undefined are left out. */
export function jcs(value) {
  if (Array.isArray(value)) return '[' + value.map(jcs).join(',') + ']';
  if (value !== null && typeof value === 'object') {
    const names = Object.keys(value).filter((name) => value[name] !== undefined).sort();
    return '{' + names.map((name) => JSON.stringify(name) + ':' + jcs(value[name])).join(',') + '}';
  }
  if (typeof value === 'string') need(value.isWellFormed(), 'malformed', 'a lone surrogate');
  if (typeof value === 'number') need(Number.isFinite(value), 'malformed', 'not a number of JSON');
  return JSON.stringify(value);
}

/** The value of bytes or a text that must be RFC 8785 JSON: duplicates, blanks and other orders do not encode again (2.1). */
export function parseCanonical(source) {
  const written = typeof source === 'string' ? source : text(source);
  let value;
  try {
    value = JSON.parse(written);
  } catch {
    throw new Refused('malformed', 'not JSON');
  }
  need(jcs(value) === written, 'malformed', 'not in canonical encoding');
  return value;
}

const schemas = new Map();
for (const file of readdirSync(SCHEMAS + 'json')) {
  const schema = JSON.parse(readFileSync(SCHEMAS + 'json/' + file, 'utf8'));
  schemas.set(schema.title ?? file.split('.')[0], schema);
  schemas.set(file.split('.')[0], schema);
}

/** The schema of a message by its name, such as `Consent`. */
export const schemaOf = (name) => schemas.get(name);

/** Names of messages by payload type. */
export const MESSAGES = new Map([...schemas].filter(([, s]) => s.$comment).map(([name, s]) => [s.$comment, name]));

/** What a value breaks of a schema, or null. Only the words that these schemas use are known. */
function fault(value, schema, root, at) {
  if (schema.$ref) return fault(value, schema.$ref.split('/').slice(1).reduce((s, k) => s[k], root), root, at);
  if (schema.anyOf) {
    const faults = schema.anyOf.map((s) => fault(value, s, root, at));
    return faults.includes(null) ? null : faults[0];
  }
  if ('const' in schema && value !== schema.const) return at + ' is not the constant';
  if (schema.enum && !schema.enum.includes(value)) return at + ' is none of the words';
  switch (schema.type) {
    case 'null': return value === null ? null : at + ' is not null';
    case 'boolean': return typeof value === 'boolean' ? null : at + ' is not true or false';
    case 'string':
      if (typeof value !== 'string') return at + ' is no text';
      if (schema.pattern && !new RegExp(schema.pattern, 'u').test(value)) return at + ' has another form';
      if (/\n$/.test(value) && schema.pattern?.endsWith('$')) return at + ' ends a line';
      if ([...value].length > (schema.maxLength ?? Infinity) || [...value].length < (schema.minLength ?? 0)) return at + ' has another length';
      return null;
    case 'integer':
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) return at + ' is no integer';
      return value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity) ? at + ' is out of bounds' : null;
    case 'array': {
      if (!Array.isArray(value)) return at + ' is no list';
      if (value.length < (schema.minItems ?? 0) || value.length > (schema.maxItems ?? Infinity)) return at + ' has another length';
      for (const [i, item] of value.entries()) {
        const wrong = fault(item, schema.prefixItems?.[i] ?? schema.items ?? {}, root, `${at}[${i}]`);
        if (wrong) return wrong;
      }
      return null;
    }
    case 'object': {
      if (value === null || typeof value !== 'object' || Array.isArray(value)) return at + ' is no object';
      for (const name of schema.required ?? []) if (!Object.hasOwn(value, name)) return `${at}.${name} is missing`;
      for (const [name, member] of Object.entries(value)) {
        const pattern = Object.keys(schema.patternProperties ?? {}).find((p) => new RegExp(p, 'u').test(name));
        const known = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties[name] : pattern ? schema.patternProperties[pattern] : schema.additionalProperties;
        if (known === false || known === undefined) return `${at}.${name} is unknown`;
        if (known === true) continue;
        // A message without an optional field is encoded without it, and never with null (2.1).
        if (member === null && !(schema.required ?? []).includes(name)) return `${at}.${name} is null`;
        const wrong = fault(member, known, root, `${at}.${name}`);
        if (wrong) return wrong;
      }
      return null;
    }
  }
  return null;
}

/** Refuses a value that is not of the schema of this name. */
export function validate(name, value) {
  return validateWith(schemas.get(name), value);
}

/** Refuses a value that is not of a schema. */
export function validateWith(schema, value) {
  const wrong = fault(value, schema, schema, schema.title ?? 'value');
  need(wrong === null, 'malformed', wrong);
  return value;
}

export const jcsBytes = (value) => utf8(jcs(value));
