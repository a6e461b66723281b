/** What 100 HTTP probes a second cost the process that asks: our native thread beside the same with node:http. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { loadAddon } from '../../src/runtime/native.ts';
import { httpAttempt } from '../../src/runtime/prober/attempts.ts';
import { NativeProber } from '../../src/runtime/prober/prober.ts';
import { watchAttempt } from '../../src/runtime/prober/watch.ts';
import { report } from './measure.ts';

const PROBES = 100;
const TIMING = { initialDelayMs: 0, periodMs: 1000, timeoutMs: 1000, successThreshold: 1, failureThreshold: 3 };
const SERVER = `require('node:http').createServer((_, r) => r.end('ok')).listen(0, '127.0.0.1', function () { process.send(this.address().port) })`;

export async function benchProbes(seconds = 10): Promise<void> {
  const server = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  try {
    const target = await targetOf(server);
    const prober = new NativeProber(loadAddon());
    const native = await share(seconds, (onVerdict) => prober.watch({ http: target }, TIMING, onVerdict));
    const script = await share(seconds, (onVerdict) =>
      watchAttempt(httpAttempt(target), TIMING, { onVerdict, onFailure: () => {} }),
    );
    report(`${PROBES} HTTP probes a second: processor time of the process that asks`, [
      { what: 'native thread', figure: percent(native), ratio: native / script, note: 'to node:http' },
      { what: 'node:http', figure: percent(script) },
    ]);
  } finally {
    server.kill('SIGKILL');
  }
}

async function targetOf(server: ChildProcess) {
  const [port] = (await once(server, 'message')) as [number];
  return { host: '127.0.0.1', port, path: '/', scheme: 'HTTP' as const, headers: [] };
}

/** Of one core, once every probe has had its first answer. */
async function share(seconds: number, watch: (onVerdict: (v: { ok: boolean }) => void) => { stop(): void }) {
  let well = 0;
  const watches = Array.from({ length: PROBES }, () =>
    watch(({ ok }) => {
      well += ok ? 1 : -PROBES;
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 2500));
  const before = process.cpuUsage();
  const started = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const { user, system } = process.cpuUsage(before);
  const elapsed = (performance.now() - started) * 1000;
  for (const { stop } of watches) stop();
  if (well !== PROBES) throw new Error(`${well} of ${PROBES} probes were answered well`);
  return (user + system) / elapsed;
}

const percent = (value: number) => `${(value * 100).toFixed(2)} % of a core`;
