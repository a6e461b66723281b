/** DEBIAN/control: what the package is, and what its binaries really need. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Linked statically: Debian wants to know which versions, for their licences' sake. */
const STATIC = ['libseccomp-dev', 'libc6'];

export function control(input: { version: string; arch: string; binaries: string[]; installedKiB: number }): string {
  const { version, arch, binaries, installedKiB } = input;
  return `Package: edgepod
Version: ${version}
Architecture: ${arch}
Maintainer: edgepod maintainers <maintainers@edgepod.io>
Installed-Size: ${installedKiB}
Depends: ${libraries(arch, binaries)}, nftables
Suggests: mosquitto
Built-Using: ${builtUsing(arch)}
Section: admin
Priority: optional
Description: Kubernetes pods on ARM64 Linux boards, delivered over MQTT
 An agent for boards that are offline for days, lose power at any moment and
 have little memory. It takes Kubernetes Pod manifests from an MQTT broker,
 keeps the desired state in SQLite and runs the pods itself: the container
 runner is part of it, and no Docker, containerd or Podman is needed. Pods
 outlive the agent and its upgrades.
 .
 The same command applies pods to devices and shows what they report.
`;
}

/** dpkg-shlibdeps' answer for the binaries: libraries with the oldest version that has every symbol. */
function libraries(arch: string, binaries: string[]): string {
  const work = mkdtempSync(join(tmpdir(), 'edgepod-shlibs-'));
  try {
    mkdirSync(join(work, 'debian'));
    writeFileSync(join(work, 'debian/control'), 'Source: edgepod\n\nPackage: edgepod\nArchitecture: any\n');
    const multiarch = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[arch];
    const answer = execFileSync('dpkg-shlibdeps', ['-O', '--warnings=0', `-l/usr/lib/${multiarch}`, ...binaries], {
      cwd: work,
      env: { ...process.env, DEB_HOST_ARCH: arch, DEB_HOST_MULTIARCH: multiarch },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'], // it expects binaries to lie where they will be installed, and says so
    });
    const depends = /^shlibs:Depends=(.+)$/m.exec(answer)?.[1];
    if (!depends) throw new Error('dpkg-shlibdeps found no library the binaries need');
    return depends;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

// dpkg-query's own placeholders, not ours.
const SOURCE = ['source:Package', 'source:Version'].map((field) => `\${${field}}`);

function builtUsing(arch: string): string {
  return STATIC.map((name) =>
    execFileSync('dpkg-query', ['-W', '-f', `${SOURCE[0]} (= ${SOURCE[1]})`, `${name}:${arch}`], {
      encoding: 'utf8',
    }),
  ).join(', ');
}
