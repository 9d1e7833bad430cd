/** The registry's file: the pinned keys of the matcher and the parties (PROTOCOL.md 2.4; schemas/log/forms.md). */
import { readFileSync } from 'node:fs';
import { unhex } from './bytes.mjs';
import { need } from './errors.mjs';
import { checkKey } from './keys.mjs';
import { parseToml } from './toml.mjs';

/** @returns {{matcher: Uint8Array, parties: Map<string, Uint8Array>}} */
export function readRegistry(path) {
  const file = parseToml(readFileSync(path, 'utf8'));
  const keys = [];
  const keyOf = (entry) => {
    const key = unhex(entry.identity_key);
    checkKey(key);
    keys.push(entry.identity_key);
    return key;
  };
  const registry = { matcher: keyOf(file.matcher), parties: new Map() };
  for (const entry of file.party ?? []) {
    need(/^[A-Z]{2}$/.test(entry.code) && !registry.parties.has(entry.code), 'input', 'a party twice in the registry');
    registry.parties.set(entry.code, keyOf(entry));
  }
  need(new Set(keys).size === keys.length, 'input', 'a key twice in the registry');
  return registry;
}
