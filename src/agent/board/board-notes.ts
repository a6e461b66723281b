/** What is wrong with the board itself, besides its kernel: for the node's conditions and `edgepod check`. */
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { clockFault } from '../../node/clock-fault.ts';

export interface BoardNote {
  feature: string;
  consequence: string;
}

/** Written by the device image's first-boot programs; on any other system there is no such file. */
const DEVICE_IMAGE_NOTES = '/run/edgepod-board/problems.json';

/** What the device image found when the board was switched on: settings that are wrong, a data partition that is none. */
export function deviceImageNotes(path = DEVICE_IMAGE_NOTES): BoardNote[] {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as BoardNote[];
  } catch {
    return [];
  }
}

/** A clock that cannot be right. */
export function clockNotes(now: Date): BoardNote[] {
  const fault = clockFault(now, programMade());
  return fault === undefined ? [] : [{ feature: 'clock', consequence: fault }];
}

function programMade(): Date {
  return statSync(fileURLToPath(import.meta.url)).mtime;
}
