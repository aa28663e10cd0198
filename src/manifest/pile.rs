//! Manifests that are read a file at a time, as often as they are looked at.
//!
//! A repository has thousands of them, and a judge needs few at once: what is kept of each is what
//! rules ask about, not its text and its places.

use std::{cell::RefCell, collections::VecDeque, io::Read, path::PathBuf, rc::Rc};

use super::{
    load::{self, Loaded, files_of},
    yaml::Limits,
};

/// How many files stay read: those that others refer to come up again.
const KEPT: usize = 16;

/// Files, and what was read already.
#[derive(Debug, Default)]
pub struct Pile {
    parts: Vec<Part>,
    kept: RefCell<VecDeque<(usize, Rc<Loaded>)>>,
}

#[derive(Debug)]
enum Part {
    File(PathBuf),
    Read(Rc<Loaded>),
}

impl From<Loaded> for Pile {
    fn from(loaded: Loaded) -> Self {
        Self {
            parts: vec![Part::Read(Rc::new(loaded))],
            kept: RefCell::default(),
        }
    }
}

impl Pile {
    /// The files and the folders' files. Standard input (`-`), pipes and the like can be read only once,
    /// so that is done here and now.
    pub fn of(paths: &[PathBuf], stdin: &mut dyn Read) -> Self {
        let mut parts = Vec::new();
        for path in paths {
            if path.as_os_str() == "-" || !(path.is_file() || path.is_dir()) {
                let read = load::load(std::slice::from_ref(path), stdin, &Limits::default());
                parts.push(Part::Read(Rc::new(read)));
            } else if path.is_dir() {
                let (files, failed) = files_of(path);
                parts.extend(files.into_iter().map(Part::File));
                parts.push(Part::Read(Rc::new(failed)));
            } else {
                parts.push(Part::File(path.clone()));
            }
        }
        Self {
            parts,
            kept: RefCell::default(),
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

    /// One part, read if need be. What can't be read is among its errors.
    ///
    /// # Panics
    /// If there are not that many parts.
    pub fn part(&self, index: usize) -> Rc<Loaded> {
        let path = match &self.parts[index] {
            Part::Read(loaded) => return Rc::clone(loaded),
            Part::File(path) => path,
        };
        let mut kept = self.kept.borrow_mut();
        if let Some((_, loaded)) = kept.iter().find(|(of, _)| *of == index) {
            return Rc::clone(loaded);
        }
        let nothing: &mut dyn Read = &mut std::io::empty();
        let loaded = Rc::new(load::load(
            std::slice::from_ref(path),
            nothing,
            &Limits::default(),
        ));
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((index, Rc::clone(&loaded)));
        loaded
    }

    /// Every part in turn, with its number.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Rc<Loaded>)> + '_ {
        (0..self.len()).map(|index| (index, self.part(index)))
    }
}
