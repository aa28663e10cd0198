//! Where kube-apiserver, etcd and kubectl come from.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

const PROGRAMS: [&str; 3] = ["kube-apiserver", "etcd", "kubectl"];

/// A folder that has them: the one that `KUBEBUILDER_ASSETS` names, or `target/kube-assets`, where
/// `assets/build.sh` builds them once. Otherwise why not.
pub(crate) fn find() -> Result<PathBuf, String> {
    let has_all = |folder: &Path| {
        PROGRAMS
            .iter()
            .all(|program| folder.join(program).is_file())
    };

    if let Some(folder) = env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from)
        && has_all(&folder)
    {
        return Ok(folder);
    }

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = root.join("tests/cluster/assets/build.sh");
    let folder = root.join("target/kube-assets");
    // What the script says goes to the terminal: it may take minutes.
    match Command::new(&script).arg(&folder).status() {
        Ok(status) if status.success() && has_all(&folder) => Ok(folder),
        Ok(status) => Err(format!(
            "KUBEBUILDER_ASSETS names no folder with {}, and tests/cluster/assets/build.sh could \
             not build them ({status})",
            PROGRAMS.join(", ")
        )),
        Err(error) => Err(format!("{}: {error}", script.display())),
    }
}
