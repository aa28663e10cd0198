//! The programs that pipelines call.

use std::{
    env, fs,
    io::{Write as _, stderr},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use serde_json::Value;
use tempfile::TempDir;

/// The project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An example of `examples/pipelines`, or the file that it is.
pub(crate) fn example(path: &str) -> PathBuf {
    root().join("examples/pipelines").join(path)
}

/// A YAML file of one document.
#[track_caller]
pub(crate) fn yaml(path: &Path) -> Value {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[track_caller]
pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

/// A folder with what pipelines find on their `PATH`: the guard, the script that renders, kubectl, Helm, jq.
pub(crate) struct Tools {
    folder: TempDir,
    built: PathBuf,
}

/// What a program said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().expect("it starts");
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    #[track_caller]
    pub(crate) fn passed(&self, name: &str) {
        assert_eq!(self.code, 0, "{name} failed:\n{}", self.said());
    }

    /// It failed because of this rule, and of nothing else that would have ended it.
    #[track_caller]
    pub(crate) fn refused(&self, name: &str, rule: &str) {
        let said = self.said();
        assert!(
            self.code == 1 && said.contains(rule),
            "{name} did not fail by {rule} ({}):\n{said}",
            self.code
        );
    }
}

impl Tools {
    /// `None`, and a line on the terminal, where they can't be had; but where `RAMEN_GUARD_REQUIRE_PIPELINES` is
    /// `1` the test fails then.
    pub(crate) fn get() -> Option<&'static Self> {
        static TOOLS: LazyLock<Result<Tools, String>> = LazyLock::new(Tools::find);
        match &*TOOLS {
            Ok(tools) => Some(tools),
            Err(why) => {
                missing(why);
                None
            }
        }
    }

    fn find() -> Result<Self, String> {
        let kubectl = match env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from) {
            Some(folder) if folder.join("kubectl").is_file() => folder,
            _ => built("tests/cluster/assets/build.sh", "target/kube-assets")?,
        };
        let built = built("tests/pipelines/tools/build.sh", "target/pipeline-tools")?;
        let folder = tempfile::tempdir().unwrap();
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_ramen-guard"));
        for (name, program) in [
            ("ramen-guard", binary),
            ("ramen-guard-render", example("render.sh")),
            ("kubectl", kubectl.join("kubectl")),
            ("helm", built.join("helm")),
            ("jq", built.join("jq")),
        ] {
            assert!(program.is_file(), "{}", program.display());
            symlink(program, folder.path().join(name)).unwrap();
        }
        Ok(Self { folder, built })
    }

    /// What is beside them, for the tests themselves.
    pub(crate) fn built(&self, program: &str) -> Option<PathBuf> {
        let path = self.built.join(program);
        path.is_file().then_some(path)
    }

    pub(crate) fn path(&self) -> String {
        let rest = env::var("PATH").unwrap_or_default();
        format!("{}:{rest}", self.folder.path().display())
    }

    /// A program that finds them, with nothing of this machine's configuration.
    pub(crate) fn command(&self, program: &str, home: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", self.path())
            .env("HOME", home)
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }
}

/// The folder that a script fills, once.
fn built(script: &str, folder: &str) -> Result<PathBuf, String> {
    let folder = root().join(folder);
    // What the script says goes to the terminal: it may take minutes.
    match Command::new(root().join(script)).arg(&folder).status() {
        Ok(status) if status.success() => Ok(folder),
        Ok(status) => Err(format!(
            "{script} could not build what they take ({status})"
        )),
        Err(error) => Err(format!("{script}: {error}")),
    }
}

/// Says that something did not run, or fails where it has to.
#[track_caller]
pub(crate) fn missing(why: &str) {
    let required = env::var("RAMEN_GUARD_REQUIRE_PIPELINES").is_ok_and(|it| it == "1");
    assert!(!required, "RAMEN_GUARD_REQUIRE_PIPELINES=1, but {why}");
    // Past the test harness, which hides what a passing test prints.
    let _ = writeln!(stderr(), "tests of pipelines did NOT run: {why}");
}
