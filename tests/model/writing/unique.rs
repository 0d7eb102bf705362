//! How the reference model finds equal values of unique attributes.

use custom_attributes::{Rule, Value};

use crate::asked::violation;
use crate::reference::Key;
use crate::rules::Fault;
use crate::writing::Writing;

impl Writing<'_> {
    /// No two entities hold equal values of a unique attribute when all is done.
    pub(super) fn check_unique(&mut self) {
        let unique = self.next.definitions.iter().filter(|(_, definition)| definition.spec.rules.unique);
        for (id, name) in unique.map(|(id, definition)| (*id, definition.spec.name.clone())).collect::<Vec<_>>() {
            let was_unique =
                self.before.definitions.get(&id).is_none_or(|was| was.spec.rules.unique) && !self.swept.contains(&id);
            // Those that held it first come first: by ordinal, then as the batch names them.
            let mut keys: Vec<Key> = self.before.living(None).into_iter().map(|(key, _)| key.clone()).collect();
            keys.extend(self.named.iter().filter(|key| self.before.entity(key).is_none_or(|was| was.values.is_empty())).cloned());
            let held: Vec<(Key, Value)> = keys.iter().filter_map(|key| Some((key.clone(), self.held(key, id)?))).collect();
            let was = |key: &Key| self.before.entity(key).and_then(|entity| entity.values.get(&id)).map(|held| &held.value);
            let (kept, mut claimed): (Vec<_>, Vec<_>) =
                held.into_iter().partition(|(key, value)| !was_unique || was(key) == Some(value));
            if was_unique {
                let order: Vec<&Key> = self.named.iter().chain(&self.met).collect();
                claimed.sort_by_key(|(key, _)| order.iter().position(|other| *other == key));
            }
            let all = if was_unique { &claimed } else { &kept };
            for (n, (key, value)) in all.iter().enumerate() {
                let first = all[..n].iter().find(|(_, other)| other == value);
                let keeper = kept.iter().filter(|_| was_unique).find(|(_, other)| other == value);
                for (holder, _) in first.into_iter().chain(keeper) {
                    let set_at = self.set_at.iter().rev().find(|(set, set_id, _)| set == key && *set_id == id).map(|at| at.2);
                    let altered_at = self.altered_at.iter().rev().find(|(altered, _)| *altered == id).map(|at| at.1);
                    let place = set_at.or(altered_at);
                    let fault = Fault::new(Rule::Unique, holder, value);
                    self.broken.push(violation(place, Some(key), Some(&name), fault));
                }
            }
        }
    }
}
