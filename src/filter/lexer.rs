//! A filter's text, cut into words.

use std::iter::Peekable;
use std::str::Chars;

use crate::error::{Rule, Violation};
use crate::model::number_parts;

/// One word of a filter's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A bare word: a name or a keyword.
    Word(String),
    /// A name in double quotes.
    Name(String),
    /// A text in single quotes.
    Text(String),
    Number(String),
    Symbol(&'static str),
}

/// Longer symbols before those that they begin with.
const SYMBOLS: [&str; 10] = ["!=", "~=", "<=", ">=", "=", "<", ">", "(", ")", ","];

/// A character of a bare name; the first is none of `.`, `-` and the digits.
pub(super) fn is_word(c: char, is_first: bool) -> bool {
    c == '_' || c.is_alphabetic() || !is_first && (c.is_alphanumeric() || matches!(c, '.' | '-'))
}

pub(super) struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    /// In characters, from 1.
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.chars().peekable(), at: 1 }
    }

    /// The next word with its place; none at the end, which has a place as well.
    pub(super) fn token(&mut self) -> Result<(Option<Token>, usize), Violation> {
        while self.take_if(char::is_whitespace).is_some() {}
        let at = self.at;
        let Some(&first) = self.rest.peek() else { return Ok((None, at)) };
        let token = match first {
            '\'' => Token::Text(self.quoted('\'')?),
            '"' => Token::Name(self.quoted('"')?),
            '-' | '0'..='9' => self.number()?,
            first if is_word(first, true) => Token::Word(self.take_while(|c| is_word(c, false))),
            _ => self.symbol()?,
        };
        Ok((Some(token), at))
    }

    fn take_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let taken = self.rest.next_if(|c| wanted(*c))?;
        self.at += 1;
        Some(taken)
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        std::iter::from_fn(|| self.take_if(&wanted)).collect()
    }

    fn quoted(&mut self, quote: char) -> Result<String, Violation> {
        let began = self.at;
        self.take_if(|c| c == quote);
        let mut text = String::new();
        while let Some(c) = self.take_if(|_| true) {
            if c != quote || self.take_if(|c| c == quote).is_some() {
                text.push(c);
            } else {
                return Ok(text);
            }
        }
        let limit = format!("another {quote} to close the one");
        Err(unexpected(&limit, "its end", began))
    }

    fn number(&mut self) -> Result<Token, Violation> {
        let began = self.at;
        let sign = self.take_if(|c| c == '-').map(String::from).unwrap_or_default();
        let number = sign + &self.take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '_'));
        if number_parts(&number).is_some() {
            return Ok(Token::Number(number));
        }
        Err(unexpected("a number such as -12.50, without exponent or separators,", &format!("`{number}`"), began))
    }

    fn symbol(&mut self) -> Result<Token, Violation> {
        let began = self.at;
        let ahead: String = self.rest.clone().take(2).collect();
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| ahead.starts_with(**symbol)) {
            symbol.chars().for_each(|_| _ = self.take_if(|_| true));
            return Ok(Token::Symbol(symbol));
        }
        let found = ahead.chars().next().map(|c| format!("`{c}`")).unwrap_or_default();
        Err(unexpected("a name, a value, a comparison or a parenthesis", &found, began))
    }
}

impl Token {
    /// How a message names it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Word(word) | Self::Number(word) => format!("`{word}`"),
            Self::Name(name) => format!("the name `{name}`"),
            Self::Text(text) => format!("the text '{text}'"),
            Self::Symbol(symbol) => format!("`{symbol}`"),
        }
    }

    /// Whether it is this symbol, or this keyword in any case.
    pub(super) fn is(&self, wanted: &str) -> bool {
        match self {
            Self::Word(word) => word.eq_ignore_ascii_case(wanted),
            Self::Symbol(symbol) => *symbol == wanted,
            Self::Name(_) | Self::Text(_) | Self::Number(_) => false,
        }
    }
}

/// What should stand at a place of the text, and what does.
pub(super) fn unexpected(expected: &str, found: &str, at: usize) -> Violation {
    Violation::new(Rule::FilterSyntax, expected, found).in_filter(Some(at))
}
