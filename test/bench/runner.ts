/** Our runner against crun and runc on one OCI bundle: run a static program that ends at once. */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../images/programs.ts';
import { interleaved, ms, report } from './measure.ts';

export async function benchRunner(runner: string, rounds: number): Promise<void> {
  const bundle = mkdtempSync('/var/tmp/edgepod-bench-bundle-');
  try {
    makeBundle(bundle);
    const run = (file: string, ...flags: string[]) => {
      let count = 0;
      return () => finished(file, [...flags, 'run', '--bundle', bundle, `bench-${process.pid}-${count++}`]);
    };
    const times = await interleaved(rounds, {
      edgepod: run(runner, '--root', join(bundle, 'state')),
      crun: run('crun', '--cgroup-manager', 'cgroupfs', '--root', join(bundle, 'crun')),
      runc: run('runc', '--root', join(bundle, 'runc')),
    });
    const { edgepod, crun, runc } = times as Record<'edgepod' | 'crun' | 'runc', (typeof times)[string]>;
    report('Container start from one bundle: create, start, end, delete of /bin/exit', [
      {
        what: 'edgepod-runner',
        figure: ms(edgepod),
        ratio: edgepod.median / crun.median,
        budget: 0.5,
        note: 'to crun',
      },
      { what: 'crun', figure: ms(crun) },
      { what: 'runc', figure: ms(runc) },
    ]);
  } finally {
    rmSync(bundle, { recursive: true, force: true });
  }
}

/** The bundle crun itself proposes, with a static program and without the terminal. */
function makeBundle(bundle: string): void {
  mkdirSync(join(bundle, 'rootfs/bin'), { recursive: true });
  copyFileSync(program('exit'), join(bundle, 'rootfs/bin/exit'));
  execFileSync('crun', ['spec'], { cwd: bundle });
  const path = join(bundle, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as { process: { terminal: boolean; args: string[] } };
  config.process.terminal = false;
  config.process.args = ['/bin/exit', '0'];
  writeFileSync(path, JSON.stringify(config));
}

/** Resolves when the command ended well; its time is the caller's. */
function finished(file: string, args: string[]): Promise<undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += String(chunk);
  });
  child.on('error', reject);
  child.on('close', (code) =>
    code === 0 ? resolve(undefined) : reject(new Error(`${file}: exit ${code}: ${complaint}`)),
  );
  return promise;
}
