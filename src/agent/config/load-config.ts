/** Reads the configuration file and resolves it with environment and flags. */
import { readFileSync } from 'node:fs';
import { type AgentConfig, ConfigError, envLayer, fileLayer, flagLayer, resolveConfig } from './config.ts';
import { SETTING_SYNTAX } from './setting-syntax.ts';

const DEFAULT_FILE = '/etc/edgepod/agent.yaml';

/**
 * @param file path given with --config; without one, /etc/edgepod/agent.yaml if it exists
 * @throws ConfigError when the file cannot be read or a setting is not usable
 */
export async function loadConfig(file: string | undefined, flags: Record<string, unknown>): Promise<AgentConfig> {
  const document = await readDocument(file);
  const layers = [envLayer(process.env), flagLayer(flags)];
  return resolveConfig(document === undefined ? layers : [fileLayer(document, file ?? DEFAULT_FILE), ...layers]);
}

async function readDocument(file: string | undefined): Promise<unknown> {
  let text: string;
  try {
    text = readFileSync(file ?? DEFAULT_FILE, 'utf8');
  } catch (error) {
    if (file === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(`cannot read the configuration ${file ?? DEFAULT_FILE}: ${(error as Error).message}`);
  }
  const { default: yaml } = await import('yaml'); // CommonJS: the bundle has no named exports of it
  try {
    return yaml.parse(text, SETTING_SYNTAX);
  } catch (error) {
    throw new ConfigError(`${file ?? DEFAULT_FILE}: ${(error as Error).message}`);
  }
}
