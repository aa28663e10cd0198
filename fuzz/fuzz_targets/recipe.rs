#![no_main]

use ramen_guard_fuzz::{recipe, seeds};

libfuzzer_sys::fuzz_target!(init: seeds::write("recipe"), |data: &[u8]| recipe(data));
