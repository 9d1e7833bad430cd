/** Runs the published vectors that concern a node: `node vectors-check.mjs [FILE ...]`. */
import { readFileSync, readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { SCHEMAS } from './json.mjs';
import * as suites from './vectors-operations.mjs';

const wanted = process.argv.slice(2).filter((a) => !a.startsWith('-'));
const verbose = process.argv.includes('-v');
let failed = 0;
let passed = 0;
const left = new Map();
for (const file of readdirSync(SCHEMAS + 'vectors').filter((f) => f.endsWith('.json')).sort()) {
  const name = file.slice(0, -5);
  if (wanted.length && !wanted.includes(name)) continue;
  const { vectors, shared } = JSON.parse(readFileSync(SCHEMAS + 'vectors/' + file, 'utf8'));
  const operations = suites[name]?.(shared, vectors) ?? {};
  for (const vector of vectors) {
    const operation = operations[vector.operation];
    if (!operation || vector.result === 'acceptable') {
      const kind = `${name}: ${vector.operation}${vector.result === 'acceptable' ? ' (acceptable)' : ''}`;
      left.set(kind, (left.get(kind) ?? 0) + 1);
      continue;
    }
    const fault = await judge(operation, vector);
    if (fault === null) passed++;
    else {
      failed++;
      console.log(`FAILED ${name} ${vector.name} (${vector.operation}, ${vector.paragraph}): ${fault}`);
    }
  }
}
for (const [kind, count] of left) console.log(`left out ${kind}: ${count}`);
console.log(`${passed} passed, ${failed} failed, ${[...left.values()].reduce((a, b) => a + b, 0)} left out`);
process.exitCode = failed ? 1 : 0;

/** What is wrong with the answer to a vector, or null. */
async function judge(operation, vector) {
  const refused = vector.result === 'invalid' && vector.class !== 'differs';
  let got;
  try {
    got = await operation(structuredClone(vector.given), vector);
  } catch (error) {
    if (!refused) return error.stack.slice(0, verbose ? 2000 : 500);
    if (error.name !== 'Refused') return `refused by a crash: ${error.stack.slice(0, 400)}`;
    if (verbose && error.problem !== vector.class) console.log(`  note: ${vector.name} refused as ${error.problem}, not ${vector.class}: ${error.message}`);
    return null;
  }
  if (refused) return `taken, and should be refused as ${vector.class}`;
  const same = !('gives' in vector) || isDeepStrictEqual(got, vector.gives);
  if (vector.class === 'differs') return same ? 'the same, and should differ' : null;
  return same ? null : `gives ${JSON.stringify(got)?.slice(0, verbose ? 5000 : 300)}\n   instead of ${JSON.stringify(vector.gives).slice(0, verbose ? 5000 : 300)}`;
}
