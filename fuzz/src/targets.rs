//! What must hold whatever comes from outside: one function for each way in,
//! which panics where it does not hold.
//!
//! cargo-fuzz runs them by `fuzz_targets/`, and the exporter's own tests for a
//! few seconds by `tests/it/fuzzed.rs`.

mod bytes;
mod decoders;
mod exposition;
mod listings;
mod recovery;
mod typed;

pub use decoders::{sddc_manager, times, vcenter, virtshell};
pub use exposition::exposition;
pub use listings::listings;
pub use recovery::recovery;
pub use typed::{accept, configuration, web_configuration};

/// A way in: its name, and what must hold for any bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 10] = [
    ("sddc_manager", sddc_manager),
    ("vcenter", vcenter),
    ("virtshell", virtshell),
    ("times", times),
    ("configuration", configuration),
    ("web_configuration", web_configuration),
    ("accept", accept),
    ("exposition", exposition),
    ("listings", listings),
    ("recovery", recovery),
];
