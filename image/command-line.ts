/** The kernel's command line, the same from the boot loader of the image and from QEMU without one. Pure. */

/** Of the root partition: fixed, so that a root can be told apart from a board's data. */
export const ROOT_ID = 'e0d9e90d-0000-4000-8000-000000000003';

/** A read-only root with /var in memory is systemd's own arrangement; what lasts is on the data partition. */
export function kernelArguments(readOnlyRoot: boolean): string {
  const mode = readOnlyRoot ? 'ro systemd.volatile=state' : 'rw';
  return `root=PARTUUID=${ROOT_ID} ${mode} fsck.repair=yes panic=10`;
}
