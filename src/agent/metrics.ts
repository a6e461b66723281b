/** Looks at the figures now and then, and sends them when they changed enough. Nothing is kept while the broker is away. */
import type { BrokerSession } from '../broker/session.ts';
import type { Topics } from '../broker/topics.ts';
import { changedEnough, type Figures } from '../node/change.ts';
import { diskFigures, temperatureCelsius } from '../node/facts.ts';
import { METRICS_IGNORE, METRICS_RULES, type MeasuredPod, metricsBody } from '../node/metrics.ts';
import type { PodManager } from '../pods/manager.ts';
import type { Addon } from '../runtime/native.ts';
import { readProcesses, StatsReader } from '../runtime/stats.ts';

interface MetricsOptions {
  addon: Addon;
  manager: PodManager;
  session: BrokerSession;
  topics: Topics;
  dataDir: string;
  bridge: string;
  link: (uid: string) => string;
  intervalSeconds: number;
  now: () => Date;
}

export class MetricsLoop {
  #options: MetricsOptions;
  #stats: StatsReader;
  #last: Figures | undefined;
  #timer: NodeJS.Timeout | undefined;

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

  /** Reads everything in one native call and sends it if it is news. */
  async look(): Promise<void> {
    const { addon, manager, session, topics, dataDir, bridge, link, now } = this.#options;
    const described = manager.list().filter(({ sandbox }) => sandbox !== undefined);
    const targets = described.map(({ uid, cgroup, containers, pod }) => ({
      uid,
      cgroup,
      containers: containers.filter(({ pid }) => pid !== undefined).map(({ name }) => name),
      ...(!pod.spec?.hostNetwork && { link: link(uid) }),
    }));
    if (!session.connected) return;
    const { node, pods } = this.#stats.read(targets, [bridge]);
    const [own] = await readProcesses(addon, [process.pid]);
    const temperature = temperatureCelsius();
    const body = metricsBody({
      node,
      pods: described.flatMap(({ namespace, name, uid }): MeasuredPod[] => {
        const figures = pods.get(uid);
        return figures ? [{ namespace, name, uid, figures }] : [];
      }),
      agent: { ...(own?.rss !== undefined && { rss: own.rss }), ...(own?.anon !== undefined && { anon: own.anon }) },
      disk: pickDisk(dataDir),
      ...(temperature !== undefined && { temperatureCelsius: temperature }),
    });
    if (!changedEnough(this.#last, body, METRICS_RULES, METRICS_IGNORE)) return;
    if (session.publishQos0(topics.metrics, Buffer.from(JSON.stringify({ time: now().toISOString(), ...body }))))
      this.#last = body;
  }
}

function pickDisk(path: string): { capacityBytes: number; availableBytes: number } {
  const { capacityBytes, availableBytes } = diskFigures(path);
  return { capacityBytes, availableBytes };
}
