#![no_main]

use ramen_guard_fuzz::{check, seeds};

libfuzzer_sys::fuzz_target!(init: seeds::write("check"), |data: &[u8]| check(data));
