//! Lists: their items, how many there are, and whether they are distinct.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    SchemaErrorKind,
    cel::{by_key, key_of},
    compile::{ListType, Node},
    validate::{Token, Walk},
    value::shown,
};

impl<'a> Walk<'a> {
    pub(super) fn list(&mut self, node: &'a Node, items: &'a [Value]) {
        if let Some(of) = node.items.as_deref() {
            let stored = self.old.map_or_else(HashMap::new, |old| by_key(node, old));
            for (at, item) in items.iter().enumerate() {
                // The server puts the default there.
                if item.is_null() && of.defaulted && !of.nullable {
                    continue;
                }
                let inner = self.shape.and_then(|shape| shape.items.as_deref());
                let key = (!stored.is_empty()).then(|| key_of(node, item)).flatten();
                let old = key.and_then(|key| stored.get(&key).copied());
                self.below(Token::Index(at), [inner, Some(of)], item, old);
            }
        }
        let count = items.len() as u64;
        if let Some(min) = node.count.min.filter(|min| count < *min) {
            let what = format!("{} in body should have at least {min} items", self.field());
            self.say(
                SchemaErrorKind::Count,
                format!("Invalid value: {count}: {what}"),
            );
        }
        if let Some(max) = node.count.max.filter(|max| count > *max) {
            let word = if max == 1 { "item" } else { "items" };
            self.say(
                SchemaErrorKind::Count,
                format!("Too many: {count}: must have at most {max} {word}"),
            );
        }
        match &node.list_type {
            ListType::Atomic => {}
            ListType::Set => {
                self.check_distinct(items.iter().map(|item| (item.to_string(), shown(item))));
            }
            ListType::Map(keys) => self.check_map_keys(node, keys, items),
        }
    }

    fn check_map_keys(&mut self, node: &'a Node, keys: &[Box<str>], items: &'a [Value]) {
        for (at, item) in items.iter().enumerate() {
            if !matches!(item, Value::Object(_) | Value::Null) {
                self.path.push(Token::Index(at));
                let message = format!(
                    "Invalid value: {}: must be an object for an array of list-type map",
                    shown(item)
                );
                self.say(SchemaErrorKind::Duplicate, message);
                self.path.pop();
                return;
            }
        }
        let key = |item: &Value| {
            let field = |name: &str| {
                let default = || node.items.as_ref()?.property(name)?.default.as_ref();
                item.get(name)
                    .filter(|value| !value.is_null())
                    .or_else(default)
                    .cloned()
            };
            let fields = keys
                .iter()
                .filter_map(|name| Some((name.to_string(), field(name)?)));
            Value::Object(fields.collect()).to_string()
        };
        self.check_distinct(items.iter().map(|item| {
            let key = key(item);
            (key.clone(), key)
        }));
    }

    /// Names the second of entries that are the same. Each comes with how it is shown.
    fn check_distinct(&mut self, entries: impl Iterator<Item = (String, String)>) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (at, (entry, shown)) in entries.enumerate() {
            let times = seen.entry(entry).or_default();
            *times += 1;
            if *times == 2 {
                self.path.push(Token::Index(at));
                self.say(
                    SchemaErrorKind::Duplicate,
                    format!("Duplicate value: {shown}"),
                );
                self.path.pop();
            }
        }
    }
}
