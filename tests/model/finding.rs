//! How the reference model finds: by looking at every entity, with comparisons of its own.

use custom_attributes::{DataType, Direction, Rule, Value};

use crate::asked::{not_found, refusal, violation};
use crate::operations::{Asking, Question, Search};
use crate::reading::entity_type;
use crate::reference::{Key, Model, ModelDefinition, ModelEntity};
use crate::rules::{Fault, read, well_formed};
use crate::shapes::{Answer, Refusal, Violation};

type Living<'a> = Vec<(&'a Key, &'a ModelEntity)>;

/// A test whose name is a definition's id, and whose values have its type.
enum Typed {
    Test(u32, Asking),
    Not(Box<Typed>),
    And(Vec<Typed>),
    Or(Vec<Typed>),
}

/// A value of a filter as the type of its attribute: a filter tells texts, numbers and truths apart, and no more.
fn typed(value: &Value, wanted: DataType) -> Result<Value, Fault> {
    let kinds = match value.data_type() {
        DataType::String | DataType::Date => &[DataType::String, DataType::Date][..],
        DataType::Integer | DataType::Decimal => &[DataType::Integer, DataType::Decimal],
        _ => &[DataType::Boolean],
    };
    if !kinds.contains(&wanted) {
        return Err(Fault::wordless(Rule::DataType));
    }
    read(wanted, &value.to_string()).and_then(well_formed)
}

impl Asking {
    fn values(&mut self) -> Vec<&mut Value> {
        match self {
            Self::Compare(_, value) => vec![value],
            Self::Between(first, last) => vec![first, last],
            Self::In(values) => values.iter_mut().collect(),
            Self::Exists | Self::NotExists => Vec::new(),
        }
    }

    fn is_met_by(&self, held: Option<&Value>) -> bool {
        let Some(held) = held else { return matches!(self, Self::NotExists) };
        let texts = |other: &Value, met: fn(&str, &str) -> bool| met(&held.to_string(), &other.to_string());
        match self {
            Self::NotExists => false,
            Self::Exists => true,
            Self::Between(first, last) => first <= held && held <= last,
            Self::In(values) => values.contains(held),
            Self::Compare(comparison, other) => match *comparison {
                "=" => held == other,
                "!=" => held != other,
                "<" => held < other,
                "<=" => held <= other,
                ">" => held > other,
                ">=" => held >= other,
                "~=" => texts(other, |held, other| held.to_lowercase() == other.to_lowercase()),
                "starts with" => texts(other, |held, other| held.starts_with(other)),
                "ends with" => texts(other, |held, other| held.ends_with(other)),
                "contains" => texts(other, |held, other| held.contains(other)),
                unknown => panic!("{unknown} is no comparison"),
            },
        }
    }
}

impl Typed {
    /// Where nothing is held, the defaults count, if there are any to count.
    fn wants(&self, entity: &ModelEntity, defaults: Option<&Model>) -> bool {
        match self {
            Self::Test(id, asking) => {
                let default = || defaults?.definitions.get(id)?.spec.rules.default.as_ref();
                asking.is_met_by(entity.values.get(id).map(|held| &held.value).or_else(default))
            }
            Self::Not(inner) => !inner.wants(entity, defaults),
            Self::And(all) => all.iter().all(|one| one.wants(entity, defaults)),
            Self::Or(any) => any.iter().any(|one| one.wants(entity, defaults)),
        }
    }
}

fn unsearchable(definition: &ModelDefinition) -> Option<Violation> {
    let refused = || violation(None, None, Some(&definition.spec.name), Fault::wordless(Rule::Searchable));
    (!definition.spec.searchable).then(refused)
}

impl Model {
    fn type_question(&self, of: &str, question: &Question, wrong: &mut Vec<Violation>) -> Typed {
        let all =
            |all: &[Question], wrong: &mut Vec<Violation>| all.iter().map(|one| self.type_question(of, one, wrong)).collect();
        match question {
            Question::Not(inner) => Typed::Not(Box::new(self.type_question(of, inner, wrong))),
            Question::And(questions) => Typed::And(all(questions, wrong)),
            Question::Or(questions) => Typed::Or(all(questions, wrong)),
            Question::Test(name, asking) => {
                let Some((id, definition)) = self.find(of, name) else {
                    wrong.push(violation(None, None, Some(name), Fault::wordless(Rule::Defined)));
                    return Typed::Test(0, Asking::Exists);
                };
                if let Some(refused) = unsearchable(definition) {
                    wrong.push(refused);
                    return Typed::Test(0, Asking::Exists);
                }
                let mut asking = asking.clone();
                let mut refuse = |fault| wrong.push(violation(None, None, Some(&definition.spec.name), fault));
                let of_text = matches!(asking, Asking::Compare("~=" | "starts with" | "ends with" | "contains", _));
                if of_text && definition.spec.data_type != DataType::String {
                    refuse(Fault::wordless(Rule::FilterTest));
                } else {
                    for value in asking.values() {
                        match typed(value, definition.spec.data_type) {
                            Ok(typed) => *value = typed,
                            Err(fault) => refuse(fault),
                        }
                    }
                }
                Typed::Test(id, asking)
            }
        }
    }

    fn wanted(
        &self,
        of: &'static str,
        question: Option<&Question>,
        with_defaults: bool,
        wrong: &mut Vec<Violation>,
    ) -> Living<'_> {
        let defaults = with_defaults.then_some(self);
        let typed = question.map(|question| self.type_question(of, question, wrong));
        let living = self.living(Some(of)).into_iter();
        living.filter(|(_, entity)| typed.as_ref().is_none_or(|typed| typed.wants(entity, defaults))).collect()
    }

    /// The pages of ids, as they are turned.
    pub(crate) fn search(&self, search: &Search) -> Result<Answer, Refusal> {
        entity_type(search.of)?;
        let mut wrong = Vec::new();
        let mut found = self.wanted(search.of, search.question.as_ref(), search.with_defaults, &mut wrong);
        let mut orders = Vec::new();
        for (name, direction) in &search.order {
            match self.find(search.of, name) {
                Some((id, definition)) => {
                    wrong.extend(unsearchable(definition));
                    orders.push((id, *direction));
                }
                None => wrong.push(violation(None, None, Some(name), Fault::wordless(Rule::Defined))),
            }
        }
        if !wrong.is_empty() {
            return Err(refusal(wrong, Vec::new(), true));
        }
        // A stable sort by each order, the last one first.
        for (id, direction) in orders.into_iter().rev() {
            let held = |entity: &ModelEntity| entity.values.get(&id).map(|held| held.value.clone());
            found.sort_by(|(_, a), (_, b)| match (held(a), held(b)) {
                (Some(a), Some(b)) if direction == Direction::Descending => b.cmp(&a),
                (Some(a), Some(b)) => a.cmp(&b),
                (a, b) => a.is_none().cmp(&b.is_none()),
            });
        }
        let ids: Vec<String> = found.iter().map(|(key, _)| key.id.clone()).collect();
        let pages: Vec<Vec<String>> = ids.chunks(search.limit).map(<[String]>::to_vec).collect();
        let pages = if pages.is_empty() { vec![Vec::new()] } else { pages };
        Ok(Answer::Found { pages, count: ids.len() as u64 })
    }

    pub(crate) fn count_found(&self, of: &'static str, question: &Question) -> Result<u64, Refusal> {
        let mut wrong = Vec::new();
        let count = self.wanted(of, Some(question), false, &mut wrong).len();
        if wrong.is_empty() { Ok(count as u64) } else { Err(refusal(wrong, Vec::new(), true)) }
    }

    /// The values of one attribute, the most frequent first, as they are written without zeros at the end.
    pub(crate) fn facets(
        &self,
        of: &'static str,
        question: Option<&Question>,
        with_defaults: bool,
        name: &str,
    ) -> Result<Answer, Refusal> {
        entity_type(of)?;
        let (id, definition) = self.find(of, name).ok_or_else(not_found)?;
        if let Some(refused) = unsearchable(definition) {
            return Err(refusal(vec![refused], Vec::new(), true));
        }
        let mut wrong = Vec::new();
        let wanted = self.wanted(of, question, with_defaults, &mut wrong);
        if !wrong.is_empty() {
            return Err(refusal(wrong, Vec::new(), true));
        }
        let mut values: Vec<Value> =
            wanted.iter().filter_map(|(_, entity)| Some(entity.values.get(&id)?.value.clone())).collect();
        values.sort();
        let mut counted: Vec<(String, u64)> = Vec::new();
        for run in values.chunk_by(|a, b| a == b) {
            let text = match &run[0] {
                Value::Decimal(number) => number.normalize().to_string(),
                other => other.to_string(),
            };
            counted.push((text, run.len() as u64));
        }
        counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(Answer::Facets(counted))
    }
}
