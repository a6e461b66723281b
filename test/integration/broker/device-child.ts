/** A device in a process of its own, to be killed. Configuration: JSON in argv[2]. Prints one JSON line per happening. */
import { startDevice } from './device.ts';

interface ChildConfig {
  url: string;
  database: string;
  /** Where it kills itself, at the first accepted manifest. */
  dieAt?: 'before-commit' | 'before-puback';
  willDelaySeconds?: number;
}

const { dieAt, willDelaySeconds = 0, ...rest } = JSON.parse(process.argv[2] ?? '{}') as ChildConfig;
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const die = () => process.kill(process.pid, 'SIGKILL');

const device = startDevice({
  ...rest,
  limits: { willDelaySeconds },
  beforeCommit: () => {
    if (dieAt === 'before-commit') die();
  },
  onResult: ({ action, key }) => {
    if (dieAt === 'before-puback') die();
    say({ action, name: key?.name });
  },
});
device.session.addListener({ connected: (info) => say({ connected: info }) });
process.on('SIGTERM', () => void device.stop().then(() => process.exit(0)));
