#!/usr/bin/env bash
#
# Holds the unit, the bill of materials and the Containerfile against what others
# say that they must be: systemd, the schema of CycloneDX, a linter.
#
#   tests/package/check.sh BINARY FOLDER    with a folder for npm's packages, which it may keep

set -euo pipefail
binary=$(realpath "${1:?the program}")
folder=${2:?a folder for npm}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
project=$PWD
cp tests/package/{package.json,package-lock.json,check.mjs} "$folder"

# The exposure that deploy/README.md names, in tenths.
readonly EXPOSURE=11
if command -v systemd-analyze >/dev/null; then
    unit=$folder/virt-task-exporter.service
    sed -E "s#^(ExecStart|ExecReload)=/usr/bin/virt-task-exporter#\1=$binary#" \
        deploy/systemd/virt-task-exporter.service >"$unit"
    said=$(systemd-analyze verify --man=no "$unit" 2>&1) || { printf '%s\n' "$said"; exit 1; }
    # It warns of what it does not know, and ends well.
    if grep -F virt-task-exporter.service <<<"$said"; then
        exit 1
    fi
    systemd-analyze security --offline=true --threshold=$EXPOSURE "$unit" | tail -n 1
else
    printf 'systemd-analyze is not here: the unit was not looked at\n'
fi

cd "$folder"
if ! cmp -s package-lock.json installed.json; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cp package-lock.json installed.json
fi
"$project/deploy/components.py" sbom | node check.mjs "$project"
