//! The real kubectl, and what tests ask of it most.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    thread,
};

use serde_json::Value;

use crate::server::{Cluster, User};

/// What kubectl said.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The command, for the message of a failure.
    asked: String,
}

impl Output {
    /// It did what it was asked to.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert!(
            self.code == 0,
            "{} was refused:\n{}",
            self.asked,
            self.stderr
        );
        self.stdout
    }

    /// It did not, and its reason has these words.
    #[track_caller]
    pub(crate) fn refused(self, words: &str) -> String {
        assert!(
            self.code != 0,
            "{} was not refused:\n{}",
            self.asked,
            self.stdout
        );
        let Self { asked, stderr, .. } = self;
        assert!(
            stderr.contains(words),
            "{asked} was not refused with {words:?}:\n{stderr}"
        );
        stderr
    }
}

impl Cluster {
    /// Runs kubectl as this user.
    pub(crate) fn kubectl(&self, user: User, args: &[&str], stdin: Option<&str>) -> Output {
        let mut command = Command::new(self.programs.join("kubectl"));
        command
            .args(args)
            .arg("--request-timeout=30s")
            // Nothing of the machine's own configuration, and no cache in its home.
            .env_clear()
            .env("HOME", &self.folder)
            .env("KUBECONFIG", self.kubeconfig(user))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(if stdin.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl starts");
        let writer = child
            .stdin
            .take()
            .zip(stdin.map(str::to_owned))
            .map(|(mut pipe, text)| {
                // It may stop reading before the end, which its exit code tells.
                thread::spawn(move || drop(pipe.write_all(text.as_bytes())))
            });
        let output = child.wait_with_output().expect("kubectl ends");
        if let Some(writer) = writer {
            let _ = writer.join();
        }
        Output {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            asked: format!("kubectl {} ({user:?})", args.join(" ")),
        }
    }

    /// `kubectl apply` of an object, or of a list of them, in YAML or JSON.
    pub(crate) fn apply(&self, user: User, manifest: &impl ToString) -> Output {
        self.kubectl(user, &["apply", "-f", "-"], Some(&manifest.to_string()))
    }

    /// A merge patch of the object that `object` names, as in `["drpc", "app", "-n", "ns"]`.
    pub(crate) fn patch(&self, user: User, object: &[&str], patch: &Value) -> Output {
        let patch = patch.to_string();
        self.kubectl(
            user,
            &[&["patch", "--type=merge", "-p", &patch], object].concat(),
            None,
        )
    }

    /// Deletes the object that `object` names, and does not wait for its finalizers.
    pub(crate) fn delete(&self, user: User, object: &[&str]) -> Output {
        self.kubectl(user, &[&["delete", "--wait=false"], object].concat(), None)
    }

    /// The object, or the list of them, as it is stored.
    #[track_caller]
    pub(crate) fn get_json(&self, object: &[&str]) -> Value {
        let found = self.kubectl(
            User::Admin,
            &[&["get", "-o", "json"], object].concat(),
            None,
        );
        serde_json::from_str(&found.ok()).expect("kubectl prints JSON")
    }
}
