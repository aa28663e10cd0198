//! Manifests that are read a file at a time, as often as they are looked at.
//!
//! A repository has thousands of them, and a judge needs few at once: what is kept of each is what
//! rules ask about, and its text, which is small beside what it is read into, up to a limit.

use std::{
    collections::VecDeque,
    io::Read,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    load::{self, Loaded, files_of},
    yaml::Limits,
};

/// How many files stay read: those that others refer to come up again.
const KEPT: usize = 16;

/// How many bytes of text are kept in all, so that files are not opened twice.
const TEXTS: usize = 2 << 20;

/// How many manifests a piece has at most.
const PIECE: usize = 4;

/// Files, and what was read already.
#[derive(Debug, Default)]
pub struct Pile {
    parts: Vec<Part>,
    kept: Mutex<VecDeque<(usize, Arc<Loaded>)>>,
    /// How many bytes of text are kept.
    texts: AtomicUsize,
}

#[derive(Debug)]
enum Part {
    File(PathBuf, OnceLock<Arc<str>>),
    Read(Arc<Loaded>),
}

impl From<Loaded> for Pile {
    fn from(loaded: Loaded) -> Self {
        Self {
            parts: vec![Part::Read(Arc::new(loaded))],
            ..Self::default()
        }
    }
}

impl Pile {
    /// The files and the folders' files. Standard input (`-`), pipes and the like can be read only once,
    /// so that is done here and now.
    pub fn of(paths: &[PathBuf], stdin: &mut dyn Read) -> Self {
        let file = |path| Part::File(path, OnceLock::new());
        let mut parts = Vec::new();
        for path in paths {
            if path.as_os_str() == "-" || !(path.is_file() || path.is_dir()) {
                let read = load::load(std::slice::from_ref(path), stdin, &Limits::default());
                parts.push(Part::Read(Arc::new(read)));
            } else if path.is_dir() {
                let (files, failed) = files_of(path);
                parts.extend(files.into_iter().map(file));
                parts.push(Part::Read(Arc::new(failed)));
            } else {
                parts.push(file(path.clone()));
            }
        }
        Self {
            parts,
            ..Self::default()
        }
    }

    /// How many parts there are.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// One part, read now if it is a file. What can't be read is among its errors.
    ///
    /// # Panics
    /// If there are not that many parts.
    pub fn part(&self, index: usize) -> Arc<Loaded> {
        match &self.parts[index] {
            Part::Read(loaded) => Arc::clone(loaded),
            Part::File(path, text) => Arc::new(self.read(path, text)),
        }
    }

    fn read(&self, path: &Path, kept: &OnceLock<Arc<str>>) -> Loaded {
        let limits = Limits::default();
        let text: Arc<str> = match kept.get() {
            Some(text) => Arc::clone(text),
            None => match load::read_file(path, &limits) {
                Ok(text) => text.into(),
                Err(error) => {
                    return Loaded {
                        errors: vec![*error],
                        ..Loaded::default()
                    };
                }
            },
        };
        let size = text.len();
        if kept.get().is_none() && self.texts.fetch_add(size, Ordering::Relaxed) + size <= TEXTS {
            // Another thread may have been faster, with the same.
            let _ = kept.set(Arc::clone(&text));
        }
        load::load_text(&path.display().to_string(), text, &limits)
    }

    /// As [`Pile::part`], of one that is looked at because of another, which may well be looked at again: the
    /// last few are kept.
    ///
    /// # Panics
    /// If there are not that many parts.
    pub fn other(&self, index: usize) -> Arc<Loaded> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, loaded)) = kept().iter().find(|(of, _)| *of == index) {
            return Arc::clone(loaded);
        }
        let loaded = self.part(index);
        if matches!(self.parts[index], Part::File(..)) {
            let mut kept = kept();
            if kept.len() >= KEPT {
                kept.pop_front();
            }
            kept.push_back((index, Arc::clone(&loaded)));
        }
        loaded
    }

    /// The file that a part is read from, if it is one that can be read again.
    pub fn path(&self, index: usize) -> Option<&Path> {
        match self.parts.get(index)? {
            Part::File(path, _) => Some(path),
            Part::Read(_) => None,
        }
    }

    /// What there is to do in pieces of about the same size: parts, and which of their manifests. Of a file
    /// that is all; only what was read already is cut up.
    pub fn pieces(&self) -> Vec<(usize, Range<usize>)> {
        let mut pieces = Vec::with_capacity(self.len());
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::File(..) => pieces.push((index, 0..usize::MAX)),
                Part::Read(loaded) => {
                    let starts = (0..loaded.manifests.len()).step_by(PIECE);
                    pieces.extend(starts.map(|start| (index, start..start + PIECE)));
                }
            }
        }
        pieces
    }

    /// Every part in turn, with its number.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Arc<Loaded>)> + '_ {
        (0..self.len()).map(|index| (index, self.part(index)))
    }
}
