//! The page of labels, annotations, Events and objects, which is written by hand: it names all there are.

use std::{collections::BTreeSet, fs, path::Path};

use super::docs;

/// Every name under the guard's own domain in a folder's files.
fn names(folder: &Path, found: &mut BTreeSet<String>) {
    const DOMAIN: &str = "guard.ramendr.openshift.io/";
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names(&path, found);
            continue;
        }
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for (at, _) in text.match_indices(DOMAIN) {
            let rest =
                text[at + DOMAIN.len()..].split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            let name = rest.into_iter().next().unwrap().trim_end_matches('-');
            if !name.is_empty() {
                found.insert(format!("{DOMAIN}{name}"));
            }
        }
    }
}

#[test]
fn every_label_annotation_and_event_is_on_the_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(docs().join("names.md")).unwrap();
    let mut all = BTreeSet::new();
    names(&root.join("src"), &mut all);
    names(&root.join("manifests"), &mut all);
    assert!(all.len() >= 4, "{all:?}");
    let events = fs::read_to_string(root.join("src/reconcile/tell.rs")).unwrap();
    let (_, reasons) = events.split_once("fn reason(").unwrap();
    let (reasons, _) = reasons.split_once("\n    }\n").unwrap();
    let reasons = reasons.split('"').skip(1).step_by(2).map(str::to_owned);
    let (_, actions) = events.split_once("fn action(").unwrap();
    let (actions, _) = actions.split_once("\n    }\n").unwrap();
    let actions = actions.split('"').skip(1).step_by(2).map(str::to_owned);
    all.extend(reasons.chain(actions));
    for name in [
        ramen_guard::reconcile::SECRET,
        ramen_guard::reconcile::LEASE,
        ramen_guard::reconcile::STATUS,
        ramen_guard::reconcile::MANAGER,
        ramen_guard::api::BACKUP_LABEL.0,
    ] {
        all.insert(name.to_owned());
    }
    for name in all {
        assert!(
            page.contains(&format!("`{name}")),
            "docs/names.md does not name {name}"
        );
    }
}
