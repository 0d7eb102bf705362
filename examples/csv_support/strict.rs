//! Whether a text is CSV as RFC 4180 has it. The csv crate reads anything: it takes a quote for a character where none may stand.

/// What is wrong with a text, and where: the line of the file and the character of the line, from 1.
#[derive(Debug, PartialEq)]
pub(crate) struct Misplaced {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) what: String,
}

/// Where a cell is read.
enum State {
    /// At its beginning.
    Begin,
    /// Without quotes.
    Bare,
    /// Within quotes, which were opened at this place.
    Quoted(usize, usize),
    /// After a quote that closes the cell, or is the first of two.
    Closed(usize, usize),
}

/// Finds the first quote where none may stand. One pass, and no memory.
///
/// Rows may end with `\n`, `\r\n` or `\r`, and the last needs no end; within quotes a cell may have any of these.
pub(crate) fn check(text: &str, delimiter: u8) -> Result<(), Misplaced> {
    let (mut state, mut line, mut column) = (State::Begin, 1, 1);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let misplaced = |what: String| Err(Misplaced { line, column, what });
        let is_end = c == '\n' || c == '\r';
        let ends_cell = is_end || c == char::from(delimiter);
        state = match (state, c) {
            (State::Begin, '"') => State::Quoted(line, column),
            (State::Quoted(line, column), '"') => State::Closed(line, column),
            (State::Quoted(line, column), _) => State::Quoted(line, column),
            (State::Closed(line, column), '"') => State::Quoted(line, column),
            (State::Closed(..) | State::Bare | State::Begin, _) if ends_cell => State::Begin,
            (State::Closed(opened, _), _) => {
                let what =
                    format!("a cell goes on after its closing quote; it begins on line {opened}, and a quote in it is doubled");
                return misplaced(what);
            }
            (State::Bare, '"') => {
                let what = "a quote stands in a cell that does not begin with one; quote the whole cell, and double the quote";
                return misplaced(what.to_owned());
            }
            (State::Begin | State::Bare, _) => State::Bare,
        };
        // `\r\n` is one end.
        if is_end && !(c == '\r' && characters.peek() == Some(&'\n')) {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    match state {
        State::Quoted(line, column) => {
            Err(Misplaced { line, column, what: "the cell begins with a quote, and has no closing quote".to_owned() })
        }
        _ => Ok(()),
    }
}
