//! Which known name someone may have meant.

/// The name that is spelt most like `name`, unless even that one is too far from it: more than a
/// third of the letters wrong. Upper and lower case count as the same letter, at a small price.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let candidates = known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate));
    let (distance, candidate) = candidates.min_by_key(|(distance, _)| *distance)?;
    let longest = name.chars().count().max(candidate.chars().count());
    // A wrong case counts 1, any other mistake 4.
    (distance * 3 <= longest * 4).then_some(candidate)
}

/// How many letters must change, come, go or swap with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().take(128).collect();
    let other: Vec<char> = other.chars().take(128).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).map(|count| count * 4).collect();
    for (row, a) in one.iter().enumerate() {
        let mut current = vec![(row + 1) * 4];
        for (column, b) in other.iter().enumerate() {
            let price = match (a == b, a.eq_ignore_ascii_case(b)) {
                (true, _) => 0,
                (_, true) => 1,
                _ => 4,
            };
            let mut best = (last[column] + price)
                .min(last[column + 1] + 4)
                .min(current[column] + 4);
            let swapped = row > 0 && column > 0 && *a == other[column - 1] && one[row - 1] == *b;
            if swapped {
                best = best.min(before[column - 1] + 4);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(0)
}
