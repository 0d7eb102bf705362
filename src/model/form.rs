//! How a declaration is written: flat, with nothing that is not set.

use serde::{Deserialize, Serialize};

use crate::error::Violations;
use crate::model::literal::{Bare, Literal};
use crate::model::{DataType, DefinitionSpec, Documentation, Retention, Rules, Value};

/// The serial form of a declaration, with its values as they are written or as they were read.
#[allow(clippy::struct_excessive_bools)] // a form, each field of which is asked for by itself
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "V: Deserialize<'de>"))]
pub(super) struct Flat<V> {
    name: String,
    data_type: DataType,
    #[serde(default, skip_serializing_if = "is_false")]
    required: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    unique: bool,
    #[serde(default = "truth", skip_serializing_if = "is_true")]
    searchable: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    sensitive: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retention: Option<Retention>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<V>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum: Option<V>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maximum: Option<V>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum_chars: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maximum_chars: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fraction_digits: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    choices: Vec<V>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    examples: Vec<V>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    used_by: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
fn is_false(truth: &bool) -> bool {
    !truth
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_true(truth: &bool) -> bool {
    *truth
}

const fn truth() -> bool {
    true
}

impl From<DefinitionSpec> for Flat<Bare<Value>> {
    fn from(spec: DefinitionSpec) -> Self {
        let DefinitionSpec { name, data_type, rules, documentation, searchable, sensitive, retention } = spec;
        Self {
            name,
            data_type,
            required: rules.required,
            unique: rules.unique,
            searchable,
            sensitive,
            retention,
            default: rules.default.map(Bare),
            minimum: rules.minimum.map(Bare),
            maximum: rules.maximum.map(Bare),
            minimum_chars: rules.minimum_chars,
            maximum_chars: rules.maximum_chars,
            fraction_digits: rules.fraction_digits,
            pattern: rules.pattern,
            choices: rules.choices.into_iter().map(Bare).collect(),
            description: documentation.description,
            group: documentation.group,
            examples: documentation.examples.into_iter().map(Bare).collect(),
            used_by: documentation.used_by,
        }
    }
}

impl TryFrom<Flat<Literal>> for DefinitionSpec {
    type Error = crate::Error;

    fn try_from(flat: Flat<Literal>) -> crate::Result<Self> {
        let data_type = flat.data_type;
        let mut violations = Vec::new();
        let mut one = |literal: Literal| match literal.read(data_type) {
            Ok(value) => Some(value),
            Err(violation) => {
                violations.push(violation.of(&flat.name));
                None
            }
        };
        let rules = Rules {
            required: flat.required,
            unique: flat.unique,
            default: flat.default.and_then(&mut one),
            minimum: flat.minimum.and_then(&mut one),
            maximum: flat.maximum.and_then(&mut one),
            minimum_chars: flat.minimum_chars,
            maximum_chars: flat.maximum_chars,
            fraction_digits: flat.fraction_digits,
            pattern: flat.pattern,
            choices: flat.choices.into_iter().filter_map(&mut one).collect(),
        };
        let examples = flat.examples.into_iter().filter_map(&mut one).collect();
        Violations::into_result(violations)?;
        let documentation = Documentation { description: flat.description, group: flat.group, examples, used_by: flat.used_by };
        let Flat { name, searchable, sensitive, retention, .. } = flat;
        Ok(Self { name, data_type, rules, documentation, searchable, sensitive, retention })
    }
}
