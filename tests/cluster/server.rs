//! A real kube-apiserver with its etcd, for the whole test process.
//!
//! ```ignore
//! let Some(cluster) = Cluster::shared() else { return };
//! let _undisturbed = cluster.undisturbed();          // no webhook while this is held
//! let namespace = cluster.namespace("failover");     // a new one, or a name for anything else
//! cluster.apply(User::Alice, &drpc).ok();            // the real kubectl
//! ```
//!
//! or, with webhooks:
//!
//! ```ignore
//! let alone = cluster.alone();                       // no other test while this is held
//! cluster.apply(User::Admin, &stored_before).ok();
//! alone.install(&shipped(cluster, "manifests/base"));
//! cluster.point_service_at(port);                    // who answers behind the shipped Service
//! cluster.set_ca_bundle(&authority_pem);
//! ```
//!
//! There are no controllers: nothing collects garbage, empties a deleted namespace or runs a pod.

use std::{
    env, fs,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::{self, Write as _},
    net::{Ipv4Addr, TcpListener},
    panic,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, LazyLock, RwLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    assets,
    process::{Process, Watchdog},
    proxy::{Backend, Proxy},
    tls,
};

/// Who asks. All but the administrator and nobody have every right on Ramen's kinds, their placements,
/// ConfigMaps and Secrets, and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    /// In `system:masters`.
    Admin,
    /// A person.
    Alice,
    /// Ramen's hub operator.
    Operator,
    /// Ramen's operator on a managed cluster.
    ClusterOperator,
    /// Open Cluster Management's agent on a managed cluster.
    WorkAgent,
    /// What restores a hub from its backup.
    Velero,
    /// Somebody without any right.
    Nobody,
}

impl User {
    const ALL: [Self; 7] = [
        Self::Admin,
        Self::Alice,
        Self::Operator,
        Self::ClusterOperator,
        Self::WorkAgent,
        Self::Velero,
        Self::Nobody,
    ];

    /// As the API server knows the user, and the guard sees it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Alice => "alice",
            Self::Operator => "system:serviceaccount:ramen-system:ramen-hub-operator",
            Self::ClusterOperator => "system:serviceaccount:ramen-system:ramen-dr-cluster-operator",
            Self::WorkAgent => {
                "system:serviceaccount:open-cluster-management-agent:klusterlet-work-sa"
            }
            Self::Velero => "system:serviceaccount:open-cluster-management-backup:velero",
            Self::Nobody => "nobody",
        }
    }

    fn groups(self) -> &'static str {
        match self {
            Self::Admin => "system:masters",
            Self::Alice => "developers",
            Self::Nobody => "strangers",
            Self::Operator | Self::ClusterOperator | Self::WorkAgent | Self::Velero => {
                "system:serviceaccounts"
            }
        }
    }

    fn kubeconfig(self) -> String {
        format!("{self:?}.kubeconfig").to_lowercase()
    }
}

/// The API server. See the [module](self).
pub(crate) struct Cluster {
    /// Removed with all that is in it.
    pub(super) folder: PathBuf,
    pub(crate) programs: PathBuf,
    pub(super) proxy: Proxy,
    /// Webhook configurations hold for all: who installs some has the cluster alone.
    pub(super) webhooks: RwLock<()>,
    names: AtomicU32,
    // The API server ends before its store does.
    _apiserver: Process,
    _etcd: Process,
    watchdog: Arc<Watchdog>,
}

/// Why there is none.
enum Absence {
    /// What it takes is not on this machine.
    Missing(String),
    /// It is, and does not work.
    Broken(String),
}

impl From<io::Error> for Absence {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl Cluster {
    /// The cluster of this process, started by who asks first, with Ramen's CRDs.
    ///
    /// `None`, and a line on the terminal, where it can't be had; but where
    /// `RAMEN_GUARD_REQUIRE_CLUSTER` is `1` the test fails then.
    #[track_caller]
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: LazyLock<Result<Cluster, Absence>> = LazyLock::new(|| {
            // Every test that asks shall hear why, not only the first.
            let cluster = panic::catch_unwind(Cluster::start)
                .unwrap_or_else(|_| Err(Absence::Broken("see the first panic".to_owned())));
            if let Err(Absence::Missing(why)) = &cluster {
                say(&format!("tests with a real API server did NOT run: {why}"));
            }
            cluster
        });
        match &*SHARED {
            Ok(cluster) => Some(cluster),
            Err(Absence::Broken(why)) => panic!("the API server did not come up: {why}"),
            Err(Absence::Missing(why)) => {
                let required = env::var("RAMEN_GUARD_REQUIRE_CLUSTER").is_ok_and(|it| it == "1");
                assert!(!required, "RAMEN_GUARD_REQUIRE_CLUSTER=1, but {why}");
                None
            }
        }
    }

    fn start() -> Result<Self, Absence> {
        let programs = assets::find().map_err(Absence::Missing)?;
        let crds = crd_files().ok_or_else(|| {
            Absence::Missing("there is no ../shared/crds with Ramen's CRDs".to_owned())
        })?;

        let begin = Instant::now();
        let mut attempt = 1;
        let cluster = loop {
            match Self::serve(&programs) {
                // A port was free when we looked, and no longer.
                Err(Absence::Broken(why)) if attempt < 3 && why.contains("already in use") => {
                    attempt += 1;
                }
                cluster => break cluster?,
            }
        };
        let up = begin.elapsed();

        cluster
            .kubectl(
                User::Admin,
                &["apply", "-f", "-"],
                Some(include_str!("users.yaml")),
            )
            .ok();
        cluster.install_crds(&crds);
        for user in User::ALL.into_iter().filter(|user| *user != User::Nobody) {
            let can = ["auth", "can-i", "create", "drpolicies"];
            let has_rights = until(|| cluster.kubectl(user, &can, None).code == 0);
            assert!(has_rights, "{user:?} does not get its rights");
        }
        let ready = begin.elapsed();
        say(&format!(
            "kube-apiserver up in {up:.1?}, with CRDs and users in {ready:.1?}"
        ));
        Ok(cluster)
    }

    fn serve(programs: &Path) -> Result<Self, Absence> {
        let folder = tempfile::Builder::new().prefix("ramen-guard-").tempdir()?;
        let watchdog = Watchdog::start(folder.path())?;
        let folder = folder.keep();

        let store = format!("http://127.0.0.1:{}", free_port()?);
        let mut etcd = Process::spawn(
            Command::new(programs.join("etcd"))
                .arg("--data-dir")
                .arg(folder.join("etcd"))
                .arg(format!("--listen-client-urls={store}"))
                .arg(format!("--advertise-client-urls={store}"))
                .args(["--listen-peer-urls=http://127.0.0.1:0", "--unsafe-no-fsync"]),
            folder.join("etcd.log"),
            &watchdog,
        )?;

        let port = free_port()?;
        let proxy = Proxy::listen(&folder.join("egress.sock"))?;
        write_files(&folder, port)?;
        let at = |option: &str, file: &str| format!("--{option}={}", folder.join(file).display());
        let mut apiserver = Process::spawn(
            Command::new(programs.join("kube-apiserver"))
                .arg(format!("--etcd-servers={store}"))
                .arg(format!("--secure-port={port}"))
                .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
                // An endpoint may not be a loopback address.
                .arg("--endpoint-reconciler-type=none")
                .arg("--service-cluster-ip-range=10.0.0.0/24")
                // Nobody makes the default service account here.
                .arg("--disable-admission-plugins=ServiceAccount")
                .arg("--authorization-mode=RBAC")
                .arg("--service-account-issuer=https://kubernetes.default.svc")
                .arg(at("service-account-key-file", "accounts.pub"))
                .arg(at("service-account-signing-key-file", "accounts.key"))
                .arg(at("token-auth-file", "tokens.csv"))
                .arg(at("tls-cert-file", "server.crt"))
                .arg(at("tls-private-key-file", "server.key"))
                .arg(at("cert-dir", "certs"))
                .arg(at("egress-selector-config-file", "egress.yaml")),
            folder.join("kube-apiserver.log"),
            &watchdog,
        )?;

        let admin = folder.join(User::Admin.kubeconfig());
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            let answer = Command::new(programs.join("kubectl"))
                .args([
                    "get",
                    "--raw=/readyz",
                    "--request-timeout=5s",
                    "--kubeconfig",
                ])
                .arg(&admin)
                .output()?;
            if answer.status.success() {
                break;
            }
            if etcd.has_ended() || apiserver.has_ended() || Instant::now() > deadline {
                let (etcd, apiserver) = (etcd.log_tail(), apiserver.log_tail());
                return Err(Absence::Broken(format!("\n{etcd}\n{apiserver}")));
            }
            thread::sleep(Duration::from_millis(100));
        }

        Ok(Self {
            folder,
            programs: programs.to_owned(),
            proxy,
            webhooks: RwLock::new(()),
            names: AtomicU32::new(1),
            _apiserver: apiserver,
            _etcd: etcd,
            watchdog,
        })
    }

    /// Starts a server that writes to a log of this name, and ends with the tests at the latest.
    pub(crate) fn spawn(&self, command: &mut Command, log: &str) -> Process {
        Process::spawn(command, self.folder.join(log), &self.watchdog).expect("the server starts")
    }

    /// The file that lets a client talk as this user.
    pub(crate) fn kubeconfig(&self, user: User) -> PathBuf {
        self.folder.join(user.kubeconfig())
    }

    /// A name that no other test has.
    pub(crate) fn name(&self, prefix: &str) -> String {
        format!("{prefix}-{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// Makes a namespace that no other test has. Its name is good for other objects, too.
    pub(crate) fn namespace(&self, prefix: &str) -> String {
        let name = self.name(prefix);
        self.kubectl(User::Admin, &["create", "namespace", &name], None)
            .ok();
        name
    }

    /// Installs the CRDs of these files, and of the files of these folders, and waits until they are
    /// served.
    #[track_caller]
    pub(crate) fn install_crds(&self, paths: &[PathBuf]) {
        let files = paths
            .iter()
            .map(|path| format!("--filename={}", path.display()));
        let files: Vec<_> = files.collect();
        // Some are too large for the annotation that a client-side apply leaves behind.
        let mut args = vec!["apply", "--server-side"];
        args.extend(files.iter().map(String::as_str));
        self.kubectl(User::Admin, &args, None).ok();

        let established = [
            "wait",
            "--for=condition=Established",
            "--timeout=30s",
            "crd",
            "--all",
        ];
        // It fails on one that has no condition yet.
        let served = until(|| self.kubectl(User::Admin, &established, None).code == 0);
        assert!(served, "the CRDs are not established");
    }

    /// New connections to the webhook go there; what is open stays open.
    pub(crate) fn turn_service_to(&self, backend: impl Into<Backend>) {
        self.proxy.turn_to(backend.into());
    }

    /// New calls of the webhook go there; those under way are cut.
    pub(crate) fn point_service_at(&self, backend: impl Into<Backend>) {
        self.proxy.point_at(backend.into());
    }
}

/// Waits for what the API server does in its own time. Whether it did.
pub(crate) fn until(holds: impl FnMut() -> bool) -> bool {
    within(Duration::from_secs(30), holds)
}

/// Waits for so long at most. Whether it came to hold.
pub(crate) fn within(time: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + time;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// To the terminal, not to the output that a passing test keeps to itself.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Ramen's CRDs and those of the kinds that its own refer to, each in a file or in a folder of them. None
/// of them is kept here.
pub(crate) fn crd_files() -> Option<Vec<PathBuf>> {
    const PEERS: [&str; 6] = [
        "0000_00_clusters.open-cluster-management.io_managedclusters.crd.yaml",
        "0000_02_clusters.open-cluster-management.io_placements.crd.yaml",
        "0000_03_clusters.open-cluster-management.io_placementdecisions.crd.yaml",
        "applicationset-crd.yaml",
        "apps.open-cluster-management.io_placementrules_crd.yaml",
        "view.open-cluster-management.io_managedclusterviews.yaml",
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/crds");
    let own = fs::read_dir(&folder).ok()?.flatten().map(|it| it.path());
    let mut own: Vec<PathBuf> = own.filter(|path| path.is_file()).collect();
    own.sort();
    let peers = PEERS.iter().map(|file| folder.join("peers").join(file));
    Some(own.into_iter().chain(peers).collect())
}

/// Free now. Who takes it first has it.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn write_files(folder: &Path, port: u16) -> io::Result<()> {
    let server = tls::issue(&["127.0.0.1", "localhost"]);
    fs::write(folder.join("authority.crt"), server.authority)?;
    fs::write(folder.join("server.crt"), server.certificate)?;
    fs::write(folder.join("server.key"), server.key)?;
    let (private, public) = tls::signing_keys();
    fs::write(folder.join("accounts.key"), private)?;
    fs::write(folder.join("accounts.pub"), public)?;

    let socket = folder.join("egress.sock");
    let egress = include_str!("egress.yaml").replace("SOCKET", &socket.display().to_string());
    fs::write(folder.join("egress.yaml"), egress)?;

    let mut tokens = String::new();
    for user in User::ALL {
        let token = format!("{:016x}", RandomState::new().build_hasher().finish());
        let name = user.name();
        tokens += &[&token, name, name, user.groups()].join(",");
        tokens += "\n";
        let kubeconfig = include_str!("kubeconfig.yaml")
            .replace("PORT", &port.to_string())
            .replace("TOKEN", &token)
            .replace(
                "AUTHORITY",
                &folder.join("authority.crt").display().to_string(),
            );
        fs::write(folder.join(user.kubeconfig()), kubeconfig)?;
    }
    fs::write(folder.join("tokens.csv"), tokens)
}
