// Validates each object of deploy/kubernetes against its schema, and writes it
// as a constant of its type for tsc; those from kustomize too, which are files in
// `rendered`. Usage: node check.mjs PROJECT [--write]

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse, parseAllDocuments, stringify } from "yaml";

const [project, option] = process.argv.slice(2);
const folder = join(project, "deploy/kubernetes");
const rules = join(project, "dashboards/rules");

const HEAD = `# The rules of dashboards/rules; made from them, so change those.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: virt-task-exporter
  labels: {app.kubernetes.io/name: virt-task-exporter}
spec:
`;

// Where the type of an object is.
const MODULES = {
  v1: "kubernetes-models/v1",
  "apps/v1": "kubernetes-models/apps/v1",
  "monitoring.coreos.com/v1":
    "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
};

function groups() {
  const files = ["alerts.yml", "recording.yml"];
  return files.flatMap((file) => parse(readFileSync(join(rules, file), "utf8")).groups);
}

async function check(path) {
  const file = basename(path);
  for (const document of parseAllDocuments(readFileSync(path, "utf8"))) {
    assert.deepEqual(document.errors.concat(document.warnings), [], file);
    const object = document.toJS();
    const { apiVersion, kind, metadata } = object;
    if (kind === "Kustomization") continue;
    const module = MODULES[apiVersion];
    assert.ok(module, `${file}: nobody knows ${apiVersion}`);
    const { [kind]: Model } = await import(`${module}/${kind}`);
    new Model(object).validate();
    const code =
      `import type { I${kind} } from "${module}/${kind}";\n` +
      `export const object: I${kind} = ${JSON.stringify(object, null, 2)};\n`;
    const name = `${basename(file, ".yaml")}-${kind}-${metadata.name}.ts`;
    writeFileSync(join("typed", name), code);
  }
}

if (option === "--write") {
  const text = stringify({ groups: groups() }, { lineWidth: 0 });
  writeFileSync(join(folder, "prometheusrule.yaml"), HEAD + text.replace(/^(?=.)/gm, "  "));
}
const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
const kustomization = parse(readFileSync(join(folder, "kustomization.yaml"), "utf8"));
const listed = [...kustomization.resources, "kustomization.yaml"];
assert.deepEqual(listed.sort(), files.sort(), "kustomization.yaml lists each file");
const rendered = readdirSync("rendered").map((file) => join("rendered", file));
for (const path of files.map((file) => join(folder, file)).concat(rendered)) {
  await check(path);
}
const rule = parse(readFileSync(join(folder, "prometheusrule.yaml"), "utf8"));
assert.deepEqual(
  rule.spec.groups,
  groups(),
  "prometheusrule.yaml has the rules of dashboards/rules: tests/kubernetes/check.sh --write",
);
console.log(`${files.length} files are valid, and ${rendered.length} that kustomize makes`);
