//! A field of an object, as CEL asks for it.

use jsonptr::Pointer;

/// A text as CEL writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out + "'"
}

/// The field of `root`, and what has to hold for it to be there: one condition a level.
fn steps(root: &str, pointer: &Pointer) -> (String, Vec<String>) {
    let mut value = root.to_owned();
    let mut conditions = Vec::new();
    for token in pointer.tokens() {
        let token = token.decoded();
        let map = [".metadata.annotations", ".metadata.labels"]
            .iter()
            .any(|map| value.ends_with(map));
        if map {
            conditions.push(format!("{} in {value}", quoted(&token)));
            value = format!("{value}[{}]", quoted(&token));
        } else {
            value = format!("{value}.{token}");
            // Every object has metadata.
            if token != "metadata" {
                conditions.push(format!("has({value})"));
            }
        }
    }
    (value, conditions)
}

/// How a field is written.
pub(super) fn value(root: &str, pointer: &Pointer) -> String {
    steps(root, pointer).0
}

/// That a field is there.
pub(super) fn present(root: &str, pointer: &Pointer) -> String {
    steps(root, pointer).1.join(" && ")
}

/// That a field is not there; for `||`.
pub(super) fn absent(root: &str, pointer: &Pointer) -> String {
    let (_, conditions) = steps(root, pointer);
    let absent = conditions
        .iter()
        .map(|condition| match condition.strip_prefix("has") {
            Some(_) => format!("!{condition}"),
            None => format!("!({condition})"),
        });
    absent.collect::<Vec<_>>().join(" || ")
}

/// That a field differs between the old and the new object; one that is in neither does not.
pub(super) fn changed(pointer: &Pointer) -> String {
    let [new, old] = ["object", "oldObject"].map(|root| value(root, pointer));
    let [is, was] = ["object", "oldObject"].map(|root| present(root, pointer));
    let [one, other] = [&is, &was].map(|present| {
        if present.contains("&&") {
            format!("({present})")
        } else {
            present.clone()
        }
    });
    format!("{one} != {other} ||\n({is} && {new} != {old})")
}

/// The name of the variable that tells whether a field changes.
pub(super) fn changed_name(pointer: &Pointer) -> String {
    let words = pointer.as_str().split(|c: char| !c.is_ascii_alphanumeric());
    words.fold("changed".to_owned(), |name, word| {
        if word.is_empty() {
            name
        } else {
            name + "_" + word
        }
    })
}
