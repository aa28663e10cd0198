#![no_main]

use ramen_guard_fuzz::{review, seeds};

libfuzzer_sys::fuzz_target!(init: seeds::write("review"), |data: &[u8]| review(data));
