/** `state.terminated.message`: what a container left behind to say (kubelet `terminationMessagePolicy`). Pure. */
import { allContainers } from '../../manifest/containers.ts';
import type { Container } from '../../manifest/types/container.ts';
import type { PodSpec } from '../../manifest/types/pod.ts';
import type { LastWords } from '../files/pod-files.ts';

const POD_BYTES = 12 * 1024;
const LOG_LINES = 80;
const LOG_BYTES = 2048;

/** Undefined when it left nothing. All containers of a pod share 12 KiB. */
export const terminationMessage = (
  spec: PodSpec,
  container: Container,
  exitCode: number,
  words: LastWords,
): string | undefined => {
  const fallback = container.terminationMessagePolicy === 'FallbackToLogsOnError' && exitCode !== 0;
  const own = words.message();
  const text = own.length > 0 || !fallback ? own : logEnd(words.log());
  const share = Math.floor(POD_BYTES / allContainers(spec).length);
  const message = text.subarray(0, share).toString();
  return message === '' ? undefined : message;
};

/** The last lines of a CRI log as the container wrote them: `<time> <stream> <P|F> <text>`, P without its line's end. */
export const logEnd = (log: Buffer): Buffer => {
  const lines = log
    .toString()
    .split('\n')
    .flatMap((line) => /^\S+ (?:stdout|stderr) ([PF])\S* (.*)$/s.exec(line)?.slice(1, 3) ?? [])
    .reduce<string[]>((all, part, index, parts) => {
      if (index % 2 === 1) all.push(parts[index - 1] === 'P' ? part : `${part}\n`);
      return all;
    }, []);
  const tail = Buffer.from(lines.slice(-LOG_LINES).join(''));
  return tail.subarray(Math.max(0, tail.length - LOG_BYTES));
};
