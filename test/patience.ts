/**
 * How long tests wait before they give up. Emulated boards are many times slower than the machines these figures are
 * for: EDGEPOD_TEST_SLOWNESS says how many.
 */
const slowness = Number(process.env.EDGEPOD_TEST_SLOWNESS ?? '1');

/** @param ms what is ample on an ordinary machine */
export const patience = (ms: number): number => ms * slowness;
