/** The normalizer's version and conformance digest, which a manifest names (schemas/records/normalizer.md; PROTOCOL.md 3.3.1, 6.2). */
import { readFileSync } from 'node:fs';
import { digest, hex } from './bytes.mjs';
import { SCHEMAS } from './json.mjs';
import { FILES } from './tables.mjs';

const VERSION = 5;
const { vectors } = JSON.parse(readFileSync(SCHEMAS + 'vectors/normalizer.json', 'utf8'));
const set = vectors.filter((v) => v.operation === 'answers');
const lines = set.flatMap((v) => v.given.texts.flatMap((text, i) => [v.given.kind, text, v.gives[i]]));

/** That of the published tables and answers; `vectors-check.mjs` shows that this node gives these answers. */
export const computed = { name: `normalizer ${VERSION}`, digest: hex(digest('aquila/2 normalizer', String(VERSION), ...FILES.flat(), ...lines)) };

/** The name and digest as they are published, to which the manifests refer. */
export const reference = vectors.find((v) => v.operation === 'reference').gives;
