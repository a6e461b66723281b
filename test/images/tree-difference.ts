/** What one directory tree has that another has not, or has differently: the content of an upper layer. */
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';

/** Every path below `tree`, relative, parents before children. Links are listed, never followed (readdir's own recursion does). */
export function allPaths(tree: string, below = ''): string[] {
  return readdirSync(join(tree, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    return entry.isDirectory() ? [path, ...allPaths(tree, path)] : [path];
  });
}

/** Relative paths, parents before children; directories on the way to a change are listed too. */
export function changedPaths(base: string, changed: string): string[] {
  const paths = new Set<string>();
  for (const path of allPaths(changed)) {
    if (same(join(base, path), join(changed, path))) continue;
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) paths.add(parent);
    paths.add(path);
  }
  return [...paths].sort();
}

function same(before: string, after: string): boolean {
  const old = lstatSync(before, { throwIfNoEntry: false });
  const now = lstatSync(after);
  if (!old || kind(old) !== kind(now) || old.mode !== now.mode || old.uid !== now.uid || old.gid !== now.gid)
    return false;
  if (now.isSymbolicLink()) return readlinkSync(before) === readlinkSync(after);
  if (!now.isFile()) return true;
  return old.size === now.size && readFileSync(before).equals(readFileSync(after));
}

function kind(stats: Stats): string {
  return stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'link' : 'file';
}
