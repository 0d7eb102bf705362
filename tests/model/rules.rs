//! What the reference model knows of values and rules, in the plainest way.

use custom_attributes::{DataType, DefinitionSpec, Rule, Value};
use rust_decimal::Decimal;

use crate::alphabet::{self, CHOICES, DOCUMENTATION_CHARS, DOCUMENTATION_ITEMS, NAME_CHARS, PATTERNS, STRING_CHARS, displayed};

/// A broken rule, with the limit and what was found where the model has words for them.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) rule: Rule,
    pub(crate) texts: Option<(String, String)>,
}

impl Fault {
    pub(crate) fn new(rule: Rule, limit: impl ToString, found: impl ToString) -> Self {
        Self { rule, texts: Some((limit.to_string(), found.to_string())) }
    }

    pub(crate) fn wordless(rule: Rule) -> Self {
        Self { rule, texts: None }
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// What is wrong with a name.
pub(crate) fn name_fault(name: &str) -> Option<Fault> {
    let chars = length(&displayed(name));
    if chars == 0 || chars > NAME_CHARS {
        return Some(Fault::new(Rule::NameLength, format!("1 to {NAME_CHARS}"), chars));
    }
    let bad = name.chars().any(|c| "{}[]\u{200b}".contains(c));
    bad.then(|| Fault::wordless(Rule::NameCharacters))
}

/// A name as messages have it: as it is kept, if it can be.
pub(crate) fn shown_name(name: &str) -> String {
    if name_fault(name).is_none() { displayed(name) } else { name.to_owned() }
}

/// Reads a value from text as its type is written.
pub(crate) fn read(data_type: DataType, text: &str) -> Result<Value, Fault> {
    let not_so_written = Fault::wordless(Rule::Grammar);
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let all_digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    match data_type {
        DataType::String => Ok(text.into()),
        DataType::Boolean if text == "true" || text == "false" => Ok((text == "true").into()),
        DataType::Integer if all_digits(digits) => {
            let number = sign * digits.parse::<i128>().expect("the texts are short");
            let number = i64::try_from(number);
            number.map(Value::from).map_err(|_| Fault::new(Rule::Range, format!("{} to {}", i64::MIN, i64::MAX), text))
        }
        DataType::Decimal => {
            let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
            if !all_digits(whole) || !all_digits(fraction) {
                return Err(not_so_written);
            }
            if whole.trim_start_matches('0').len() + fraction.len() > 28 {
                return Err(Fault::new(Rule::SignificantDigits, 28, text));
            }
            let number: Decimal = digits.parse().expect("it is in order and short");
            Ok(Value::Decimal(if sign < 0 { -number } else { number }))
        }
        DataType::Date => {
            let parts: Vec<&str> = text.split('-').collect();
            let [year, month, day] = parts[..] else { return Err(not_so_written) };
            let widths = (year.len(), month.len(), day.len()) == (4, 2, 2);
            if !widths || !parts.iter().all(|part| all_digits(part)) || year == "0000" {
                return Err(not_so_written);
            }
            text.parse().map(Value::Date).map_err(|_| not_so_written)
        }
        _ => Err(not_so_written),
    }
}

/// What a value has to be whatever the definition, and its kept form.
pub(crate) fn well_formed(value: Value) -> Result<Value, Fault> {
    match value {
        Value::String(text) if text.contains('\0') => Err(Fault::wordless(Rule::Characters)),
        Value::Decimal(number) if number.is_zero() => Ok(Value::Decimal(number.abs())),
        Value::Decimal(number) if number.abs() > Decimal::from(i64::MAX) => Err(Fault::wordless(Rule::Range)),
        Value::Date(day) if !("0001-01-01"..="9999-12-31").contains(&day.to_string().as_str()) => {
            Err(Fault::new(Rule::Range, "0001-01-01 to 9999-12-31", day))
        }
        good => Ok(good),
    }
}

/// Holds a value against all that a definition and the host ask: the first rule that it breaks, or its kept form.
pub(crate) fn bind(spec: &DefinitionSpec, value: Value) -> Result<Value, Fault> {
    let value = typed(spec, value)?;
    if let Value::String(text) = &value
        && length(text) > STRING_CHARS
    {
        return Err(Fault::new(Rule::MaximumChars, STRING_CHARS, length(text)));
    }
    admitted(spec, value)
}

/// The same of a value that is held already: what the host allows was asked when it came in.
pub(crate) fn bind_held(spec: &DefinitionSpec, value: Value) -> Result<Value, Fault> {
    admitted(spec, typed(spec, value)?)
}

fn typed(spec: &DefinitionSpec, value: Value) -> Result<Value, Fault> {
    if value.data_type() != spec.data_type {
        return Err(Fault::new(Rule::DataType, spec.data_type, value.data_type()));
    }
    well_formed(value)
}

fn admitted(spec: &DefinitionSpec, value: Value) -> Result<Value, Fault> {
    match admits(spec, &value) {
        Some(fault) => Err(fault),
        None => Ok(value),
    }
}

/// The value as one of another type: with the same text, or, where numbers count, as the same number.
pub(crate) fn converted(value: &Value, wanted: DataType, by_value: bool) -> Result<Value, Fault> {
    let converted = well_formed(converted_by_value(value, wanted)?)?;
    if by_value || converted.to_string() == value.to_string() {
        Ok(converted)
    } else {
        Err(Fault::new(Rule::ConversionText, wanted, value))
    }
}

fn converted_by_value(value: &Value, wanted: DataType) -> Result<Value, Fault> {
    let inexact = || Fault::new(Rule::Conversion, wanted, value);
    match (value, wanted) {
        (Value::String(text), _) => read(wanted, text),
        (_, DataType::String) => Ok(Value::String(value.to_string())),
        (Value::Integer(number), DataType::Decimal) => Ok(Value::Decimal(Decimal::from(*number))),
        (Value::Decimal(number), DataType::Integer) if number.fract().is_zero() => {
            i64::try_from(number.trunc()).map(Value::Integer).map_err(|_| inexact())
        }
        _ => Err(inexact()),
    }
}

/// What a held value becomes where its definition is changed; none if it stays as it is.
pub(crate) fn settled(spec: &DefinitionSpec, value: &Value, by_value: bool) -> Result<Option<Value>, Fault> {
    if value.data_type() == spec.data_type {
        return admits(spec, value).map_or(Ok(None), Err);
    }
    bind_held(spec, converted(value, spec.data_type, by_value)?).map(Some)
}

/// The first rule that a well-formed value of the right type breaks.
pub(crate) fn admits(spec: &DefinitionSpec, value: &Value) -> Option<Fault> {
    let rules = &spec.rules;
    if let Value::String(text) = value {
        let chars = u32::try_from(length(text)).expect("the texts are short");
        if let Some(most) = rules.maximum_chars.filter(|most| chars > *most) {
            return Some(Fault::new(Rule::MaximumChars, most, chars));
        }
        if let Some(least) = rules.minimum_chars.filter(|least| chars < *least) {
            return Some(Fault::new(Rule::MinimumChars, least, chars));
        }
        let pattern = rules.pattern.as_ref().filter(|pattern| *pattern != PATTERNS[3]);
        if let Some(pattern) = pattern.filter(|pattern| !alphabet::matches(pattern, text)) {
            return Some(Fault::new(Rule::Pattern, pattern, text));
        }
    }
    if let (Value::Decimal(number), Some(digits)) = (value, rules.fraction_digits)
        && number.trunc_with_scale(digits) != *number
    {
        return Some(Fault::new(Rule::FractionDigits, digits, number));
    }
    if let Some(least) = rules.minimum.as_ref().filter(|least| value < least) {
        return Some(Fault::new(Rule::Minimum, least, value));
    }
    if let Some(most) = rules.maximum.as_ref().filter(|most| value > most) {
        return Some(Fault::new(Rule::Maximum, most, value));
    }
    if !rules.choices.is_empty() && !rules.choices.contains(value) {
        return Some(Fault::wordless(Rule::Choices));
    }
    None
}

/// Whether two declarations ask the same of a value: `required`, `unique` and `default` ask nothing of it.
pub(crate) fn ask_the_same(a: &DefinitionSpec, b: &DefinitionSpec) -> bool {
    let asked = |spec: &DefinitionSpec| {
        let mut rules = spec.rules.clone();
        (rules.required, rules.unique, rules.default) = (false, false, None);
        rules
    };
    asked(a) == asked(b)
}

/// All that is wrong with a declaration, or its kept form.
pub(crate) fn declare(given: &DefinitionSpec) -> Result<DefinitionSpec, Vec<Fault>> {
    let mut spec = given.clone();
    let mut faults: Vec<Fault> = name_fault(&spec.name).into_iter().collect();
    if faults.is_empty() {
        spec.name = displayed(&spec.name);
    }
    take_inapplicable(&mut spec, &mut faults);
    take_bad_bounds(&mut spec, &mut faults);
    let rules = &spec.rules;
    let contradictions = [
        rules.minimum.is_some() && rules.maximum.is_some() && rules.minimum > rules.maximum,
        rules.minimum_chars.is_some() && rules.maximum_chars.is_some() && rules.minimum_chars > rules.maximum_chars,
        no_such_fraction(&spec),
        rules.unique && rules.default.is_some(),
        rules.unique && !spec.searchable,
    ];
    let documentation = &spec.documentation;
    let chars = [rules.minimum_chars, rules.maximum_chars].map(|chars| chars.unwrap_or(0) as usize > STRING_CHARS);
    let sizes = [
        chars[0],
        chars[1],
        rules.fraction_digits.unwrap_or(0) > 28,
        rules.choices.len() > CHOICES,
        documentation.examples.len() > DOCUMENTATION_ITEMS,
        documentation.used_by.len() > DOCUMENTATION_ITEMS,
    ];
    faults.extend(contradictions.iter().filter(|broken| **broken).map(|_| Fault::wordless(Rule::Contradiction)));
    faults.extend(sizes.iter().filter(|broken| **broken).map(|_| Fault::wordless(Rule::Size)));
    for text in documentation.description.iter().chain(&documentation.group).chain(&documentation.used_by) {
        if length(text) > DOCUMENTATION_CHARS {
            faults.push(Fault::wordless(Rule::Size));
        }
        if text.contains('\0') {
            faults.push(Fault::wordless(Rule::Characters));
        }
    }
    if rules.pattern.as_deref() == Some(PATTERNS[3]) {
        faults.push(Fault::wordless(Rule::Grammar));
    }
    let own = rules.choices.iter().map(|value| ("a choice", value)).chain(rules.default.iter().map(|value| ("a default", value)));
    let own = own.chain(documentation.examples.iter().map(|value| ("an example", value)));
    faults.extend(own.filter_map(|(what, value)| {
        let is_typed = value.data_type() == spec.data_type;
        let wrong = || Fault::new(Rule::DataType, spec.data_type, format!("{what} of type {}", value.data_type()));
        bind(&spec, value.clone()).map_err(|fault| if is_typed { fault } else { wrong() }).err()
    }));
    let is_twice = |value: &Value| rules.choices.iter().filter(|other| *other == value).count() > 1;
    if rules.choices.iter().any(is_twice) {
        faults.push(Fault::wordless(Rule::Contradiction));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let own = spec.rules.default.iter_mut().chain(&mut spec.rules.choices).chain(&mut spec.documentation.examples);
    own.for_each(|value| *value = well_formed(value.clone()).unwrap_or_else(|fault| panic!("it was bound: {fault:?}")));
    Ok(spec)
}

/// What makes no sense for the type is said once, and not looked at again.
fn take_inapplicable(spec: &mut DefinitionSpec, faults: &mut Vec<Fault>) {
    let is = |types: &[DataType]| types.contains(&spec.data_type);
    let ordered = is(&[DataType::Decimal, DataType::Integer, DataType::Date]);
    let (text, decimal, truth) = (is(&[DataType::String]), is(&[DataType::Decimal]), is(&[DataType::Boolean]));
    let rules = &mut spec.rules;
    let mut inapplicable = 0;
    if !ordered {
        inapplicable += usize::from(rules.minimum.take().is_some()) + usize::from(rules.maximum.take().is_some());
    }
    if !text {
        inapplicable += usize::from(rules.minimum_chars.take().is_some()) + usize::from(rules.maximum_chars.take().is_some());
        inapplicable += usize::from(rules.pattern.take().is_some());
    }
    if !decimal {
        inapplicable += usize::from(rules.fraction_digits.take().is_some());
    }
    if truth && !rules.choices.is_empty() {
        rules.choices.clear();
        inapplicable += 1;
    }
    faults.extend((0..inapplicable).map(|_| Fault::wordless(Rule::Applicable)));
}

fn take_bad_bounds(spec: &mut DefinitionSpec, faults: &mut Vec<Fault>) {
    for bound in [&mut spec.rules.minimum, &mut spec.rules.maximum] {
        let Some(value) = bound.take() else { continue };
        if value.data_type() != spec.data_type {
            faults.push(Fault::wordless(Rule::DataType));
            continue;
        }
        match well_formed(value) {
            Ok(value) => *bound = Some(value),
            Err(fault) => faults.push(fault),
        }
    }
}

/// Whether no number from the minimum to the maximum has so few digits after its point.
fn no_such_fraction(spec: &DefinitionSpec) -> bool {
    let (Some(Value::Decimal(least)), Some(Value::Decimal(most)), Some(digits)) =
        (&spec.rules.minimum, &spec.rules.maximum, spec.rules.fraction_digits)
    else {
        return false;
    };
    // Numbers of the alphabet have two digits after their point at most.
    let step = Decimal::new(1, digits.min(2));
    let greatest = (most / step).floor() * step;
    least <= most && greatest < *least
}

/// The fields in which a definition differs from what was needed, by the names that a declaration is written with.
pub(crate) fn differing_fields(needed: &DefinitionSpec, found: &DefinitionSpec) -> Vec<String> {
    let (rules, others) = (&needed.rules, &found.rules);
    let (words, other_words) = (&needed.documentation, &found.documentation);
    let fields = [
        ("choices", rules.choices != others.choices),
        ("data_type", needed.data_type != found.data_type),
        ("default", rules.default != others.default),
        ("description", words.description != other_words.description),
        ("examples", words.examples != other_words.examples),
        ("fraction_digits", rules.fraction_digits != others.fraction_digits),
        ("group", words.group != other_words.group),
        ("maximum", rules.maximum != others.maximum),
        ("maximum_chars", rules.maximum_chars != others.maximum_chars),
        ("minimum", rules.minimum != others.minimum),
        ("minimum_chars", rules.minimum_chars != others.minimum_chars),
        ("name", displayed(&needed.name) != found.name),
        ("pattern", rules.pattern != others.pattern),
        ("required", rules.required != others.required),
        ("retention", needed.retention != found.retention),
        ("searchable", needed.searchable != found.searchable),
        ("sensitive", needed.sensitive != found.sensitive),
        ("unique", rules.unique != others.unique),
        ("used_by", words.used_by != other_words.used_by),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field.to_owned()).collect()
}
