//! How a refusal is looked at.

use std::fmt::Debug;

use custom_attributes::{Error, Violation};
use serde::de::DeserializeOwned;

/// The one violation of a refusal.
#[track_caller]
pub(crate) fn only(error: &Error) -> Violation {
    let [violation] = error.violations() else { panic!("one violation, not {error:?}") };
    violation.clone()
}

/// Each JSON is refused, with a message that contains the text beside it.
#[track_caller]
pub(crate) fn assert_json_refused<T: DeserializeOwned + Debug>(cases: &[(&str, &str)]) {
    for (json, message) in cases {
        let error = serde_json::from_str::<T>(json).expect_err(json).to_string();
        assert!(error.contains(message), "{json}: {error}");
    }
}
