//! A filter as it is answered: what is looked up, what is walked, and in which order.

use std::ops::Bound;

use roaring::RoaringBitmap;

use crate::error::Result;
use crate::filter::{BoundFilter, Condition, WithoutValues};
use crate::index::key::{all, starting_with, within};
use crate::index::postings::{Place, Postings};
use crate::index::span::{FIRST, Span, probe};
use crate::index::{Holders, Key, Keys};
use crate::model::{Catalog, DefinitionId, Value};
use crate::store::{ExplainedPart, Way};

/// How many values are looked up one by one, chunk by chunk, rather than all at once.
const MAX_LOOKED_UP: usize = 16;

/// A part of a filter, which leaves of some candidates those that meet it; and what has been asked of it.
#[derive(Debug)]
pub(crate) struct Part<'f> {
    /// What it answers; none if it was made on the way.
    filter: Option<&'f BoundFilter>,
    node: Node<'f>,
    given: u64,
    left: u64,
}

#[derive(Debug)]
enum Node<'f> {
    /// Those that hold one of these keys.
    Keys { definition: DefinitionId, keys: Vec<Key>, size: u64 },
    /// Those that meet a test whose keys have to be walked.
    Span(Box<Span>),
    /// Those that meet a test of a definition that has no index.
    Probe(DefinitionId, &'f Condition),
    /// All others.
    Not(Box<Part<'f>>),
    /// Those that meet all, the one that leaves fewest first.
    And(Vec<Part<'f>>),
    /// Those that meet any.
    Or(Vec<Part<'f>>),
}

impl<'f> Part<'f> {
    pub(super) fn of<P: Postings + ?Sized>(postings: &P, catalog: &Catalog, filter: &'f BoundFilter) -> Result<Self> {
        let all = |parts: &'f [BoundFilter]| parts.iter().map(|part| Self::of(postings, catalog, part)).collect::<Result<_>>();
        let node = match filter {
            BoundFilter::Test(definition, condition) => Node::test(postings, catalog, *definition, condition)?,
            BoundFilter::Not(inner) => Node::Not(Box::new(Self::of(postings, catalog, inner)?)),
            BoundFilter::Or(parts) => Node::Or(all(parts)?),
            BoundFilter::And(parts) => Node::And(all(parts)?),
        };
        Ok(Self { filter: Some(filter), ..Self::from(node) })
    }

    /// What is soon walked is walked at once: then it is known how many meet it, and which comes first.
    pub(super) fn begin<P: Postings + ?Sized>(&mut self, postings: &P) -> Result<()> {
        match &mut self.node {
            Node::Keys { .. } | Node::Probe(..) => Ok(()),
            Node::Span(span) => span.walk(postings, FIRST),
            Node::Not(inner) => inner.begin(postings),
            Node::Or(parts) => parts.iter_mut().try_for_each(|part| part.begin(postings)),
            Node::And(parts) => {
                parts.iter_mut().try_for_each(|part| part.begin(postings))?;
                parts.sort_by_key(Self::rank);
                Ok(())
            }
        }
    }

    /// The order in which parts of an `and` are taken: first by how they are known, then by their size.
    fn rank(&self) -> (u8, u64) {
        match &self.node {
            Node::Keys { size, .. } => (0, *size),
            Node::Span(span) if span.is_walked() => (0, span.len()),
            Node::Span(_) => (2, 0),
            Node::Probe(..) => (3, 0),
            Node::Not(inner) => (inner.rank().0.max(1), 0),
            Node::And(parts) => parts.iter().map(Self::rank).min().unwrap_or_default(),
            Node::Or(parts) => {
                let ranks = || parts.iter().map(Self::rank);
                let size = ranks().fold(0u64, |sum, (_, size)| sum.saturating_add(size));
                (ranks().map(|(class, _)| class).max().unwrap_or_default(), size)
            }
        }
    }

    /// Whether it is all known, so that it costs the same for any number of candidates.
    pub(super) fn is_settled(&self) -> bool {
        match &self.node {
            Node::Keys { .. } => true,
            Node::Span(span) => span.is_walked(),
            Node::Probe(..) => false,
            Node::Not(inner) => inner.is_settled(),
            Node::And(parts) | Node::Or(parts) => parts.iter().all(Self::is_settled),
        }
    }

    /// Whether those who meet it are known without candidates.
    pub(super) fn is_known(&self) -> bool {
        match &self.node {
            Node::Keys { .. } => true,
            Node::Span(span) => span.is_sure(),
            Node::Probe(..) | Node::Not(_) => false,
            Node::And(parts) => parts.first().is_some_and(Self::is_known),
            Node::Or(parts) => parts.iter().all(Self::is_known),
        }
    }

    /// Those of a chunk who meet it, if they are known without candidates.
    pub(super) fn known<P: Postings + ?Sized>(&mut self, postings: &P, chunk: u16) -> Result<RoaringBitmap> {
        let mut known = RoaringBitmap::new();
        match &mut self.node {
            Node::Keys { definition, keys, .. } => {
                for holders in holders(postings, *definition, keys, chunk) {
                    holders?.add_to(&mut known);
                }
            }
            Node::Span(span) => known = span.known(chunk),
            Node::And(parts) => {
                if let Some((first, rest)) = parts.split_first_mut() {
                    known = first.known(postings, chunk)?;
                    rest.iter_mut().try_for_each(|part| part.restrict(postings, chunk, &mut known))?;
                }
            }
            Node::Or(parts) => {
                for part in parts {
                    known |= part.known(postings, chunk)?;
                }
            }
            Node::Probe(..) | Node::Not(_) => {}
        }
        self.left += known.len();
        Ok(known)
    }

    /// How many entities of the type meet it, if sizes alone tell that.
    pub(super) fn count<P: Postings + ?Sized>(&self, postings: &P, all: &impl Fn() -> Result<u64>) -> Result<Option<u64>> {
        match &self.node {
            Node::Keys { size, .. } => Ok(Some(*size)),
            Node::Span(span) => span.count(postings),
            Node::Not(inner) => {
                let inner = inner.count(postings, all)?;
                inner.map(|inner| Ok(all()?.saturating_sub(inner))).transpose()
            }
            Node::Probe(..) | Node::And(_) | Node::Or(_) => Ok(None),
        }
    }

    /// Leaves those of the candidates, which are of one chunk, that meet it.
    pub(super) fn restrict<P: Postings + ?Sized>(
        &mut self,
        postings: &P,
        chunk: u16,
        candidates: &mut RoaringBitmap,
    ) -> Result<()> {
        if !candidates.is_empty() {
            self.given += candidates.len();
            self.node.restrict(postings, chunk, candidates)?;
            self.left += candidates.len();
        }
        Ok(())
    }

    /// Tells what it did, and its parts behind it.
    pub(super) fn explain(&self, catalog: &Catalog, depth: usize, parts: &mut Vec<ExplainedPart>) {
        let test = match self.filter {
            Some(BoundFilter::Test(definition, condition)) => Some(match catalog.get(*definition) {
                Some(definition) if !definition.is_sensitive() => format!("{} {condition}", definition.name()),
                Some(definition) => format!("{} {}", definition.name(), WithoutValues(condition)),
                None => format!("? {}", WithoutValues(condition)),
            }),
            _ => None,
        };
        let expected = Some(self.rank()).filter(|(class, _)| *class == 0).map(|(_, size)| size);
        let (way, within) = match &self.node {
            Node::Keys { .. } => (Way::LookedUp, &[][..]),
            Node::Span(span) => (span.way(), &[][..]),
            Node::Probe(..) => (Way::Read, &[][..]),
            // What a test is made of on the way is not told.
            Node::Not(_) | Node::And(_) if test.is_some() => (Way::LookedUp, &[][..]),
            Node::Not(inner) => (Way::Not, std::slice::from_ref(&**inner)),
            Node::And(parts) => (Way::AllOf, parts.as_slice()),
            Node::Or(parts) => (Way::AnyOf, parts.as_slice()),
        };
        parts.push(ExplainedPart { depth, test, way, expected, given: self.given, left: self.left });
        within.iter().for_each(|part| part.explain(catalog, depth + 1, parts));
    }
}

impl<'f> From<Node<'f>> for Part<'f> {
    fn from(node: Node<'f>) -> Self {
        Self { filter: None, node, given: 0, left: 0 }
    }
}

impl<'f> Node<'f> {
    fn test<P: Postings + ?Sized>(postings: &P, catalog: &Catalog, id: DefinitionId, condition: &'f Condition) -> Result<Self> {
        let Some(definition) = catalog.get(id).filter(|definition| definition.is_searchable()) else {
            return Ok(Self::Probe(id, condition));
        };
        let span = |keys: Vec<Keys>, unsure| Ok(Self::span(Span::of(id, condition.clone(), keys, unsure)));
        match condition {
            Condition::Exists => Self::keys(postings, id, vec![Key::any()]),
            Condition::NotExists => Ok(Self::Not(Box::new(Self::keys(postings, id, vec![Key::any()])?.into()))),
            Condition::NotEqual(value) => {
                let key = Key::of(value);
                let equal = if key.is_cut() {
                    let equal = Condition::In(vec![value.clone()]);
                    Ok(Self::span(Span::of(id, equal, vec![key.clone().only()], vec![key])))
                } else {
                    Self::keys(postings, id, vec![key])
                };
                let holding = Self::keys(postings, id, vec![Key::any()])?;
                Ok(Self::And(vec![holding.into(), Self::Not(Box::new(equal?.into())).into()]))
            }
            Condition::In(values) => {
                let keys: Vec<_> = values.iter().map(Key::of).collect();
                let unsure = only_cut(keys.iter().cloned());
                if unsure.is_empty() && keys.len() <= MAX_LOOKED_UP {
                    return Self::keys(postings, id, keys);
                }
                let mut keys: Vec<_> = keys.into_iter().map(Key::only).collect();
                keys.dedup();
                span(keys, unsure)
            }
            Condition::Within(first, last) => {
                let bounds = [first, last].into_iter().filter_map(value_of);
                span(vec![within(first, last)], only_cut(bounds.map(Key::of)))
            }
            Condition::StartsWith(part) if part.is_empty() => span(vec![all()], Vec::new()),
            Condition::StartsWith(part) => {
                let keys = starting_with(part);
                let unsure = only_cut([keys.start.clone()]);
                span(vec![keys], unsure)
            }
            Condition::EqualFolded(_) | Condition::EndsWith(_) | Condition::Contains(_) => {
                Ok(Self::span(Span::by_value(id, condition.clone(), definition.data_type())))
            }
        }
    }

    fn keys<P: Postings + ?Sized>(postings: &P, definition: DefinitionId, keys: Vec<Key>) -> Result<Self> {
        let sizes = keys.iter().map(|key| postings.total(definition, &key.clone().only()));
        let size = sizes.sum::<Result<u64>>()?;
        Ok(Self::Keys { definition, keys, size })
    }

    fn span(span: Span) -> Self {
        Self::Span(Box::new(span))
    }

    /// Leaves those of the candidates, which are of one chunk, that meet it.
    fn restrict<P: Postings + ?Sized>(&mut self, postings: &P, chunk: u16, candidates: &mut RoaringBitmap) -> Result<()> {
        match self {
            Self::Keys { definition, keys, .. } => {
                let mut found = RoaringBitmap::new();
                for holders in holders(postings, *definition, keys, chunk) {
                    found |= holders?.of_those(candidates);
                }
                *candidates = found;
                Ok(())
            }
            Self::Span(span) => span.restrict(postings, chunk, candidates),
            Self::Probe(definition, condition) => probe(postings, *definition, condition, chunk, candidates),
            Self::Not(inner) => {
                let mut others = candidates.clone();
                inner.restrict(postings, chunk, &mut others)?;
                *candidates -= others;
                Ok(())
            }
            Self::And(parts) => parts.iter_mut().try_for_each(|part| part.restrict(postings, chunk, candidates)),
            Self::Or(parts) => {
                let mut found = RoaringBitmap::new();
                for part in parts {
                    let mut these = candidates.clone();
                    part.restrict(postings, chunk, &mut these)?;
                    *candidates -= &these;
                    found |= these;
                }
                *candidates = found;
                Ok(())
            }
        }
    }
}

/// Who holds these keys in a chunk, key by key.
fn holders<P: Postings + ?Sized>(
    postings: &P,
    definition: DefinitionId,
    keys: &[Key],
    chunk: u16,
) -> impl Iterator<Item = Result<Holders>> {
    keys.iter().filter_map(move |key| postings.at(&Place { definition, key: key.clone(), chunk }).transpose())
}

fn only_cut(keys: impl IntoIterator<Item = Key>) -> Vec<Key> {
    keys.into_iter().filter(Key::is_cut).collect()
}

const fn value_of(bound: &Bound<Value>) -> Option<&Value> {
    match bound {
        Bound::Included(value) | Bound::Excluded(value) => Some(value),
        Bound::Unbounded => None,
    }
}
