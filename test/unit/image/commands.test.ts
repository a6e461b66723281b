/** Calls of development commands: --help, and wrong ones: one line, exit code 2, nothing built or booted before it is said. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { runOptions } from '../../../image/run-options.ts';

const wrong: [line: string, words: RegExp][] = [
  ['--machine tank', /--machine tank: there are board, small/],
  ['--machine constructor', /there are board/],
  ['--memory lots', /--memory lots: a size like 512M/],
  ['--memory 0G', /a size like/],
  ['--cpus 0', /--cpus 0: a whole number from 1 to 8/],
  ['--cpus 1.5', /a whole number/],
  ['--disk-size -1', /disk-size/],
  ['--disk ../../x', /--disk \.\.\/\.\.\/x: a name/],
  ['--device Board_7', /device: "Board_7" is not an id/],
  ['--broker here', /"here" is not a broker address/],
  ['--forward 80:http', /--forward 80:http: http: a whole number from 1 to 65535/],
  ['--forward 1:2:3', /GUEST or GUEST:HOST/],
  ['--forward 70000', /65535/],
  ['--power-cut soon', /--power-cut: "soon" is no moment/],
  ['--power-cut console:(', /"console:\(" is no moment: Invalid regular expression/],
  ['--deb none.deb', /no such file.*none\.deb/],
  ['--settings none.yaml', /no such file.*none\.yaml/],
  ['--firmware --append quiet', /--append would be without effect/],
  ['--firmware --machine no-psi', /--machine no-psi would be without effect/],
  ['--colour', /'--colour'/],
  ['board', /'board'/],
];
for (const [line, words] of wrong)
  test(`image:run ${line}`, () => {
    assert.throws(() => runOptions(line.split(' ')), words);
  });

test('image:run as it is meant', () => {
  const options = runOptions('--machine small --cpus 4 --forward 80:8080 --forward 443 --disk mine'.split(' '));
  assert.deepEqual(options.shape, { memory: '512M', cpus: 4 });
  assert.deepEqual(options.forwards, { 22: 0, 80: 8080, 443: 0 });
});

const image = join(import.meta.dirname, '../../../image');
/** stderr of a call that has to fail with code 2. */
function refusal(command: string, ...args: string[]): string {
  const { status, stderr, stdout } = spawnSync(process.execPath, [join(image, command), ...args], { encoding: 'utf8' });
  assert.equal(status, 2, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, /^.+\n\(see npm run \S+ -- --help\)\n$/);
  return stderr;
}

for (const [name, file] of Object.entries({
  image: 'build.ts',
  'image:run': 'run.ts',
  package: 'package.ts',
  bench: '../test/bench/bench.ts',
  'test:arm': '../test/arm/run.ts',
}))
  test(`${name} --help`, () => {
    const stdout = execFileSync(process.execPath, [join(image, file), '--help'], { encoding: 'utf8' });
    assert.match(stdout, new RegExp(`^usage: npm run ${name} -- \\[options\\].*\n( +.*--\\w)`));
  });

test('each command says it in one line', () => {
  assert.match(refusal('run.ts', '--cpus', '99'), /^image:run: --cpus 99/);
  assert.match(refusal('build.ts', '--colour'), /^image: .*'--colour'/);
  assert.match(refusal('../test/bench/bench.ts', '--rounds', 'many'), /^bench: --rounds many: a whole number/);
  assert.match(refusal('../test/arm/run.ts', 'nothing'), /^test:arm: no test matches nothing; there are arm\//);
  assert.match(
    refusal('../test/arm/run.ts', '--guest', 'none.test.ts'),
    /^test:arm: --guest none\.test\.ts: no such file/,
  );
  assert.match(refusal('package.ts', '--arch', 'riscv64'), /^package: --arch riscv64: there are arm64 and amd64/);
  assert.match(refusal('package.ts', '--version', '1; true'), /^package: --version 1; true: /);
});

test('a port that is in use is told before an image is made', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  try {
    assert.match(refusal('run.ts', '--forward', `80:${port}`), new RegExp(`port ${port} of this machine is in use`));
  } finally {
    server.close();
  }
});
