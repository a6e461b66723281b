/** Kernel features for commands, without an agent. */
import { type Features, readFeatures } from '../runtime/features.ts';
import { loadAddon } from '../runtime/native.ts';
import { type Missing, missingFeatures } from './missing-features.ts';

export async function localFeatures(): Promise<{ features: Features; missing: Missing[] }> {
  const features = await readFeatures(loadAddon());
  return { features, missing: missingFeatures(features) };
}
