//! Which files of a commit are checked: as a folder is walked on the disk, links are followed and what is
//! hidden is left out.

use std::collections::{BTreeMap, HashMap};

use super::{
    git::{Below, Entry, Repository, path_of},
    is_within,
};
use crate::manifest::load::is_manifest;

/// As many links as are followed one after the other.
const DEPTH: usize = 16;

/// The files that paths name: themselves, and the manifests below the folders among them.
pub(super) fn files(repository: &Repository, wanted: &[Below]) -> Result<Vec<Entry>, String> {
    let links = repository.entries.iter().filter(|entry| entry.link);
    let links: Vec<&Entry> = links.collect();
    let contents = repository.contents(&links.iter().map(|link| &*link.object).collect())?;
    let targets = links.iter().filter_map(|link| {
        let target = target(&link.path, contents.get(&link.object)?)?;
        Some((&*link.path, target))
    });
    let walk = Walk {
        entries: &repository.entries,
        targets: targets.collect(),
    };
    let mut found = BTreeMap::new();
    for wanted in wanted {
        walk.go(wanted, wanted, true, DEPTH, &mut found);
    }
    Ok(found.into_values().cloned().collect())
}

struct Walk<'a> {
    entries: &'a [Entry],
    targets: HashMap<&'a [u8], Below>,
}

impl<'a> Walk<'a> {
    /// Takes in what is at a place, which has another name if a link leads there.
    fn go(
        &self,
        at: &[u8],
        named: &[u8],
        asked: bool,
        depth: usize,
        found: &mut BTreeMap<&'a [u8], &'a Entry>,
    ) {
        for entry in self.entries.iter().filter(|it| is_within(&it.path, at)) {
            let inner = &entry.path[at.len()..];
            let mut parts = inner
                .split(|byte| *byte == b'/')
                .filter(|it| !it.is_empty());
            if parts.any(|part| part[0] == b'.') {
                continue;
            }
            let path = [named, inner].concat();
            if entry.link {
                if let Some(target) = self.targets.get(&*entry.path)
                    && depth > 0
                {
                    self.go(target, &path, false, depth - 1, found);
                }
            } else if asked && inner.is_empty() || is_manifest(&path_of(&path)) {
                found.insert(&*entry.path, entry);
            }
        }
    }
}

/// Where a link leads, if that is in the repository.
fn target(link: &[u8], to: &[u8]) -> Option<Below> {
    if to.first() == Some(&b'/') {
        return None;
    }
    let mut parts: Vec<&[u8]> = link.split(|byte| *byte == b'/').collect();
    parts.pop();
    for part in to.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_somewhere_in_the_repository() {
        for (link, to, found) in [
            ("a/b.yaml", "c.yaml", Some("a/c.yaml")),
            ("a/b.yaml", "../c/./d.yaml", Some("c/d.yaml")),
            ("b.yaml", "../elsewhere.yaml", None),
            ("a/b", "..", Some("")),
            ("a/b", "/etc", None),
        ] {
            let target = target(link.as_bytes(), to.as_bytes());
            assert_eq!(
                target.as_deref(),
                found.map(str::as_bytes),
                "{link} -> {to}"
            );
        }
    }

    #[test]
    fn a_walk_follows_links_and_passes_what_is_hidden() {
        let entry = |path: &str, link: bool| Entry {
            path: path.as_bytes().to_vec(),
            object: path.to_owned(),
            link,
        };
        let entries = [
            entry("apps/.hidden/a.yaml", false),
            entry("apps/a.yaml", false),
            entry("apps/base", true),
            entry("apps/loop", true),
            entry("apps/readme.md", false),
            entry("base/b.yml", false),
        ];
        let targets: [(&[u8], Below); 2] = [
            (b"apps/base", b"base".to_vec()),
            (b"apps/loop", b"apps".to_vec()),
        ];
        let walk = Walk {
            entries: &entries,
            targets: targets.into(),
        };
        let names = |wanted: &str, depth| {
            let mut found = BTreeMap::new();
            walk.go(
                wanted.as_bytes(),
                wanted.as_bytes(),
                true,
                depth,
                &mut found,
            );
            let names = found.into_keys().map(String::from_utf8_lossy);
            names.map(std::borrow::Cow::into_owned).collect::<Vec<_>>()
        };
        assert_eq!(names("apps", 1)[..2], ["apps/a.yaml", "base/b.yml"]);
        assert_eq!(names("", 0), ["apps/a.yaml", "base/b.yml"]);
        assert_eq!(names("apps/readme.md", 1), ["apps/readme.md"]);
        assert_eq!(names("app", 1), Vec::<String>::new());
    }
}
