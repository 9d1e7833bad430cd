/** What a node keeps in its state folder: files that are written whole, and secrets sealed under keys of their own (PROTOCOL.md 4.5). */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hex, text, unhex, utf8 } from './bytes.mjs';
import { lockBytes, unlockBytes } from './sealing.mjs';

export class Store {
  constructor(folder) {
    this.folder = folder;
    for (const name of ['rounds', 'keys']) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  }
  #path(name) {
    return join(this.folder, name);
  }

  /** Writes a file whole: to another name, then renamed; durable when this returns. */
  write(name, bytes) {
    const path = this.#path(name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = openSync(path + '.new', 'w', 0o600);
    writeSync(file, bytes);
    fsyncSync(file);
    closeSync(file);
    renameSync(path + '.new', path);
  }
  read(name) {
    return existsSync(this.#path(name)) ? new Uint8Array(readFileSync(this.#path(name))) : null;
  }
  writeJson(name, value) {
    this.write(name, JSON.stringify(value, null, 1));
  }
  readJson(name, otherwise) {
    const bytes = this.read(name);
    return bytes ? JSON.parse(text(bytes)) : otherwise;
  }
  remove(name) {
    rmSync(this.#path(name), { force: true, recursive: true });
  }

  /** The key that seals a round's secrets, made when it is first wanted: `round`, or `note` for what is kept until the notes were verified. */
  #key(roundId, kind, make) {
    const name = `keys/${roundId}.${kind}`;
    let key = this.read(name);
    if (!key && make) this.write(name, (key = new Uint8Array(randomBytes(32))));
    return key;
  }
  sealSecrets(roundId, kind, value) {
    this.write(`rounds/${roundId}/${kind}.sealed`, lockBytes(this.#key(roundId, kind, true), utf8(JSON.stringify(value, hexed))));
  }
  openSecrets(roundId, kind) {
    const key = this.#key(roundId, kind, false);
    const sealed = this.read(`rounds/${roundId}/${kind}.sealed`);
    return key && sealed ? JSON.parse(text(unlockBytes(key, sealed)), unhexed) : null;
  }
  /** Destroys a key, and with it all that was sealed under it (3.9.2, 3.7.10). */
  destroy(roundId, kind) {
    const name = `keys/${roundId}.${kind}`;
    if (this.read(name)) this.write(name, randomBytes(32));
    this.remove(name);
    this.remove(`rounds/${roundId}/${kind}.sealed`);
  }
}

const hexed = (_, value) => (value instanceof Uint8Array ? { $hex: hex(value) } : typeof value === 'bigint' ? { $int: String(value) } : value);
const unhexed = (_, value) => (value?.$hex !== undefined ? unhex(value.$hex) : value?.$int !== undefined ? BigInt(value.$int) : value);
