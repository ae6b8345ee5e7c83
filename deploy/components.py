#!/usr/bin/env python3
"""What the program is built from.

    deploy/components.py check      holds the crates against deny.toml
    deploy/components.py sbom       prints the bill of materials, CycloneDX in JSON
    deploy/components.py notices    prints the licences of all crates that are built in

Needs cargo and what it has downloaded. The answers depend on Cargo.lock alone,
and on SOURCE_DATE_EPOCH for the time in the bill.
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
REGISTRY = "registry+"
TEXTS = re.compile(r"(un)?licen[cs]e|copying|copyright|notice", re.IGNORECASE)


def cargo(*arguments):
    command = [os.environ.get("CARGO", "cargo"), *arguments, "--locked"]
    done = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def metadata():
    return json.loads(cargo("metadata", "--format-version=1"))


def named(kinds, *targets):
    """The crates that take part, by name and version, as cargo resolves features for a build."""
    platforms = [f"--target={target}" for target in targets]
    lines = cargo("tree", f"--edges={kinds}", "--prefix=none", "--no-dedupe", "--format={p}", *platforms)
    parts = (line.split() for line in lines.splitlines() if line)
    return {(name, version.removeprefix("v")) for name, version, *_ in parts}


def packages_of(everything, wanted):
    return [package for package in everything["packages"] if key(package) in wanted]


def key(package):
    return package["name"], package["version"]


def rules():
    return tomllib.loads((PROJECT / "deny.toml").read_text())


# Licences


def is_allowed(expression, allowed):
    """Whether an SPDX expression can be met by `allowed` alone; "/" is the old spelling of OR."""
    words = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))
    verdict, rest = _either(words, allowed)
    if rest:
        raise ValueError(f"not an SPDX expression: {expression}")
    return verdict


def _either(words, allowed):
    verdict, words = _both(words, allowed)
    while words and words[0] == "OR":
        other, words = _both(words[1:], allowed)
        verdict = verdict or other
    return verdict, words


def _both(words, allowed):
    verdict, words = _one(words, allowed)
    while words and words[0] == "AND":
        other, words = _one(words[1:], allowed)
        verdict = verdict and other
    return verdict, words


def _one(words, allowed):
    if not words or words[0] in ("OR", "AND", "WITH", ")"):
        raise ValueError("not an SPDX expression: a licence is missing")
    if words[0] == "(":
        verdict, words = _either(words[1:], allowed)
        if not words or words[0] != ")":
            raise ValueError("not an SPDX expression: ) is missing")
        return verdict, words[1:]
    licence, words = words[0], words[1:]
    if len(words) > 1 and words[0] == "WITH":
        licence, words = f"{licence} WITH {words[1]}", words[2:]
    return licence in allowed, words


# Judging


def bad_licences(packages, allowed):
    for package in packages:
        licence = package["license"]
        if not licence:
            yield f"{label(package)} names no licence"
        elif not is_allowed(licence, allowed):
            yield f"{label(package)} is under {licence}, which [licenses] does not allow"


def bad_origins(packages, registries):
    known = {REGISTRY + registry for registry in registries}
    for package in packages:
        if package["source"] is not None and package["source"] not in known:
            yield f"{label(package)} comes from {package['source']}"


def bad_versions(packages, skipped):
    """Crates in several versions, all but the newest of which `skipped` is to name; and names in vain."""
    versions = {}
    for package in packages:
        versions.setdefault(package["name"], set()).add(package["version"])
    older = set()
    for name, known in versions.items():
        ordered = sorted(known, key=by_number)
        older |= {f"{name}@{version}" for version in ordered[:-1]}
    for crate in sorted(older - skipped):
        yield f"{crate} is not the only version, and [bans] skip does not name it"
    for crate in sorted(skipped - older):
        yield f"{crate} is in [bans] skip, and not needed there"


def banned(packages, names):
    for package in packages:
        if package["name"] in names:
            yield f"{label(package)} is in [bans] deny"


def by_number(version):
    return [int(number) for number in re.findall(r"\d+", version)]


def judge(packages, rules):
    """What is wrong with the packages, a line each."""
    bans = rules["bans"]
    yield from bad_licences(packages, set(rules["licenses"]["allow"]))
    yield from bad_origins(packages, rules["sources"]["allow-registry"])
    yield from bad_versions(packages, {skip["crate"] for skip in bans["skip"]})
    yield from banned(packages, {ban["crate"] for ban in bans["deny"]})


def check():
    known = rules()
    packages = packages_of(metadata(), named("normal,build,dev", *known["graph"]["targets"]))
    wrong = list(judge(packages, known))
    print(*wrong, f"{len(packages)} crates, {len(wrong)} things wrong", sep="\n")
    return 1 if wrong else 0


# Bill of materials


def label(package):
    return f"{package['name']} {package['version']}"


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def built():
    """The root, all other packages of a build sorted by name, and the graph of them."""
    everything = metadata()
    root = everything["resolve"]["root"]
    wanted = packages_of(everything, named("normal,build"))
    packages = {package["id"]: package for package in wanted}
    own = packages.pop(root)
    others = sorted(packages.values(), key=lambda package: (package["name"], by_number(package["version"])))
    packages[root] = own
    edges = {}
    for node in everything["resolve"]["nodes"]:
        if node["id"] in packages:
            uses = (dependency["pkg"] for dependency in node["deps"] if is_for_building(dependency))
            uses = [purl(packages[use]) for use in uses if use in packages]
            edges[purl(packages[node["id"]])] = uses
    return own, others, edges


def is_for_building(dependency):
    return any(kind["kind"] != "dev" for kind in dependency["dep_kinds"])


def checksums():
    lock = tomllib.loads((PROJECT / "Cargo.lock").read_text())
    return {
        (package["name"], package["version"]): package["checksum"]
        for package in lock["package"]
        if "checksum" in package
    }


def component(package, kind, linked=None, checksum=None):
    entry = {
        "type": kind,
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "purl": purl(package),
    }
    if package["description"]:
        entry["description"] = " ".join(package["description"].split())
    if package["license"]:
        entry["licenses"] = [{"expression": " OR ".join(re.split(r"\s*/\s*", package["license"]))}]
    if linked is not None:
        # Macros and build scripts take part in the build, and are not in the program.
        entry["scope"] = "required" if linked else "excluded"
    if checksum:
        entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if (package["repository"] or "").startswith("https://"):
        entry["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return entry


def bill(own, others, edges, linked, checksums, moment):
    body = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": component(own, "application"),
        },
        "components": [
            component(package, "library", key(package) in linked, checksums.get(key(package)))
            for package in others
        ],
        "dependencies": [
            {"ref": ref, "dependsOn": sorted(set(targets))} for ref, targets in sorted(edges.items())
        ],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    return {"serialNumber": serial.urn, **body}


def sbom():
    own, others, edges = built()
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.datetime.now(datetime.UTC)
    moment = datetime.datetime.fromtimestamp(int(epoch), datetime.UTC) if epoch else now
    linked = named("normal,no-proc-macro")
    json.dump(bill(own, others, edges, linked, checksums(), moment), sys.stdout, indent=1)
    print()
    return 0


# Notices


def licence_texts(folder):
    files = (path for path in folder.iterdir() if path.is_file() and TEXTS.match(path.name))
    return [path.read_text(errors="replace").strip() for path in sorted(files)]


def notices():
    _, others, _ = built()
    users = {}
    for package in others:
        found = licence_texts(Path(package["manifest_path"]).parent)
        for text in found or [f"(The crate has no text beside the word {package['license']}.)"]:
            # The same text in other lines is the same text.
            key = " ".join(text.split())
            users.setdefault(key, (text, []))[1].append(f"{label(package)} ({package['license']})")
    print("virt-task-exporter contains the crates below, each under its own licence.")
    for text, crates in users.values():
        print("", "=" * 78, *crates, "-" * 78, text, sep="\n")
    return 0


def main():
    commands = {"check": check, "sbom": sbom, "notices": notices}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=commands)
    return commands[parser.parse_args().command]()


if __name__ == "__main__":
    sys.exit(main())
