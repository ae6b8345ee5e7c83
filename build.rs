//! Hands the revision and the compiler over to `build_info`.

use std::env;
use std::process::Command;

#[expect(clippy::disallowed_methods, reason = "cargo names the compiler so")]
fn main() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let compiler = answer(&rustc, &["--version"]);
    let revision = given_or_git("VTE_BUILD_REVISION", &["rev-parse", "HEAD"]);
    let branch = given_or_git("VTE_BUILD_BRANCH", &["rev-parse", "--abbrev-ref", "HEAD"]);
    println!("cargo::rustc-env=VTE_BUILD_COMPILER={compiler}");
    println!("cargo::rustc-env=VTE_BUILD_REVISION={revision}");
    println!("cargo::rustc-env=VTE_BUILD_BRANCH={branch}");
    println!("cargo::rerun-if-changed=build.rs");
    // Every commit and checkout adds a line to it.
    let log = answer("git", &["rev-parse", "--git-path", "logs/HEAD"]);
    if log != UNKNOWN {
        println!("cargo::rerun-if-changed={log}");
    }
}

const UNKNOWN: &str = "unknown";

/// What the builder says where the sources come without their history, as in an image.
#[expect(clippy::disallowed_methods, reason = "nobody else can tell")]
fn given_or_git(variable: &str, question: &[&str]) -> String {
    println!("cargo::rerun-if-env-changed={variable}");
    let given = env::var(variable).ok();
    let given = given.filter(|text| !text.is_empty() && !text.contains(char::is_control));
    given.unwrap_or_else(|| answer("git", question))
}

fn answer(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().ok();
    let output = output.filter(|output| output.status.success());
    let text = output.and_then(|output| String::from_utf8(output.stdout).ok());
    let line = text.as_deref().map(str::trim).unwrap_or_default();
    if line.is_empty() { UNKNOWN } else { line }.to_owned()
}
