/** Looks at the figures now and then, and sends them when they changed enough. Nothing is kept while the broker is away. */
import type { Logger } from 'pino';
import type { BrokerSession } from '../../broker/session.ts';
import type { Topics } from '../../broker/topics.ts';
import { changedEnough, type Figures } from '../../node/change.ts';
import { diskFigures, temperatureCelsius } from '../../node/facts.ts';
import { METRICS_IGNORE, METRICS_RULES, type MeasuredPod, metricsBody } from '../../node/metrics.ts';
import type { PodDescription } from '../../pods/describe.ts';
import type { PodManager } from '../../pods/manager.ts';
import type { Addon } from '../../runtime/native.ts';
import { type Figures as RawFigures, readProcesses, StatsReader } from '../../runtime/stats.ts';

interface MetricsOptions {
  addon: Addon;
  manager: PodManager;
  session: Pick<BrokerSession, 'addListener' | 'connected' | 'publishQos0'>;
  topics: Topics;
  dataDir: string;
  bridge: string;
  link: (uid: string) => string;
  intervalSeconds: number;
  now: () => Date;
  log: Pick<Logger, 'warn'>;
}

export class MetricsLoop {
  #options: MetricsOptions;
  #stats: StatsReader;
  #last: Figures | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Figures that cannot be read are told of once, not at every look. */
  #failed = false;

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#stats = new StatsReader(options.addon);
    // After a reconnect nobody may have seen the last message.
    options.session.addListener({
      connected: () => {
        this.#last = undefined;
      },
    });
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), this.#options.intervalSeconds * 1000);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Sends the figures if they are news. Never rejects. */
  async look(): Promise<void> {
    if (!this.#options.session.connected) return;
    try {
      await this.#send();
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) this.#options.log.warn({ err: error }, 'the figures of the board and its pods cannot be read');
      this.#failed = true;
    }
  }

  async #send(): Promise<void> {
    const { session, topics } = this.#options;
    const body = await this.#body(this.#read());
    if (!changedEnough(this.#last, body, METRICS_RULES, METRICS_IGNORE)) return;
    if (session.publishQos0(topics.metrics, Buffer.from(JSON.stringify(this.#timed(body))))) this.#last = body;
  }

  /** What the topic would say now, and when that is by a clock that never jumps: two answers make a rate. */
  async measure(): Promise<object> {
    const monotonicMs = performance.now();
    return { monotonicMs, ...this.#timed(await this.#body(this.#read())) };
  }

  #timed(body: Figures): object {
    return { time: this.#options.now().toISOString(), ...body };
  }

  /** Everything in one native call. */
  #read(): Reading {
    const { manager, bridge, link } = this.#options;
    const described = manager.list().filter(({ sandbox }) => sandbox !== undefined);
    const targets = described.map(({ uid, cgroup, containers, pod }) => ({
      uid,
      cgroup,
      containers: containers.filter(({ pid }) => pid !== undefined).map(({ name }) => name),
      ...(!pod.spec?.hostNetwork && { link: link(uid) }),
    }));
    return { described, figures: this.#stats.read(targets, [bridge]) };
  }

  async #body({ described, figures: { node, pods } }: Reading): Promise<Figures> {
    const { addon, dataDir } = this.#options;
    const [own] = await readProcesses(addon, [process.pid]);
    const temperature = temperatureCelsius();
    return metricsBody({
      node,
      pods: described.flatMap(({ namespace, name, uid }): MeasuredPod[] => {
        const figures = pods.get(uid);
        return figures ? [{ namespace, name, uid, figures }] : [];
      }),
      agent: { ...(own?.rss !== undefined && { rss: own.rss }), ...(own?.anon !== undefined && { anon: own.anon }) },
      disk: pickDisk(dataDir),
      ...(temperature !== undefined && { temperatureCelsius: temperature }),
    });
  }
}

interface Reading {
  described: PodDescription[];
  figures: RawFigures;
}

function pickDisk(path: string): { capacityBytes: number; availableBytes: number } {
  const { capacityBytes, availableBytes } = diskFigures(path);
  return { capacityBytes, availableBytes };
}
