/** One TCP connection inside a pod, to 127.0.0.1, over which HTTP requests are made for as long as it lives. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** One request for each line of standard input, one line of output for each answer: its status, or why there is none. */
const CLIENT = `
const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1');
require('node:readline').createInterface({ input: process.stdin }).on('line', (path) =>
  socket.write('GET ' + path + ' HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n'));
socket.on('data', (data) => console.log(/^HTTP\\/1.1 (\\d+)/.exec(String(data))?.[1]));
socket.on('error', () => {}).on('close', () => { console.log('closed'); process.exit(); });
`;

export class KeptConnection {
  readonly #client: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** @param infra process of the pod whose network is entered */
  constructor(infra: number, port: number) {
    const command = [process.execPath, '-e', CLIENT, String(port)];
    this.#client = spawn('nsenter', [`--net=/proc/${infra}/ns/net`, ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#client.stdout! })[Symbol.asyncIterator]();
  }

  /** Status of the answer to `GET path`, or `closed`. */
  async get(path: string): Promise<string> {
    this.#client.stdin?.write(`${path}\n`);
    return (await this.#lines.next()).value ?? 'closed';
  }

  /** Asks until the connection is gone: the listener's processes end a moment after the first of them was killed. */
  async lost(): Promise<boolean> {
    for (let attempt = 0; attempt < 1000; attempt++) if ((await this.get('/')) === 'closed') return true;
    return false;
  }

  close(): void {
    this.#client.kill('SIGKILL');
  }
}
