/**
 * A JSON reader for manifests. JSON.parse is not used because it keeps the last of two equal keys in silence, has no
 * limit of depth, and does not always say where an error is. Otherwise it accepts and answers exactly the same.
 */
import { member } from '../validate/issues.ts';
import { ParseError } from './parse-error.ts';

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** Up to the closing quote; a control character must be escaped. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what JSON forbids here
const STRING = /"[^"\\\u0000-\u001f]*(?:\\.[^"\\\u0000-\u001f]*)*"/y;
const LITERALS: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/** The one value in `text`. Throws ParseError with line and column. */
export function parseJson(text: string, maxNesting: number): unknown {
  return new JsonReader(text, maxNesting).read();
}

class JsonReader {
  readonly #text: string;
  readonly #maxNesting: number;
  #at = 0;

  constructor(text: string, maxNesting: number) {
    this.#text = text;
    this.#maxNesting = maxNesting;
  }

  read(): unknown {
    const value = this.#value('', 1);
    this.#take(SPACE);
    if (this.#at < this.#text.length) this.#fail('', 'unexpected text after the value');
    return value;
  }

  #value(path: string, depth: number): unknown {
    this.#take(SPACE);
    const first = this.#text[this.#at];
    if ((first === '{' || first === '[') && depth > this.#maxNesting)
      this.#fail('', `nested more than ${this.#maxNesting} levels deep`);
    if (first === '{') return this.#object(path, depth);
    if (first === '[') return this.#list(path, depth);
    if (first === '"') return this.#string(path);
    for (const [word, value] of LITERALS)
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    return this.#number(path);
  }

  #object(path: string, depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#at++;
    if (this.#skip('}')) return object;
    do {
      this.#take(SPACE);
      const start = this.#at;
      if (this.#text[start] !== '"') this.#fail(path, 'expected a key in double quotes');
      const key = this.#string(path);
      const at = member(path, key);
      if (Object.hasOwn(object, key)) this.#fail(at, 'duplicate key', start);
      if (!this.#skip(':')) this.#fail(at, 'expected ":" after the key');
      // Defined, not assigned: the key may be `__proto__`.
      const value = this.#value(at, depth + 1);
      Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
    } while (this.#skip(','));
    if (!this.#skip('}')) this.#fail(path, 'expected "," or "}"');
    return object;
  }

  #list(path: string, depth: number): unknown[] {
    const list: unknown[] = [];
    this.#at++;
    if (this.#skip(']')) return list;
    do list.push(this.#value(`${path}[${list.length}]`, depth + 1));
    while (this.#skip(','));
    if (!this.#skip(']')) this.#fail(path, 'expected "," or "]"');
    return list;
  }

  #string(path: string): string {
    const start = this.#at;
    const source = this.#take(STRING);
    if (source === '') this.#fail(path, 'a string is not closed, or has a raw line break or control character', start);
    const text = source.includes('\\') ? this.#unescape(source, path, start) : source.slice(1, -1);
    if (!text.isWellFormed()) this.#fail(path, 'a string has half of a surrogate pair', start);
    return text;
  }

  #unescape(source: string, path: string, start: number): string {
    try {
      return JSON.parse(source) as string;
    } catch {
      return this.#fail(path, 'a string has an unknown escape', start);
    }
  }

  #number(path: string): number {
    const start = this.#at;
    const source = this.#take(NUMBER);
    if (source === '') this.#fail(path, start < this.#text.length ? 'expected a value' : 'unexpected end');
    const number = Number(source);
    return Number.isFinite(number) ? number : this.#fail(path, 'a number is too large', start);
  }

  /** Consumes what `pattern` (sticky) matches here. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += match.length;
    return match;
  }

  /** Consumes white space and `character`; false, when something else comes. */
  #skip(character: string): boolean {
    this.#take(SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #fail(path: string, reason: string, at = this.#at): never {
    const before = this.#text.slice(0, at).split('\n');
    throw new ParseError(path, reason, { line: before.length, column: before.at(-1)!.length + 1 });
  }
}
