/** Refusals by name: the last part of a problem's type in schemas/problems.json (PROTOCOL.md 9.2). */
export class Refused extends Error {
  /** @param {string} problem for example `malformed` or `order` @param {string} message a sentence for people */
  constructor(problem, message) {
    super(message);
    this.name = 'Refused';
    this.problem = problem;
  }
}

/** Throws `problem` unless the condition holds. */
export function need(condition, problem, message) {
  if (!condition) throw new Refused(problem, message);
}
