//! A filter as text: what is read from it is the filter again.

use std::fmt;

use crate::filter::lexer::is_word;
use crate::filter::parse::is_keyword;
use crate::filter::{Asked, Filter, Literal, Step, Test, Written};

/// How tight a printed operand holds together, the loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Alone,
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut done: Vec<(String, Binding)> = Vec::new();
        for step in self.steps.iter() {
            let printed = match step {
                Step::Test(test) => (test.to_string(), Binding::Alone),
                Step::Not => (format!("not {}", operand(done.pop().into_iter(), Binding::Alone, "")), Binding::Alone),
                Step::And(operands) => (operand(last(&mut done, *operands), Binding::And, " and "), Binding::And),
                Step::Or(operands) => (operand(last(&mut done, *operands), Binding::Or, " or "), Binding::Or),
            };
            done.push(printed);
        }
        done.iter().try_for_each(|(text, _)| f.write_str(text))
    }
}

fn last<T>(all: &mut Vec<T>, many: usize) -> impl Iterator<Item = T> + '_ {
    all.drain(all.len().saturating_sub(many)..)
}

/// Operands in a row, in parentheses where they would fall apart.
fn operand(operands: impl Iterator<Item = (String, Binding)>, within: Binding, between: &str) -> String {
    let whole = |(text, binding): (String, Binding)| if binding < within { format!("({text})") } else { text };
    operands.map(whole).collect::<Vec<_>>().join(between)
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        let is_bare = name.chars().enumerate().all(|(n, c)| is_word(c, n == 0)) && !name.is_empty() && !is_keyword(name);
        (if is_bare { f.write_str(name) } else { f.write_str(&quoted(name, '"')) })?;
        match &self.asked {
            Asked::Compare(comparison, value) => write!(f, " {} {value}", comparison.as_str()),
            Asked::Between(first, last) => write!(f, " between {first} and {last}"),
            Asked::In(values) => {
                f.write_str(" in (")?;
                for (n, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if n == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
            Asked::Exists => f.write_str(" exists"),
            Asked::NotExists => f.write_str(" not exists"),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.written {
            Written::Text(text) => f.write_str(&quoted(text, '\'')),
            Written::Number(number) => f.write_str(number),
            Written::Truth(truth) => write!(f, "{truth}"),
        }
    }
}

/// Within quotes, and those within doubled.
pub(super) fn quoted(text: &str, quote: char) -> String {
    format!("{quote}{}{quote}", text.replace(quote, &format!("{quote}{quote}")))
}
