#!/usr/bin/env bash
#
# Holds the files for Kubernetes against the published schemas, of Kubernetes
# and of the Prometheus operator, and the rules in them against the dashboards'.
#
#   tests/kubernetes/check.sh FOLDER    with a folder for npm's packages, which it may keep
#   tests/kubernetes/check.sh --write FOLDER    makes prometheusrule.yaml again first

set -euo pipefail
write=
if [[ ${1:-} == --write ]]; then
    write=--write
    shift
fi
folder=${1:?a folder for npm and for what is checked}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
project=$PWD
cp tests/kubernetes/{package.json,package-lock.json,check.mjs} "$folder"
cd "$folder"
if ! cmp -s package-lock.json installed.json; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cp package-lock.json installed.json
fi
rm -rf typed rendered
mkdir typed rendered
if command -v kubectl >/dev/null; then
    cp -r "$project/deploy/kubernetes" rendered/source
    kubectl kustomize rendered/source >plain.yaml
    sed -i 's/^#components:/components:/' rendered/source/kustomization.yaml
    kubectl kustomize rendered/source >secured.yaml
    rm -r rendered/source
    mv plain.yaml secured.yaml rendered
    if cmp -s rendered/plain.yaml rendered/secured.yaml; then
        printf 'secured/ changes nothing\n'
        exit 1
    fi
else
    printf 'kubectl is not here: what kustomize makes was not looked at\n'
fi
node check.mjs "$project" $write
# A key that no type has is an error to tsc alone.
node_modules/.bin/tsc --noEmit --strict --skipLibCheck --target es2022 \
    --module nodenext --moduleResolution nodenext typed/*.ts
