#!/usr/bin/env bash
# `npm run fresh`: the README tried as a new user would, on a fresh clone with its own install, below a folder of mode 0700,
# and, run as root, once more as an ordinary user: start, a call, one whose media is killed, kill -9 of the standalone, start again,
# a call, stop. Only the starts are told the ports: everything else finds the platform by its home.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)

# One whole try in $1, on ports from $2 on.
try() {
  local clone=$1 port=$2
  home=$1/.opentact
  trap leave EXIT
  cd "$clone"
  ports=(OPENTACT_SIP_PORT=$port OPENTACT_HTTP_PORT=$((port + 1)) OPENTACT_GRPC_PORT=$((port + 2)) OPENTACT_DEMO_PORT=$((port + 3)))
  ports+=(OPENTACT_RTP_PORTS=$((port + 1000))-$((port + 1999)))
  echo "== $(id -un) in $clone ($(stat -c %a "$(dirname "$clone")")), node $(node --version)"
  start first.log
  npm run -s call -- --press 1 | tail -n 1
  npm run -s call -- --press 1 --kill media | grep -E '^(killed|the c)'
  (eval "$(npm run -s env)" && curl -s -o /dev/null -w "GET /ready: %{http_code}\n" "$OPENTACT_URL/ready")
  kill -9 "$(head -n 1 "$home/run/standalone.pid")"
  start second.log
  grep -h 'left running' second.log || true
  npm run -s call -- --press 9 | tail -n 1
  npm start 2>&1 | tail -n 1 || true # it refuses, as it must
  kill -TERM "$(head -n 1 "$home/run/standalone.pid")"
  for _ in $(seq 60); do [ -e "$home/run/standalone.pid" ] || break; sleep 0.5; done
  [ ! -e "$home/run/standalone.pid" ] && echo 'stopped, nothing left running'
  trap - EXIT
}

leave() {
  kill -TERM "$(head -n 1 "$home/run/standalone.pid")" 2> /dev/null || true
}

# Starts the platform in the background and waits until it says that it is up.
start() {
  env "${ports[@]}" npm start > "$1" 2>&1 &
  for _ in $(seq 240); do grep -q 'Opentact is up' "$1" && break; sleep 0.5; done
  grep -h 'Opentact is up' "$1"
}

if [ "${1:-}" = try ]; then
  try "$2" "$3"
  exit
fi

folder=$(mktemp -d) # mode 0700
trap 'rm -rf "$folder"' EXIT
git clone -q "$root" "$folder/opentact"
bash "$folder/opentact/test/conformance/fresh-clone.sh" try "$folder/opentact" 24000

if [ "$(id -u)" = 0 ]; then
  theirs=$(mktemp -d)
  trap 'rm -rf "$folder" "$theirs"' EXIT
  git clone -q "$root" "$theirs/opentact"
  chown -R nobody "$theirs"
  # nobody exists on every Debian and has no home: npm's cache goes beside the clone.
  su nobody -s /bin/bash -c "HOME=$theirs npm_config_cache=$theirs/.npm bash $theirs/opentact/test/conformance/fresh-clone.sh try $theirs/opentact 27000"
fi
