/**
 * Test files of test/integration that run on the emulated board as well: those whose subject is not the same on cgroup v2,
 * systemd and arm64, the most telling of them, for emulation is slow. ARCHITECTURE.md says what is left out and why; any
 * other file can be named: `npm run test:arm -- --guest board/groups.test.ts`.
 */
const USUAL = [
  // The shim and its containers: cgroup v2, clone into a cgroup, OOM kills, logs, exec, users of their own.
  'runner/pause.test.ts',
  'runner/shim-lifecycle.test.ts',
  'runner/shim-sandbox.test.ts',
  'runner/shim-exec.test.ts',
  'runner/shim-users.test.ts',
  // Figures of cgroup v2, pressure, netlink, nftables.
  'runtime/addon.test.ts',
  'runtime/network.test.ts',
  // Whole boards, with a broker elsewhere: phases, restarts, OOMKilled; isolation.
  'board/lifecycle.test.ts',
  'board/isolation.test.ts',
];

/** What this run is to run: file names below test/integration, from run.ts. */
export const GUEST_FILES = process.env.EDGEPOD_GUEST_FILES?.split(' ') ?? USUAL;
