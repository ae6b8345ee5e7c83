// Holds the bill of materials, from standard input, against CycloneDX' schema, and
// the Containerfile against a linter. Usage: node check.mjs PROJECT

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import CycloneDX from "@cyclonedx/cyclonedx-library";
import { validate } from "dockerfile-utils";

const [project] = process.argv.slice(2);

const bill = readFileSync(0, "utf8");
const validator = new CycloneDX.Validation.JsonStrictValidator(CycloneDX.Spec.Version.v1dot5);
assert.equal(await validator.validate(bill), null, "the bill of materials is valid");
const damaged = JSON.stringify({ ...JSON.parse(bill), componentz: [] });
assert.notEqual(await validator.validate(damaged), null, "the validator sees a wrong key");

const text = readFileSync(join(project, "deploy/Containerfile"), "utf8");
assert.deepEqual(validate(text), [], "the Containerfile is right");
assert.notDeepEqual(validate(`${text}COPI a b\n`), [], "the linter sees a wrong word");

console.log(`${JSON.parse(bill).components.length} components, and a Containerfile, are valid`);
