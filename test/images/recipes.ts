/** What the images of demo, tests and examples are made of. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { RunConfig } from './oci-writer.ts';
import { allPaths } from './tree-difference.ts';

export interface Recipe {
  /** Debian packages besides those of `debian`. */
  packages: string[];
  config: RunConfig;
  /** What the packages' own scripts would have done, and what makes the image what its name promises. */
  finish?: (tree: string) => void;
  /** A directory of this repository whose files go into the image. */
  sources?: string;
}

export type DemoImage = 'debian' | 'nginx' | 'nftables' | 'rsyslog' | 'tomcat' | 'sample';

export const BASE =
  'base-files base-passwd bash coreutils dash debianutils diffutils findutils grep gzip hostname libc-bin mawk mount ncurses-base procps sed tar util-linux'.split(
    ' ',
  );
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const SITE = 'server { listen 80 default_server; root /usr/share/nginx/html; index index.html index.htm; }\n';
const SAMPLE = new URL('../fixtures/examples/javaweb/sample/', import.meta.url).pathname;
const TOMCAT_USER = 998;

/** Every image but `debian` is the layer of `debian` and one more. */
export const RECIPES: Record<DemoImage, Recipe> = {
  debian: { packages: [], config: { Env: [PATH], Cmd: ['/bin/bash'] } },
  // The conventions of the image everybody knows by this name: foreground, logs on the standard streams, port 80.
  nginx: {
    packages: ['nginx'],
    config: {
      Env: [PATH],
      Cmd: ['nginx', '-g', 'daemon off;'],
      ExposedPorts: { '80/tcp': {} },
      StopSignal: 'SIGQUIT',
    },
    finish: finishNginx,
  },
  nftables: { packages: ['nftables'], config: { Env: [PATH], Cmd: ['nft', '--version'] } },
  rsyslog: { packages: ['rsyslog', 'bsdutils'], config: { Env: [PATH], Cmd: ['rsyslogd', '-n', '-iNONE'] } },
  tomcat: {
    packages: ['tomcat10-user', 'default-jre-headless'],
    config: {
      Env: [
        PATH,
        'JAVA_HOME=/usr/lib/jvm/default-java',
        'CATALINA_HOME=/usr/share/tomcat10',
        'CATALINA_BASE=/var/lib/tomcat',
      ],
      Cmd: ['/usr/share/tomcat10/bin/catalina.sh', 'run'],
      User: 'tomcat',
      ExposedPorts: { '8080/tcp': {} },
    },
    finish: finishTomcat,
  },
  sample: { packages: [], config: { Env: [PATH] }, finish: finishSample, sources: SAMPLE },
};

/** What the packages' own scripts would have done, as far as containers notice. */
export function finishBase(tree: string): void {
  copyFileSync(join(tree, 'usr/share/base-passwd/passwd.master'), join(tree, 'etc/passwd'));
  copyFileSync(join(tree, 'usr/share/base-passwd/group.master'), join(tree, 'etc/group'));
  if (!existsSync(join(tree, 'usr/bin/awk'))) symlinkSync('mawk', join(tree, 'usr/bin/awk'));
  for (const dir of ['proc', 'sys', 'run', 'tmp']) mkdirSync(join(tree, dir), { recursive: true });
  for (const name of ['var/lib/apt', 'var/cache/apt']) rmSync(join(tree, name), { recursive: true, force: true });
  // A container's /dev is made by the runner.
  const dev = join(tree, 'dev');
  for (const name of readdirSync(dev)) rmSync(join(dev, name), { recursive: true, force: true });
}

function finishNginx(tree: string): void {
  rmSync(join(tree, 'etc/nginx/sites-enabled/default'), { force: true });
  writeFileSync(join(tree, 'etc/nginx/conf.d/default.conf'), SITE);
  const logs = join(tree, 'var/log/nginx');
  mkdirSync(logs, { recursive: true });
  symlinkSync('/dev/stdout', join(logs, 'access.log'));
  symlinkSync('/dev/stderr', join(logs, 'error.log'));
}

/** An instance as `tomcat10-instance-create` makes it, owned by a user of its own. */
function finishTomcat(tree: string): void {
  const instance = join(tree, 'var/lib/tomcat');
  cpSync(join(tree, 'usr/share/tomcat10/skel/conf'), join(instance, 'conf'), { recursive: true });
  for (const name of ['logs', 'temp', 'webapps', 'work']) mkdirSync(join(instance, name));
  for (const name of ['.', ...allPaths(instance)]) chownSync(join(instance, name), TOMCAT_USER, TOMCAT_USER);
  appendFileSync(
    join(tree, 'etc/passwd'),
    `tomcat:x:${TOMCAT_USER}:${TOMCAT_USER}::/var/lib/tomcat:/usr/sbin/nologin\n`,
  );
  appendFileSync(join(tree, 'etc/group'), `tomcat:x:${TOMCAT_USER}:\n`);
}

/** /sample.war, the way build tools make it: a zip archive of the web application's directory. */
function finishSample(tree: string): void {
  const files = allPaths(SAMPLE).sort();
  execFileSync('zip', ['-q', '-X', join(tree, 'sample.war'), ...files], { cwd: SAMPLE });
  utimesSync(join(tree, 'sample.war'), 0, 0);
}
