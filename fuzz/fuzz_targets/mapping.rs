#![no_main]

use ramen_guard_fuzz::{mapping, seeds};

libfuzzer_sys::fuzz_target!(init: seeds::write("mapping"), |data: &[u8]| mapping(data));
