//! A filter read from text.

use crate::error::{Rule, Violation};
use crate::filter::lexer::{Lexer, Token, unexpected};
use crate::filter::{Asked, Comparison, Filter, Literal, Position, Test, Written};

pub(super) fn parse(text: &str) -> Result<Filter, Violation> {
    if text.len() > Filter::MAX_BYTES {
        return Err(Violation::new(Rule::FilterSize, format!("at most {} bytes", Filter::MAX_BYTES), text.len()));
    }
    let mut parser = Parser { lexer: Lexer::new(text), next: None, at: 1 };
    parser.advance()?;
    parser.filter()
}

/// What waits for its operands, the loosest first; a parenthesis waits for its other half.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Waiting {
    Parenthesis,
    Or,
    And,
    Not,
}

/// Reads with a stack of its own: no depth of a text is the program's.
struct Parser<'a> {
    lexer: Lexer<'a>,
    next: Option<Token>,
    at: usize,
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<(), Violation> {
        (self.next, self.at) = self.lexer.token()?;
        Ok(())
    }

    /// Takes the next word if it is this one.
    fn take(&mut self, wanted: &str) -> Result<bool, Violation> {
        let is_next = self.next.as_ref().is_some_and(|token| token.is(wanted));
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    /// Takes the next word, which must be this one; if it is not, the message names all that might stand there.
    fn require(&mut self, wanted: &str, expected: &str) -> Result<(), Violation> {
        if self.take(wanted)? { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn unexpected(&self, expected: &str) -> Violation {
        let found = self.next.as_ref().map_or_else(|| "its end".to_owned(), Token::shown);
        unexpected(expected, &found, self.at)
    }

    fn filter(&mut self) -> Result<Filter, Violation> {
        let (mut done, mut waiting): (Vec<Filter>, Vec<Waiting>) = (Vec::new(), Vec::new());
        loop {
            self.prefixes(&mut waiting)?;
            done.push(self.test()?);
            loop {
                let joins = if self.take("and")? {
                    Some(Waiting::And)
                } else if self.take("or")? {
                    Some(Waiting::Or)
                } else {
                    None
                };
                settle(&mut done, &mut waiting, joins.unwrap_or(Waiting::Or));
                if let Some(joins) = joins {
                    waiting.push(joins);
                    break;
                }
                match waiting.pop() {
                    Some(_) => self.require(")", "`and`, `or` or `)`")?,
                    None if self.next.is_some() => return Err(self.unexpected("`and`, `or` or its end")),
                    None => return done.pop().ok_or_else(|| self.unexpected("a test")),
                }
            }
        }
    }

    /// What may stand before a test.
    fn prefixes(&mut self, waiting: &mut Vec<Waiting>) -> Result<(), Violation> {
        loop {
            let at = self.at;
            let prefix = if self.take("(")? {
                Waiting::Parenthesis
            } else if self.take("not")? {
                Waiting::Not
            } else {
                return Ok(());
            };
            waiting.push(prefix);
            let depth = waiting.iter().filter(|one| matches!(one, Waiting::Parenthesis | Waiting::Not)).count();
            if depth > Filter::MAX_DEPTH {
                return Err(too_deep().in_filter(Some(at)));
            }
        }
    }

    fn test(&mut self) -> Result<Filter, Violation> {
        let at = Position(Some(self.at));
        let name = match &self.next {
            Some(Token::Name(name)) => name.clone(),
            Some(Token::Word(word)) if !is_keyword(word) => word.clone(),
            _ => return Err(self.unexpected("an attribute's name, `not` or `(`")),
        };
        self.advance()?;
        Ok(Filter::from(Test { name, at, asked: self.asked()? }))
    }

    fn asked(&mut self) -> Result<Asked, Violation> {
        for comparison in Comparison::ALL {
            let mut words = comparison.as_str().split(' ');
            if self.take(words.next().unwrap_or_default())? {
                words.try_for_each(|word| self.require(word, &format!("`{word}`")))?;
                return Ok(Asked::Compare(comparison, self.literal()?));
            }
        }
        if self.take("between")? {
            let first = self.literal()?;
            self.require("and", "`and`")?;
            return Ok(Asked::Between(first, self.literal()?));
        }
        if self.take("in")? {
            return self.list().map(Asked::In);
        }
        if self.take("not")? {
            self.require("exists", "`exists`")?;
            return Ok(Asked::NotExists);
        }
        if self.take("exists")? {
            return Ok(Asked::Exists);
        }
        Err(self.unexpected("a comparison such as `=`, `in`, `between`, `contains` or `exists`"))
    }

    fn list(&mut self) -> Result<Vec<Literal>, Violation> {
        self.require("(", "`(`")?;
        let mut values = Vec::new();
        if self.take(")")? {
            return Ok(values);
        }
        loop {
            values.push(self.literal()?);
            if !self.take(",")? {
                self.require(")", "`,` or `)`")?;
                return Ok(values);
            }
        }
    }

    fn literal(&mut self) -> Result<Literal, Violation> {
        let at = Position(Some(self.at));
        let written = match &self.next {
            Some(Token::Text(text)) => Written::Text(text.clone()),
            Some(Token::Number(number)) => Written::Number(number.clone()),
            Some(token) if token.is("true") => Written::Truth(true),
            Some(token) if token.is("false") => Written::Truth(false),
            Some(Token::Word(_)) => return Err(self.unexpected("a value (a text or a date in single quotes)")),
            _ => return Err(self.unexpected("a value")),
        };
        self.advance()?;
        Ok(Literal { written, at })
    }
}

/// Joins what is done as far as it binds tighter than what follows.
fn settle(done: &mut Vec<Filter>, waiting: &mut Vec<Waiting>, follows: Waiting) {
    while let Some(last) = waiting.pop_if(|last| *last >= follows) {
        let Some(right) = done.pop() else { return };
        let joined = match (last, done.pop()) {
            (Waiting::Not, left) => {
                done.extend(left);
                !right
            }
            (_, None) => right,
            (Waiting::And, Some(left)) => left & right,
            (_, Some(left)) => left | right,
        };
        done.push(joined);
    }
}

pub(super) fn too_deep() -> Violation {
    Violation::new(Rule::FilterSize, format!("at most {} levels of parentheses and `not`", Filter::MAX_DEPTH), "more")
}

/// Words that are no bare names.
const KEYWORDS: [&str; 12] =
    ["and", "or", "not", "in", "between", "starts", "ends", "with", "contains", "exists", "true", "false"];

pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}
