#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| virt_task_exporter_fuzz::listings(bytes));
