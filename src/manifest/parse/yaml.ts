/**
 * YAML manifests, through the `yaml` package with everything dangerous switched off: no custom tags, no merge keys, few
 * aliases, a nesting limit applied before anything recurses. The package is loaded when the first YAML text arrives:
 * a device that receives JSON never pays for it.
 */
import { createRequire } from 'node:module';
import type { CST, Document, Node, Pair, ParsedNode, Scalar } from 'yaml';
import { member } from '../validate/issues.ts';
import { ParseError } from './parse-error.ts';

export interface YamlLimits {
  nesting: number;
  aliases: number;
  /** Words, marks, line breaks and runs of spaces of the text. */
  tokens: number;
  /** Characters of all scalars after aliases are replaced by what they stand for. */
  expanded: number;
}

type Yaml = typeof import('yaml');
let loaded: Yaml | undefined;

/** A bundler sees the plain `require` and includes the package, unloaded; Node's own ES modules need one made. */
function yaml(): Yaml {
  loaded ??= (typeof require === 'function' ? require('yaml') : createRequire(import.meta.url)('yaml')) as Yaml;
  return loaded;
}

/** The values of the documents in `text`, empty documents left out. Throws ParseError. */
export function parseYaml(text: string, limits: YamlLimits): unknown[] {
  try {
    return readDocuments(text, limits);
  } catch (error) {
    if (error instanceof ParseError) throw error;
    // Whatever the package throws of its own, it is about the text.
    throw new ParseError('', `not valid YAML: ${(error as Error).message}`);
  }
}

function readDocuments(text: string, limits: YamlLimits): unknown[] {
  const { Composer, LineCounter, Parser } = yaml();
  const lines = new LineCounter();
  const place: Place = (offset) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  checkTokens(text, limits, place);
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  for (const token of tokens) checkNesting(token, limits.nesting, place);
  // Unique keys are checked below: the package's own check takes time quadratic in the number of keys.
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    resolveKnownTags: false,
    uniqueKeys: false,
    merge: false,
    logLevel: 'silent',
  });
  const values: unknown[] = [];
  for (const document of composer.compose(tokens)) {
    checkDocument(document, limits, place);
    const value: unknown = document.toJS({ maxAliasCount: limits.aliases });
    if (value !== null && value !== undefined) values.push(value);
  }
  return values;
}

type Place = (offset: number) => { line: number; column: number };

/**
 * Counts what the text is made of before anything is built from it: a tree takes some 500 bytes of memory, and a
 * microsecond or ten, for every token.
 */
function checkTokens(text: string, limits: YamlLimits, place: Place): void {
  let offset = 0;
  let count = 0;
  let flow = 0;
  for (const token of new (yaml().Lexer)().lex(text)) {
    if (token === '{' || token === '[') flow++;
    else if (token === '}' || token === ']') flow = Math.max(0, flow - 1);
    if (flow > limits.nesting)
      throw new ParseError('', `nested more than ${limits.nesting} levels deep`, place(offset));
    if (++count > limits.tokens)
      throw new ParseError('', 'Too long: too many lines or items for YAML: split it, or write JSON');
    offset += token.length;
  }
}

/** Walks a syntax tree without recursion: what comes after this does recurse. */
function checkNesting(token: CST.Token, most: number, place: Place): void {
  const open: { token: CST.Token; depth: number }[] = [{ token, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const depth = next.depth + ('items' in next.token ? 1 : 0);
    if (depth > most) throw new ParseError('', `nested more than ${most} levels deep`, place(next.token.offset));
    for (const child of children(next.token)) open.push({ token: child, depth });
  }
}

function children(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value ? [token.value] : [];
  if (!('items' in token)) return [];
  return token.items.flatMap((item) => [item.key, item.value]).filter((child) => child !== undefined && child !== null);
}

function checkDocument(document: Document.Parsed, limits: YamlLimits, place: Place): void {
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const reason = problem.message.split(' at line ')[0]!.split('\n')[0]!;
    throw new ParseError('', `not valid YAML: ${reason}`, place(problem.pos[0]));
  }
  new DocumentCheck(document, limits, place).value(document.contents, '');
}

/** Refuses what JSON cannot say or what people misread; follows aliases, and so counts what they multiply. */
class DocumentCheck {
  readonly #document: Document.Parsed;
  readonly #limits: YamlLimits;
  readonly #place: Place;
  readonly #ancestors = new Set<Node>();
  #aliases = 0;
  #characters = 0;

  constructor(document: Document.Parsed, limits: YamlLimits, place: Place) {
    this.#document = document;
    this.#limits = limits;
    this.#place = place;
  }

  value(node: Node | ParsedNode | null, path: string): void {
    const { isAlias, isMap, isScalar, isSeq } = yaml();
    if (node === null) return;
    if (isAlias(node)) {
      if (++this.#aliases > this.#limits.aliases) this.#fail(node, path, `more than ${this.#limits.aliases} aliases`);
      const target = node.resolve(this.#document);
      if (target === undefined) this.#fail(node, path, `no anchor "${node.source.slice(0, 40)}"`);
      this.value(target, path);
      return;
    }
    if (this.#ancestors.has(node)) this.#fail(node, path, 'an alias stands for what it is in');
    if (this.#ancestors.size > this.#limits.nesting)
      this.#fail(node, path, `nested more than ${this.#limits.nesting} levels deep`);
    this.#ancestors.add(node);
    if (isMap(node)) this.#map(node.items, path);
    else if (isSeq(node))
      for (const [i, item] of node.items.entries()) this.value(item as Node | null, `${path}[${i}]`);
    else if (isScalar(node)) this.#scalar(node.value, node.source, node, path);
    this.#ancestors.delete(node);
  }

  #map(pairs: readonly Pair[], path: string): void {
    const keys = new Set<string>();
    for (const pair of pairs) {
      const node = pair.key as Node | null;
      if (!yaml().isScalar(node) || node.value === null) this.#fail(node, path, 'a key must be a string');
      const key = String(node.value);
      const at = member(path, key);
      this.#scalar(node.value, node.source, node, at);
      if (keys.has(key)) this.#fail(node, at, 'duplicate key');
      keys.add(key);
      this.value(pair.value as Node | null, at);
    }
  }

  #scalar(value: unknown, source: string | undefined, node: Node, path: string): void {
    this.#characters += 1 + (typeof value === 'string' ? value.length : 0);
    if (this.#characters > this.#limits.expanded) this.#fail(node, path, 'aliases multiply it beyond the size limit');
    if (typeof value === 'string' && !value.isWellFormed())
      this.#fail(node, path, 'a string has half of a surrogate pair');
    if (typeof value !== 'number') return;
    if (!Number.isFinite(value)) this.#fail(node, path, 'a number must be finite');
    // Octal, as kubectl reads it (YAML 1.1): `defaultMode: 0400` is in every second manifest.
    if (source !== undefined && /^[-+]?0\d+$/.test(source)) this.#octal(node as Scalar, source, path);
  }

  #octal(node: Scalar, source: string, path: string): void {
    if (/[89]/.test(source))
      this.#fail(node, path, `"${source.slice(0, 40)}" looks like octal and is not: leave out the zero, or use quotes`);
    node.value = Number.parseInt(source, 8);
  }

  #fail(node: Node | null, path: string, reason: string): never {
    throw new ParseError(path, reason, node?.range ? this.#place(node.range[0]) : undefined);
  }
}
