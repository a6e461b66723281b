/** `get pods`: what devices last reported. */
import type { DevicePod, Fleet } from '../../client/fleet.ts';
import { podStatusTopic } from '../../client/topics.ts';
import { type PodColumns, podHeadings, podRow } from '../output/pod-rows.ts';
import { printObjects } from '../output/print.ts';
import { table } from '../output/table.ts';
import { complainOfMissing, type GetQuery, sayNothingFound } from './flags.ts';
import { lastLine, watch } from './watch.ts';

export async function getPods(fleet: Fleet, { names, flags, format }: GetQuery): Promise<void> {
  const namespace = flags.allNamespaces ? '+' : flags.namespace;
  const device = flags.device ?? '+';
  const wanted = ({ pod }: DevicePod) => names.length === 0 || names.includes(pod.metadata.name);
  const found = (await fleet.pods({ device, namespace })).filter(wanted);
  complainOfMissing(
    'pods',
    names,
    found.map(({ pod }) => pod.metadata.name),
    flags.device,
  );
  const columns: PodColumns = {
    wide: format === 'wide',
    namespaces: flags.allNamespaces === true,
    devices: flags.device === undefined,
  };
  if (format === 'json' || format === 'yaml')
    await printObjects(
      found.map(({ pod }) => pod),
      format,
      names.length === 1,
    );
  else if (found.length > 0 || flags.watch)
    process.stdout.write(
      table(
        podHeadings(columns),
        found.map((pod) => podRow(pod, columns)),
      ),
    );
  else if (names.length === 0) sayNothingFound(flags);
  if (!flags.watch) return;
  const rows = found.map((pod) => podRow(pod, columns));
  await watch(fleet, podStatusTopic(fleet.prefix, device, namespace, '+'), async (message) => {
    const pod = fleet.podOf(message);
    if (!pod || !wanted(pod)) return;
    if (format === 'json' || format === 'yaml') return printObjects([pod.pod], format, true);
    const row = podRow(pod, columns);
    rows.push(row);
    process.stdout.write(lastLine(table(podHeadings(columns), rows)));
  });
}
