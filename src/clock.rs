//! Where time comes from: injected, so that tests and imports can choose it. Backends never read a clock.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

/// An instant in UTC with microseconds. Serialises as RFC 3339.
pub type Instant = DateTime<Utc>;

/// A source of the present instant.
///
/// ```
/// use custom_attributes::{Clock, SystemClock};
/// assert!(SystemClock.now().timestamp() > 1_700_000_000);
/// ```
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present instant. What lies below a microsecond is cut off when it is used.
    ///
    /// A clock may go back. A commit is then given the instant of the commit before it, so the instants of commits never go
    /// backwards within a store.
    fn now(&self) -> Instant;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Utc::now()
    }
}

/// A clock that stands still until it is moved by hand: for tests, replays and imports that keep old times.
///
/// ```
/// use custom_attributes::{Clock, ManualClock};
/// let clock = ManualClock::at("2025-01-04T10:30:00Z".parse()?);
/// clock.advance_micros(1_000_000);
/// assert_eq!(clock.now().to_rfc3339(), "2025-01-04T10:30:01+00:00");
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `instant`.
    pub fn at(instant: Instant) -> Self {
        Self(AtomicI64::new(instant.timestamp_micros()))
    }

    /// Moves the clock to `instant`, forwards or backwards.
    pub fn set(&self, instant: Instant) {
        self.0.store(instant.timestamp_micros(), Ordering::SeqCst);
    }

    /// Moves the clock on by so many microseconds, or back where they are negative; it stops at the ends of time.
    pub fn advance_micros(&self, micros: i64) {
        let moved = |now: i64| Some(now.saturating_add(micros));
        // The closure always answers, so the result says nothing.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        let micros = self.0.load(Ordering::SeqCst);
        let end = if micros < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
        DateTime::from_timestamp_micros(micros).unwrap_or(end)
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Instant {
        (**self).now()
    }
}

/// Cuts an instant to the microsecond, the resolution that every backend keeps.
pub(crate) fn to_micros(instant: Instant) -> Instant {
    DateTime::from_timestamp_micros(instant.timestamp_micros()).unwrap_or_default()
}
