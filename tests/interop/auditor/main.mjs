// An auditor of exported logs: the same files and the same registry as `aquila audit verify`, read from schemas/ alone.
//
//   node main.mjs LOG --registry FILE [--with LOG]... [--at-least NOTE] [--strict]
//                                         LOG is a folder or a tar archive; status 1 and the first fault, if there is one
//   node main.mjs --cases FOLDER          for each FOLDER/*.json a line of JSON with what was found: tests compare these
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkAtLeast, compareLogs, stillUnproven } from './comparison.mjs';
import { Fault } from './encoding.mjs';
import { readLog, readRegistry } from './log.mjs';
import { auditRounds } from './rounds_audit.mjs';
import { readStatements } from './statements.mjs';

/** Audit a log and return it with what its parties said and what is not proven, or throw a Fault. */
function audit(files, registry) {
  const log = readLog(files, registry);
  log.said = readStatements(log);
  auditRounds(log, log.said);
  return log;
}

/** Audit a log, alone and beside others and a checkpoint that was kept, and return what is found, in words for machines. */
function auditAll(files, registry, { others = [], kept = null, strict = false }) {
  const log = audit(files, registry);
  if (kept) checkAtLeast(log, kept);
  const beside = others.map((other) => audit(other, registry));
  const points = stillUnproven([...log.unproven, ...compareLogs([log, ...beside])], beside);
  const unproven = [...new Set(points.map((point) => point.what ?? point))].sort();
  if (strict && unproven.length) throw new Fault('strict', 'the log', `not proven: ${unproven.join(', ')}`);
  return { holder: log.holder, entries: log.size, unproven };
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

function verdictOf(files, registry, options = {}) {
  try {
    return { check: null, ...auditAll(files, registry, options) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { check: error.check, sentence: error.message };
  }
}

/** Audit recorded logs: each names its registry and its files, which lie in FOLDER/blobs, and maybe other logs beside it. */
function auditCases(path) {
  const blobs = folder(join(path, 'blobs'));
  for (const name of readdirSync(path).filter((one) => one.endsWith('.json')).sort()) {
    const { files, registry, beside = [] } = JSON.parse(readFileSync(join(path, name)));
    const [log, ...others] = [files, ...beside].map((of) => (file) => (Object.hasOwn(of, file) ? blobs(of[file]) : null));
    const verdict = verdictOf(log, readRegistry(registry), { others });
    process.stdout.write(`${JSON.stringify({ name, ...verdict })}\n`);
  }
}

const filesOf = (place) => (statSync(place).isDirectory() ? folder(place) : archive(place));

function main(args) {
  if (args[0] === '--cases') return auditCases(args[1]);
  const options = { registry: { type: 'string' }, with: { type: 'string', multiple: true, default: [] }, 'at-least': { type: 'string' }, strict: { type: 'boolean' } };
  const { values, positionals: [place] } = parseArgs({ args, options, allowPositionals: true });
  if (!place || !values.registry) {
    process.stderr.write('usage: node main.mjs LOG --registry FILE [--with LOG]... [--at-least NOTE] [--strict]\n');
    return process.exit(2);
  }
  const kept = values['at-least'] && new Uint8Array(readFileSync(values['at-least']));
  const verdict = verdictOf(filesOf(place), readRegistry(readFileSync(values.registry, 'utf8')), { others: values.with.map(filesOf), kept, strict: values.strict });
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
  return process.exit(verdict.check === null ? 0 : 1);
}

main(process.argv.slice(2));
