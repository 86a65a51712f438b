#!/usr/bin/env bash
# `npm run fresh`: the README tried as a new user would, on a fresh clone with its own install, below a folder of mode 0700,
# and, run as root, once more as an ordinary user: start, a call, one whose media is killed, kill -9 of the standalone, start again,
# a call, stop. Only the starts are told the ports: everything else finds the platform by its home. Besides: how long from `git clone` to the
# end of the first call (60 s at most where packages are in the cache), what the install and an idle platform take, the pages, gRPC by
# reflection alone, homes that can't be. A line that falls short ends it with 1.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)

# One whole try in $1, on ports from $2 on; cloned at $3 (seconds); $4: warm, where npm's cache has every package.
try() {
  local clone=$1 port=$2 cloned=$3 cache=$4
  home=$1/.opentact
  trap leave EXIT
  cd "$clone"
  ports=(OPENTACT_SIP_PORT=$port OPENTACT_HTTP_PORT=$((port + 1)) OPENTACT_GRPC_PORT=$((port + 2)) OPENTACT_DEMO_PORT=$((port + 3)))
  ports+=(OPENTACT_RTP_PORTS=$((port + 1000))-$((port + 1999)))
  echo "== $(id -un) in $clone ($(stat -c %a "$(dirname "$clone")")), node $(node --version)"
  start first.log
  npm run -s call -- --press 1 | tail -n 1
  local took=$(($(date +%s) - cloned))
  echo "the first call was over $took s after git clone ($cache package cache)"
  [ "$cache" = cold ] || [ $took -le 60 ] || short 'the first call took more than 60 s'
  sizes
  pages
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

short() {
  echo "falls short: $1"
  exit 1
}

# What is installed, and what an idle platform holds: of each process its share of what several have mapped (Pss), and all of it (Rss).
sizes() {
  local installed
  installed=$(du -sm node_modules | cut -f1)
  echo "install: $installed MB (500 at most)"
  [ "$installed" -lt 500 ] || short 'the install'
  local pids
  pids=$(for file in "$home"/run/*.pid; do head -n 1 "$file"; done)
  pids="$pids $(cat "/proc/$(head -n 1 "$home/run/postgres.pid")/task/"*/children 2> /dev/null || true)"
  for pid in $pids; do cat "/proc/$pid/smaps_rollup" 2> /dev/null || true; done |
    awk '/^Pss:/ { pss += $2 } /^Rss:/ { rss += $2 } END { printf "idle memory: %d MB (the sum of RSS, which counts what they share in each: %d MB)\n", pss / 1024, rss / 1024 }'
}

# The pages and gRPC, as a person tries them.
pages() (
  eval "$(npm run -s env)"
  for path in / /docs /rest /rest/openapi.json; do
    curl -sL -o page.out -w "GET $path: %{http_code} %{content_type}\n" "$OPENTACT_URL$path"
  done
  curl -s -o page.out -w 'GET /calls without a token: %{http_code}\n' "$OPENTACT_URL/calls"
  curl -s -o page.out -w 'GET /calls with the operator'"'"'s: %{http_code}\n' -u ":$OPENTACT_GRPC_TOKEN" "$OPENTACT_URL/calls"
  curl -s -o page.out -w 'POST /rest/tn/search +1305*: %{http_code}\n' "$OPENTACT_URL/rest/tn/search" -H "x-auth-token: $OPENTACT_API_KEY" \
    -H 'content-type: application/json' -d '{"pattern":"+1305*"}'
  for bad in "$clone/package.json" /proc/nowhere; do
    OPENTACT_HOME=$bad npm start 2>&1 | tail -n 1 || true # it refuses, as it must
  done
)

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
  try "${@:2}"
  exit
fi

folder=$(mktemp -d) # mode 0700
trap 'rm -rf "$folder"' EXIT
now=$(date +%s)
git clone -q "$root" "$folder/opentact"
bash "$folder/opentact/test/conformance/fresh-clone.sh" try "$folder/opentact" 24000 "$now" warm

if [ "$(id -u)" = 0 ]; then
  theirs=$(mktemp -d)
  trap 'rm -rf "$folder" "$theirs"' EXIT
  now=$(date +%s)
  git clone -q "$root" "$theirs/opentact"
  chown -R nobody "$theirs"
  # nobody exists on every Debian and has no home: npm's cache goes beside the clone.
  su nobody -s /bin/bash -c "HOME=$theirs npm_config_cache=$theirs/.npm bash $theirs/opentact/test/conformance/fresh-clone.sh try $theirs/opentact 27000 $now cold"
fi
