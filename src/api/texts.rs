//! Labels and annotations, in little memory: a world of ten thousand objects has as many maps of one or two
//! entries.

use std::fmt;

use serde::{
    Deserialize, Serialize,
    de::{Deserializer, MapAccess, Visitor},
    ser::Serializer,
};

/// Texts by name, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(Vec<(Box<str>, Box<str>)>);

impl Texts {
    /// The text of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.binary_search_by(|(known, _)| (**known).cmp(name));
        found.ok().map(|at| &*self.0[at].1)
    }

    /// Whether there is a text of this name, an empty one included.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops all texts but those of these names.
    pub(crate) fn keep(&mut self, names: &[&str]) {
        self.0.retain(|(name, _)| names.contains(&&**name));
        self.0.shrink_to_fit();
    }
}

/// The last text of a name holds, as in any reader of JSON.
impl<T: Into<Box<str>>> FromIterator<(T, T)> for Texts {
    fn from_iter<I: IntoIterator<Item = (T, T)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut entries: Vec<(Box<str>, Box<str>)> = entries
            .map(|(name, text)| (name.into(), text.into()))
            .collect();
        entries.reverse();
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        entries.dedup_by(|(next, _), (kept, _)| next == kept);
        Self(entries)
    }
}

impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.collect_map(self.0.iter().map(|(name, text)| (name, text)))
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Texts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("texts by name")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Texts, A::Error> {
                let mut entries = Vec::with_capacity(input.size_hint().unwrap_or(0).min(64));
                while let Some(entry) = input.next_entry::<Box<str>, Box<str>>()? {
                    entries.push(entry);
                }
                Ok(entries.into_iter().collect())
            }
        }
        input.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_name() {
        let mut texts: Texts =
            serde_json::from_str(r#"{"b": "2", "a": "1", "c": "", "a": "3"}"#).expect("texts");
        assert_eq!(texts.get("a"), Some("3"));
        assert_eq!(texts.get("b"), Some("2"));
        assert!(texts.contains_key("c") && !texts.contains_key("d"));
        assert_eq!(
            serde_json::to_string(&texts).expect("JSON"),
            r#"{"a":"3","b":"2","c":""}"#
        );
        texts.keep(&["c", "d"]);
        assert_eq!(texts.0, [("c".into(), "".into())]);
        assert!(serde_json::from_str::<Texts>(r#"{"a": 1}"#).is_err());
    }
}
