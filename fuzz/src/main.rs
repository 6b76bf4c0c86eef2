//! The door for libFuzzer: it owns `main` and the command line; the environment names the target.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: fuzz::program::begin(), |input: &[u8]| {
    fuzz::program::one(input);
});
