//! What a commit has, as the program `git` tells it.
//!
//! Only plumbing is asked, whose answers neither the user's configuration nor the language of the terminal
//! changes, and nothing is written.

use std::{
    collections::{HashMap, HashSet},
    ffi::{OsStr, OsString},
    io::{BufRead, BufReader, ErrorKind, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

/// A path below the folder of a repository, as Git has it: its parts are separated by slashes.
pub(super) type Below = Vec<u8>;

/// What Git tells of one file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where it is.
    pub(super) path: Below,
    /// The name of its contents.
    pub(super) object: String,
    /// Whether it is a link, whose contents are where it leads.
    pub(super) link: bool,
}

/// The files of a commit, beside a folder with what became of them.
#[derive(Debug)]
pub(super) struct Repository {
    /// The folder.
    pub(super) folder: PathBuf,
    /// The commit's files, by path.
    pub(super) entries: Vec<Entry>,
    /// The files that are not as the commit has them, or are not in it.
    pub(super) changed: HashSet<Below>,
}

/// By these a hook of Git's, or a shell, would have Git look elsewhere than in the folder that is meant.
const ELSEWHERE: [&str; 6] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
];

fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder);
    // A program that a repository names is not to run because somebody looks at it.
    git.args(["-c", "core.fsmonitor=false"]);
    for name in ELSEWHERE {
        git.env_remove(name);
    }
    git.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
    git.stdin(Stdio::null());
    git
}

/// What Git prints, or what it complains of.
fn ask(folder: &Path, args: &[&str]) -> Result<Result<Vec<u8>, String>, String> {
    let output = git(folder).args(args).output();
    let output = output.map_err(|error| not_run(&error))?;
    Ok(if output.status.success() {
        Ok(output.stdout)
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(said.trim().trim_start_matches("fatal: ").to_owned())
    })
}

fn not_run(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => {
            "--since asks the program git, which is not installed here".to_owned()
        }
        _ => format!("--since: git can't be run: {error}"),
    }
}

/// The one line that Git prints.
fn line(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    bytes
}

/// The texts of a list in which each ends with a zero.
fn list(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == 0).filter(|it| !it.is_empty())
}

/// The folder of the repository that a folder is in.
pub(super) fn top(folder: &Path) -> Result<PathBuf, String> {
    match ask(folder, &["rev-parse", "--show-toplevel"])? {
        Ok(top) => Ok(path_of(&line(top))),
        Err(said) if said.contains("not a git repository") => Err(format!(
            "--since: {} is in no Git repository",
            folder.display()
        )),
        Err(said) => Err(format!("--since: git says of {}: {said}", folder.display())),
    }
}

impl Repository {
    /// The repository as a commit has it.
    pub(super) fn at(folder: PathBuf, reference: &str) -> Result<Self, String> {
        let commit = commit(&folder, reference)?;
        let listed = |args: &[&str]| {
            ask(&folder, args)?.map_err(|said| format!("--since: git {}: {said}", args[0]))
        };
        let tree = listed(&["ls-tree", "-r", "-z", "--full-tree", &commit])?;
        let entries = list(&tree).filter_map(entry).collect();
        let diff = listed(&[
            "diff-index",
            "-z",
            "--name-only",
            "--no-renames",
            "--no-ext-diff",
            "--ignore-submodules=all",
            &commit,
            "--",
        ])?;
        let new = listed(&["ls-files", "-z", "--others", "--exclude-standard"])?;
        let changed = list(&diff).chain(list(&new)).map(<[u8]>::to_vec);
        Ok(Self {
            changed: changed.collect(),
            entries,
            folder,
        })
    }

    /// The contents of objects, by their names.
    pub(super) fn contents(
        &self,
        objects: &HashSet<&str>,
    ) -> Result<HashMap<String, Vec<u8>>, String> {
        if objects.is_empty() {
            return Ok(HashMap::new());
        }
        let mut child = git(&self.folder)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| not_run(&error))?;
        let (Some(mut questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("--since: git can't be asked".to_owned());
        };
        let names: String = objects.iter().map(|name| format!("{name}\n")).collect();
        // Git answers while it is asked, and waits until it is heard.
        let asking = thread::spawn(move || questions.write_all(names.as_bytes()));
        let mut answers = BufReader::new(answers);
        let read = objects
            .iter()
            .map(|_| answer(&mut answers))
            .collect::<Result<_, _>>();
        drop(answers);
        let _ = asking.join();
        let _ = child.wait();
        read.map_err(|error| format!("--since: git cat-file: {error}"))
    }
}

/// The commit that a name stands for.
fn commit(folder: &Path, reference: &str) -> Result<String, String> {
    let resolve = |name: &str| {
        // Git takes what begins so for an option.
        if name.starts_with('-') {
            return Ok(None);
        }
        let name = format!("{name}^{{commit}}");
        let found = ask(folder, &["rev-parse", "--verify", "--quiet", &name])?;
        Ok::<_, String>(found.ok().map(|found| text(&line(found))))
    };
    if let Some(commit) = resolve(reference)? {
        return Ok(commit);
    }
    let shallow = ask(folder, &["rev-parse", "--is-shallow-repository"])?;
    let remote = format!("origin/{reference}");
    let hint = if resolve(&remote)?.is_some() {
        format!("; did you mean \"{remote}\"?")
    } else if shallow.is_ok_and(|said| said.starts_with(b"true")) {
        "; the clone is shallow, so fetch the whole history: `git fetch --unshallow`, or `fetch-depth: 0` for \
         actions/checkout, or GIT_DEPTH 0 for GitLab"
            .to_owned()
    } else {
        String::new()
    };
    Err(format!(
        "--since: there is no commit \"{reference}\" in {}{hint}",
        folder.display()
    ))
}

/// One file of `git ls-tree`: `MODE TYPE OBJECT\tPATH`. What is in a submodule is not in the commit.
fn entry(line: &[u8]) -> Option<Entry> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let head = std::str::from_utf8(&line[..tab]).ok()?;
    let mut words = head.split(' ');
    let (mode, kind, object) = (words.next()?, words.next()?, words.next()?);
    (kind == "blob").then(|| Entry {
        path: line[tab + 1..].to_vec(),
        object: object.to_owned(),
        link: mode == "120000",
    })
}

/// One answer of `git cat-file --batch`: `OBJECT TYPE SIZE\nCONTENTS\n`.
fn answer(answers: &mut impl BufRead) -> Result<(String, Vec<u8>), String> {
    let mut head = String::new();
    answers
        .read_line(&mut head)
        .map_err(|error| error.to_string())?;
    let words: Vec<&str> = head.split_whitespace().collect();
    let [object, "blob", size] = words[..] else {
        return Err(if head.is_empty() {
            "it ended before it had answered".to_owned()
        } else {
            format!("{}; is the clone complete?", head.trim())
        });
    };
    let size: usize = size
        .parse()
        .map_err(|_| format!("it says {}", head.trim()))?;
    let mut contents = vec![0; size + 1];
    answers
        .read_exact(&mut contents)
        .map_err(|error| error.to_string())?;
    contents.truncate(size);
    Ok((object.to_owned(), contents))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A path of Git's as the machine has it.
#[cfg(unix)]
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    OsStr::from_bytes(bytes).into()
}

/// A path of Git's as the machine has it.
#[cfg(not(unix))]
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    text(bytes).into()
}

/// A path of the machine's as Git has it.
pub(super) fn below(path: &Path) -> Below {
    let parts: Vec<Vec<u8>> = path
        .iter()
        .map(|part: &OsStr| bytes(part.to_owned()))
        .collect();
    parts.join(&b'/')
}

#[cfg(unix)]
fn bytes(part: OsString) -> Vec<u8> {
    use std::os::unix::ffi::OsStringExt;
    part.into_vec()
}

#[cfg(not(unix))]
fn bytes(part: OsString) -> Vec<u8> {
    part.to_string_lossy().into_owned().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_prints_is_read() {
        let read = entry(b"100644 blob 0a1b\tapps/a b\xff.yaml").expect("a file");
        assert_eq!(read.path, b"apps/a b\xff.yaml");
        assert_eq!((&*read.object, read.link), ("0a1b", false));
        assert!(entry(b"120000 blob 0a1b\tlink.yaml").is_some_and(|it| it.link));
        assert_eq!(entry(b"160000 commit 0a1b\tmodule"), None);

        let mut answers: &[u8] = b"0a1b blob 3\na\nb\n0a1c blob 0\n\n0a1d missing\n";
        let mut next = || answer(&mut answers);
        assert_eq!(next(), Ok(("0a1b".to_owned(), b"a\nb".to_vec())));
        assert_eq!(next(), Ok(("0a1c".to_owned(), Vec::new())));
        assert!(next().is_err_and(|said| said.contains("missing")));
        assert!(next().is_err_and(|said| said.contains("ended")));
    }
}
