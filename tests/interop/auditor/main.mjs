// An auditor of exported logs: the same files and the same registry as `aquila audit verify`, read from schemas/ alone.
//
//   node main.mjs LOG --registry FILE     LOG is a folder or a tar archive; status 1 and the first fault, if there is one
//   node main.mjs --cases FOLDER          for each FOLDER/*.json a line of JSON with what was found: tests compare these
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from './encoding.mjs';
import { readLog, readRegistry } from './log.mjs';
import { auditRounds } from './rounds_audit.mjs';
import { readStatements } from './statements.mjs';

/** Audit a log; return its holder and what is not proven, in words for machines, or throw a Fault. */
export function audit(files, registry) {
  const log = readLog(files, registry);
  auditRounds(log, readStatements(log));
  return { holder: log.holder, entries: log.size, unproven: log.unproven };
}

function folder(path) {
  return (name) => (existsSync(join(path, name)) ? new Uint8Array(readFileSync(join(path, name))) : null);
}

/** The files of a tar archive (POSIX.1-1988 ustar). */
function archive(path) {
  const content = readFileSync(path);
  const found = new Map();
  const text = (start, length) => content.toString('utf8', start, start + length).replace(/\0.*$/s, '');
  for (let place = 0; place < content.length && content[place]; ) {
    const size = parseInt(text(place + 124, 12), 8);
    const name = [text(place + 345, 155), text(place, 100)].filter(Boolean).join('/');
    if (found.has(name)) throw new Fault(0, name, 'the archive holds a file twice');
    found.set(name, new Uint8Array(content.subarray(place + 512, place + 512 + size)));
    place += 512 + Math.ceil(size / 512) * 512;
  }
  return (name) => found.get(name) ?? null;
}

function verdictOf(files, registry) {
  try {
    return { check: null, ...audit(files, registry) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { check: error.check, sentence: error.message };
  }
}

/** Audit recorded logs: each names its registry and its files, which lie in FOLDER/blobs. */
function auditCases(path) {
  const blobs = folder(join(path, 'blobs'));
  for (const name of readdirSync(path).filter((one) => one.endsWith('.json')).sort()) {
    const { files, registry } = JSON.parse(readFileSync(join(path, name)));
    const verdict = verdictOf((file) => (Object.hasOwn(files, file) ? blobs(files[file]) : null), readRegistry(registry));
    process.stdout.write(`${JSON.stringify({ name, ...verdict })}\n`);
  }
}

function main([place, option, value]) {
  if (place === '--cases') return auditCases(option);
  if (option !== '--registry' || !value) {
    process.stderr.write('usage: node main.mjs LOG --registry FILE\n');
    return process.exit(2);
  }
  const verdict = verdictOf(statSync(place).isDirectory() ? folder(place) : archive(place), readRegistry(readFileSync(value, 'utf8')));
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
  return process.exit(verdict.check === null ? 0 : 1);
}

main(process.argv.slice(2));
