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

/// The number of characters to insert, delete, replace, or exchange with their neighbour (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let (mut before, mut above): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (above[j] + usize::from(x != y)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}
