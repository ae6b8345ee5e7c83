//! What must hold whatever comes from outside, for cargo-fuzz.

#[path = "targets.rs"]
mod targets;

// The strict reader of pages that the exporter's own tests have.
#[path = "../../tests/it/support/page.rs"]
#[expect(dead_code, reason = "of its questions none is asked here")]
mod page;

use page::Page;
pub use targets::*;
