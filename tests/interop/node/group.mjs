/** ristretto255, the VOPRF and its proofs (PROTOCOL.md 2.5, 2.6, 4.2 to 4.4). */
import { randomBytes } from 'node:crypto';
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { shake256 } from '@noble/hashes/sha3.js';
import { big, concat, framed, fromLittle, little, sha256, sha512, unhex, utf8 } from './bytes.mjs';
import { need, Refused } from './errors.mjs';

const { Point } = ristretto255;
export const ORDER = Point.Fn.ORDER;
const CONTEXT = concat(utf8('OPRFV1-'), Uint8Array.of(1), utf8('-ristretto255-SHA512'));
const mod = (n) => ((n % ORDER) + ORDER) % ORDER;
const behind = (size, ...parts) => concat(...parts.flatMap((part) => [big(part.length, size), part]));
const times = (point, scalar) => (scalar === 0n ? Point.ZERO : point.multiply(scalar));
const timesPublic = (point, scalar) => (scalar === 0n ? Point.ZERO : point.multiplyUnsafe(scalar));

/** An element that came from outside: canonical and not the identity (2.5). */
export function element(bytes) {
  need(bytes.length === 32 && bytes[31] < 128, 'malformed', 'not the encoding of an element');
  let point;
  try {
    point = Point.fromBytes(bytes);
  } catch {
    throw new Refused('malformed', 'not the encoding of an element');
  }
  need(!point.is0(), 'malformed', 'the identity');
  return point;
}

/** The elements of a chunk's bytes (2.5). */
export function elements(bytes) {
  need(bytes.length > 0 && bytes.length % 32 === 0, 'malformed', 'not whole elements');
  return pieces(bytes, 32).map(element);
}

/** Bytes cut into pieces of one size. */
export const pieces = (bytes, size) => Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => bytes.subarray(size * i, size * i + size));

/** A scalar that came from outside: reduced and not zero (2.5). */
export function scalar(bytes) {
  const value = fromLittle(bytes);
  need(bytes.length === 32 && value > 0n && value < ORDER, 'malformed', 'not a scalar');
  return value;
}

export const scalarBytes = (value) => little(value, 32);
export const wideScalar = (bytes) => fromLittle(bytes) % ORDER;
export const randomScalar = () => wideScalar(new Uint8Array(randomBytes(64))) || randomScalar();

export const hashToGroup = (x) => ristretto255_hasher.hashToCurve(x, { DST: concat(utf8('HashToGroup-'), CONTEXT) });
const hashToScalar = (bytes, domain) => ristretto255_hasher.hashToScalar(bytes, { DST: domain });

export const publicOf = (share) => times(Point.BASE, share).toBytes();
export const multiply = (point, by) => times(point, by);

/** The point of an input with a multiple of the generator, and an evaluation without that of the evaluator's key (3.4.5, 3.6.0). */
export const blinded = (point, blind) => point.add(times(Point.BASE, blind));
export const unblinded = (evaluated, publicKey, blind) => evaluated.subtract(times(publicKey, blind));

/** Bytes of many points; each is multiplied by one scalar. */
export const evaluateAll = (points, share) => concat(...points.map((point) => times(point, share).toBytes()));

// 4.2 Proof of knowledge

const KNOWLEDGE = utf8('aquila/2 proof of knowledge');
const knowledge = (key, commitment, context) => hashToScalar(behind(4, Point.BASE.toBytes(), key, commitment, context), KNOWLEDGE);

/** The context of the proof of one share of a consent. `keys` are all its public keys: shares by class, then the sealing key. */
export const shareContext = (manifestDigest, party, inputClass, keys) => framed('aquila/2 share', unhex(manifestDigest), party, inputClass, ...keys);

/** Proof that its maker knows the share behind its public key (4.2). */
export function proveKnowledge(share, context, nonce = randomScalar()) {
  const c = knowledge(publicOf(share), times(Point.BASE, nonce).toBytes(), context);
  return concat(scalarBytes(c), scalarBytes(mod(nonce - c * share)));
}

export function verifyKnowledge(publicKey, context, proof) {
  const key = element(publicKey);
  const [c, s] = proofScalars(proof);
  const commitment = timesPublic(Point.BASE, s).add(timesPublic(key, c));
  need(!commitment.is0() && c !== 0n, 'proof', 'the proof of knowledge does not verify');
  need(knowledge(publicKey, commitment.toBytes(), context) === c, 'proof', 'the proof of knowledge does not verify');
}

function proofScalars(proof) {
  need(proof.length === 64, 'proof', 'a proof has 64 bytes');
  const both = [fromLittle(proof.subarray(0, 32)), fromLittle(proof.subarray(32))];
  need(both.every((n) => n < ORDER), 'proof', 'a scalar that is not reduced');
  return both;
}

// 4.3 Proof of evaluation

/** The context of a proof: which chunk, by whom and for whom. */
export function evaluationContext({ binding, inputClass, evaluator, origin, submissionId, index }) {
  return framed('aquila/2 evaluation', unhex(binding), inputClass, evaluator, origin, unhex(submissionId), big(index, 4));
}

export function batchSeed(publicKey, context, inputs, outputs) {
  const label = concat(utf8('Seed-'), CONTEXT);
  const digests = [sha256(inputs), sha256(outputs)];
  return sha512(behind(2, publicKey, label), behind(4, utf8('aquila/2 batch weights'), context, ...digests), big(inputs.length / 32, 4));
}

/** One weight of 16 bytes for each pair; zero becomes one. */
export function batchWeights(seed, count) {
  const bytes = shake256(seed, { dkLen: 16 * count });
  return pieces(bytes, 16).map((piece) => fromLittle(piece) || 1n);
}

/** Σ w·P with weights of 16 bytes; weights and points are public. */
export function weighted(points, weights) {
  // Buckets (Pippenger): much less work than one multiplication for each point.
  const bits = points.length < 300 ? 4 : 8;
  const mask = (1n << BigInt(bits)) - 1n;
  let sum = Point.ZERO;
  for (let shift = 128 - bits; shift >= 0; shift -= bits) {
    if (shift < 128 - bits) for (let i = 0; i < bits; i++) sum = sum.double();
    const buckets = new Array(1 << bits).fill(null);
    points.forEach((point, i) => {
      const digit = Number((weights[i] >> BigInt(shift)) & mask);
      if (digit) buckets[digit] = buckets[digit] ? buckets[digit].add(point) : point;
    });
    let running = Point.ZERO;
    let part = Point.ZERO;
    for (let digit = buckets.length - 1; digit > 0; digit--) {
      if (buckets[digit]) running = running.add(buckets[digit]);
      part = part.add(running);
    }
    sum = sum.add(part);
  }
  return sum;
}

function challenge(publicKey, m, z, t2, t3) {
  return hashToScalar(concat(behind(2, publicKey, m, z, t2, t3), utf8('Challenge')), concat(utf8('HashToScalar-'), CONTEXT));
}

/** The nonce of a proof, from the share, fresh bytes and the seed (4.4). */
export const nonceOf = (share, fresh, seed) => wideScalar(sha512(framed('aquila/2 nonce of evaluation', scalarBytes(share), fresh, seed)));

/** Evaluates a chunk: `k·element` for each, and one proof for all (3.5.1, 4.3, 4.4). */
export function evaluateChunk(terms, share, inputs, nonce = null) {
  const points = elements(inputs);
  const publicKey = publicOf(share);
  const output = evaluateAll(points, share);
  const seed = batchSeed(publicKey, evaluationContext(terms), inputs, output);
  const m = weighted(points, batchWeights(seed, points.length));
  const z = times(m, share);
  const t = nonce ?? nonceOf(share, new Uint8Array(randomBytes(32)), seed);
  const c = challenge(publicKey, m.toBytes(), z.toBytes(), times(Point.BASE, t).toBytes(), times(m, t).toBytes());
  return { output, proof: concat(scalarBytes(c), scalarBytes(mod(t - c * share))), seed, m: m.toBytes(), z: z.toBytes() };
}

/** Refuses evaluated elements whose proof does not verify (3.6.0, 4.3). Returns the points of the output. */
export function verifyChunk(terms, publicKey, inputs, output, proof) {
  need(inputs.length > 0 && inputs.length === output.length, 'malformed', 'other numbers of elements');
  const key = element(publicKey);
  const ins = elements(inputs);
  const outs = elements(output);
  const [c, s] = proofScalars(proof);
  need(s !== 0n || c !== 0n, 'proof', 'the proof does not verify');
  const weights = batchWeights(batchSeed(publicKey, evaluationContext(terms), inputs, output), ins.length);
  const m = weighted(ins, weights);
  const z = weighted(outs, weights);
  const t2 = timesPublic(Point.BASE, s).add(timesPublic(key, c));
  const t3 = timesPublic(m, s).add(timesPublic(z, c));
  need(challenge(publicKey, m.toBytes(), z.toBytes(), t2.toBytes(), t3.toBytes()) === c, 'proof', 'the proof does not verify');
  return outs;
}
