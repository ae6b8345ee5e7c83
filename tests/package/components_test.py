"""What deploy/components.py says of crates that are made up, and of the real ones."""

import contextlib
import datetime
import io
import json
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "deploy"))
import components  # noqa: E402

CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
RULES = {
    "licenses": {"allow": ["MIT", "Apache-2.0 WITH LLVM-exception"]},
    "sources": {"allow-registry": ["https://github.com/rust-lang/crates.io-index"]},
    "bans": {"skip": [], "deny": [{"crate": "openssl-sys"}]},
}


def package(name="a", version="1.0.0", license="MIT", source=CRATES_IO):
    return {
        "name": name,
        "version": version,
        "license": license,
        "source": source,
        "description": "A crate.\n",
        "repository": "https://a.example/a",
    }


def judge(*packages, skip=()):
    bans = {**RULES["bans"], "skip": [{"crate": crate} for crate in skip]}
    return list(components.judge(packages, {**RULES, "bans": bans}))


class Licences(unittest.TestCase):
    def test_an_expression_is_allowed_if_it_can_be_met(self):
        for expression, expected in {
            "MIT": True,
            "GPL-3.0-only": False,
            "MIT OR GPL-3.0-only": True,
            "MIT/GPL-3.0-only": True,
            "GPL-3.0-only / MIT": True,
            "MIT AND GPL-3.0-only": False,
            "GPL-3.0-only AND GPL-2.0-only OR MIT": True,
            "GPL-3.0-only AND (GPL-2.0-only OR MIT)": False,
            "(MIT OR GPL-3.0-only) AND ISC": True,
            "Apache-2.0": False,
            "Apache-2.0 WITH LLVM-exception": True,
            "Apache-2.0 WITH LLVM-exception AND MIT": True,
        }.items():
            with self.subTest(expression):
                self.assertIs(components.is_allowed(expression, {"MIT", "ISC", "Apache-2.0 WITH LLVM-exception"}), expected)

    def test_what_is_no_expression_is_an_error(self):
        for expression in ["", "MIT OR", "(MIT", "MIT)", "AND MIT", "MIT MIT"]:
            with self.subTest(expression), self.assertRaises(ValueError):
                components.is_allowed(expression, {"MIT"})


class Judging(unittest.TestCase):
    def test_good_crates_are_good(self):
        self.assertEqual(judge(package(), package("b", source=None)), [])

    def test_each_fault_is_told(self):
        for faulty, word in [
            (package(license=None), "names no licence"),
            (package(license="GPL-3.0-only"), "is under GPL-3.0-only"),
            (package(source="git+https://a.example/a"), "comes from git+https://a.example/a"),
            (package("openssl-sys"), "is in [bans] deny"),
        ]:
            with self.subTest(word):
                (wrong,) = judge(faulty)
                self.assertIn(word, wrong)

    def test_of_several_versions_the_older_ones_are_named(self):
        both = package(version="0.9.0"), package(version="0.10.0")
        self.assertEqual(judge(*both, skip=["a@0.9.0"]), [])
        (wrong,) = judge(*both)
        self.assertIn("a@0.9.0", wrong)
        (wrong,) = judge(both[1], skip=["a@0.9.0"])
        self.assertIn("not needed", wrong)


class Bill(unittest.TestCase):
    def bill(self):
        own = package("own", license="Apache-2.0", source=None)
        others = [package("a", license="MIT/ISC"), package("b")]
        edges = {"pkg:cargo/own@1.0.0": ["pkg:cargo/b@1.0.0", "pkg:cargo/a@1.0.0"]}
        moment = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
        return components.bill(own, others, edges, {("a", "1.0.0")}, {("a", "1.0.0"): "ab" * 32}, moment)

    def test_a_component_says_what_and_where_it_is(self):
        bill = self.bill()
        first, second = bill["components"]
        self.assertEqual(first["licenses"], [{"expression": "MIT OR ISC"}])
        self.assertEqual(first["hashes"], [{"alg": "SHA-256", "content": "ab" * 32}])
        self.assertEqual([first["scope"], second["scope"]], ["required", "excluded"])
        self.assertEqual(bill["metadata"]["component"]["name"], "own")
        self.assertEqual(bill["metadata"]["timestamp"], "2026-01-02T00:00:00Z")
        self.assertEqual(bill["dependencies"][0]["dependsOn"], ["pkg:cargo/a@1.0.0", "pkg:cargo/b@1.0.0"])

    def test_the_same_components_give_the_same_bill(self):
        self.assertEqual(self.bill(), self.bill())

    def test_the_real_bill_has_what_is_linked_and_no_tests(self):
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            components.sbom()
        bill = json.loads(text.getvalue())
        scopes = {entry["name"]: entry["scope"] for entry in bill["components"]}
        self.assertEqual(scopes["redb"], "required")
        self.assertEqual(scopes["serde_derive"], "excluded")
        self.assertNotIn("proptest", scopes)
        self.assertTrue(all(entry.get("hashes") for entry in bill["components"]))
        known = {entry["bom-ref"] for entry in bill["components"]}
        known.add(bill["metadata"]["component"]["bom-ref"])
        self.assertEqual({entry["ref"] for entry in bill["dependencies"]}, known)
        self.assertLessEqual({ref for entry in bill["dependencies"] for ref in entry["dependsOn"]}, known)


if __name__ == "__main__":
    unittest.main()
