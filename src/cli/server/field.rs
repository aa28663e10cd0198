//! Fields as the API server spells them, found in an object.

use jsonptr::PointerBuf;
use serde_json::Value;

/// The pointer to a field such as `spec.drClusters[1]` or `metadata.annotations[example.com/a]`. A name may
/// have dots: that of the object decides. What the object does not have is taken a word at a time.
pub(super) fn pointer(field: &str, object: &Value) -> PointerBuf {
    let mut found = PointerBuf::new();
    let mut value = Some(object);
    let mut rest = field.trim_start_matches('.');
    while !rest.is_empty() {
        let (token, more) = next(rest, value);
        value = value.and_then(|value| match value {
            Value::Array(items) => items.get(token.parse::<usize>().ok()?),
            value => value.get(&token),
        });
        found.push_back(token.as_str());
        rest = more.strip_prefix('.').unwrap_or(more);
    }
    found
}

/// The next name or number, and what comes behind it.
fn next<'a>(rest: &'a str, value: Option<&Value>) -> (String, &'a str) {
    if let Some(inner) = rest.strip_prefix('[') {
        let (token, more) = inner.split_once(']').unwrap_or((inner, ""));
        return (token.trim_matches('"').to_owned(), more);
    }
    let ends = |more: &str| more.is_empty() || more.starts_with(['.', '[']);
    let names = value.and_then(Value::as_object).into_iter().flatten();
    let names = names.map(|(name, _)| name.as_str()).filter(|name| {
        let more = rest.strip_prefix(*name);
        !name.is_empty() && more.is_some_and(ends)
    });
    let word = &rest[..rest.find(['.', '[']).unwrap_or(rest.len())];
    let name = names.max_by_key(|name| name.len()).unwrap_or(word);
    // Two dots in a row have nothing between them.
    let length = name
        .len()
        .max(usize::from(name.is_empty() && rest.starts_with('.')));
    (name.to_owned(), &rest[length..])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_found() {
        let object = json!({
            "metadata": { "annotations": { "example.com/a": "" }, "labels": { "a.b": "" } },
            "spec": {
                "drClusters": ["east", "west"],
                "volumes": [{ "name": "v" }],
                "params": { "a.b": [1], "a": { "b": 2 } },
            },
        });
        for (field, found) in [
            ("spec.drClusters[1]", "/spec/drClusters/1"),
            ("spec.drClusters[7]", "/spec/drClusters/7"),
            (".spec.volumes[0].nmae", "/spec/volumes/0/nmae"),
            ("spec.params.a.b[0]", "/spec/params/a.b/0"),
            ("spec.params.a.c", "/spec/params/a/c"),
            (
                "metadata.annotations[example.com/a]",
                "/metadata/annotations/example.com~1a",
            ),
            ("metadata.labels.a.b", "/metadata/labels/a.b"),
            ("spec.missing.deep[0]", "/spec/missing/deep/0"),
            ("spec..x", "/spec//x"),
            ("spec[", "/spec/"),
            ("", ""),
        ] {
            assert_eq!(pointer(field, &object).as_str(), found, "{field}");
        }
    }
}
