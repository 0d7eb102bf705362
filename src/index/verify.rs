//! Whether the index says what the records say, and making it anew where it does not.

use std::ops::ControlFlow;
use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::error::Result;
use crate::hash::HashMap;
use crate::index::change::keys_of;
use crate::index::postings::{NO_DEFINITION, Place, Postings, ordinal, split};
use crate::index::{Holders, Key};
use crate::model::{Catalog, DefinitionId, EntityRecord, Ordinal, Value};
use crate::store::{Fault, FaultKind, OnProgress, scan_from, tell};

/// What the records of one chunk ask of the index.
#[derive(Default)]
pub(crate) struct Expected {
    sets: HashMap<(DefinitionId, Key), Holders>,
}

impl Expected {
    pub(crate) fn add(&mut self, record: &EntityRecord, catalog: &Catalog) {
        let low = split(record.ordinal()).1;
        for place in keys_of(record, catalog) {
            let before = self.sets.get_mut(&place);
            match before {
                Some(holders) => holders.insert(low),
                None => _ = self.sets.insert(place, Holders::one(low)),
            }
        }
    }

    /// In the order of the index, in which they are neighbours when they are written.
    pub(crate) fn into_places(self, chunk: u16) -> impl Iterator<Item = (Place, Holders)> {
        let mut sets: Vec<_> = self.sets.into_iter().collect();
        sets.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        sets.into_iter().map(move |((definition, key), holders)| (Place { definition, key, chunk }, holders))
    }
}

/// Compares the index with the records, and reports all that is wrong with it.
pub(crate) fn verify<P: Postings + ?Sized>(
    postings: &P,
    report: &mut dyn FnMut(Fault) -> ControlFlow<()>,
    progress: &mut OnProgress<'_>,
) -> Result<()> {
    let mut verifier = Verifier { postings, catalog: postings.catalog()?, report, compared: 0 };
    let (mut expected, mut chunk, total) = (Expected::default(), 0, u64::from(postings.marks()?.ordinal.get()));
    let (mut result, mut is_enough) = (Ok(()), false);
    scan_from(postings, None, None, |record| {
        let next = split(record.ordinal()).0;
        if next != chunk {
            let compared = tell(progress, u64::from(next) << 16, total);
            let compared = compared.and_then(|()| verifier.compare(chunk, std::mem::take(&mut expected)));
            is_enough = compared.as_ref().is_ok_and(ControlFlow::is_break);
            result = compared.map(drop);
        }
        chunk = next;
        expected.add(record, &verifier.catalog);
        if is_enough || result.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    result?;
    if !is_enough && verifier.compare(chunk, expected)?.is_continue() {
        verifier.find_surplus()?;
        tell(progress, total, total)?;
    }
    Ok(())
}

struct Verifier<'a, P: ?Sized> {
    postings: &'a P,
    catalog: Arc<Catalog>,
    report: &'a mut dyn FnMut(Fault) -> ControlFlow<()>,
    /// How many places there ought to be.
    compared: u64,
}

impl<P: Postings + ?Sized> Verifier<'_, P> {
    fn compare(&mut self, chunk: u16, expected: Expected) -> Result<ControlFlow<()>> {
        for (place, expected) in expected.into_places(chunk) {
            self.compared += 1;
            let expected = expected.into_set();
            let found = self.postings.at(&place)?.map(Holders::into_set).unwrap_or_default();
            if found == expected {
                continue;
            }
            for (kind, set) in [(FaultKind::Missing, &expected - &found), (FaultKind::Surplus, &found - &expected)] {
                if self.report(kind, &place, &set)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// If there are more places than there ought to be, some have nobody who belongs there.
    fn find_surplus(&mut self) -> Result<()> {
        let mut places = 0;
        self.postings.places(&mut |_| {
            places += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        if places == self.compared {
            return Ok(());
        }
        let postings = self.postings;
        postings.places(&mut |place| {
            let found = postings.at(&place)?.map(Holders::into_set).unwrap_or_default();
            if is_supported(postings, &self.catalog, &place, &found)? {
                return Ok(ControlFlow::Continue(()));
            }
            self.report(FaultKind::Surplus, &place, &found)
        })
    }

    fn report(&mut self, kind: FaultKind, place: &Place, set: &RoaringBitmap) -> Result<ControlFlow<()>> {
        let definition = self.catalog.get(place.definition).filter(|_| place.definition != NO_DEFINITION);
        let value = definition
            .filter(|found| place.key != Key::any() && !found.is_sensitive())
            .map(|found| place.key.value(found.data_type()));
        let value: Option<Value> = value.transpose()?.flatten();
        for low in set {
            let ordinal = ordinal(place.chunk, low);
            let entity = self.postings.locate(&[ordinal])?.pop().flatten().map(|record| record.key().clone());
            let attribute = definition.map(|definition| definition.name().to_string());
            let fault = Fault { kind, definition: place.definition, attribute, value: value.clone(), ordinal, entity };
            if (self.report)(fault).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Whether anyone of these belongs to the place.
pub(crate) fn is_supported<P: Postings + ?Sized>(
    postings: &P,
    catalog: &Catalog,
    place: &Place,
    holders: &RoaringBitmap,
) -> Result<bool> {
    for low in holders {
        let ordinal: Ordinal = ordinal(place.chunk, low);
        let record = postings.locate(&[ordinal])?.pop().flatten();
        let belongs = |record: &EntityRecord| {
            keys_of(record, catalog).any(|(definition, key)| definition == place.definition && key == place.key)
        };
        if record.is_some_and(|record| belongs(&record)) {
            return Ok(true);
        }
    }
    Ok(false)
}
