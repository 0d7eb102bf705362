//! How long what is replaced or cleared stays in history.

use serde::{Deserialize, Serialize};

/// How long history keeps what is replaced or cleared. A store has one, in [`crate::Limits::retention`], and a definition may
/// have its own, by [`crate::DefinitionSpec::retention`].
///
/// Nothing is removed by itself but with [`Retention::Off`]: what has outlived its retention stays until
/// [`crate::Attributes::prune`] removes it.
///
/// ```
/// use custom_attributes::{Attributes, DefinitionSpec, MemoryStore, Prune, Retention};
/// let attributes = Attributes::new(MemoryStore::new());
/// let customers = attributes.of("customer")?;
/// customers.ensure([
///     DefinitionSpec::string("tier"),
///     DefinitionSpec::integer("visits").retention(Retention::Versions(1)),
///     DefinitionSpec::date("last seen").retention(Retention::Off),
/// ])?;
/// for n in 1..=5 {
///     customers.set(123, "tier", format!("tier {n}"))?;
///     customers.set(123, "visits", n)?;
///     customers.set_text(123, "last seen", &format!("2026-11-0{n}"))?;
/// }
/// let pruned = attributes.prune(&Prune::new(), |_| std::ops::ControlFlow::Continue(()))?;
/// assert_eq!(pruned.removed, 3);
/// let kept = attributes.snapshot()?.history(("customer", 123))?;
/// let of = |name: &str| kept.iter().filter(|version| version.attribute == name).count();
/// assert_eq!((of("tier"), of("visits"), of("last seen")), (5, 2, 1));
/// # Ok::<(), custom_attributes::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Retention {
    /// For as long as the store is there.
    #[default]
    Forever,
    /// For so many seconds after it was replaced or cleared.
    Seconds(u64),
    /// The last so many versions of each value, beside the one that stands.
    Versions(u32),
    /// Not at all: what is replaced or cleared is gone with the commit that does it, and cannot be restored.
    Off,
}

impl Retention {
    /// For so many days after it was replaced or cleared.
    ///
    /// ```
    /// # use custom_attributes::Retention;
    /// assert_eq!(Retention::days(30), Retention::Seconds(2_592_000));
    /// ```
    pub const fn days(days: u32) -> Self {
        Self::Seconds(days as u64 * 86_400)
    }
}
