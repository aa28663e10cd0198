//! What files are called where they have to be found again.

use std::path::{Component, Path};

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// Below the root; the path from there.
    Below(String),
    /// Somewhere else in the file system.
    Absolute(String),
    /// No file: standard input, or an object in a cluster.
    Elsewhere(String),
}

impl Address {
    /// The address of what a user or the guard calls so.
    pub(super) fn of(name: &str, root: &Path) -> Self {
        if name.starts_with('<') && name.ends_with('>') {
            return Self::Elsewhere(name.to_owned());
        }
        let path = Path::new(name);
        let inner = path.strip_prefix(root).unwrap_or(path);
        let parts = inner.components().filter(|it| *it != Component::CurDir);
        let parts: Vec<_> = parts.map(|it| it.as_os_str().to_string_lossy()).collect();
        if inner.is_absolute() {
            return Self::Absolute(name.to_owned());
        }
        Self::Below(parts.join("/"))
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Below(name) | Self::Absolute(name) | Self::Elsewhere(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_from_the_root() {
        let root = Path::new("/src/repo");
        for (name, address) in [
            ("a/b.yaml", Address::Below("a/b.yaml".into())),
            ("./a//b.yaml", Address::Below("a/b.yaml".into())),
            ("../b.yaml", Address::Below("../b.yaml".into())),
            ("/src/repo/a.yaml", Address::Below("a.yaml".into())),
            (
                "/src/repository/a.yaml",
                Address::Absolute("/src/repository/a.yaml".into()),
            ),
            ("/dev/stdin", Address::Absolute("/dev/stdin".into())),
            ("<stdin>", Address::Elsewhere("<stdin>".into())),
        ] {
            assert_eq!(Address::of(name, root), address, "{name}");
        }
    }
}
