/** Kernel features for commands, without an agent. */
import { type Features, readFeatures } from '../../runtime/features.ts';
import { loadAddon } from '../../runtime/native.ts';
import { checkNft } from '../../runtime/network/nft.ts';
import { type Missing, missingFeatures } from '../board/missing-features.ts';

/** Why the kernel or its tool would not take our packet filter rules; undefined when they would. Changes nothing. */
export async function nftFault(): Promise<string | undefined> {
  return checkNft({ table: 'edgepod-check', bridge: 'edgepod-check', subnet: '192.0.2.0/24' }).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

export async function localFeatures(): Promise<{ features: Features; missing: Missing[] }> {
  const features = await readFeatures(loadAddon());
  return { features, missing: missingFeatures(features) };
}
