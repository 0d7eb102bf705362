//! Names that resemble one that was not found.

/// How many are offered.
const OFFERED: usize = 3;
/// How many names are looked through: a message is not worth more.
const LOOKED_AT: usize = 10_000;
/// Longer names are compared by their beginning.
const COMPARED_CHARS: usize = 64;

pub(super) fn nearest<'a, T: Copy + Ord>(key: &str, names: impl Iterator<Item = (&'a str, T)>) -> Vec<T> {
    let wanted: Vec<char> = key.chars().take(COMPARED_CHARS).collect();
    let most = (wanted.len() / 3).max(1);
    let mut close: Vec<_> = names
        .take(LOOKED_AT)
        .filter_map(|(name, item)| {
            let name: Vec<char> = name.chars().take(COMPARED_CHARS).collect();
            let distance = distance(&wanted, &name);
            let contained = wanted.len() >= 3 && name.windows(wanted.len()).any(|window| window == wanted);
            (distance <= most || contained).then_some((distance, item))
        })
        .collect();
    close.sort_unstable();
    close.into_iter().take(OFFERED).map(|(_, item)| item).collect()
}

/// The number of characters to insert, delete or replace (Levenshtein).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
