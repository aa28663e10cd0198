#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ramen_guard_fuzz::review(data));
