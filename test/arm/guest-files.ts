/**
 * Test files of test/integration that run on the emulated board as well: those whose subject is not the same on cgroup v2,
 * systemd and arm64. What is left out and why is in ARCHITECTURE.md.
 */
export const GUEST_FILES = [
  // The shim and its containers: cgroup v2, clone into a cgroup, OOM kills, logs, exec, users, loss.
  'runner/pause.test.ts',
  'runner/shim-lifecycle.test.ts',
  'runner/shim-sandbox.test.ts',
  'runner/shim-exec.test.ts',
  'runner/shim-users.test.ts',
  'runner/shim-loss.test.ts',
  // The addon: figures of cgroup v2, pressure, netlink, nftables.
  'runtime/addon.test.ts',
  'runtime/sandbox.test.ts',
  'runtime/network.test.ts',
  'runtime/reattach.test.ts',
  // Whole boards, with a broker elsewhere.
  'board/lifecycle.test.ts',
  'board/isolation.test.ts',
  'board/groups.test.ts',
  'board/agent-restart.test.ts',
];
