//! Small things about words that every front end needs.

/// The candidate most like `name`, if one is near enough to have been meant.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Values as a person reads them: `"east", "west"`.
pub fn list<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = values
        .into_iter()
        .map(|value| format!("\"{value}\""))
        .collect();
    quoted.join(", ")
}

/// The text on one line and without control characters: kube-apiserver drops a warning that has any, and
/// a terminal would obey them.
pub fn plain(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// The text in at most `limit` characters, its end replaced by an ellipsis where it was cut.
pub fn clip(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(limit.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        let fields = ["preferredCluster", "failoverCluster", "action"];
        assert_eq!(nearest("preferedCluster", fields), Some("preferredCluster"));
        assert_eq!(nearest("failovercluster", fields), Some("failoverCluster"));
        assert_eq!(nearest("colour", fields), None);
    }

    #[test]
    fn control_characters_are_spelt_out() {
        assert_eq!(plain("a\nb\u{1b}[31mß".to_owned()), "a\\nb\\u{1b}[31mß");
    }

    #[test]
    fn clipping_counts_characters() {
        assert_eq!(clip("äöü", 3), "äöü");
        assert_eq!(clip("äöüß", 3), "äö…");
    }
}
