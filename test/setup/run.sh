#!/usr/bin/env bash
# Sets a fresh Debian or Ubuntu machine up and runs one of the project's commands on it.
# Every step says what it does and is skipped when already done. Needs root, Node and npm; nothing else.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command=${1:?usage: run.sh demo|test|test:arm|bench|images|package|image|image:run [arguments]}
shift

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() { printf 'edgepod: %s\n' "$*" >&2; exit 1; }

case $command in
  demo) groups='build run demo' ;;
  test) groups="build run demo images test package cross-$(uname -m)" ;;
  test:arm) groups="build run demo package cross-$(uname -m) image qemu broker" ;;
  bench)
    groups='build run demo test bench'
    # On an emulated board the peers are installed there.
    case " $* " in *' --board '*) groups="build run demo package cross-$(uname -m) image qemu broker" ;; esac
    ;;
  images) groups='build run demo images' ;;
  package) groups="build package cross-$(uname -m)" ;;
  image) groups="build package cross-$(uname -m) image" ;;
  image:run) groups="build package cross-$(uname -m) image qemu" ;;
  *) die "unknown command '$command': use demo, test, test:arm, bench, images, package, image or image:run" ;;
esac

[ "$(id -u)" = 0 ] || die "pods need namespaces, cgroups and a bridge: run this as root (sudo npm run $command)"
[ "$(uname -s)" = Linux ] || die 'needs a Linux kernel'
case $(uname -m) in
  x86_64 | aarch64) ;;
  *) die "no Node 24 build for $(uname -m): x86_64 and aarch64 are supported" ;;
esac

# Ctrl-C during set-up ends set-up; from the exec below on the command itself cleans up.
trap 'exit 130' INT

missing_packages() {
  local group name
  for group in $groups; do
    for name in $(sed -n "s/^$group: *//p" test/setup/packages.txt); do
      dpkg-query -W -f='${Status}\n' "$name" 2>/dev/null | grep -q 'ok installed' || echo "$name"
    done
  done
}

# Packages `name:arch` can only be installed where dpkg knows the architecture.
foreign_architectures() {
  local name
  for name; do
    case $name in *:*) dpkg --add-architecture "${name##*:}" ;; esac
  done
}

install_packages() {
  local missing
  missing=$(missing_packages | sort -u | tr '\n' ' ')
  if [ -z "${missing// /}" ]; then
    say '[1/3] system packages: present'
    return
  fi
  command -v apt-get > /dev/null || die "no apt-get here; install by hand: $missing"
  say "[1/3] system packages: installing $missing"
  export DEBIAN_FRONTEND=noninteractive
  local log
  log=$(mktemp)
  foreign_architectures $missing
  # Lists first: on a fresh machine there are none, and old ones name versions that are gone.
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 $missing; } > "$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "apt-get could not install: $missing"
  }
  rm -f "$log"
}

install_modules() {
  local stamp=node_modules/.edgepod-stamp want
  want=$(cat package.json package-lock.json | sha256sum | cut -d' ' -f1)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
    say '[2/3] Node 24 and modules: present'
    return
  fi
  say '[2/3] Node 24 and modules: npm ci'
  npm ci --no-audit --no-fund --loglevel=error >&2
  echo "$want" > "$stamp"
}

build_native() {
  say '[3/3] native part: make'
  make -s -C native -j"$(nproc)" >&2
}

# Two commands at once set up one after the other; the second finds everything present.
exec 9< test/setup/run.sh
flock 9
install_packages
install_modules
build_native
# Explicitly: what was started meanwhile may have the descriptor still.
flock -u 9
exec 9<&-

export PATH="$PWD/node_modules/.bin:$PATH"
trap - INT
case $command in
  demo) exec node test/demo/demo.ts "$@" ;;
  test) exec node test/run.ts "$@" ;;
  test:arm) exec node test/arm/run.ts "$@" ;;
  images) exec node test/images/make.ts "$@" ;;
  package) exec node image/package.ts "$@" ;;
  image) exec node image/build.ts "$@" ;;
  image:run) exec node image/run.ts "$@" ;;
  bench)
    # Figures are those of what is shipped: the bundle, not the source tree.
    node image/bundle.ts --out "$PWD/dist/bundle" >&2
    EDGEPOD_COMMAND="$PWD/dist/bundle/edgepod" exec node test/bench/bench.ts "$@"
    ;;
esac
