import type { Migration } from '../migrate.ts';
import { initial } from './001-initial.ts';

/** Every migration, oldest first. A released one is never edited: add the next number. */
export const migrations: readonly Migration[] = [initial];
