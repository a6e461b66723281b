/**
 * The whole test suite, step by step, ending with one line: `N passed, N failed`.
 * Usage: node test/run.ts [STEP ...]   (default: every step; names as printed)
 */
import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runTestFiles, type Tally } from './test-files.ts';

const root = join(import.meta.dirname, '..');

/** A command that passes or fails as one. */
function command(...argv: [string, ...string[]]): () => Promise<Tally> {
  return async () => {
    const child = spawn(argv[0], argv.slice(1), { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    const { promise, resolve } = Promise.withResolvers<number>();
    child.on('error', () => resolve(127));
    child.on('exit', (code) => resolve(code ?? 1));
    return (await promise) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  };
}

/** Integration tests one after the other, since they share one kernel. */
function tests(pattern: string, concurrency: number): () => Promise<Tally> {
  return async () => {
    const files = globSync(pattern, { cwd: root })
      .map((file) => join(root, file))
      .sort();
    if (files.length > 0) return await runTestFiles(files, { concurrency, timeout: 300_000 });
    process.stderr.write(`no test matches ${pattern}\n`);
    return { passed: 0, failed: 1 };
  };
}

/** The production bundle, where no source tree is near, has to play the same demo. */
async function bundledDemo(): Promise<Tally> {
  const out = mkdtempSync('/var/tmp/edgepod-bundle-');
  try {
    const built = await command('node', 'image/bundle.ts', '--out', out)();
    if (built.failed > 0) return built;
    return await command('env', `EDGEPOD_COMMAND=${out}/edgepod`, 'node', 'test/demo/demo.ts')();
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

const STEPS: Record<string, () => Promise<Tally>> = {
  types: command('npm', 'run', '--silent', 'types'),
  lint: command('npm', 'run', '--silent', 'lint'),
  'native-lint': command('make', '-s', '-C', 'native', 'lint'),
  'native-unit': command('make', '-s', '-C', 'native', '-j2', 'check'),
  'native-arm64': command('make', '-s', '-C', 'native', '-j2', 'check-arm64'),
  unit: tests('test/unit/**/*.test.ts', 2),
  integration: tests('test/integration/**/*.test.ts', 1),
  bundle: bundledDemo,
  demo: command('node', 'test/demo/demo.ts'),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in STEPS));
if (unknown.length > 0) {
  process.stderr.write(`no step ${unknown.join(', ')}; there are ${Object.keys(STEPS).join(', ')}\n`);
  process.exit(2);
}

const total = { passed: 0, failed: 0 };
const failures: string[] = [];
for (const [name, step] of Object.entries(STEPS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stdout.write(`\n── ${name} ──\n`);
  const started = performance.now();
  const { passed, failed } = await step();
  total.passed += passed;
  total.failed += failed;
  if (failed > 0) failures.push(name);
  process.stdout.write(
    `── ${name}: ${failed === 0 ? 'ok' : `${failed} failed`}, ${((performance.now() - started) / 1000).toFixed(1)} s\n`,
  );
}
if (failures.length > 0) process.stdout.write(`\nfailed steps: ${failures.join(', ')}\n`);
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`);
process.exit(total.failed === 0 ? 0 : 1);
