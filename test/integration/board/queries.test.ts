/** What an operator asks besides pods: ConfigMaps, Secrets, events, usage. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { running, SLEEP, shellPod } from './pods.ts';

const PASSWORD = 'correct-horse-battery-staple';
let board: Board;
before(async () => {
  board = await Board.open({ settings: ['--groups', 'canary'] });
  await board.load(await demoImage('debian'));
});
after(async () => assert.deepEqual(await board.close(), []));

async function ok(args: string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await board.edgepod(args, input);
  assert.deepEqual([code, stderr], [0, ''], args.join(' '));
  return stdout;
}

/** Every row's cells by single blanks. */
const rows = (table: string) =>
  table
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().replace(/ {2,}/g, ' '));

const publish = (topic: string, object: object) =>
  board.client.publishAsync(topic, JSON.stringify(object), { qos: 1, retain: true });

test('ConfigMaps and Secrets as they are desired: of the device, and of its groups', async () => {
  const on = ['-d', board.device];
  const objects = {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'site' }, data: { a: 'one\ntwo', b: '2' } },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login' }, stringData: { password: PASSWORD } },
    ],
  };
  await ok(['apply', '-f', '-', ...on], JSON.stringify(objects));
  assert.equal(
    await ok(['apply', '-f', '-', ...on], JSON.stringify(objects)),
    'configmap/site unchanged\nsecret/login unchanged\n',
  );
  const shared = (group: string, name: string, data: object) =>
    publish(`edgepod/groups/${group}/desired/configmaps/default/${name}`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
      data,
    });
  await shared('canary', 'site', { hidden: 'by the device’s own' });
  await shared('canary', 'shared', { x: 'y' });
  await shared('others', 'foreign', {});

  const device = `device/${board.device}`;
  const [heading, ...configMaps] = rows(await ok(['get', 'cm', ...on]));
  assert.equal(heading, 'NAME DATA AGE SOURCE');
  assert.match(configMaps[1] ?? '', new RegExp(`^site 2 \\d+s ${device}$`));
  assert.deepEqual([configMaps[0], configMaps.length], ['shared 1 <unknown> group/canary', 2]);
  const everywhere = rows(await ok(['get', 'configmaps', '-A'])).map((row) => row.split(' ').at(-1));
  assert.deepEqual(everywhere, ['SOURCE', 'group/others', 'group/canary', device, 'group/canary']);

  const secrets = await ok(['get', 'secrets', ...on]);
  assert.match(secrets, new RegExp(`^login\\s+Opaque\\s+1\\s+\\d+s\\s+${device}$`, 'm'));
  for (const text of [secrets, await ok(['get', 'secrets', '-o', 'wide']), await ok(['describe', 'secret', 'login'])]) {
    assert.ok(!text.includes(PASSWORD) && !text.includes(Buffer.from(PASSWORD).toString('base64')));
  }
  assert.match(await ok(['describe', 'secret', 'login']), /^password: +28 bytes$/m);
  assert.match(await ok(['describe', 'cm', 'site', ...on]), /^a:\n----\none\ntwo$/m);
  const secret = JSON.parse(await ok(['get', 'secret', 'login', '-o', 'json']));
  assert.deepEqual([secret.kind, secret.stringData], ['Secret', { password: PASSWORD }]);
  assert.match(await ok(['get', 'secret', 'login', '-o', 'yaml']), new RegExp(PASSWORD));

  const missing = await board.edgepod(['get', 'secret', 'nothing', ...on]);
  assert.deepEqual([missing.code, missing.stderr], [1, `error: secrets "nothing" not found on ${board.device}\n`]);
  await ok(['delete', 'configmap', 'site', ...on]);
  await ok(['delete', 'secret', 'login', ...on]);
  assert.equal((await board.edgepod(['get', 'secrets', ...on])).stderr, 'No resources found in default namespace.\n');
});

test('events: of everything, of one object, and at the end of describe', async () => {
  await board.desire('web', shellPod('web', [{ sh: SLEEP }]));
  await board.desire('other', shellPod('other', [{ sh: SLEEP, image: 'nowhere' }]));
  await board.pod('web', running);
  await board.until('the failure to be told', () =>
    board.messages.some(({ topic, payload }) => topic === board.topic('events') && payload.includes('nowhere')),
  );
  const all = rows(await ok(['get', 'events']));
  assert.equal(all[0], 'DEVICE LAST SEEN TYPE REASON OBJECT MESSAGE');
  assert.ok(all.some((row) => /Normal Started pod\/web /.test(row)));
  assert.ok(all.some((row) => /Warning \S+ pod\/other .*nowhere/.test(row)));
  const about = rows(await ok(['get', 'events', '-d', board.device, '--for', 'pod/web']));
  assert.equal(about[0], 'LAST SEEN TYPE REASON OBJECT MESSAGE');
  assert.ok(about.length > 1 && about.slice(1).every((row) => row.includes(' pod/web ')));
  const [first] = JSON.parse(await ok(['get', 'events', '--for', 'pod/web', '-o', 'json'])).items;
  assert.deepEqual([first.kind, first.involvedObject.name], ['Event', 'web']);
  assert.match(
    await ok(['describe', 'pod', 'web']),
    /^Events:\n {2}Type +Reason +Age +Container +Message\n[\s\S]*Started/m,
  );
  assert.match((await board.edgepod(['get', 'events', '--for', 'web'])).stderr, /say which object, like pod\/web/);
});

test('top: what pods, their containers and the board use', async () => {
  const spin = 'while :; do :; done';
  await board.desire('busy', shellPod('busy', [{ sh: SLEEP }, { sh: spin, name: 'spin' }]));
  await board.pod('busy', running);
  const cells = rows(await ok(['top', 'pods', 'busy', '-d', board.device, '--containers'])).map((row) =>
    row.split(' '),
  );
  assert.deepEqual(cells[0], ['POD', 'NAME', 'CPU(cores)', 'MEMORY(bytes)']);
  const milli = (name: string) => Number.parseInt(cells.find((row) => row[1] === name)?.[2] ?? '', 10);
  assert.ok(milli('spin') > milli('c0'), 'the one that spins uses more');
  assert.match(
    await ok(['top', 'pod', 'busy']),
    /^DEVICE +NAME +CPU\(cores\) +MEMORY\(bytes\)\n\S+ +busy +\d+m +\d+Mi\n$/,
  );
  assert.match(
    await ok(['top', 'nodes']),
    new RegExp(
      `^NAME +CPU\\(cores\\) +CPU\\(%\\) +MEMORY\\(bytes\\) +MEMORY\\(%\\)\\n${board.device} +\\d+m +\\d+% +\\d+Mi +\\d+%\\n$`,
    ),
  );
  assert.match((await board.edgepod(['top', 'pods', 'nobody'])).stderr, /pods "nobody" not found/);
});

test('a board that is away: what it said last is shown, what it would have to be asked is not', async () => {
  await board.stopAgent();
  assert.match(await ok(['describe', 'pod', 'web']), /^Events: +<unknown: board-\S+ is away: /m);
  const { code, stderr } = await board.edgepod(['get', 'events']);
  assert.equal(code, 0);
  assert.match(stderr, /^Warning: board-\S+ is away: its events are not shown$/m);
});
