#![no_main]

use std::sync::Once;

static BEGUN: Once = Once::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // The database may panic over what it finds, and the ledger catches that; the
    // hook would end the process before. Other panics end it all the same.
    BEGUN.call_once(|| drop(std::panic::take_hook()));
    virt_task_exporter_fuzz::recovery(bytes);
});
