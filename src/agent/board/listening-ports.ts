/** Ports that processes of this machine have, as admission wants them: who it is is found out only for the message. */
import type { ListeningPort } from '../../pods/admission/host-ports.ts';
import { ownerOf, readListeners } from '../../runtime/network/listening.ts';

export const listeningPorts = (): ListeningPort[] =>
  readListeners().map(({ inode, ...port }) => ({ ...port, by: () => ownerOf(inode) }));
