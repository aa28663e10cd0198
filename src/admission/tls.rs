//! The serving certificate: read, checked, and followed when it changes.
//!
//! New connections get the newest certificate; open ones keep theirs. kubelet replaces a mounted
//! Secret by swapping a symlink, which file watches miss, so files are compared by content.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{PrivateKeyDer, pem, pem::PemObject as _},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    certificate::{CertificateError, Pair, Validity, certificates, readable},
    metrics::Metrics,
};

/// How often files are looked at, unless told otherwise.
pub const POLL: Duration = Duration::from_secs(10);

/// Where the serving certificate comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Two PEM files, such as a mounted Secret's `tls.crt` and `tls.key`.
    Files {
        /// The certificate and the chain above it, the leaf first.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// A pair that is given, and may be given anew.
    Given(watch::Receiver<Pair>),
}

impl Source {
    /// A pair that stays as it is.
    pub fn given(pair: Pair) -> Self {
        Self::Given(watch::channel(pair).1)
    }
}

/// What the server shows to its clients, and what it asks of them.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    /// The serving certificate.
    pub source: Source,
    /// If set, clients must show a certificate that one of the CAs in this PEM file signed.
    pub client_ca: Option<PathBuf>,
    /// How often the files are looked at.
    pub poll: Duration,
}

impl TlsConfig {
    /// Serves what `source` gives, to everybody.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            client_ca: None,
            poll: POLL,
        }
    }

    fn read(&self) -> Result<Material, CertificateError> {
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|source| CertificateError::Read {
                origin: path.display().to_string(),
                source,
            })
        };
        let (cert, key) = match &self.source {
            Source::Files { cert, key } => (read(cert)?, read(key)?),
            Source::Given(pair) => {
                let pair = pair.borrow();
                (
                    pair.cert_pem.clone().into_bytes(),
                    pair.key_pem.clone().into_bytes(),
                )
            }
        };
        Ok(Material {
            cert,
            key,
            client_ca: self.client_ca.as_ref().map(read).transpose()?,
        })
    }

    /// How errors name the certificate and the key.
    fn origins(&self) -> (String, String) {
        match &self.source {
            Source::Files { cert, key } => (cert.display().to_string(), key.display().to_string()),
            Source::Given(_) => (
                "the certificate made in memory".to_owned(),
                "the key made in memory".to_owned(),
            ),
        }
    }
}

/// What was read, before anyone knows whether it is of use.
#[derive(PartialEq, Eq)]
struct Material {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// A checked certificate, ready to serve.
struct Identity {
    config: Arc<ServerConfig>,
    validity: Validity,
}

impl Identity {
    fn new(material: &Material, from: &TlsConfig) -> Result<Self, CertificateError> {
        let provider = Arc::new(ring::default_provider());
        let (origin, key_origin) = from.origins();
        let chain = certificates(&material.cert, &origin)?;
        let validity = chain
            .first()
            .map(|leaf| Validity::of(leaf, &origin))
            .ok_or_else(|| CertificateError::NoCertificate {
                origin: origin.clone(),
            })??;
        if validity.has_ended(OffsetDateTime::now_utc()) {
            return Err(CertificateError::Expired {
                origin,
                at: readable(validity.not_after),
            });
        }
        let key = private_key(&material.key, &key_origin)?;
        let pair = CertifiedKey::from_der(chain, key, &provider).map_err(|why| match why {
            rustls::Error::InconsistentKeys(_) => CertificateError::Mismatch {
                certificate: origin.clone(),
                key: key_origin.clone(),
            },
            rustls::Error::InvalidCertificate(_) => CertificateError::unusable(&origin, why),
            why => CertificateError::unusable(&key_origin, why),
        })?;
        let clients = match (&from.client_ca, &material.client_ca) {
            (Some(path), Some(pem)) => {
                client_verifier(pem, &path.display().to_string(), &provider)?
            }
            _ => WebPkiClientVerifier::no_client_auth(),
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|why| CertificateError::unusable(&origin, why))?
            .with_client_cert_verifier(clients)
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // API servers keep connections and resume no sessions; a resumed one would also outlive the
        // certificate it was made with.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self {
            config: Arc::new(config),
            validity,
        })
    }
}

/// What is served now.
pub(super) struct Tls {
    current: ArcSwap<Identity>,
}

impl Tls {
    /// Reads and checks what `from` names, and gives what follows it from then on.
    pub(super) fn load(
        from: TlsConfig,
        metrics: Arc<Metrics>,
    ) -> Result<(Arc<Self>, Follower), CertificateError> {
        let serving = from.read()?;
        let identity = Identity::new(&serving, &from)?;
        announce(&identity, &metrics);
        let tls = Arc::new(Self {
            current: ArcSwap::from_pointee(identity),
        });
        Ok((
            tls.clone(),
            Follower {
                tls,
                from,
                serving,
                trouble: None,
                metrics,
            },
        ))
    }

    /// For one new connection.
    pub(super) fn acceptor(&self) -> tokio_rustls::TlsAcceptor {
        self.current.load().config.clone().into()
    }

    /// Whether clients can accept the certificate now, or why not.
    pub(super) fn ready(&self) -> Result<(), String> {
        let (validity, now) = (self.current.load().validity, OffsetDateTime::now_utc());
        if validity.has_ended(now) {
            return Err(format!(
                "the serving certificate expired at {}",
                readable(validity.not_after)
            ));
        }
        if !validity.contains(now) {
            return Err(format!(
                "the serving certificate is not valid before {}",
                readable(validity.not_before)
            ));
        }
        Ok(())
    }
}

/// Replaces what is served when its source changes.
pub(super) struct Follower {
    tls: Arc<Tls>,
    from: TlsConfig,
    serving: Material,
    /// What was wrong at the last look, so that it is said once.
    trouble: Option<String>,
    metrics: Arc<Metrics>,
}

impl Follower {
    /// Follows until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.from.poll) => {}
                () = given_anew(&mut self.from.source) => {}
            }
            self.look();
        }
    }

    // The files are small and local: reading them here costs less than a thread to do it.
    fn look(&mut self) {
        let renewed = self.from.read().and_then(|found| {
            // Two files can't be replaced at once. What is still changing is left for the next look.
            if found == self.serving || found != self.from.read()? {
                return Ok(None);
            }
            Identity::new(&found, &self.from).map(|identity| Some((identity, found)))
        });
        match renewed {
            Ok(Some((identity, found))) => {
                announce(&identity, &self.metrics);
                self.tls.current.store(Arc::new(identity));
                self.serving = found;
                self.trouble = None;
            }
            Ok(None) => self.trouble = None,
            Err(why) => {
                self.metrics.reload_failures().inc();
                let why = why.to_string();
                if self.trouble.as_ref() != Some(&why) {
                    tracing::warn!(
                        "the serving certificate was not replaced, the old one stays: {why}"
                    );
                }
                self.trouble = Some(why);
            }
        }
    }
}

/// Waits for the next pair; for ever where there will be none.
async fn given_anew(source: &mut Source) {
    if let Source::Given(pair) = source
        && pair.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

fn announce(identity: &Identity, metrics: &Metrics) {
    let end = identity.validity.not_after;
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds, exact for the next 200 million years"
    )]
    metrics
        .certificate_not_after()
        .set(end.unix_timestamp() as f64);
    tracing::info!(
        "serving a certificate that is valid until {}",
        readable(end)
    );
}

fn private_key(pem: &[u8], origin: &str) -> Result<PrivateKeyDer<'static>, CertificateError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|why| match why {
        pem::Error::NoItemsFound => CertificateError::NoKey {
            origin: origin.to_owned(),
        },
        why => CertificateError::unusable(origin, format_args!("broken PEM: {why}")),
    })
}

fn client_verifier(
    pem: &[u8],
    origin: &str,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, CertificateError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem, origin)? {
        roots
            .add(certificate)
            .map_err(|why| CertificateError::unusable(origin, why))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|why| CertificateError::unusable(origin, why))
}
