// The vectors of schemas/vectors that an auditor can answer, and those of follow-ups (3.11) and the registry (11): what else a node does is in ../node/.
//
//   node vectors.mjs      for each of these vectors a line of JSON: file, operation, name, and null or what is wrong
import { readFileSync } from 'node:fs';
import { gcmsiv } from '@noble/ciphers/aes.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { compareLogs } from './comparison.mjs';
import { bytesOf, canonical, framed, hex, joined, messageOf, readCanonical, readKey, SCHEMAS, sha256, unbase64, unhex, verify } from './encoding.mjs';
import { pathOf, readLog, readRegistry, rootOf, WIDTH } from './log.mjs';
import { auditRounds } from './rounds_audit.mjs';
import { readStatements } from './statements.mjs';

const fail = (sentence) => {
  throw new Error(sentence);
};
const by = (name) => (one) => one[name];
const ascending = (values, what) => values.some((one, at) => at && !(values[at - 1] < one)) && fail(`${what} are not distinct and ascending`);

// Envelopes (2.1, 2.4).

const pae = (type, payload) => joined(bytesOf(`DSSEv1 ${bytesOf(type).length} ${type} ${payload.length} `), payload);
const publicOf = (seed) => readKey(hex(ed25519.getPublicKey(unhex(seed))));
const messageDigest = (type, payload) => hex(sha256(pae(type, payload)));

function opened(text, types, keys) {
  const envelope = readCanonical(bytesOf(text));
  const { payload, payloadType, signatures } = envelope;
  if (Object.keys(envelope).length !== 3 || signatures.length !== 1 || !types.includes(payloadType)) fail('no envelope of this kind');
  const [{ keyid, sig }] = signatures;
  const key = keys.find((one) => one.fingerprint === keyid) ?? fail('an unknown key');
  const content = unbase64(payload);
  if (!verify(key, unbase64(sig), pae(payloadType, content))) fail('the signature is wrong');
  return content;
}

// Entries (10.2.1, 10.4).

const LOG = {
  bundle({ bundle, entries }) {
    const [bytes, found] = [unhex(bundle), []];
    for (let place = 0; place < bytes.length; ) {
      const end = place + 2 + bytes[place] * 256 + bytes[place + 1];
      if (end > bytes.length) fail('an entry is cut');
      found.push(Buffer.from(bytes.slice(place + 2, end)).toString());
      place = end;
    }
    return found.length === entries ? found : fail('another number of entries');
  },
  two_persons({ entries, round_id: round, manifest_digest: manifest }) {
    const content = hex(sha256(bytesOf(canonical({ kind: 'proposal', round_id: round, manifest }))));
    const asked = new Map();
    for (const entry of entries.map((one) => JSON.parse(one))) {
      const { kind, ids, digests, person } = entry;
      if (kind === 'approval_requested') asked.set(ids.approval, entry);
      else if (kind === 'approval_denied') asked.delete(ids.approval);
      else if (digests.content === content && asked.has(ids.approval)) {
        const request = asked.get(ids.approval);
        const isSame = canonical([request.ids, request.digests]) === canonical([ids, digests]);
        if (isSame && ids.author === request.person && person !== request.person) return;
      }
    }
    fail('two persons are not shown');
  },
  content({ content }) {
    const hashed = (value) => hex(sha256(bytesOf(canonical(value))));
    const { salt, ...shown } = content;
    if (shown.manifest) shown.manifest = messageDigest('application/vnd.aquila.manifest+json', bytesOf(canonical(shown.manifest)));
    if (shown.import) shown.import = hashed({ import: shown.import, salt });
    return hashed(shown);
  },
  path: ({ of, number, width }) => pathOf(of, number, width),
  tiles({ size }) {
    const found = {};
    let hashes = Array.from({ length: size }, (_, place) => sha256(Uint8Array.of(0, 0, place >> 16, place >> 8, place)));
    for (let level = 0; hashes.length; level += 1) {
      const number = Math.ceil(hashes.length / WIDTH) - 1;
      const last = hashes.slice(number * WIDTH);
      found[pathOf(level, number, last.length)] = hex(sha256(...last));
      const whole = Math.floor(hashes.length / WIDTH);
      hashes = Array.from({ length: whole }, (_, one) => rootOf(hashes.slice(one * WIDTH, one * WIDTH + WIDTH)));
    }
    return found;
  },
};

// Audits (10.6).

const audited = (files, changes, registry) => {
  const { matcher, ...parties } = registry;
  const tables = Object.entries(parties).map(([code, keys]) => {
    const [key, ...former] = [keys].flat().reverse();
    return `[[party]]\ncode = "${code}"\nidentity_key = "${key}"\nformer_keys = ${JSON.stringify(former.reverse())}\n`;
  });
  const pinned = readRegistry([`[matcher]\nidentity_key = "${matcher}"\n`, ...tables].join(''));
  const changed = { ...files };
  for (const [name, change] of Object.entries(changes)) {
    const old = change && (files[change.of ?? name] ?? '');
    if (change) changed[name] = old.slice(0, 2 * change.front) + change.put + old.slice(old.length - 2 * change.behind);
    else delete changed[name];
  }
  const log = readLog((name) => (Object.hasOwn(changed, name) ? unhex(changed[name]) : null), pinned);
  log.said = readStatements(log);
  auditRounds(log, log.said);
  return log;
};
const words = (points) => points.map((point) => point.what ?? point);

const LOG_BUNDLE = {
  audit: ({ registry, files, changes }) => words(audited(files, changes, registry).unproven),
  audit_node: ({ registry, node, changes }) => words(audited(node, changes, registry).unproven),
  compare({ registry, files, changes, node, node_changes: theirs }) {
    return words(compareLogs([audited(files, changes, registry), audited(node, theirs, registry)]));
  },
};

// The registry (11).

const file = (text, type, by) => {
  const content = JSON.parse(Buffer.from(unbase64(JSON.parse(text).payload)).toString());
  opened(text, [type], [readKey(content[by])]);
  return messageOf(type, bytesOf(canonical(content))).message;
};
const typeOf = (word) => `application/vnd.aquila.${word}+json`;
const HIDDEN = /[\0-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{110bd}\u{110cd}\u{13430}-\u{13438}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}\p{Co}]/u;

function invited({ envelope, now }) {
  const found = file(envelope, typeOf('invitation'), 'matcher_key');
  if (HIDDEN.test(found.name) || new URL(found.url).origin !== found.url || now > found.expires_at) fail('no invitation that counts');
  return found;
}

function renewed(text) {
  const found = file(text, typeOf('keyrenewal'), 'identity_key');
  if (found.handover !== null) {
    const said = JSON.parse(Buffer.from(opened(found.handover, [typeOf('keyhandover')], [readKey(found.former_key)])).toString());
    if (['party', 'former_key', 'identity_key'].some((name) => said[name] !== found[name])) fail('a handover of other keys');
  }
  return found;
}

/** All keys of each holder that a statement names, the oldest first, by its renewals. */
function keysOf(statement) {
  const holders = [{ party: 'matcher', identity_key: statement.matcher_key, renewals: statement.matcher_renewals }, ...statement.parties];
  return new Map(holders.map(({ party, identity_key: key, renewals = [] }) => {
    const found = renewals.map(renewed);
    const keys = [...found.map(by('former_key')), key];
    if (found.some((one, at) => one.party !== party || one.identity_key !== keys[at + 1])) fail('renewals do not lead to the key');
    return [party, keys];
  }));
}

function stated(text, matcher) {
  const found = file(text, typeOf('registry'), 'matcher_key');
  ascending(found.parties.map(by('party')), 'parties');
  const templates = found.templates ?? [];
  ascending(templates.map(({ template_id: id, version }) => `${id} ${String(version).padStart(16, '0')}`), 'templates');
  for (const { pairs } of templates) {
    ascending(pairs.map(([left, right]) => `${left} ${right}`), 'pairs of a template');
    if (pairs.some(([left, right]) => left >= right)) fail('the parties of a pair are not in their order');
  }
  const keys = [...keysOf(found).values()].flat();
  if (new Set(keys).size !== keys.length || (found.number === 1) !== (found.previous === null)) fail('the statement contradicts itself');
  if (!keysOf(found).get('matcher').includes(matcher)) fail('the statement of another matcher');
  return found;
}

function continues(before, after, left) {
  for (const [party, keys] of before) {
    const newer = after.get(party) ?? fail('a party is missing');
    const start = newer.indexOf(keys[0]);
    if (start < 0 || keys.some((key, at) => newer[start + at] !== key)) fail('another key');
    if (left?.(party)) fail('a party that had left is back');
  }
}

const pinnedKeys = (seeds) => new Map(Object.entries(seeds).map(([holder, seed]) => [holder, [hex(publicOf(seed).bytes)]]));

const REGISTRY = {
  invitation: (given) => void invited(given),
  request({ envelope, matcher, now }) {
    const found = file(envelope, typeOf('joinrequest'), 'identity_key');
    const answered = invited({ envelope: found.invitation, now });
    if (answered.matcher_key !== hex(publicOf(matcher).bytes)) fail('the invitation of another matcher');
    if (answered.party !== found.party || answered.name !== found.name) fail('the invitation of another party');
  },
  statements({ envelopes, matcher }) {
    const found = envelopes.map((one) => stated(one, hex(publicOf(matcher).bytes)));
    found.slice(1).forEach((after, at) => {
      const before = found[at];
      if (after.number !== before.number + 1 || after.previous !== messageDigest(typeOf('registry'), bytesOf(canonical(before)))) fail('statements do not follow one another');
      const isLeft = (statement, party) => statement.parties.find((one) => one.party === party)?.left ?? false;
      continues(keysOf(before), keysOf(after), (party) => isLeft(before, party) && !isLeft(after, party));
    });
  },
  acceptable({ envelope, in_force: seeds, party, seed }) {
    const keys = keysOf(stated(envelope, hex(publicOf(seeds.matcher).bytes)));
    continues(pinnedKeys(seeds), keys);
    if (keys.get(party)?.at(-1) !== hex(publicOf(seed).bytes)) fail('it does not name the own key');
  },
  acceptance({ envelope, in_force: seeds }) {
    const keys = Object.values(seeds).map(publicOf);
    const { party } = JSON.parse(Buffer.from(opened(envelope, [typeOf('registryacceptance')], keys)).toString());
    if (JSON.parse(envelope).signatures[0].keyid !== publicOf(seeds[party]).fingerprint) fail('another party signed it');
  },
  renewal({ envelope, registered, revoked }) {
    const found = renewed(envelope);
    if (found.former_key !== hex(publicOf(registered).bytes)) fail('it replaces another key');
    if ((found.handover === null) !== revoked) fail('it is signed by a revoked key, or without the former one');
  },
};

// Follow-ups and the triangle (3.11.6, 3.11.7), which the node does not have.

const number = (value, size) => unhex(value.toString(16).padStart(2 * size, '0'));

const STATES = ['open', 'asked', 'confirmed', 'refuted', 'unresolved', 'withdrawn'];
const maskOf = (rules) => rules.reduce((mask, rule) => mask | (1n << BigInt(rule - 1)), 0n);
const rulesIn = (mask) => Array.from({ length: 64 }, (_, place) => place + 1).filter((rule) => mask & (1n << BigInt(rule - 1)));
const cipherOf = ({ key, binding, sender, receiver, part }, nonce) =>
  gcmsiv(unhex(key).slice(0, 32), nonce, framed('aquila/2 follow-up', unhex(binding), sender, receiver, number(part, 4)));
const holds = (rules, set) => set.every((rule) => rules.includes(rule));

function readFollowed(entry, sender, third) {
  const [state, length] = [STATES[entry[16] - 1], 17 + 20 * third.length];
  if (entry.length !== length || !state) fail('it is no entry of a follow-up');
  const lines = third.map((party, place) => [party, entry.slice(17 + 20 * place, 37 + 20 * place)]);
  const told = lines.filter(([, line]) => line.slice(0, 8).some(Boolean)).map(([party, line]) => {
    const letters = Buffer.from(line.slice(8)).toString('latin1');
    if (!/^[0-9A-Z]{12}$/.test(letters)) fail('it is no reference');
    return [party, { rules: rulesIn(BigInt(`0x${hex(line.slice(0, 8))}`)), reference: [sender, ...letters.match(/.{4}/g)].join('-') }];
  });
  return { hit_id: hex(entry.slice(0, 16)), state, third: Object.fromEntries(told) };
}

const FOLLOW_UP = {
  seal(given) {
    const { hits, third, entries, nonce } = given;
    const lineOfParty = (told) => (told ? joined(number(maskOf(told.rules), 8), bytesOf(told.reference.slice(3).replaceAll('-', ''))) : new Uint8Array(20));
    const rows = entries.map((one) => joined(unhex(one.hit_id), Uint8Array.of(1 + STATES.indexOf(one.state)), ...third.map((party) => lineOfParty(one.third[party]))));
    const content = new Uint8Array(hits * (17 + 20 * third.length));
    content.set(joined(...rows));
    return nonce + hex(cipherOf(given, unhex(nonce)).encrypt(content));
  },
  open(given) {
    const sealed = unhex(given.sealed);
    const content = cipherOf(given, sealed.slice(0, 12)).decrypt(sealed.slice(12));
    const width = 17 + 20 * given.third.length;
    const entries = Array.from({ length: Math.ceil(content.length / width) }, (_, at) => content.slice(at * width, (at + 1) * width));
    return entries.filter((one) => one.some(Boolean)).map((one) => readFollowed(one, given.sender, given.third));
  },
  told({ rules, hit, other }) {
    const times = (places, rule) => places.filter((place) => rules[place] === rule).length;
    const every = (rule) => rules.filter((one) => one === rule).length;
    return [...new Set(rules)].filter((rule) => times(hit, rule) && times(other, rule) && [hit, other].some((one) => times(one, rule) === every(rule)));
  },
  triangle({ told, own, sets, met }) {
    if (!holds(own, told)) fail('a rule did not meet here');
    if (sets.some((set) => holds(told, set)) && !met.some((one) => holds(one, told))) fail('no reported pair met under all of them');
  },
};

const READ = { follow_up: FOLLOW_UP, log: LOG, log_bundle: LOG_BUNDLE, registry: REGISTRY };

function wrong(answer, given, { result, gives, class: kind }) {
  let found;
  try {
    found = answer(given);
  } catch (error) {
    return result === 'invalid' && kind !== 'differs' ? null : `refused: ${error.message}`;
  }
  if (result === 'invalid' && kind !== 'differs') return 'taken';
  if (gives?.every?.(({ what }) => what)) [gives, found] = [gives.map(({ what }) => what), found].map((words) => [...new Set(words)].sort()); // of an audit the words
  const isSame = gives === undefined || canonical(found ?? null) === canonical(gives);
  return isSame === (result !== 'invalid') ? null : `gives ${canonical(found ?? null).slice(0, 300)}`;
}

for (const [file, answers] of Object.entries(READ)) {
  const { shared = {}, vectors } = JSON.parse(readFileSync(new URL(`vectors/${file}.json`, SCHEMAS), 'utf8'));
  for (const vector of vectors.filter(({ operation }) => Object.hasOwn(answers, operation))) {
    const { name, operation, given } = vector;
    process.stdout.write(`${JSON.stringify({ file, operation, name, wrong: wrong(answers[operation], { ...shared, ...given }, vector) })}\n`);
  }
}
