/** The part of TOML that the registry's file uses (schemas/log/forms.md): tables, lists of tables, texts, integers, booleans and lists. */
import { Refused } from './errors.mjs';

export function parseToml(source) {
  let at = 0;
  const fail = () => {
    throw new Refused('input', `not TOML at line ${source.slice(0, at).split('\n').length}`);
  };
  const skip = (lines) => {
    for (;;) {
      const blank = /^[ \t]+/.exec(source.slice(at, at + 200)) ?? (lines ? /^\r?\n/.exec(source.slice(at, at + 2)) : null);
      if (blank) at += blank[0].length;
      else if (source[at] === '#') while (at < source.length && source[at] !== '\n') at++;
      else return;
    }
  };
  const take = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const quoted = () => {
    const found = take(/"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'/y) ?? fail();
    return found[2] ?? unescape(found[1]);
  };
  const unescape = (s) => s.replace(/\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)/gs, (_, c) =>
    c.length > 1 ? String.fromCodePoint(parseInt(c.slice(1), 16)) : { n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\', b: '\b', f: '\f' }[c] ?? fail());
  const key = () => {
    const names = [];
    do {
      skip(false);
      names.push('"\''.includes(source[at]) ? quoted() : (take(/[A-Za-z0-9_-]+/y) ?? fail())[0]);
      skip(false);
    } while (take(/\./y));
    return names;
  };
  const value = () => {
    const c = source[at];
    if (c === '"' || c === "'") return quoted();
    if (c === '[') {
      at++;
      const list = [];
      for (skip(true); source[at] !== ']'; skip(true)) {
        list.push(value());
        skip(true);
        if (source[at] === ',') at++;
        else if (source[at] !== ']') fail();
      }
      at++;
      return list;
    }
    const word = (take(/[^\s,\]}#]+/y) ?? fail())[0];
    if (word === 'true' || word === 'false') return word === 'true';
    const digits = word.replaceAll('_', '');
    if (/^[+-]?\d+$/.test(digits)) return Number(digits);
    return fail();
  };
  const put = (table, names, v) => {
    const last = names.at(-1);
    const inner = names.slice(0, -1).reduce((t, n) => (t[n] ??= {}), table);
    if (Object.hasOwn(inner, last)) fail();
    inner[last] = v;
  };
  const root = {};
  let table = root;
  for (skip(true); at < source.length; skip(true)) {
    const list = take(/\[\[/y);
    if (list || take(/\[/y)) {
      const names = key();
      take(list ? /\]\]/y : /\]/y) ?? fail();
      table = names.reduce((t, n, i) => {
        const end = i === names.length - 1;
        if (end && list) {
          (t[n] ??= []).push({});
          return t[n].at(-1);
        }
        t[n] ??= {};
        return Array.isArray(t[n]) ? t[n].at(-1) : t[n];
      }, root);
    } else {
      const names = key();
      take(/=[ \t]*/y) ?? fail();
      put(table, names, value());
      skip(false);
      if (at < source.length && !/[\r\n]/.test(source[at])) fail();
    }
  }
  return root;
}
