#![no_main]

use ramen_guard_fuzz::{config, seeds};

libfuzzer_sys::fuzz_target!(init: seeds::write("config"), |data: &[u8]| config(data));
