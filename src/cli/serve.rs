//! `serve`: the webhook.

use std::{
    io::IsTerminal,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use prometheus::IntCounter;
use tokio::{signal::unix, sync::oneshot, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    Strictness,
    site::{Site, unknown},
    state,
};
use crate::{
    admission::{
        certificate::Authority,
        guard::{Guard, KINDS, World},
        metrics::Metrics,
        server::{Bound, Limits, ServerConfig, serve},
        tls::{Source, TlsConfig},
        world::WorldMetrics,
    },
    engine::Engine,
    reconcile::{self, Certificates, Lives, Options, Pace, Reconciler},
    world::Cluster,
};

/// How long a certificate lasts that is made in memory and gone with the process.
const LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);
/// The names that an API server, or a person on the same machine, may call the webhook by.
pub(super) const NAMES: [&str; 6] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "ramen-guard",
    "ramen-guard.ramen-guard-system",
    "ramen-guard.ramen-guard-system.svc",
];
/// How often the configuration file is looked at.
const RELOAD: Duration = Duration::from_secs(10);

/// Serves the TLS webhook
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Where reviews are answered over TLS; port 0 takes any free one
    #[arg(
        long,
        default_value = "0.0.0.0:9443",
        value_name = "ADDRESS",
        env = "RAMEN_GUARD_BIND"
    )]
    bind: SocketAddr,
    /// Where health and metrics are, in plain HTTP
    #[arg(
        long,
        default_value = "0.0.0.0:8080",
        value_name = "ADDRESS",
        env = "RAMEN_GUARD_METRICS_BIND"
    )]
    metrics_bind: SocketAddr,
    /// The certificate in PEM, followed when it changes; if not given, a pod shares one with its like, and
    /// elsewhere one is made in memory
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_key",
        env = "RAMEN_GUARD_TLS_CERT"
    )]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key in PEM
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_cert",
        env = "RAMEN_GUARD_TLS_KEY"
    )]
    tls_key: Option<PathBuf>,
    /// Asks clients for a certificate that one of these CAs signed
    #[arg(long, value_name = "FILE")]
    client_ca: Option<PathBuf>,
    /// Manifests of the other objects, files or folders: serves without any cluster
    #[arg(long, value_name = "PATH")]
    state: Vec<PathBuf>,
    /// Where to write the CA of a certificate that is made in memory; printed if not given
    #[arg(long, value_name = "FILE")]
    ca_out: Option<PathBuf>,
    /// How long to go on accepting after SIGTERM, not ready any more, while endpoints are taken out
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    linger: u64,
    /// Writes nothing into the cluster: no certificate, no caBundle, no defaults, no audit. It never does
    /// outside of a pod
    #[arg(long)]
    no_reconcile: bool,
    /// Makes the reconciler's clocks run this much slower; less than 1 is faster, for tests
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", hide = true, value_parser = factor)]
    pace: f64,
    /// How long the guard's own CA lasts
    #[arg(long, value_name = "SECONDS", hide = true)]
    ca_life: Option<u64>,
    /// How long the guard's own serving certificate lasts
    #[arg(long, value_name = "SECONDS", hide = true)]
    certificate_life: Option<u64>,
    /// The log's format: json, or text for people
    #[arg(long, value_enum, default_value_t, env = "RAMEN_GUARD_LOG_FORMAT")]
    log_format: LogFormat,
    #[command(flatten)]
    site: Site,
    #[command(flatten)]
    strictness: Strictness,
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse::<f64>().ok();
    factor
        .filter(|factor| (0.001..=1000.0).contains(factor))
        .ok_or_else(|| "it is a number from 0.001 to 1000".to_owned())
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LogFormat {
    #[default]
    Text,
    Json,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    log(args.log_format);
    let policies = args.site.sound(&args.state)?;
    let engine = Engine::new(args.strictness.settings()?).with_policies(policies);
    tell(&engine);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime
        .map_err(|error| format!("threads can't be started: {error}"))?
        .block_on(served(args, engine))
}

async fn served(args: &Args, engine: Engine) -> Result<ExitCode, String> {
    let stop = CancellationToken::new();
    let metrics = Arc::new(Metrics::new(KINDS).map_err(|error| error.to_string())?);
    let mut reconciler = None;
    let world = if args.state.is_empty() {
        let client = Cluster::client().await.map_err(|error| error.to_string())?;
        reconciler = reconcile(args, &client, &metrics)?;
        let cluster = Cluster::watch(client, &engine.settings.ramen.namespace, &stop);
        WorldMetrics::new(Arc::clone(&cluster))
            .and_then(|world| metrics.register(world))
            .map_err(|error| error.to_string())?;
        World::Cluster(cluster)
    } else {
        World::Manifests(Box::new(state(&args.state)?))
    };
    let cluster = match &world {
        World::Cluster(cluster) => Some(Arc::clone(cluster)),
        World::Manifests(_) => None,
    };
    let (reconciler, shared) = reconciler.unzip();
    let mut guard = Guard::new(engine, world, Arc::clone(&metrics));
    let (source, ca) = match shared.flatten() {
        Some(shared) => {
            guard = guard.ready_when(shared.held);
            (Source::Given(shared.pair), None)
        }
        None => certificate(args)?,
    };
    let guard = Arc::new(guard);
    follow(&guard, args, &metrics);
    let mut tasks = match reconciler.zip(cluster) {
        Some((reconciler, cluster)) => {
            reconciler.start(Arc::clone(&guard), cluster, &metrics, &stop)?
        }
        None => JoinSet::new(),
    };
    let (bound, told) = oneshot::channel();
    let config = ServerConfig {
        bind: args.bind,
        metrics_bind: Some(args.metrics_bind),
        tls: TlsConfig {
            client_ca: args.client_ca.clone(),
            ..TlsConfig::new(source)
        },
        limits: Limits {
            linger: Duration::from_secs(args.linger),
            ..Limits::default()
        },
        bound: Some(bound),
    };
    stop_on_signal(stop.clone())?;
    let (ca_out, example) = (args.ca_out.clone(), !args.state.is_empty());
    let announced = async move {
        if let Ok(bound) = told.await {
            announce(&bound, ca.as_deref(), ca_out.as_deref(), example);
        }
    };
    let (summary, ()) = tokio::join!(serve(config, guard, metrics, stop), announced);
    let summary = summary.map_err(|error| error.to_string())?;
    while tasks.join_next().await.is_some() {}
    if summary.cut > 0 {
        tracing::warn!(
            cut = summary.cut,
            "requests were still not answered when the time to drain was over"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Gets ready what writes into the cluster, where that is wanted and this is a pod.
fn reconcile(
    args: &Args,
    client: &kube::Client,
    metrics: &Arc<Metrics>,
) -> Result<Option<(Reconciler, Option<Certificates>)>, String> {
    let Some(namespace) = reconcile::namespace().filter(|_| !args.no_reconcile) else {
        tracing::info!("nothing is written into the cluster: this is no pod, or --no-reconcile");
        return Ok(None);
    };
    let usual = Lives::default();
    let seconds = |given: Option<u64>, usual| given.map_or(usual, Duration::from_secs);
    let lives = Lives {
        authority: seconds(args.ca_life, usual.authority),
        certificate: seconds(args.certificate_life, usual.certificate),
    };
    let options = Options {
        namespace,
        pace: Pace::times(args.pace),
        lives: args.tls_cert.is_none().then_some(lives),
    };
    Reconciler::new(client, options, metrics).map(Some)
}

/// The certificate to serve, and its CA where both are made here.
fn certificate(args: &Args) -> Result<(Source, Option<String>), String> {
    if let (Some(cert), Some(key)) = (&args.tls_cert, &args.tls_key) {
        return Ok((
            Source::Files {
                cert: cert.clone(),
                key: key.clone(),
            },
            None,
        ));
    }
    let made = Authority::new("ramen-guard", LIFETIME).and_then(|authority| {
        Ok((
            authority.issue(&NAMES, LIFETIME)?,
            authority.cert_pem().to_owned(),
        ))
    });
    let (pair, ca) = made.map_err(|error| error.to_string())?;
    Ok((Source::given(pair), Some(ca)))
}

fn announce(bound: &Bound, ca: Option<&str>, ca_out: Option<&Path>, example: bool) {
    tracing::info!(webhook = %bound.webhook, metrics = ?bound.metrics, "listening");
    let Some(ca) = ca else { return };
    let file = match ca_out {
        Some(path) => match std::fs::write(path, ca) {
            Ok(()) => path.display().to_string(),
            Err(error) => {
                return tracing::error!(path = %path.display(), %error, "the CA can't be written");
            }
        },
        None => "ca.pem".to_owned(),
    };
    if example {
        let port = bound.webhook.port();
        let mut text = format!("https://localhost:{port}/validate\n");
        if ca_out.is_none() {
            text += ca;
        }
        text += &format!(
            "curl --cacert {file} -H 'Content-Type: application/json' --data-binary @review.json https://localhost:{port}/validate\n"
        );
        // Nobody may be reading; the webhook serves all the same.
        let _ = super::print(&text);
    }
}

/// Reads the configuration and the site's policies again when their files change, and every day, since
/// exemptions end with one. What is broken leaves the last good one in force.
fn follow(guard: &Arc<Guard>, args: &Args, metrics: &Metrics) {
    let mut configuration = Attempts::counted(metrics.config_failures());
    let mut site = Attempts::counted(metrics.policies_failures());
    let (guard, strictness) = (Arc::clone(guard), args.strictness.clone());
    let (policies, state) = (args.site.clone(), args.state.clone());
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(RELOAD).await;
            let now = guard.engine();
            let settings = configuration.made("the configuration", strictness.settings());
            let policies = site.made("the site's policies", policies.sound(&state));
            let engine = Engine {
                settings: settings.unwrap_or_else(|| now.settings.clone()),
                policies: policies.unwrap_or_else(|| now.policies.clone()),
            };
            if engine.settings != now.settings {
                tracing::info!("going by the configuration as it is now");
            }
            if engine.policies != now.policies {
                tracing::info!("going by the site's policies as they are now");
                tell(&engine);
            } else if engine.settings == now.settings {
                continue;
            }
            guard.replace(engine);
        }
    });
}

/// Attempts to read something again.
struct Attempts {
    failures: IntCounter,
    failed: Option<String>,
}

impl Attempts {
    fn counted(failures: &IntCounter) -> Self {
        Self {
            failures: failures.clone(),
            failed: None,
        }
    }

    /// Counts a failure at every look, so that an alert stays on; it is said once.
    fn made<T>(&mut self, what: &str, attempt: Result<T, String>) -> Option<T> {
        match attempt {
            Ok(read) => {
                if self.failed.take().is_some() {
                    tracing::info!("{what} can be read again");
                }
                Some(read)
            }
            Err(error) => {
                self.failures.inc();
                if self.failed.as_ref() != Some(&error) {
                    tracing::error!(
                        error,
                        "{what} can't be read; the last good one stays in force"
                    );
                    self.failed = Some(error);
                }
                None
            }
        }
    }
}

/// Says what is to be said about the site's policies.
fn tell(engine: &Engine) {
    if engine.policies.names().next().is_none() {
        return;
    }
    tracing::info!(asked = engine.policies.len(), "the site's policies");
    for note in engine.policies.notes.iter() {
        tracing::warn!(
            file = note.source.name,
            line = note.position.line,
            "{}",
            note.message
        );
    }
    for message in unknown(engine) {
        tracing::warn!("{message}");
    }
}

fn stop_on_signal(stop: CancellationToken) -> Result<(), String> {
    let listen =
        |kind| unix::signal(kind).map_err(|error| format!("signals can't be heard: {error}"));
    let (mut terminate, mut interrupt) = (
        listen(unix::SignalKind::terminate())?,
        listen(unix::SignalKind::interrupt())?,
    );
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stop.cancel();
    });
    Ok(())
}

fn log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
