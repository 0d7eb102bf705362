//! Operations on the few definitions and entities of a dense sequence, each made for something that seldom comes about by itself.

use custom_attributes::Offending;

use super::{Draw, data_type, home, name as name_of_any, touch_of};
use crate::alphabet::{CUSTOMER, FEW_IDS, FEW_NAMES, plain_values};
use crate::operations::{BatchGiven, Change, Operation, Touch};

/// A change of type, with values of the new one behind it.
pub(super) fn refilling(draw: &mut Draw<'_>) -> Operation {
    let ((name, _), data_type) = (home(draw), data_type(draw));
    let touches = vec![Touch::NoRules, Touch::NoDocumentation, Touch::Retype(data_type)];
    let offending = draw.one(&[Offending::Refuse, Offending::Clear]);
    let mut changes = vec![Change::Convert { of: CUSTOMER, name, touches, offending }];
    changes.extend(draw.many(1, 4, |draw| {
        let key = (CUSTOMER, draw.one(&FEW_IDS));
        one_of!(draw,
            8 => Change::Set { key, name, value: draw.one(plain_values(data_type)) },
            1 => Change::Clear { key, name },
            1 => Change::Move { key, from: name, to: name_of_any(draw) },
            1 => Change::Save { key, values: vec![(name, draw.one(plain_values(data_type)))] },
        )
    }));
    Operation::Commit(BatchGiven { actor: None, note: None, expected: Vec::new(), changes, numbers_by_value: draw.truth() })
}

/// A rule that values must be there, or no longer.
pub(super) fn requiring(draw: &mut Draw<'_>) -> Operation {
    let name = draw.one(&FEW_NAMES).0;
    let change = Change::Alter { of: CUSTOMER, name, touches: vec![Touch::Required(draw.below(3) < 2)] };
    Operation::Single { actor: None, change }
}

/// A rule that some of the values break, which go then, and may come back.
pub(super) fn tightening(draw: &mut Draw<'_>) -> Operation {
    let (name, home) = draw.one(&FEW_NAMES);
    let (touches, offending) = (vec![touch_of(draw, home)], Offending::Clear);
    Operation::Single { actor: None, change: Change::Convert { of: CUSTOMER, name, touches, offending } }
}

/// Values that go over to another attribute, out of one that may be required.
pub(super) fn splitting(draw: &mut Draw<'_>) -> Operation {
    let (from, into) = (draw.one(&FEW_NAMES).0, draw.one(&FEW_NAMES).0);
    Operation::Single { actor: None, change: Change::Split { of: CUSTOMER, from, into } }
}

/// Several changes of one entity, of which the last decides what it holds.
pub(super) fn rewriting(draw: &mut Draw<'_>) -> Operation {
    let key = (CUSTOMER, draw.one(&FEW_IDS));
    let changes = draw.many(2, 4, |draw| {
        let (name, data_type) = draw.one(&FEW_NAMES);
        one_of!(draw,
            3 => Change::Set { key, name, value: draw.one(plain_values(data_type)) },
            2 => Change::Remove { key },
            2 => Change::Clear { key, name },
            1 => Change::Move { key, from: name, to: draw.one(&FEW_NAMES).0 },
        )
    });
    Operation::Commit(BatchGiven { actor: None, note: None, expected: Vec::new(), changes, numbers_by_value: false })
}

/// Several values at once, which are mostly in order.
pub(super) fn filling(draw: &mut Draw<'_>) -> Operation {
    let changes = draw.many(2, 8, |draw| {
        let (name, data_type) = draw.one(&FEW_NAMES);
        Change::Set { key: (CUSTOMER, draw.one(&FEW_IDS)), name, value: draw.one(plain_values(data_type)) }
    });
    Operation::Commit(BatchGiven { actor: None, note: None, expected: Vec::new(), changes, numbers_by_value: false })
}
