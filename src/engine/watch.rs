//! What an UPDATE changes of the fields that rules watch.

use jsonptr::Pointer;
use serde_json::Value;

use crate::api::{Doc, Kind, Object};

/// In a watched field, each entry of the list.
const EACH: &str = "*";

/// Whether a field differs; one that is absent on both sides does not. Of what lies in a text, this only
/// sees that the text differs.
pub(super) fn differs(new: Option<&Value>, old: Option<&Value>, tokens: &[String]) -> bool {
    let Some((token, rest)) = tokens.split_first() else {
        return new != old;
    };
    let text = |value: Option<&Value>| value.is_some_and(Value::is_string);
    if token == EACH || text(new) || text(old) {
        return new != old;
    }
    let field = |value: &'_ Value| match value {
        Value::Object(map) => map.contains_key(token),
        _ => false,
    };
    match (new, old) {
        (None, None) => false,
        _ if !new.is_some_and(field) && !old.is_some_and(field) => false,
        _ => differs(
            new.and_then(|new| new.get(token)),
            old.and_then(|old| old.get(token)),
            rest,
        ),
    }
}

/// The new and the stored object, and what of them differs.
pub(super) struct Changes<'a, K: Kind> {
    pub(super) new: (&'a Doc, &'a Object<K>),
    pub(super) old: (&'a Doc, &'a Object<K>),
}

impl<K: Kind> Changes<'_, K> {
    /// Whether one of these watched fields differs, also in a text whose data the kind knows. Where one
    /// of the texts can't be read, everything in it does.
    pub(super) fn any<'t>(&self, mut watches: impl Iterator<Item = &'t Vec<String>>) -> bool {
        watches.any(|tokens| self.one(tokens))
    }

    fn one(&self, tokens: &[String]) -> bool {
        let new = K::inner(&self.new.1.spec, tokens);
        let old = K::inner(&self.old.1.spec, tokens);
        let Some(((taken, new), (_, old))) = new.zip(old) else {
            let (new, old) = (&self.new.0.value, &self.old.0.value);
            return differs(Some(new), Some(old), tokens);
        };
        new.is_none() || old.is_none() || differs(new, old, &tokens[taken..])
    }

    /// Whether a field lies in an entry of a watched list, and the entry is stored just so, while nothing
    /// else differs that is watched.
    pub(super) fn spares<'t>(
        &self,
        watches: impl Iterator<Item = &'t Vec<String>> + Clone,
        pointer: &Pointer,
    ) -> bool {
        let entries = |tokens: &&Vec<String>| tokens.last().is_some_and(|last| last == EACH);
        watches
            .clone()
            .filter(entries)
            .any(|tokens| self.keeps(tokens, pointer))
            && !self.any(watches.filter(|tokens| !entries(tokens)))
    }

    fn keeps(&self, tokens: &[String], pointer: &Pointer) -> bool {
        let list = &tokens[..tokens.len() - 1];
        let mut at = pointer.tokens();
        let mut same = |token: &String| at.next().is_some_and(|at| at.decoded() == **token);
        if !list.iter().all(&mut same) {
            return false;
        }
        let index = at
            .next()
            .and_then(|index| index.decoded().parse::<usize>().ok());
        let entry = index.and_then(|index| entries(self.new, list)?.get(index));
        let stored = entries(self.old, list).unwrap_or_default();
        entry.is_some_and(|entry| stored.contains(entry))
    }
}

/// The entries of a list.
fn entries<'a, K: Kind>(
    (doc, object): (&'a Doc, &'a Object<K>),
    tokens: &[String],
) -> Option<&'a [Value]> {
    let (taken, value) = match K::inner(&object.spec, tokens) {
        Some((taken, inner)) => (taken, inner?),
        None => (0, &doc.value),
    };
    let mut rest = tokens[taken..].iter();
    let list = rest.try_fold(value, |value, token| value.get(token))?;
    list.as_array().map(Vec::as_slice)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::{ConfigMap, DRCluster, RAMEN_CONFIG};

    fn tokens(pointer: &str) -> Vec<String> {
        let pointer = Pointer::parse(pointer).unwrap();
        let tokens = pointer.tokens();
        tokens.map(|token| token.decoded().into_owned()).collect()
    }

    fn with<K: Kind>(new: Value, old: Value, judge: impl FnOnce(Changes<'_, K>)) {
        let (new, old) = (Doc::from_value(new).unwrap(), Doc::from_value(old).unwrap());
        let read = |doc: &Doc| Object::<K>::read(doc).unwrap();
        judge(Changes {
            new: (&new, &read(&new)),
            old: (&old, &read(&old)),
        });
    }

    fn configs(new: &str, old: &str, judge: impl FnOnce(Changes<'_, ConfigMap>)) {
        let map = |text: &str| json!({ "data": { RAMEN_CONFIG: text } });
        with(map(new), map(old), judge);
    }

    #[test]
    fn a_field_in_a_text_differs_by_what_it_says() {
        let watched = |field: &str| vec![tokens(&format!("/data/{RAMEN_CONFIG}{field}"))];
        let new = "volSync: {disabled: yes}\nmetrics: {bindAddress: '0'}\n";
        configs(new, "VolSync:\n  disabled: true\n", |changes| {
            assert!(changes.any(watched("").iter()));
            assert!(!changes.any(watched("/volSync").iter()));
            assert!(!changes.any(watched("/volSync/disabled").iter()));
            assert!(!changes.any(watched("/health").iter()));
            assert!(changes.any(watched("/metrics/bindAddress").iter()));
        });
        configs("volSync: {disabled: true}", "volSync: [", |changes| {
            assert!(changes.any(watched("/volSync/disabled").iter()));
        });
    }

    #[test]
    fn an_entry_that_stays_is_spared_unless_something_else_differs() {
        let profiles = tokens(&format!("/data/{RAMEN_CONFIG}/s3StoreProfiles/*"));
        let other = tokens(&format!("/data/{RAMEN_CONFIG}/volSync"));
        let (a, b) = ("{s3ProfileName: a}", "{s3ProfileName: b}");
        let (new, old) = (
            format!("s3StoreProfiles: [{b}, {{s3ProfileName: c}}, {a}]"),
            format!("s3StoreProfiles: [{a}, {b}]"),
        );
        let at = |field: &str| {
            let pointer = format!("/data/{RAMEN_CONFIG}/s3StoreProfiles{field}");
            jsonptr::PointerBuf::parse(pointer).unwrap()
        };
        configs(&new, &old, |changes| {
            let watches = [profiles.clone(), other.clone()];
            assert!(changes.any(watches.iter()));
            for (field, spared) in [
                ("/0/s3Bucket", true),
                ("/1/s3Bucket", false),
                ("/2", true),
                ("/3", false),
                ("", false),
            ] {
                assert_eq!(
                    changes.spares(watches.iter(), &at(field)),
                    spared,
                    "{field}"
                );
            }
        });
        configs(
            &format!("{new}\nvolSync: {{disabled: true}}"),
            &old,
            |changes| {
                let watches = [profiles.clone(), other.clone()];
                assert!(!changes.spares(watches.iter(), &at("/0/s3Bucket")));
            },
        );
    }

    #[test]
    fn a_list_outside_of_texts_is_watched_the_same_way() {
        let cluster = |cidrs: Value| json!({ "spec": { "s3ProfileName": "p", "cidrs": cidrs } });
        let (new, old) = (cluster(json!(["x", "y"])), cluster(json!(["x"])));
        with::<DRCluster>(new, old, |changes| {
            let watches = [tokens("/spec/cidrs/*")];
            assert!(changes.any(watches.iter()));
            assert!(changes.spares(watches.iter(), Pointer::from_static("/spec/cidrs/0")));
            assert!(!changes.spares(watches.iter(), Pointer::from_static("/spec/cidrs/1")));
        });
    }
}
