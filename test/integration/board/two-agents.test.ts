import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { answers, status } from './http.ts';
import { phase, running, SLEEP, shellPod } from './pods.ts';

const port = 23_000 + (process.pid % 900) * 10;
let one: Board;
let two: Board;
before(async () => {
  one = await Board.open();
  // Room for a single pod: gateway, one address, broadcast.
  two = await Board.open({ settings: ['--network-subnet', '10.89.7.0/30'] });
  for (const board of [one, two])
    for (const image of ['nginx', 'debian'] as const) await board.load(await demoImage(image));
});
after(async () => {
  await two.close(); // what it made came and went while the other ran
  assert.deepEqual(await one.close(), []);
});

const web = (hostPort: number) =>
  shellPod('web', [{ image: 'nginx', ports: [{ containerPort: 80, hostPort, protocol: 'TCP' }] }]);
const url = (hostPort: number) => `http://127.0.0.1:${hostPort}/`;

test('two agents on one machine publish ports side by side, and one that ends takes only its own', async () => {
  await Promise.all([one.desire('web', web(port)), two.desire('web', web(port + 1))]);
  await Promise.all([one.pod('web', running), two.pod('web', running)]);
  for (const each of [port, port + 1]) await answers(url(each), 'when both run');
  await one.stopAgent('SIGKILL');
  await one.startAgent();
  for (const each of [port, port + 1]) await answers(url(each), 'after one agent was killed');
  await one.undesire('web');
  assert.equal(typeof (await status(url(port))), 'string');
  await answers(url(port + 1), 'after the other pod went');
});

test('all addresses taken: said so, and the pod starts when one is free', async () => {
  await two.desire('late', shellPod('late', [{ sh: SLEEP }]));
  await two.until('the reason to be told', () =>
    two.messages.some(({ payload }) =>
      /all 1 addresses of 10\.89\.7\.0\/30 are held by pods: see network\.subnet/.test(String(payload)),
    ),
  );
  await two.pod('late', phase('Pending'));
  await two.undesire('web');
  await two.pod('late', running, 60_000);
  await two.undesire('late');
});
