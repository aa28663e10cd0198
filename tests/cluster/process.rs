//! Children that do not outlive the tests.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

/// Ends the processes it was told of, by their ids, and removes a folder, once this process is
/// gone, however it went.
///
/// A static is never dropped, and a test process may be killed. So a shell waits for the end of a
/// pipe whose other end only this process holds.
pub(crate) struct Watchdog {
    shell: Child,
    orders: Mutex<Option<ChildStdin>>,
}

const WATCH: &str = r#"
pids=
while read -r order; do
    case $order in
    -*)
        kept=
        for pid in $pids; do [ "$pid" = "${order#-}" ] || kept="$kept $pid"; done
        pids=$kept
        ;;
    *) pids="$pids $order" ;;
    esac
done
[ -z "$pids" ] || kill -9 $pids
rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
"#;

impl Watchdog {
    pub(crate) fn start(folder: &Path) -> io::Result<Arc<Self>> {
        let mut shell = Command::new("sh")
            .args(["-c", WATCH, "sh"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of reach of the terminal's interrupt, which it is there to clean up after.
            .process_group(0)
            .spawn()?;
        let orders = Mutex::new(shell.stdin.take());
        Ok(Arc::new(Self { shell, orders }))
    }

    fn order(&self, order: &str) -> io::Result<()> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        match orders.as_mut() {
            Some(pipe) => writeln!(pipe, "{order}"),
            None => Ok(()),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(
            self.orders
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let _ = self.shell.wait();
    }
}

/// A server that runs beside the tests, and writes to a log. It ends when this is dropped.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    watchdog: Arc<Watchdog>,
    ended: bool,
}

impl Process {
    pub(crate) fn spawn(
        command: &mut Command,
        log: PathBuf,
        watchdog: &Arc<Watchdog>,
    ) -> io::Result<Self> {
        let output = File::create(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()?;
        watchdog.order(&child.id().to_string())?;
        Ok(Self {
            child,
            log,
            watchdog: Arc::clone(watchdog),
            ended: false,
        })
    }

    /// Whether it ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        if !self.ended && !matches!(self.child.try_wait(), Ok(None)) {
            self.forget();
        }
        self.ended
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The end of its log, for the message of a failure.
    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        let name = self.log.file_name().unwrap_or_default().to_string_lossy();
        format!(
            "--- the end of {name} ---\n{}\n",
            lines[lines.len().saturating_sub(10)..].join("\n")
        )
    }

    /// Once it has been waited for, its id may become another's.
    fn forget(&mut self) {
        self.ended = true;
        let _ = self.watchdog.order(&format!("-{}", self.child.id()));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = self.child.kill();
            let _ = self.child.wait();
            self.forget();
        }
    }
}
