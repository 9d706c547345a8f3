#!/usr/bin/env bash
# README's second command: installs what the tests need on a fresh machine, then runs all of them; the quick ones first.
set -euo pipefail
cd "$(dirname "$0")/.."

took() { echo "== $1: $(($(date +%s) - started)) s"; started=$(date +%s); }
started=$(date +%s)

npm ci --no-audit --no-fund
took "install"
npm run check
took "types, lint, format"
npm test
took "unit and engine tests"

# The tests in a real VS Code click in Debian's Chromium; CHROMIUM may name another one.
if [ -z "${CHROMIUM:-}" ] && ! command -v chromium >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null
  else
    echo "The tests in VS Code need Chromium: apt-get install chromium, or set CHROMIUM to one." >&2
    exit 1
  fi
  took "chromium"
fi
npm run test:vscode
took "tests in VS Code"
