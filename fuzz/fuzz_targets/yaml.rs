#![no_main]

use ramen_guard_fuzz::{seeds, yaml};

libfuzzer_sys::fuzz_target!(init: seeds::write("yaml"), |data: &[u8]| yaml(data));
