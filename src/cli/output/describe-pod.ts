/** The text of `describe pod`. */
import type { DevicePod } from '../../client/fleet.ts';
import type { Container, ContainerPort, VolumeMount } from '../../manifest/types/container.ts';
import type { ContainerState, ContainerStatus, PodCondition } from '../../manifest/types/status.ts';
import type { ProjectedSource, Volume } from '../../manifest/types/volumes.ts';
import { field, pairs, section } from './fields.ts';
import { podStatusWord } from './pod-rows.ts';

/** Lines of `label:  value`, nested by two spaces. */
export function describePod({ device, pod }: DevicePod): string {
  const { metadata, status } = pod;
  const lines = [
    field('Name', metadata.name),
    field('Namespace', metadata.namespace),
    field('Device', device),
    field('UID', metadata.uid),
    field('Labels', pairs(metadata.labels)),
    field('Annotations', pairs(metadata.annotations)),
    field('Start Time', status?.startTime),
    field('Status', podStatusWord(pod)),
    ...(status?.reason ? [field('Reason', status.reason)] : []),
    ...(status?.message ? [field('Message', status.message)] : []),
    field('IP', status?.podIP),
    field('QoS Class', status?.qosClass),
    ...(pod.spec?.initContainers?.length ? ['Init Containers:'] : []),
    ...(pod.spec?.initContainers ?? []).flatMap((container) =>
      containerLines(
        container,
        status?.initContainerStatuses?.find(({ name }) => name === container.name),
      ),
    ),
    'Containers:',
    ...(pod.spec?.containers ?? []).flatMap((container) =>
      containerLines(
        container,
        status?.containerStatuses.find(({ name }) => name === container.name),
      ),
    ),
    ...(pod.spec?.ephemeralContainers?.length ? ['Ephemeral Containers:'] : []),
    ...(pod.spec?.ephemeralContainers ?? []).flatMap((container) =>
      containerLines(
        container,
        status?.ephemeralContainerStatuses?.find(({ name }) => name === container.name),
      ),
    ),
    'Conditions:',
    ...(status?.conditions ?? []).flatMap(conditionLines),
    ...section(
      'Volumes',
      (pod.spec?.volumes ?? []).map((volume) => `${volume.name}: ${volumeText(volume)}`),
    ),
    ...(status?.errors?.length ? ['Errors:', ...status.errors.map(({ path, reason }) => `  ${path}: ${reason}`)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function containerLines(container: Container, status: ContainerStatus | undefined): string[] {
  const inner = [
    field('Container ID', status?.containerID),
    field('Image', container.image),
    field('Image ID', status?.imageID),
    ...(container.ports?.length ? [field('Ports', container.ports.map(portText).join(', '))] : []),
    ...(container.command ? [field('Command', container.command.join(' '))] : []),
    ...(container.args ? [field('Args', container.args.join(' '))] : []),
    ...stateLines('State', status?.state),
    ...stateLines('Last State', status?.lastState),
    field('Ready', status ? (status.ready ? 'True' : 'False') : 'Unknown'),
    field('Restart Count', String(status?.restartCount ?? 0)),
    ...resourceLines('Limits', container.resources?.limits),
    ...resourceLines('Requests', container.resources?.requests),
    ...section('Mounts', (container.volumeMounts ?? []).map(mountText)),
  ];
  return [`  ${container.name}:`, ...inner.map((line) => `    ${line}`)];
}

/** Type, status and reason in columns; what there is to say below. */
function conditionLines({ type, status, reason, message }: PodCondition): string[] {
  const line = `  ${type.padEnd(28)}${status}${reason ? `  ${reason}` : ''}`;
  return message ? [line, `    ${message}`] : [line];
}

function stateLines(label: string, state: ContainerState | undefined): string[] {
  if (state?.running) return [field(label, 'Running'), `  ${field('Started', state.running.startedAt)}`];
  if (state?.waiting)
    return [
      field(label, 'Waiting'),
      `  ${field('Reason', state.waiting.reason)}`,
      ...(state.waiting.message ? [`  ${field('Message', state.waiting.message)}`] : []),
    ];
  if (!state?.terminated) return [];
  const { reason, message, exitCode, signal, startedAt, finishedAt } = state.terminated;
  return [
    field(label, 'Terminated'),
    `  ${field('Reason', reason)}`,
    ...(message ? [`  ${field('Message', message)}`] : []),
    `  ${field('Exit Code', String(exitCode))}`,
    ...(signal ? [`  ${field('Signal', String(signal))}`] : []),
    `  ${field('Started', startedAt)}`,
    `  ${field('Finished', finishedAt)}`,
  ];
}

function resourceLines(label: string, list: Record<string, string> | undefined): string[] {
  return list ? [field(label, pairs(list))] : [];
}

const mountText = ({ mountPath, name, readOnly }: VolumeMount): string =>
  `${mountPath} from ${name} (${readOnly ? 'ro' : 'rw'})`;

/** `80/TCP`, `8001→80/TCP`, `192.168.1.7:8001→80/TCP`: what leads to it from outside, then the container's own. */
function portText({ containerPort, hostPort, hostIP, protocol }: ContainerPort): string {
  const outside = hostPort ? `${hostIP ? `${hostIP}:` : ''}${hostPort}→` : '';
  return `${outside}${containerPort}/${protocol}`;
}

function volumeText({ hostPath, configMap, secret, downwardAPI, projected, image, emptyDir }: Volume): string {
  if (hostPath) return `hostPath ${hostPath.path}${hostPath.type ? ` (${hostPath.type})` : ''}`;
  if (configMap) return `configMap ${configMap.name}`;
  if (secret) return `secret ${secret.secretName}`;
  if (downwardAPI) return `downwardAPI ${downwardAPI.items.map(({ path }) => path).join(', ')}`;
  if (projected) return `projected ${projected.sources.map(sourceText).join(', ')}`;
  if (image) return `image ${image.reference}`;
  return `emptyDir${emptyDir?.medium ? ` in ${emptyDir.medium.toLowerCase()}` : ''}${emptyDir?.sizeLimit ? `, at most ${emptyDir.sizeLimit}` : ''}`;
}

function sourceText({ configMap, secret }: ProjectedSource): string {
  if (configMap) return `configMap ${configMap.name}`;
  return secret ? `secret ${secret.name}` : 'downwardAPI';
}
