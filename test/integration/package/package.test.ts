/** The Debian package of this machine's architecture: what is in it, what lintian says, and that purging leaves nothing. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

const root = join(import.meta.dirname, '../../..');
const ARCH = process.arch === 'x64' ? 'amd64' : 'arm64';
/** What the package needs from Debian; made once, since it does not change with our code. */
const BASE = join(root, 'test/.cache/package-base.tar');
const INCLUDE = 'libarchive13,libnettle8,libstdc++6,libgcc-s1,nftables,init-system-helpers';

const run = (file: string, ...args: string[]) => execFileSync(file, args, { encoding: 'utf8', stdio: 'pipe' });
/**
 * Runs in the system under test, with mounts and a network of its own: nothing is left of either. No cgroups: removal
 * drains the default instance, which must not be that of the machine the test runs on.
 */
const inside = (...args: string[]) => run('unshare', '--mount', '--net', 'sh', '-ec', ENTER, 'sh', chroot, ...args);
const ENTER = 'mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; exec chroot "$@"';
/** The same for what only looks: sees the machine's cgroups. */
const looking = (command: string) =>
  run(
    'unshare',
    '--mount',
    '--net',
    'sh',
    '-ec',
    `mount --rbind /sys "$1/sys"; ${ENTER}`,
    'sh',
    chroot,
    'sh',
    '-c',
    command,
  );
/** Everything a package could leave; dpkg's own records and what the kernel shows are not it. */
const files = () =>
  run(
    'find',
    chroot,
    '-xdev',
    '(',
    '-path',
    `${chroot}/var/lib/dpkg`,
    '-o',
    '-path',
    `${chroot}/var/log`,
    '-o',
    '-name',
    '*.deb',
    ')',
    '-prune',
    '-o',
    '-printf',
    '%P %y %m\n',
  )
    .split('\n')
    .sort();

let deb: string;
let chroot: string;

before(() => {
  deb = run('make', '-s', '-C', join(root, 'image'), 'deb', `DEB_ARCH=${ARCH}`).trim().split('\n').at(-1) ?? '';
  if (!existsSync(BASE)) {
    mkdirSync(join(root, 'test/.cache'), { recursive: true });
    run('mmdebstrap', '--variant=essential', `--include=${INCLUDE}`, '--quiet', 'bookworm', `${BASE}.new.tar`);
    renameSync(`${BASE}.new.tar`, BASE);
  }
  chroot = mkdtempSync('/var/tmp/edgepod-package-');
  run('tar', '-xf', BASE, '-C', chroot, '--exclude=./dev/*');
  run('cp', deb, join(chroot, 'edgepod.deb'));
});

after(() => {
  if (chroot) rmSync(chroot, { recursive: true, force: true });
});

test('has the command, the service, the settings, manual pages and completions', () => {
  const names = run('dpkg-deb', '--contents', deb);
  for (const name of [
    'usr/bin/edgepod -> ',
    'etc/edgepod/agent.yaml',
    'lib/systemd/system/edgepod.service',
    'usr/share/man/man1/edgepod.1.gz',
    'usr/share/man/man8/edgepod-agent.8.gz',
    'usr/share/bash-completion/completions/edgepod',
    'usr/share/zsh/vendor-completions/_edgepod',
    'usr/share/fish/vendor_completions.d/edgepod.fish',
    'usr/share/doc/edgepod/copyright',
    'usr/share/doc/edgepod/changelog.gz',
  ])
    assert.ok(names.includes(`./${name}`), name);
  assert.doesNotMatch(names, /node_modules|\.map$|LEGAL/m);
  assert.equal(run('dpkg-deb', '--info', deb, 'conffiles'), '/etc/edgepod/agent.yaml\n');
});

test('lintian has no errors and no warnings', () => {
  assert.equal(
    run('lintian', '--allow-root', '--fail-on=none', '--tag-display-limit=0', deb).match(/^[EW]: .*/gm),
    null,
  );
});

test('installs on a plain system, runs, and purging leaves nothing', () => {
  const plain = files();
  inside('dpkg', '-i', '/edgepod.deb');
  assert.match(inside('edgepod', 'version'), /^edgepod \d/);
  assert.match(looking('edgepod check; true'), /data directory +\/var\/lib\/edgepod/);
  assert.equal(existsSync(join(chroot, 'var/lib/edgepod')), false, 'check changes nothing');
  looking('edgepod image list');
  assert.ok(existsSync(join(chroot, 'var/lib/edgepod/edgepod.db')));
  // Removal keeps settings and data.
  inside('dpkg', '--remove', 'edgepod');
  assert.ok(existsSync(join(chroot, 'etc/edgepod/agent.yaml')));
  assert.ok(existsSync(join(chroot, 'var/lib/edgepod')));
  assert.equal(existsSync(join(chroot, 'usr/lib/edgepod')), false);
  writeFileSync(join(chroot, 'etc/default/edgepod'), 'EDGEPOD_LOG_LEVEL=debug\n');
  inside('dpkg', '--purge', 'edgepod');
  assert.deepEqual(files(), plain);
});

test('settings that somebody changed outlive a newer package, an older one and an interrupted one', () => {
  const plain = files();
  const settings = join(chroot, 'etc/edgepod/agent.yaml');
  const mine = 'device: board-7\n';
  inside('dpkg', '-i', '/edgepod.deb');
  writeFileSync(settings, mine);
  newerPackage();
  // As unattended upgrades do; without the option dpkg asks, since both the person and the package changed the file.
  inside('dpkg', '--force-confold', '-i', '/newer.deb');
  assert.equal(readFileSync(settings, 'utf8'), mine);
  assert.match(readFileSync(`${settings}.dpkg-dist`, 'utf8'), /# newer\n$/);
  assert.equal(installed(), 'install ok installed 99');
  inside('dpkg', '--force-confold', '-i', '/edgepod.deb');
  assert.equal(readFileSync(settings, 'utf8'), mine);
  inside('dpkg', '--unpack', '/newer.deb');
  assert.equal(installed(), 'install ok unpacked 99');
  inside('dpkg', '--force-confold', '--configure', 'edgepod');
  assert.equal(installed(), 'install ok installed 99');
  // Each script may be run again, by dpkg or by a person.
  inside('/var/lib/dpkg/info/edgepod.postinst', 'configure', '99');
  inside('/var/lib/dpkg/info/edgepod.prerm', 'upgrade', '100');
  inside('/var/lib/dpkg/info/edgepod.postinst', 'abort-upgrade', '100');
  inside('dpkg', '--purge', 'edgepod');
  assert.deepEqual(files(), plain);
});

/** The same package as version 99, with other settings. */
function newerPackage(): void {
  const tree = `${chroot}.newer`;
  try {
    run('dpkg-deb', '--raw-extract', deb, tree);
    run('sed', '-i', 's/^Version: .*/Version: 99/', join(tree, 'DEBIAN/control'));
    appendFileSync(join(tree, 'etc/edgepod/agent.yaml'), '# newer\n');
    run('dpkg-deb', '--root-owner-group', '-Znone', '--build', tree, join(chroot, 'newer.deb'));
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

const installed = () => inside('dpkg-query', '-W', '-f', STATUS, 'edgepod').trim();
// dpkg-query's own placeholders.
const STATUS = ['Status', 'Version'].map((field) => `\${${field}}`).join(' ');
