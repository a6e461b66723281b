/** Lays the installed files out, as dpkg will unpack them. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { SETTINGS } from '../../src/agent/config/config.ts';
import { program } from '../../src/cli/program.ts';
import { bundle } from '../bundle.ts';
import { copyright } from './copyright.ts';
import { nodePackage } from './foreign-node.ts';
import { agentPage, commandPage } from './man.ts';
import { root, sources } from './paths.ts';

const COMPLETIONS = {
  bash: 'usr/share/bash-completion/completions/edgepod',
  zsh: 'usr/share/zsh/vendor-completions/_edgepod',
  fish: 'usr/share/fish/vendor_completions.d/edgepod.fish',
};

export async function layOut(tree: string, nodeArch: string, version: string): Promise<void> {
  rmSync(tree, { recursive: true, force: true });
  const put = (path: string, content: string | Buffer, mode = 0o644) => {
    const to = join(tree, path);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, content);
    chmodSync(to, mode);
  };
  const copy = (from: string, to: string, mode?: number) => put(to, readFileSync(from), mode);

  const lib = join(tree, 'usr/lib/edgepod');
  const node = nodePackage(nodeArch);
  const { packages } = await bundle({ arch: nodeArch, out: lib, node: join(node, 'bin/node'), version });
  // Settings are in /etc, examples under doc, the seccomp profile in the code, licences in copyright.
  rmSync(join(lib, 'config'), { recursive: true });
  for (const name of globSync('**/*.LEGAL.txt', { cwd: lib })) rmSync(join(lib, name));
  copy(join(sources, 'stop-pods'), 'usr/lib/edgepod/stop-pods', 0o755);
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  symlinkSync('../lib/edgepod/edgepod', join(tree, 'usr/bin/edgepod'));

  copy(join(root, 'config/agent.yaml'), 'etc/edgepod/agent.yaml');
  copy(join(root, 'config/edgepod.service'), 'lib/systemd/system/edgepod.service');
  for (const name of ['mosquitto.conf', 'mosquitto.acl', 'seccomp/default.json'])
    copy(join(root, 'config', name), `usr/share/doc/edgepod/examples/${name}`);

  const compressed = (text: string | Buffer) => gzipSync(text, { level: 9 });
  put('usr/share/man/man1/edgepod.1.gz', compressed(commandPage(program, version)));
  const notes = readFileSync(join(sources, 'agent-notes.txt'), 'utf8');
  put('usr/share/man/man8/edgepod-agent.8.gz', compressed(agentPage(SETTINGS, notes, version)));
  for (const [shell, path] of Object.entries(COMPLETIONS)) put(path, completion(shell));

  put('usr/share/doc/edgepod/copyright', copyright([...packages, join(root, 'node_modules/better-sqlite3')], node));
  put('usr/share/doc/edgepod/changelog.gz', compressed(readFileSync(join(sources, 'changelog'))));
  copy(join(sources, 'lintian-overrides'), 'usr/share/lintian/overrides/edgepod');
}

const completion = (shell: string): Buffer =>
  execFileSync(process.execPath, [join(root, 'src/cli/main.ts'), 'completion', shell]);

/** The maintainer scripts and the list of configuration files. */
export function layOutControl(tree: string, control: string): void {
  const dir = join(tree, 'DEBIAN');
  mkdirSync(dir);
  writeFileSync(join(dir, 'control'), control);
  writeFileSync(join(dir, 'conffiles'), '/etc/edgepod/agent.yaml\n');
  for (const name of ['postinst', 'prerm', 'postrm']) {
    copyFileSync(join(sources, 'scripts', name), join(dir, name));
    chmodSync(join(dir, name), 0o755);
  }
  const files = execFileSync('find', ['.', '-type', 'f', '-not', '-path', './DEBIAN/*', '-printf', '%P\\n'], {
    cwd: tree,
    encoding: 'utf8',
  });
  const sums = files
    .trim()
    .split('\n')
    .filter((name) => !name.startsWith('etc/'))
    .sort();
  writeFileSync(join(dir, 'md5sums'), execFileSync('md5sum', sums, { cwd: tree }));
}
