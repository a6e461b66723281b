/** What is wrong with the text of a manifest, and where in the text (line and column count from 1). */
export class ParseError extends Error {
  readonly code = 'E_PARSE';
  readonly path: string;

  constructor(path: string, reason: string, place?: { line: number; column: number }) {
    super(place === undefined ? reason : `${reason} (line ${place.line}, column ${place.column})`);
    this.path = path;
  }
}
