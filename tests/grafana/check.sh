#!/usr/bin/env bash
#
# Holds the dashboards against Grafana's types: each becomes a constant of the
# type Board in types.ts, which tsc then checks.
#
#   tests/grafana/check.sh FOLDER    with a folder for npm's packages, which it may keep

set -euo pipefail
folder=${1:?a folder for npm and for what is checked}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
cp package.json package-lock.json types.ts "$folder"
rm -rf "$folder/boards"
mkdir "$folder/boards"
for dashboard in ../../dashboards/*.json; do
    name=$(basename "$dashboard" .json)
    # A constant in the source: an imported file of JSON would have wider types.
    {
        printf 'import type { Board } from "../types";\nexport const board: Board = '
        cat "$dashboard"
    } >"$folder/boards/$name.ts"
done
cd "$folder"
if ! cmp -s package-lock.json installed.json; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cp package-lock.json installed.json
fi
node_modules/.bin/tsc --noEmit --strict --skipLibCheck --target es2022 \
    --module esnext --moduleResolution bundler boards/*.ts
