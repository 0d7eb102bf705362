//! Where two declarations of an attribute differ.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::model::{DefinitionSpec, Name, Value};

/// One field in which a definition differs from what was declared: plain data, to be logged or compared.
///
/// ```
/// use custom_attributes::DefinitionSpec;
/// let declared = DefinitionSpec::string("tier").choices(["basic", "premium"]);
/// let found = DefinitionSpec::string("tier").choices(["basic", "premium", "gold"]).description("Set by sales.");
/// let texts: Vec<_> = declared.differences(&found).iter().map(ToString::to_string).collect();
/// assert_eq!(
///     texts,
///     [
///         r#"choices: declared ["basic","premium"], found ["basic","premium","gold"]"#,
///         r#"description: not declared, found "Set by sales.""#,
///     ]
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Difference {
    /// The field, as the serial form of a [`DefinitionSpec`] names it: `choices`, `default`, `searchable`.
    pub field: String,
    /// What was declared, as JSON; none if the declaration leaves the field unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<String>,
    /// What the definition has, as JSON; none if the definition leaves the field unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.field)?;
        match &self.declared {
            Some(declared) => write!(f, "declared {declared}, ")?,
            None => f.write_str("not declared, ")?,
        }
        match &self.found {
            Some(found) => write!(f, "found {found}"),
            None => f.write_str("and found without it"),
        }
    }
}

impl DefinitionSpec {
    /// Compares this declaration with another, field by field, in alphabetical order. Equal values are no difference: a decimal
    /// 1.50 is 1.5. The spelling of a name is one, also where only the case differs.
    pub fn differences(&self, found: &Self) -> Vec<Difference> {
        let (declared, found) = (Fields::of(self), Fields::of(found));
        let names: BTreeSet<&String> = declared.compared.keys().chain(found.compared.keys()).collect();
        let differ = names.into_iter().filter(|name| declared.compared.get(*name) != found.compared.get(*name));
        let shown = |fields: &Fields, name: &str| fields.shown.get(name).map(Json::to_string);
        differ
            .map(|name| Difference { field: name.clone(), declared: shown(&declared, name), found: shown(&found, name) })
            .collect()
    }
}

/// The fields of a declaration that are set.
struct Fields {
    /// As they were declared.
    shown: Map<String, Json>,
    /// The same in one form for all that is equal.
    compared: Map<String, Json>,
}

impl Fields {
    fn of(spec: &DefinitionSpec) -> Self {
        Self { shown: fields(spec), compared: fields(&uniform(spec.clone())) }
    }
}

fn fields(spec: &DefinitionSpec) -> Map<String, Json> {
    match serde_json::to_value(spec) {
        Ok(Json::Object(mut fields)) => {
            // `searchable` is left out of the serial form where it is as by default; a difference names both sides.
            fields.entry("searchable").or_insert(Json::Bool(spec.searchable));
            fields
        }
        // A tree of texts and numbers always has a JSON form.
        _ => Map::new(),
    }
}

fn uniform(mut spec: DefinitionSpec) -> DefinitionSpec {
    if let Ok(name) = Name::new(&spec.name) {
        name.as_str().clone_into(&mut spec.name);
    }
    let rules = &mut spec.rules;
    let bounds = [&mut rules.default, &mut rules.minimum, &mut rules.maximum];
    let values = bounds.into_iter().flatten().chain(&mut rules.choices).chain(&mut spec.documentation.examples);
    values.for_each(|value| *value = std::mem::replace(value, Value::Boolean(false)).normalized());
    spec
}
