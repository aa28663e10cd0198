//! Puts `policies/`, `tests/scenarios/` and `manifests/` into the binary: `explain` shows a rule's contract
//! and its scenarios, `manifests` prints what is to be applied, and all stay the files that people edit.

use std::{
    env, fs,
    io::Result,
    path::{Path, PathBuf},
};

fn main() -> Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let embedded = [("POLICIES", "policies"), ("SCENARIOS", "tests/scenarios")];
    fs::write(out.join("embedded.rs"), folders(&root, &embedded)?)?;
    fs::write(
        out.join("manifests.rs"),
        folders(&root, &[("MANIFESTS", "manifests")])?,
    )
}

/// A constant for each folder, with its files.
fn folders(root: &Path, folders: &[(&str, &str)]) -> Result<String> {
    let mut code = String::new();
    for (name, folder) in folders {
        let mut files = Vec::new();
        collect(&root.join(folder), &mut files)?;
        files.sort();
        code += &format!("/// The files of `{folder}/`: path below it, text.\n");
        code += &format!("pub(crate) const {name}: &[(&str, &str)] = &[\n");
        for file in files {
            let path = file
                .strip_prefix(root.join(folder))
                .expect("below the folder");
            code += &format!(
                "    ({:?}, include_str!({:?})),\n",
                path.to_string_lossy(),
                file.to_string_lossy()
            );
        }
        code += "];\n";
    }
    Ok(code)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            println!("cargo::rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    Ok(())
}
