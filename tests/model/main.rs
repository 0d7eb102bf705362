//! Random sequences of every operation, against the stores and a small reference model: all answers agree to the last
//! detail, errors included.
//!
//! After every step the answers and the state of progress are compared, at the end (and wherever a file is opened again)
//! all that a snapshot tells; snapshots that were held over later writes are compared with the model of their instant.
//!
//! | variable | meaning | default |
//! | --- | --- | --- |
//! | `MODEL_SEQUENCES` | how many sequences all tests here run together | 10,000 where `CI` is `true`, or else 1,000 |
//! | `MODEL_SEED` | the seed of a run, as a failure prints it | drawn anew each time |

#![allow(clippy::large_enum_variant)] // plain data of a test

mod alphabet;
mod asked;
mod changing;
#[path = "../../examples/custom_backend.rs"]
mod custom_backend;
mod drawn;
mod driver;
mod finding;
mod operations;
mod past;
mod reading;
mod reference;
mod rules;
mod shapes;
mod subject;
mod whole;
mod writing;

use std::env;
use std::hash::{BuildHasher, RandomState};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::driver::{Stores, run};

const SEQUENCES_IN_CI: u32 = 10_000;
const SEQUENCES: u32 = 1_000;
/// How many operations follow the first definitions.
const LONGEST: usize = 24;
/// How many of a hundred sequences run beside a file that is closed and opened again: it costs a disk.
const ON_DISK_OF_100: u32 = 4;

fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    let number = text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}"));
    Some(number)
}

fn sequences() -> u32 {
    let in_ci = env::var("CI").is_ok_and(|text| text == "true");
    variable("MODEL_SEQUENCES").unwrap_or(if in_ci { SEQUENCES_IN_CI } else { SEQUENCES })
}

/// Runs so many sequences; `part` keeps the tests from running the same ones.
fn agree(cases: u32, stores: Stores, part: u8) {
    let seed: u64 = variable("MODEL_SEED").unwrap_or_else(|| RandomState::new().hash_one(part));
    let mut bytes = [part; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let failed = runner.run(&drawn::sequence(LONGEST), |operations| run(&operations, stores).map_err(TestCaseError::fail));
    if let Err(failure) = failed {
        panic!("MODEL_SEED={seed} finds a disagreement\n{failure}");
    }
}

#[test]
fn stores_agree_with_the_model_first_half() {
    agree(sequences() / 2, Stores::InMemory, 1);
}

#[test]
fn stores_agree_with_the_model_second_half() {
    let all = sequences() - sequences() / 2;
    agree(all - all * ON_DISK_OF_100 / 50, Stores::InMemory, 2);
}

#[test]
fn files_that_are_opened_again_agree_with_the_model() {
    let all = sequences() - sequences() / 2;
    agree(all * ON_DISK_OF_100 / 50, Stores::OnDisk, 3);
}
