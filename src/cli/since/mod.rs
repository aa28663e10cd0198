//! `--since`: what a commit had of the paths that are checked, for judging edits as edits.
//!
//! An object is compared with what stood in the same file. One that its file did not have is followed by
//! group, kind, namespace and name, to a file that has it no longer, wherever in the repository that is; where
//! there are several such files, nobody knows which it was, and it is judged as new. An object that is nowhere
//! any more is judged as deleted.

mod git;
mod links;

use std::{
    collections::{HashMap, HashSet},
    path::{Component, Path, PathBuf},
};

use git::{Below, Entry, Repository};

use super::identity::{Identity, identity, may_be_judged};
use crate::{
    api::Doc,
    engine::is_whole,
    manifest::{
        crds::Crds,
        load::{self, Manifest, is_manifest},
        yaml::Limits,
    },
};

/// A file: in which of the repositories, and where in it.
pub(super) type Home = (usize, Below);

/// What a commit had.
#[derive(Debug, Default)]
pub struct Since {
    /// How the user calls the commit.
    pub(super) reference: String,
    repositories: Vec<Repository>,
    were: Vec<Was>,
    /// Files of the commit that can't be read.
    pub(super) unread: Vec<String>,
}

/// An object that a commit had.
#[derive(Debug)]
struct Was {
    home: Home,
    identity: Identity,
    /// Whether it was in what is checked.
    within: bool,
    text: Text,
}

/// What is kept of an object.
#[derive(Debug)]
enum Text {
    /// Its file is as it was, so that it can't have gone.
    Same(Doc),
    /// Everything, for showing where it was.
    Changed(Box<Manifest>),
}

impl Was {
    fn doc(&self) -> &Doc {
        match &self.text {
            Text::Same(doc) => doc,
            Text::Changed(manifest) => &manifest.doc,
        }
    }
}

/// Which objects are checked, and in which files they are.
#[derive(Debug)]
pub(super) struct Present<'a> {
    /// Where each stands: in which part of what is given, and which manifest of it that is.
    pub(super) places: &'a HashMap<Identity, Vec<(usize, usize)>>,
    /// The file that each part is.
    pub(super) homes: &'a [Option<Home>],
    /// What is only looked at.
    pub(super) context: &'a HashSet<Identity>,
}

impl Since {
    /// What the commit had of these paths.
    pub(super) fn of(reference: &str, paths: &[PathBuf], crds: &Crds) -> Result<Self, String> {
        let mut since = Self {
            reference: reference.to_owned(),
            ..Self::default()
        };
        let mut wanted: Vec<Vec<Below>> = Vec::new();
        for path in paths {
            if path.as_os_str() == "-" {
                return Err(
                    "--since: standard input is in no commit; render the manifests of the commit as well, \
                     and give them with --old"
                        .to_owned(),
                );
            }
            let (repository, below) = since.place(path)?;
            wanted.resize(since.repositories.len(), Vec::new());
            wanted[repository].push(below);
        }
        for (index, below) in wanted.iter().enumerate() {
            since.read(index, below, crds)?;
        }
        Ok(since)
    }

    /// The file or folder that a path names, whether it is still there or not.
    fn place(&mut self, path: &Path) -> Result<Home, String> {
        let (found, rest) = existing(path)?;
        let folder = if found.is_dir() {
            &*found
        } else {
            found.parent().unwrap_or(&found)
        };
        // Git says so, too, but is slower.
        let near = folder.ancestors().find(|it| it.join(".git").exists());
        let known = |top: &Path| self.repositories.iter().position(|it| it.folder == top);
        let index = if let Some(index) = near.and_then(known) {
            index
        } else {
            let top = git::top(folder)?;
            let top = top.canonicalize().unwrap_or(top);
            let index = known(&top);
            index.map_or_else(|| self.open(top), Ok)?
        };
        let below = found.strip_prefix(&self.repositories[index].folder);
        let below =
            below.map_err(|_| format!("--since: {} is in no Git repository", path.display()))?;
        Ok((index, git::below(&below.join(rest))))
    }

    /// Asks Git about another repository.
    fn open(&mut self, top: PathBuf) -> Result<usize, String> {
        let repository = Repository::at(top, &self.reference)?;
        self.repositories.push(repository);
        Ok(self.repositories.len() - 1)
    }

    /// Whether there is nothing at the path now, and there was something.
    pub(super) fn is_gone(&self, path: &Path) -> bool {
        if path.symlink_metadata().is_ok() {
            return false;
        }
        let Some((index, below)) = self.home_of(path) else {
            return false;
        };
        let mut entries = self.repositories[index].entries.iter();
        entries.any(|entry| is_within(&entry.path, &below))
    }

    /// Which file of the repositories a path names.
    pub(super) fn home_of(&self, path: &Path) -> Option<Home> {
        let (found, rest) = existing(path).ok()?;
        let found = found.join(rest);
        // The innermost one has it.
        let repositories = self.repositories.iter().enumerate();
        let below = repositories
            .filter_map(|(index, it)| Some((index, found.strip_prefix(&it.folder).ok()?)));
        let (index, below) = below.min_by_key(|(_, below)| below.components().count())?;
        Some((index, git::below(below)))
    }

    /// Reads the objects that were in what is wanted of a repository; and those of other files that have
    /// changed since, from where some may have come.
    fn read(&mut self, index: usize, wanted: &[Below], crds: &Crds) -> Result<(), String> {
        let repository = &self.repositories[index];
        let mut files = links::files(repository, wanted)?;
        let within: HashSet<&Below> = files.iter().map(|entry| &entry.path).collect();
        let others = repository.entries.iter().filter(|entry| {
            !entry.link
                && repository.changed.contains(&entry.path)
                && is_manifest(&git::path_of(&entry.path))
                && !within.contains(&entry.path)
        });
        let others: Vec<Entry> = others.cloned().collect();
        let count = files.len();
        files.extend(others);
        let objects = files.iter().map(|entry| &*entry.object).collect();
        let contents = repository.contents(&objects)?;
        for (number, entry) in files.iter().enumerate() {
            let name = format!(
                "{}:{}",
                self.reference,
                String::from_utf8_lossy(&entry.path)
            );
            let bytes = contents.get(&entry.object).cloned().unwrap_or_default();
            let loaded = load::load_bytes(&name, bytes, &Limits::default());
            if number < count && !loaded.errors.is_empty() {
                self.unread.push(name);
            }
            let changed = repository.changed.contains(&entry.path);
            for manifest in loaded.manifests {
                let identity = identity(&manifest.doc);
                // What the API server would never have stored was no object: part of one, for Kustomize to put
                // into another, or one that is being repaired.
                let was_stored = may_be_judged(&manifest.doc, crds) && is_whole(&manifest.doc);
                if identity.is_nameless() || !was_stored {
                    continue;
                }
                self.were.push(Was {
                    home: (index, entry.path.clone()),
                    identity,
                    within: number < count,
                    text: if changed {
                        Text::Changed(Box::new(manifest))
                    } else {
                        Text::Same(manifest.doc)
                    },
                });
            }
        }
        Ok(())
    }

    /// What becomes of what was, now that it is known what there is.
    pub(super) fn compare(&self, present: &Present<'_>) -> Past<'_> {
        let mut past = Past::default();
        let mut now = Now {
            since: self,
            files: HashMap::new(),
        };
        let mut candidates: HashMap<&Identity, Vec<&Was>> = HashMap::new();
        for was in &self.were {
            let stays = |places: &Vec<(usize, usize)>| {
                let mut homes = places.iter().map(|(part, _)| &present.homes[*part]);
                homes.any(|home| home.as_ref() == Some(&was.home))
            };
            match present.places.get(&was.identity) {
                Some(places) if stays(places) => {
                    past.stayed.insert((&was.home, &was.identity), was.doc());
                }
                Some(_) if !now.has(was) => {
                    candidates.entry(&was.identity).or_default().push(was);
                }
                None if was.within && !present.context.contains(&was.identity) => {
                    if let Text::Changed(manifest) = &was.text
                        && !now.is_anywhere(&was.identity)
                    {
                        past.gone.push(manifest);
                    }
                }
                _ => {}
            }
        }
        for (identity, were) in candidates {
            if let [was] = were[..] {
                past.moved.insert(identity, was.doc());
            }
        }
        past
    }
}

/// What was, seen from what is.
#[derive(Debug, Default)]
pub(super) struct Past<'a> {
    stayed: HashMap<(&'a Home, &'a Identity), &'a Doc>,
    moved: HashMap<&'a Identity, &'a Doc>,
    /// What is nowhere any more, in the order of the commit's files.
    pub(super) gone: Vec<&'a Manifest>,
}

impl<'a> Past<'a> {
    /// What an object was.
    pub(super) fn of(&self, identity: &Identity, home: Option<&Home>) -> Option<&'a Doc> {
        let stayed = home.and_then(|home| self.stayed.get(&(home, identity)));
        stayed.or_else(|| self.moved.get(identity)).copied()
    }
}

/// What the files have now that are not as they were.
struct Now<'a> {
    since: &'a Since,
    files: HashMap<Home, HashSet<Identity>>,
}

impl Now<'_> {
    fn read(&mut self, home: Home) -> &HashSet<Identity> {
        let folder = &self.since.repositories[home.0].folder;
        let path = folder.join(git::path_of(&home.1));
        self.files.entry(home).or_insert_with(|| {
            if !path.is_file() {
                return HashSet::new();
            }
            let loaded = load::load(&[path], &mut std::io::empty(), &Limits::default());
            let manifests = loaded.manifests.iter();
            manifests.map(|it| identity(&it.doc)).collect()
        })
    }

    /// Whether an object's file has it still.
    fn has(&mut self, was: &Was) -> bool {
        matches!(was.text, Text::Same(_)) || self.read(was.home.clone()).contains(&was.identity)
    }

    /// Whether a file that has changed, or is new, has the object.
    fn is_anywhere(&mut self, identity: &Identity) -> bool {
        let repositories = self.since.repositories.iter().enumerate();
        let homes: Vec<Home> = repositories
            .flat_map(|(index, it)| it.changed.iter().map(move |path| (index, path.clone())))
            .filter(|(_, path)| is_manifest(&git::path_of(path)))
            .collect();
        homes
            .into_iter()
            .any(|home| self.read(home).contains(identity))
    }
}

/// Whether a path is another one, or below it.
fn is_within(path: &[u8], folder: &[u8]) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

/// As much of a path as is there, without links, and the rest of it.
fn existing(path: &Path) -> Result<(PathBuf, PathBuf), String> {
    let absolute =
        std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut rest: Vec<Component<'_>> = Vec::new();
    let mut found = &*absolute;
    loop {
        if let Ok(found) = found.canonicalize() {
            return Ok((found, rest.iter().rev().collect()));
        }
        let (Some(parent), Some(last)) = (found.parent(), found.components().next_back()) else {
            return Err(format!("{}: no such file or folder", path.display()));
        };
        rest.push(last);
        found = parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_what_is_below_it() {
        assert!(is_within(b"apps/a.yaml", b"apps"));
        assert!(is_within(b"apps", b"apps"));
        assert!(is_within(b"apps", b""));
        assert!(!is_within(b"apps2/a.yaml", b"apps"));
    }
}
