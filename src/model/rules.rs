//! Whether the rules of a definition make sense: for its type, together, and for its own values.

use regex::{Regex, RegexBuilder};
use rust_decimal::RoundingStrategy;

use crate::error::{Rule, Violation};
use crate::model::value::longer_than;
use crate::model::{DataType, Definition, DefinitionSpec, Documentation, Limits, Rules, Value};
use crate::violation::{plural, shorten};

/// How many choices a message spells out.
const SPELLED_OUT: usize = 8;

/// Checks all but the values that the definition carries; gives back the compiled pattern.
pub(super) fn check_spec(spec: &mut DefinitionSpec, limits: &Limits, violations: &mut Vec<Violation>) -> Option<Regex> {
    check_applicable(spec.data_type, &mut spec.rules, violations);
    check_bounds(spec.data_type, &mut spec.rules, violations);
    check_contradictions(&spec.rules, spec.searchable, violations);
    check_sizes(&spec.rules, &spec.documentation, limits, violations);
    keep_own_values(spec);
    compile(&spec.rules, limits, violations)
}

/// Takes out what does not apply, so that nothing more is said of it.
fn check_applicable(data_type: DataType, rules: &mut Rules, violations: &mut Vec<Violation>) {
    use DataType::{Date, Decimal, Integer, String};
    let ordered: &[DataType] = &[Decimal, Integer, Date];
    let mut only = |types: &[DataType], what: &str, take: &mut dyn FnMut() -> bool| {
        if !types.contains(&data_type) && take() {
            violations.push(Violation::new(Rule::Applicable, enumerate(types), format!("{what} on {data_type}")));
        }
    };
    only(ordered, "a minimum", &mut || rules.minimum.take().is_some());
    only(ordered, "a maximum", &mut || rules.maximum.take().is_some());
    only(&[String], "a least number of characters", &mut || rules.minimum_chars.take().is_some());
    only(&[String], "a greatest number of characters", &mut || rules.maximum_chars.take().is_some());
    only(&[Decimal], "a number of fraction digits", &mut || rules.fraction_digits.take().is_some());
    only(&[String], "a pattern", &mut || rules.pattern.take().is_some());
    only(&[String, Decimal, Integer, Date], "a list of choices", &mut || !std::mem::take(&mut rules.choices).is_empty());
}

fn enumerate(types: &[DataType]) -> String {
    let names: Vec<_> = types.iter().map(|data_type| data_type.as_str()).collect();
    match names.as_slice() {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// The bounds are values of the type themselves.
fn check_bounds(data_type: DataType, rules: &mut Rules, violations: &mut Vec<Violation>) {
    for (name, bound) in [("minimum", &mut rules.minimum), ("maximum", &mut rules.maximum)] {
        let Some(value) = bound.take() else { continue };
        if value.data_type() != data_type {
            violations.push(Violation::new(Rule::DataType, data_type, format!("a {name} of type {}", value.data_type())));
            continue;
        }
        match value.checked() {
            Ok(value) => *bound = Some(value),
            Err(violation) => violations.push(violation),
        }
    }
}

fn check_contradictions(rules: &Rules, searchable: bool, violations: &mut Vec<Violation>) {
    let mut contradict = |limit: String, found: String| violations.push(Violation::new(Rule::Contradiction, limit, found));
    if let (Some(minimum), Some(maximum)) = (&rules.minimum, &rules.maximum)
        && minimum > maximum
    {
        contradict(format!("the minimum is {minimum}"), format!("the maximum is {maximum}"));
    }
    if let (Some(minimum), Some(maximum)) = (rules.minimum_chars, rules.maximum_chars)
        && minimum > maximum
    {
        contradict(format!("at least {minimum} {}", plural(minimum, "character")), format!("at most {maximum}"));
    }
    if let (Some(Value::Decimal(minimum)), Some(Value::Decimal(maximum)), Some(digits)) =
        (&rules.minimum, &rules.maximum, rules.fraction_digits)
        && minimum <= maximum
        && maximum.round_dp_with_strategy(digits, RoundingStrategy::ToNegativeInfinity) < *minimum
    {
        contradict(
            format!("at most {digits} fraction {}", plural(digits, "digit")),
            format!("none such lies from {minimum} to {maximum}"),
        );
    }
    if let (true, Some(default)) = (rules.unique, &rules.default) {
        contradict("no two entities hold equal values".into(), format!("all that hold none read the default {default}"));
    }
    if rules.unique && !searchable {
        contradict("a unique attribute has an index".into(), "it is not searchable, and so has none".into());
    }
}

fn check_sizes(rules: &Rules, documentation: &Documentation, limits: &Limits, violations: &mut Vec<Violation>) {
    let mut most = |noun: &str, role: &str, found: usize, most: usize| {
        if found > most {
            violations.push(Violation::new(Rule::Size, format!("at most {most} {}{role}", plural(most, noun)), found));
        }
    };
    for chars in [rules.minimum_chars, rules.maximum_chars].into_iter().flatten() {
        most("character", " as a limit", chars as usize, limits.string_chars.min(Value::MAX_CHARS));
    }
    most("fraction digit", "", rules.fraction_digits.unwrap_or_default() as usize, Value::MAX_DIGITS as usize);
    most("choice", "", rules.choices.len(), limits.choices);
    most("example", "", documentation.examples.len(), limits.documentation_items);
    most("dependent", "", documentation.used_by.len(), limits.documentation_items);
    let Documentation { description, group, examples, used_by } = documentation;
    // What is wrong with an example as a value, its own check says.
    let examples = examples.iter().filter_map(|example| match example {
        Value::String(text) if !text.contains('\0') && !longer_than(text, limits.string_chars) => Some(("example", text)),
        _ => None,
    });
    let texts = description.iter().map(|text| ("description", text)).chain(group.iter().map(|text| ("group", text)));
    let texts =
        texts.chain(used_by.iter().map(|text| ("dependent", text))).chain(rules.pattern.iter().map(|text| ("pattern", text)));
    for (what, text) in texts.chain(examples) {
        if longer_than(text, limits.documentation_chars) {
            let most = limits.documentation_chars;
            let limit = format!("at most {most} {} of {what}", plural(most, "character"));
            violations.push(Violation::new(Rule::Size, limit, text.chars().count()));
        }
        if text.contains('\0') {
            violations.push(Violation::new(Rule::Characters, format!("any character but NUL in its {what}"), "U+0000"));
        }
    }
}

fn compile(rules: &Rules, limits: &Limits, violations: &mut Vec<Violation>) -> Option<Regex> {
    let pattern = rules.pattern.as_ref().filter(|pattern| !longer_than(pattern, limits.documentation_chars))?;
    let build = |text: &str| RegexBuilder::new(text).size_limit(limits.pattern_bytes).build();
    let whole = match build(&format!(r"\A(?:{pattern})\z")) {
        Ok(regex) if !pattern.contains(')') => Ok(regex),
        // Alone as well, though it costs as much again: `a)|(b` is none but for what is put around it.
        whole => build(pattern).and_then(|_| match whole {
            // `(?x)a # b` ends in a comment, and only a new line ends the comment.
            Err(regex::Error::Syntax(_)) => build(&format!("\\A(?:{pattern}\n)\\z")),
            other => other,
        }),
    };
    match whole {
        Ok(regex) => Some(regex),
        Err(regex::Error::CompiledTooBig(bytes)) => {
            let limit = format!("a pattern that compiles to at most {bytes} bytes");
            violations.push(Violation::new(Rule::Size, limit, pattern));
            None
        }
        Err(error) => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            violations.push(Violation::new(Rule::Grammar, format!("a regular expression as its pattern ({reason})"), pattern));
            None
        }
    }
}

/// Holds the default, the choices and the examples against the rules.
pub(super) fn check_own_values(definition: &Definition, limits: &Limits, violations: &mut Vec<Violation>) {
    let rules = definition.rules();
    let choices = rules.choices.iter().map(|choice| ("a choice", choice));
    let default = rules.default.iter().map(|default| ("a default", default));
    let examples = definition.documentation().examples.iter().map(|example| ("an example", example));
    violations.extend(choices.chain(default).chain(examples).filter_map(|(what, value)| {
        let mut violation = definition.bind(value.clone(), limits).err()?;
        if violation.rule == Rule::DataType {
            violation.found = format!("{what} of type {}", value.data_type());
        }
        Some(violation)
    }));
    let mut sorted: Vec<_> = rules.choices.iter().collect();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find_map(|pair| (pair[0] == pair[1]).then_some(pair[0])) {
        let found = format!("{twice} is there twice");
        violations.push(Violation::new(Rule::Contradiction, "choices differ", found));
    }
}

/// Gives the default, the choices and the examples the form in which any value is kept, so that every store gives back
/// the same. Those that have none are refused when they are held against the rules.
fn keep_own_values(spec: &mut DefinitionSpec) {
    let own = spec.rules.default.iter_mut().chain(&mut spec.rules.choices).chain(&mut spec.documentation.examples);
    for value in own {
        if let Ok(kept) = value.clone().checked() {
            *value = kept;
        }
    }
}

/// The choices for a message.
pub(super) fn list(choices: &[Value]) -> String {
    let shown: Vec<_> = choices.iter().take(SPELLED_OUT).map(|value| format!("`{}`", shorten(value.to_string()))).collect();
    let more = choices.len().saturating_sub(SPELLED_OUT);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", shown.join(", "))
}
