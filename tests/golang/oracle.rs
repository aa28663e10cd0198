//! The Go program beside this file, which says what Go and its libraries make of an input.

use std::{
    env,
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
    thread,
};

use serde_json::{Value, json};

/// What the function called `op` gives for each of the inputs, or its error.
///
/// `None`, and a line on the terminal, where there is no Go to build the program with; but where
/// `RAMEN_GUARD_REQUIRE_GO` is `1` the test fails then.
#[track_caller]
pub(crate) fn ask(op: &str, inputs: &[Value]) -> Option<Vec<Result<Value, String>>> {
    static PROGRAM: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
        let program = build();
        if let Err(why) = &program {
            eprintln!("comparisons with Go did NOT run: {why}");
        }
        program
    });
    let program = match &*PROGRAM {
        Ok(program) => program,
        Err(why) => {
            let required = env::var("RAMEN_GUARD_REQUIRE_GO").is_ok_and(|it| it == "1");
            assert!(!required, "RAMEN_GUARD_REQUIRE_GO=1, but {why}");
            return None;
        }
    };
    let mut lines = String::new();
    for input in inputs {
        writeln!(lines, "{}", json!({ "op": op, "input": input })).unwrap();
    }
    let answers = run(program, lines);
    assert_eq!(
        answers.len(),
        inputs.len(),
        "{op}: not every input has its answer"
    );
    Some(answers)
}

fn run(program: &Path, lines: String) -> Vec<Result<Value, String>> {
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It answers while it reads.
    let writer = thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}: {}",
        program.display(),
        output.status
    );
    writer.join().unwrap().unwrap();
    let answers = str::from_utf8(&output.stdout).unwrap().lines();
    let answers = answers.map(|line| {
        let answer: Value = serde_json::from_str(line).unwrap();
        match answer.get("error") {
            Some(error) => Err(error.as_str().unwrap().to_owned()),
            None => Ok(answer["value"].clone()),
        }
    });
    answers.collect()
}

fn build() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = root.join("tests/golang/oracle/build.sh");
    let folder = root.join("target/oracle");
    // What the script says goes to the terminal: it may take a minute.
    match Command::new(&script).arg(&folder).status() {
        Ok(status) if status.success() => Ok(folder.join("oracle")),
        Ok(status) => Err(format!(
            "tests/golang/oracle/build.sh could not build it ({status})"
        )),
        Err(error) => Err(format!("{}: {error}", script.display())),
    }
}
