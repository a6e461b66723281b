/**
 * Kubernetes quantities (`500m`, `1.5Gi`, `2e3`), exact: bigints throughout, never a floating-point number. Anything
 * finer than a billionth is rounded away from zero, as `apimachinery/pkg/api/resource` does.
 */

const NANO = 10n ** 9n;
const MAX_UNITS = 2n ** 63n - 1n;
const MAX_LENGTH = 64;
const MAX_EXPONENT = 30n;

/** What one unit of each suffix is worth, in billionths. */
const SUFFIX: ReadonlyMap<string, bigint> = new Map([
  ['n', 1n],
  ['u', 10n ** 3n],
  ['m', 10n ** 6n],
  ['', NANO],
  ...['k', 'M', 'G', 'T', 'P', 'E'].map((name, i) => [name, NANO * 1000n ** BigInt(i + 1)] as const),
  ...['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((name, i) => [name, NANO * 1024n ** BigInt(i + 1)] as const),
]);

const SYNTAX = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE])([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/;

/** A text that is not a quantity, or one out of the range of a signed 64-bit integer. */
export class QuantityError extends Error {
  readonly code = 'E_QUANTITY';
}

/** The value in billionths, exact. Throws QuantityError. */
export function parseNano(text: string): bigint {
  const match = text.length <= MAX_LENGTH ? SYNTAX.exec(text) : null;
  const [, sign, whole = '', fraction = '', , exponent, suffix = ''] = match ?? [];
  if (!match || whole + fraction === '')
    throw new QuantityError(
      'must be a quantity like 500m, 0.5, 64Mi or 1e3: a number and one of n u m k M G T P E Ki Mi Gi Ti Pi Ei',
    );
  const unit = exponent === undefined ? { times: SUFFIX.get(suffix) as bigint, over: 1n } : power(BigInt(exponent));
  const scale = 10n ** BigInt(fraction.length) * unit.over;
  const magnitude = divideUp(BigInt(whole + fraction) * unit.times, scale);
  if (magnitude > MAX_UNITS * NANO) throw new QuantityError('must be less than 2^63');
  return sign === '-' ? -magnitude : magnitude;
}

/** The value in thousandths (milli-CPU for `cpu`), rounded up. Throws QuantityError. */
export function parseQuantity(text: string): bigint {
  return roundUp(parseNano(text), 10n ** 6n);
}

/** The value in whole units (bytes for `memory`), rounded up. Throws QuantityError. */
export function parseUnits(text: string): bigint {
  return roundUp(parseNano(text), NANO);
}

/** Negative, zero or positive as `a` is less than, equal to or greater than `b`. Throws QuantityError. */
export function compareQuantities(a: string, b: string): number {
  const difference = parseNano(a) - parseNano(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/**
 * The shortest canonical text for a value in billionths: the largest suffix that leaves no fraction, binary suffixes
 * (`Ki`…) when `binary` is set and the value is a whole number of KiB.
 */
export function formatNano(nano: bigint, binary = false): string {
  if (nano === 0n) return '0';
  const usable = [...SUFFIX].filter(([suffix]) => suffix.endsWith('i') === binary || suffix.length === 0);
  const fitting = usable.filter(([, unit]) => nano % unit === 0n);
  const best = fitting.reduce<readonly [string, bigint]>((a, b) => (b[1] > a[1] ? b : a), ['n', 1n]);
  return best[0] === 'n' && binary ? formatNano(nano) : `${nano / best[1]}${best[0]}`;
}

function power(exponent: bigint): { times: bigint; over: bigint } {
  if (exponent > MAX_EXPONENT || exponent < -MAX_EXPONENT)
    throw new QuantityError(`must have an exponent from -${MAX_EXPONENT} to ${MAX_EXPONENT}`);
  return exponent >= 0n ? { times: NANO * 10n ** exponent, over: 1n } : { times: NANO, over: 10n ** -exponent };
}

function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}

/** Towards positive infinity, as Kubernetes' ScaledValue: BigInt division already rounds a negative value up. */
function roundUp(value: bigint, by: bigint): bigint {
  return value > 0n ? divideUp(value, by) : value / by;
}
