//! A filter's text, cut into words.

use std::iter::Peekable;

use unicode_ident::{is_xid_continue, is_xid_start};
use unicode_segmentation::{GraphemeIndices, UnicodeSegmentation};

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

/// Whether a bare name may have this character: the letters, digits and marks of identifiers by UAX #31, all other letters and
/// digits, and `_`, `.` and `-`. The first is a letter or `_`. Format characters, which no name has, are not among them.
pub(super) fn is_word(c: char, is_first: bool) -> bool {
    let is_start = c == '_' || c.is_alphabetic() || is_xid_start(c);
    is_start || !is_first && (c.is_alphanumeric() || is_xid_continue(c) || matches!(c, '.' | '-'))
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    /// In bytes, from 0.
    at: usize,
    places: Places<'a>,
}

/// Counts the characters that a person sees: grapheme clusters, from 1.
struct Places<'a> {
    clusters: Peekable<GraphemeIndices<'a>>,
    count: usize,
}

impl Places<'_> {
    /// The number of the cluster that this byte belongs to, or of the one after the last. It never goes back.
    fn of(&mut self, byte: usize, is_end: bool) -> usize {
        while self.clusters.next_if(|(start, _)| *start <= byte).is_some() {
            self.count += 1;
        }
        self.count.max(1) + usize::from(is_end && self.count > 0)
    }
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, places: Places { clusters: text.grapheme_indices(true).peekable(), count: 0 } }
    }

    /// The next word with its place; none at the end, which has a place as well.
    pub(super) fn token(&mut self) -> Result<(Option<Token>, usize), Violation> {
        self.take_while(char::is_whitespace);
        let at = self.places.of(self.at, self.at == self.text.len());
        let Some(first) = self.rest().chars().next() else { return Ok((None, at)) };
        let token = match first {
            '\'' => Token::Text(self.quoted('\'', at)?),
            '"' => Token::Name(self.quoted('"', at)?),
            '-' | '0'..='9' => self.number(at)?,
            first if is_word(first, true) => Token::Word(self.take_while(|c| is_word(c, false)).to_owned()),
            _ => self.symbol(at)?,
        };
        Ok((Some(token), at))
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !wanted(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    fn quoted(&mut self, quote: char, began: usize) -> Result<String, Violation> {
        self.at += quote.len_utf8();
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != quote));
            let quotes = self.rest().chars().take(2).take_while(|c| *c == quote).count();
            self.at += quotes;
            match quotes {
                0 => return Err(unexpected(&format!("another {quote} to close the one"), "its end", began)),
                1 => return Ok(text),
                _ => text.push(quote),
            }
        }
    }

    fn number(&mut self, began: usize) -> Result<Token, Violation> {
        let start = self.at;
        self.at += usize::from(self.rest().starts_with('-'));
        self.take_while(|c| c != '-' && is_word(c, false));
        let number = &self.text[start..self.at];
        if number_parts(number).is_some() {
            return Ok(Token::Number(number.to_owned()));
        }
        Err(unexpected("a number such as -12.50, without exponent or separators,", &format!("`{number}`"), began))
    }

    fn symbol(&mut self, began: usize) -> Result<Token, Violation> {
        let rest = self.rest();
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            self.at += symbol.len();
            return Ok(Token::Symbol(symbol));
        }
        let found = rest.graphemes(true).next().unwrap_or_default();
        Err(unexpected("a name, a value, a comparison or a parenthesis", &format!("`{found}`"), began))
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
