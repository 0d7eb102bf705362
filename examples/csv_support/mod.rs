//! What the programs share: how they fail.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

pub(crate) type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// A failure, with what was being done when it came.
#[derive(Debug)]
#[allow(dead_code, reason = "not every program needs it")]
struct Doing {
    what: String,
    source: Box<dyn Error>,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for Doing {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// Puts before an error what was being done.
#[allow(dead_code, reason = "not every program needs it")]
pub(crate) fn doing<E: Into<Box<dyn Error>>>(what: impl Into<String>) -> impl FnOnce(E) -> Box<dyn Error> {
    let what = what.into();
    |source| Box::new(Doing { what, source: source.into() })
}

/// Reads the delimiter of a CSV file from the command line.
#[allow(dead_code, reason = "not every program needs it")]
pub(crate) fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [b'"' | b'\r' | b'\n' | 0 | 0x80..] => Err("it is one ASCII character, and no quote or line end".to_owned()),
        [one] => Ok(*one),
        _ => Err("it is one ASCII character such as ; or |, or the word tab".to_owned()),
    }
}

/// Says on stderr why the program failed, with all causes.
pub(crate) fn finish(result: Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    let causes = || std::iter::successors(Some(&*error), |error| <dyn Error>::source(*error));
    // Whoever reads our output, `head` for instance, has seen enough: that is no failure.
    let is_closed = |cause: &(dyn Error + 'static)| {
        let from_csv = cause.downcast_ref::<csv::Error>().and_then(|error| match error.kind() {
            csv::ErrorKind::Io(error) => Some(error),
            _ => None,
        });
        cause.downcast_ref().or(from_csv).is_some_and(|error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    if causes().any(is_closed) {
        return ExitCode::SUCCESS;
    }
    note(&format!("error: {error}"));
    for cause in causes().skip(1) {
        note(&format!("  because: {cause}"));
    }
    ExitCode::FAILURE
}

/// A line on stderr. Where stderr is closed, nobody wants to know.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
