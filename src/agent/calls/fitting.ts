/** Pieces of an answer in the size the broker takes, which may be far less than is handy. */

/** `piece`, or its parts in order. One that cannot be halved is yielded as it is: the caller is told that it is too large. */
export function* fitting<T>(
  piece: T,
  fits: (piece: T) => boolean,
  halve: (piece: T) => [T, T] | undefined,
): Generator<T> {
  const halves = fits(piece) ? undefined : halve(piece);
  if (halves === undefined) yield piece;
  else for (const half of halves) yield* fitting(half, fits, halve);
}

/** Of a list; undefined when it has not even two items. */
export function halves<T>(list: readonly T[]): [T[], T[]] | undefined {
  const middle = list.length >> 1;
  return middle === 0 ? undefined : [list.slice(0, middle), list.slice(middle)];
}
