//! Links between the pages: each leads somewhere.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Component, Path, PathBuf},
};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{docs, written};

fn parsed(page: &str) -> Parser<'_> {
    Parser::new_ext(page, Options::ENABLE_TABLES)
}

/// Where the links of a page lead, in their order.
pub(crate) fn targets(page: &str) -> Vec<String> {
    let links = parsed(page).filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some(dest_url.to_string())
        }
        _ => None,
    });
    links.collect()
}

/// The anchors of a page's headings, as mdBook names them.
fn anchors(page: &str) -> Vec<String> {
    let mut anchors = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut heading: Option<String> = None;
    for event in parsed(page) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    *heading += &text;
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let text = heading.take().unwrap_or_default();
                let kept = text.chars().filter_map(|c| match c {
                    c if c.is_alphanumeric() || c == '_' || c == '-' => {
                        Some(c.to_ascii_lowercase())
                    }
                    c if c.is_whitespace() => Some('-'),
                    _ => None,
                });
                let name: String = kept.collect();
                let count = seen.entry(name.clone()).or_default();
                anchors.push(if *count == 0 {
                    name
                } else {
                    format!("{name}-{count}")
                });
                *count += 1;
            }
            _ => {}
        }
    }
    anchors
}

/// The path that a link from a file leads to.
fn resolved(from: &Path, link: &str) -> PathBuf {
    let mut path = from.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir if path.file_name().is_some() => {
                path.pop();
            }
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

/// Where a page's links lead to nothing.
fn dead(name: &str, page: &str, pages: &BTreeMap<String, String>) -> Vec<String> {
    let mut dead = Vec::new();
    for link in targets(page) {
        if link.starts_with("https://") || link.starts_with("http://") {
            continue;
        }
        let (file, anchor) = link.split_once('#').unwrap_or((&*link, ""));
        let target = if file.is_empty() {
            name.to_owned()
        } else {
            resolved(Path::new(name), file).to_str().unwrap().to_owned()
        };
        // On the site a README is the folder's index, which no link to it finds.
        let index = file.ends_with("README.md") && name != "SUMMARY.md";
        let there = pages.get(&target).filter(|_| !index);
        let anchored = there
            .is_some_and(|page| anchor.is_empty() || anchors(page).iter().any(|it| it == anchor));
        if !anchored {
            dead.push(format!("docs/{name}: {link}"));
        }
    }
    dead
}

/// The site has nothing but `docs/`, so a link may not lead out of it.
#[test]
fn links_between_pages_lead_somewhere() {
    let pages = written();
    let dead: Vec<String> = pages
        .iter()
        .flat_map(|(name, page)| dead(name, page, &pages))
        .collect();
    assert!(dead.is_empty(), "{dead:#?}");
    let page = "[x](README.md) [a](nowhere.md) [b](install.md#nothing) [c](install.md#the-hub) [d](../README.md) [e](#f)";
    assert_eq!(super::links::dead("x.md", page, &pages).len(), 5);
}

/// The other texts of the repository, which may name any file of it.
#[test]
fn links_in_the_repository_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut dead = Vec::new();
    for name in [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "certs/README.md",
        "benches/README.md",
    ] {
        let page = fs::read_to_string(root.join(name)).unwrap();
        for link in targets(&page).iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                PathBuf::from(name)
            } else {
                resolved(Path::new(name), file)
            };
            let there = root.join(&target);
            let text = fs::read_to_string(&there).unwrap_or_default();
            if !there.exists()
                || !anchor.is_empty() && !anchors(&text).iter().any(|it| it == anchor)
            {
                dead.push(format!("{name}: {link}"));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
    assert!(docs().join("book.toml").exists());
}
