/** Signed calls (PROTOCOL.md 9.1, 9.1.1) and a client that makes them. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent, request } from 'node:https';
import { base64, sha256, unbase64, utf8 } from './bytes.mjs';
import { need } from './errors.mjs';
import { verify } from './keys.mjs';

const PLAIN = ['@method', '@authority', '@path', '@query'];
const WITH_BODY = [...PLAIN, 'content-digest', 'content-type'];
const VALID = 300;

const parameters = (components, { created, keyid, nonce }) =>
  `(${components.map((c) => `"${c}"`).join(' ')});created=${created};keyid="${keyid}";alg="ed25519";nonce="${nonce}";tag="aquila"`;

function baseOf(components, values, params) {
  return [...components.map((c) => `"${c}": ${values[c]}`), `"@signature-params": ${params}`].join('\n');
}

export const contentDigest = (body) => `sha-256=:${base64(sha256(body))}:`;

/** The lines that sign a call, and what they sign. `query` begins with `?`. */
export function signCall(key, { method, authority, path, query, body, contentType, created, nonce }) {
  const has = body !== undefined && body !== null && body.length > 0;
  const components = has ? WITH_BODY : PLAIN;
  const values = { '@method': method, '@authority': authority, '@path': path, '@query': query, 'content-digest': has ? contentDigest(body) : null, 'content-type': contentType };
  const params = parameters(components, { created, keyid: key.fingerprint, nonce });
  const signatureBase = baseOf(components, values, params);
  const headers = has ? { 'content-digest': values['content-digest'], 'content-type': contentType } : {};
  headers['signature-input'] = `aquila=${params}`;
  headers.signature = `aquila=:${base64(key.sign(utf8(signatureBase)))}:`;
  return { headers, signatureBase };
}

/** Refuses a call that the receiver may not take (9.1.1). */
export function takeCall({ method, url, headers, body, authority, now, registry }) {
  const bad = (condition, message) => need(condition, 'signature', message);
  const found = /^aquila=(\(("[^"]+"(?: "[^"]+")*)\);created=([1-9][0-9]*);keyid="([0-9a-f]{64})";alg="ed25519";nonce="[A-Za-z0-9_-]{1,64}";tag="aquila")$/.exec(headers['signature-input'] ?? '');
  const signature = /^aquila=:([A-Za-z0-9+/=]+):$/.exec(headers.signature ?? '');
  bad(found && signature, 'not a signature of this form');
  const components = found[2].split(' ').map((c) => c.slice(1, -1));
  bad(components.join() === (body.length ? WITH_BODY : PLAIN).join(), 'other components');
  const key = registry.get(found[4]);
  bad(key, 'an unknown key');
  const [, path, query] = /^https?:\/\/[^/?]+([^?]*)(\?.*)?$/.exec(url);
  if (body.length) bad(headers['content-digest'] === contentDigest(body), 'another digest of the body');
  const values = { '@method': method, '@authority': authority, '@path': path, '@query': query ?? '?', 'content-digest': headers['content-digest'], 'content-type': headers['content-type'] };
  let bytes;
  try {
    bytes = unbase64(signature[1]);
  } catch {
    bad(false, 'not a signature');
  }
  verify(key, utf8(baseOf(components, values, found[1])), bytes);
  need(Math.abs(now - Number(found[3])) <= VALID, 'replay', 'a call outside its window');
}

/** A problem that the matcher answered with. */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(`${status} ${body.slice(0, 300)}`);
    this.status = status;
    this.retryAfter = Number(retryAfter) || null;
    try {
      this.document = JSON.parse(body);
      this.problem = this.document.type?.split(':').at(-1) ?? null;
    } catch {
      this.problem = null;
    }
  }
}

/** Calls of a node to the matcher. */
export class Client {
  #key; #base; #agent; #secure;
  constructor({ url, ca }, key) {
    this.#key = key;
    this.#base = new URL(url);
    this.#secure = this.#base.protocol === 'https:';
    need(this.#secure || ['127.0.0.1', '[::1]', 'localhost'].includes(this.#base.hostname), 'input', 'only https counts, except on loopback');
    this.#agent = this.#secure ? new Agent({ keepAlive: true, minVersion: 'TLSv1.3', ca: ca ? readFileSync(ca) : undefined }) : new HttpAgent({ keepAlive: true });
  }

  /** @returns {Promise<Buffer>} the body of an answer below 300; other answers are thrown as problems */
  async call(method, path, { query = '', body, type = 'application/json', timeout = 60 } = {}) {
    for (let attempt = 0; ; attempt++) {
      const { headers } = signCall(this.#key, { method, authority: this.#base.host, path, query: '?' + query, body, contentType: type,
        created: Math.floor(Date.now() / 1000), nonce: randomBytes(16).toString('base64url') });
      headers['user-agent'] = 'aquila/1.0.0';
      if (body) headers['content-length'] = body.length;
      try {
        return await this.#send(method, path + (query ? '?' + query : ''), headers, body, timeout);
      } catch (error) {
        const again = error.status === 429 || error.status === 503 || error.code === 'ECONNRESET';
        if (!again || attempt >= 5 || error.problem === 'store-full') throw error;
        await new Promise((resolve) => setTimeout(resolve, 1000 * (error.retryAfter ?? 0.2 * 2 ** attempt)));
      }
    }
  }

  #send(method, path, headers, body, timeout) {
    return new Promise((resolve, reject) => {
      const options = { method, host: this.#base.hostname, port: this.#base.port, path, headers, agent: this.#agent, timeout: timeout * 1000 };
      const outgoing = (this.#secure ? request : httpRequest)(options, (answer) => {
        const pieces = [];
        answer.on('data', (piece) => pieces.push(piece));
        answer.on('error', reject);
        answer.on('end', () => {
          const content = Buffer.concat(pieces);
          if (answer.statusCode < 300) resolve(content);
          else reject(new Problem(answer.statusCode, content.toString('utf8'), answer.headers['retry-after']));
        });
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error('the matcher does not answer')));
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  async json(method, path, options) {
    const body = await this.call(method, path, options);
    return body.length ? JSON.parse(body.toString('utf8').trim()) : null;
  }
}
