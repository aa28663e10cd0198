#![no_main]

use ramen_guard_fuzz::{golang, seeds};

libfuzzer_sys::fuzz_target!(init: seeds::write("golang"), |data: &[u8]| golang(data));
