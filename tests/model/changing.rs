//! What the reference model says of a change of a definition before it is made.

use custom_attributes::{Rule, Value};

use crate::asked::{refusal, refused_alone, violation};
use crate::operations::{Touch, touched};
use crate::reading::entity_type;
use crate::reference::{Key, Model};
use crate::rules::{Fault, declare, settled, shown_name};
use crate::shapes::{Answer, Exact, Offence, Refusal, Report};

impl Model {
    pub(crate) fn change_report(&self, of: &str, name: &str, touches: &[Touch]) -> Result<Answer, Refusal> {
        entity_type(of)?;
        let found = self.find(of, name);
        let (id, definition) = found.ok_or_else(|| refused_alone(Some(name), Fault::wordless(Rule::Defined)))?;
        let spec = touched(definition.spec.clone(), touches);
        let spec = declare(&spec).map_err(|faults| {
            let name = shown_name(&spec.name);
            let all = faults.into_iter().map(|fault| violation(None, None, Some(&name), fault));
            refusal(all.collect(), Vec::new(), true)
        })?;
        if let Some((_, holder)) = self.find(of, &spec.name).filter(|(other, _)| *other != id) {
            let fault = Fault::new(Rule::NameUnique, &holder.spec.name, &spec.name);
            return Err(refused_alone(Some(&spec.name), fault));
        }
        let (before, after) = (definition.seen(id), Exact(spec.clone()));
        let (conversions, offences) = (Vec::new(), Vec::new());
        let mut report = Report { before, after, held: 0, converted: 0, offending: 0, conversions, offences };
        let mut seen: Vec<(Value, &Key)> = Vec::new();
        for (key, entity) in self.living(Some(of)) {
            let Some(held) = entity.values.get(&id) else { continue };
            report.held += 1;
            let settled = settled(&spec, &held.value, false).and_then(|settled| {
                let value = settled.clone().unwrap_or_else(|| held.value.clone());
                match seen.iter().find(|(other, _)| spec.rules.unique && *other == value) {
                    Some((_, holder)) => Err(Fault::new(Rule::Unique, holder, &value)),
                    None => {
                        seen.push((value, key));
                        Ok(settled)
                    }
                }
            });
            match settled {
                Ok(None) => {}
                Ok(Some(value)) => report.conversions.push((key.to_string(), Some((Exact(held.value.clone()), Exact(value))))),
                Err(fault) => report.offences.push(Offence {
                    entity: key.to_string(),
                    ordinal: entity.ordinal,
                    value: Some(Exact(held.value.clone())),
                    violation: violation(None, None, Some(&spec.name), fault),
                }),
            }
        }
        (report.converted, report.offending) = (report.conversions.len() as u64, report.offences.len() as u64);
        Ok(Answer::Report(report))
    }
}
