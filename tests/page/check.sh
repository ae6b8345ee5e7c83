#!/usr/bin/env bash
#
# Looks at the status page with Chromium; screenshots stay in the folder.
#
#   tests/page/check.sh BINARY FOLDER    with a folder for npm's packages, which it may keep

set -euo pipefail
binary=$(realpath "${1:?the built exporter}")
folder=${2:?a folder for npm and for screenshots}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
cp package.json package-lock.json ./*.mjs "$folder"
cd "$folder"
if ! cmp -s package-lock.json installed.json; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cp package-lock.json installed.json
fi
exec timeout 300 node page.mjs "$binary" "$(command -v chromium)" "$folder"
