//! What this program was built from; `unknown` where the build could not tell.

/// The crate's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The branch in git.
pub const BRANCH: &str = env!("VTE_BUILD_BRANCH");

/// The revision in git, 40 hex digits.
pub const REVISION: &str = env!("VTE_BUILD_REVISION");

/// The compiler, as it names itself.
pub const COMPILER: &str = env!("VTE_BUILD_COMPILER");

/// What `--version` prints after the program's name.
pub(crate) const TEXT: &str = concat!(
    "version ",
    env!("CARGO_PKG_VERSION"),
    " (branch: ",
    env!("VTE_BUILD_BRANCH"),
    ", revision: ",
    env!("VTE_BUILD_REVISION"),
    ")\n  compiler: ",
    env!("VTE_BUILD_COMPILER"),
);
