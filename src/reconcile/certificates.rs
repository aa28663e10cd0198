//! The guard's own CA and serving certificate, kept in a Secret that all replicas share.
//!
//! Whoever finds no Secret makes it, and of two that do so at once one takes what the other made: every
//! write is compared with what is stored. The leader renews at two thirds of a life.
//!
//! A new CA comes before anything that it signs: first it stands in the Secret and in every `caBundle`,
//! beside the old one; once the API servers go by that, the certificate is made anew. The old CA stays
//! beside it until it ends, so there is no moment at which a certificate in use is not vouched for.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use prometheus::{Gauge, IntGauge};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    MANAGER, Marker, Pace, SECRET, SERVICE, bundle,
    contest::Contests,
    tell::{Outcome, Teller, What, reference},
    wait,
};
use crate::admission::{
    certificate::{Authority, CertificateError, Pair, Validity, issued_by},
    metrics::Metrics,
};

/// The keys of the Secret: those of `kubernetes.io/tls`, and the CA's.
const CERT: &str = "tls.crt";
const KEY: &str = "tls.key";
const AUTHORITIES: &str = "ca.crt";
const AUTHORITY_KEY: &str = "ca.key";
/// How errors name where it comes from.
const ORIGIN: &str = "the Secret ramen-guard-certificate";

/// How long certificates last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lives {
    /// The CA.
    pub authority: Duration,
    /// The serving certificate.
    pub certificate: Duration,
}

impl Default for Lives {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 24 * 3600);
        Self {
            authority: days(730),
            certificate: days(90),
        }
    }
}

/// The certificate as it is now, for who serves.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The pair to serve: at first one that nobody trusts.
    pub pair: watch::Receiver<Pair>,
    /// Whether it is the shared one.
    pub held: watch::Receiver<bool>,
}

/// What the Secret says.
struct Kept {
    /// The certificates of the CAs in PEM, the newest first. Only that one's key is kept.
    authorities: Vec<String>,
    authority: Authority,
    pair: Pair,
    validity: Validity,
    /// Whether the newest CA signed the certificate.
    of_newest: bool,
}

impl Kept {
    fn read(secret: &Secret) -> Result<Self, CertificateError> {
        let empty = BTreeMap::new();
        let data = secret.data.as_ref().unwrap_or(&empty);
        let text = |key: &str| {
            let bytes = data.get(key).map(|bytes| bytes.0.as_slice());
            String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
        };
        let pair = Pair {
            cert_pem: text(CERT),
            key_pem: text(KEY),
        };
        let authorities = split(&text(AUTHORITIES));
        let newest = authorities.first().map_or("", String::as_str);
        let authority = Authority::from_pem(newest, &text(AUTHORITY_KEY), ORIGIN)?;
        Self::new(authorities, authority, pair)
    }

    fn new(
        authorities: Vec<String>,
        authority: Authority,
        pair: Pair,
    ) -> Result<Self, CertificateError> {
        pair.check(ORIGIN)?;
        let validity = Validity::of_pem(&pair.cert_pem, ORIGIN)?;
        let of_newest = issued_by(&pair.cert_pem, authority.cert_pem(), ORIGIN)?;
        Ok(Self {
            authorities,
            authority,
            pair,
            validity,
            of_newest,
        })
    }

    /// A CA beside those that there are, and a certificate of it.
    fn made(
        names: &[String],
        lives: Lives,
        beside: &[String],
        now: OffsetDateTime,
    ) -> Result<Self, CertificateError> {
        let (authorities, authority) = new_authority(lives, beside, now)?;
        let pair = authority.issue(names, lives.certificate)?;
        Self::new(authorities, authority, pair)
    }

    fn data(&self) -> BTreeMap<String, ByteString> {
        let entry = |key: &str, text: &str| (key.to_owned(), ByteString(text.as_bytes().to_vec()));
        BTreeMap::from([
            entry(CERT, &self.pair.cert_pem),
            entry(KEY, &self.pair.key_pem),
            entry(AUTHORITIES, &self.authorities.concat()),
            entry(AUTHORITY_KEY, self.authority.key_pem()),
        ])
    }

    /// The CAs that have not ended: what a `caBundle` holds.
    fn bundle(&self, now: OffsetDateTime) -> String {
        alive(&self.authorities, now).concat()
    }
}

/// Makes a CA, and says which there are then: it, and those of `beside` that have not ended.
fn new_authority(
    lives: Lives,
    beside: &[String],
    now: OffsetDateTime,
) -> Result<(Vec<String>, Authority), CertificateError> {
    // Two CAs of one name would leave it to the client which to try first.
    let millis = now.unix_timestamp_nanos() / 1_000_000;
    let authority = Authority::new(&format!("ramen-guard {millis}"), lives.authority)?;
    let mut authorities = vec![authority.cert_pem().to_owned()];
    authorities.extend(alive(beside, now));
    Ok((authorities, authority))
}

fn alive(authorities: &[String], now: OffsetDateTime) -> Vec<String> {
    let lives = |pem: &&String| Validity::of_pem(pem, ORIGIN).is_ok_and(|it| !it.has_ended(now));
    authorities.iter().filter(lives).cloned().collect()
}

/// The certificates of a PEM text, each by itself.
fn split(pem: &str) -> Vec<String> {
    const END: &str = "-----END CERTIFICATE-----";
    let parts = pem.split_inclusive(END).map(str::trim);
    let whole = parts.filter(|part| part.ends_with(END));
    whole.map(|part| format!("{part}\n")).collect()
}

/// What has to be done about what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Nothing,
    /// The CA nears its end: another one is put beside it.
    Authority,
    /// The certificate nears its end, or is of a CA that has been succeeded.
    Certificate,
}

/// Keeps the Secret, serves what is in it, and has it vouched for.
pub(super) struct Keeper {
    client: Client,
    api: Api<Secret>,
    namespace: String,
    lives: Lives,
    pace: Pace,
    marker: Arc<Marker>,
    teller: Arc<Teller>,
    contests: Contests,
    kept: Option<Kept>,
    /// The newest CA that every `caBundle` has, and since when.
    vouched: Option<(String, Instant)>,
    pair: watch::Sender<Pair>,
    held: watch::Sender<bool>,
    authority_end: Gauge,
    without_bundle: IntGauge,
    trouble: Option<String>,
}

impl Keeper {
    pub(super) fn new(
        client: Client,
        namespace: &str,
        lives: Lives,
        pace: Pace,
        (marker, teller): (Arc<Marker>, Arc<Teller>),
        metrics: &Arc<Metrics>,
    ) -> Result<(Self, Certificates), String> {
        let authority_end = metrics.seconds(
            "ramen_guard_ca_not_after_seconds",
            "When the newest CA of the guard's own ends, in seconds since 1970.",
        )?;
        let without_bundle = metrics.gauge(
            "ramen_guard_ca_bundle_missing",
            "Entries of the guard's webhook configurations that don't trust its certificate; known to the leader.",
        )?;
        let (pair, served) = watch::channel(super::stand_in()?);
        let (held, is_held) = watch::channel(false);
        let keeper = Self {
            api: Api::namespaced(client.clone(), namespace),
            client,
            namespace: namespace.to_owned(),
            lives,
            pace,
            marker,
            teller,
            contests: Contests::new(pace),
            kept: None,
            vouched: None,
            pair,
            held,
            authority_end,
            without_bundle,
            trouble: None,
        };
        let certificates = Certificates {
            pair: served,
            held: is_held,
        };
        Ok((keeper, certificates))
    }

    /// Keeps it until `stop`.
    pub(super) async fn run(mut self, mut leads: watch::Receiver<bool>, stop: CancellationToken) {
        // Often enough to come in time even for the shortest of lives.
        let every = self.pace.look.min(self.lives.certificate / 12);
        while !stop.is_cancelled() {
            let leading = *leads.borrow_and_update();
            match self.look(leading).await {
                Ok(()) => self.trouble = None,
                Err(error) => {
                    if self.trouble.as_ref() != Some(&error) {
                        tracing::warn!("the certificate can't be looked after: {error}");
                    }
                    self.trouble = Some(error);
                }
            }
            // Until there is one at all, others can't be trusted with anything: not a moment to lose.
            let pause = if self.kept.is_some() {
                every
            } else {
                every.min(Duration::from_secs(1))
            };
            tokio::select! {
                _ = wait(pause, &stop) => {}
                Ok(()) = leads.changed() => {}
            }
        }
    }

    async fn look(&mut self, leading: bool) -> Result<(), String> {
        let may_write = self.marker.allows_writing().await;
        let stored = self.api.get_opt(SECRET).await.map_err(|e| e.to_string())?;
        let now = OffsetDateTime::now_utc();
        let read = stored.as_ref().map(Kept::read);
        let kept = match read {
            Some(Ok(kept)) if !kept.validity.has_ended(now) => {
                let due = self.due(&kept, leading, now);
                let settled = due == Due::Nothing || !may_write;
                self.serve(kept, now);
                if settled {
                    None
                } else {
                    Some((due, "a third of its life is left or less"))
                }
            }
            _ if !may_write => None,
            None => Some((Due::Authority, "there was none")),
            Some(Ok(_)) => Some((Due::Certificate, "it had ended")),
            Some(Err(error)) => {
                tracing::warn!("{error}; making it anew");
                Some((Due::Authority, "what was stored was of no use"))
            }
        };
        if let Some((due, why)) = kept {
            self.renew(stored, due, why, now).await?;
        }
        if leading && may_write {
            self.publish(now).await?;
        }
        Ok(())
    }

    /// What the leader has to renew; others step in only when nobody did so for far too long.
    fn due(&self, kept: &Kept, leading: bool, now: OffsetDateTime) -> Due {
        let part = if leading { 3 } else { 6 };
        let left = kept.authority.validity().remaining(now);
        if left <= self.lives.authority / part {
            return Due::Authority;
        }
        let newest = kept.authority.cert_pem();
        let vouched = self
            .vouched
            .as_ref()
            .is_some_and(|(pem, since)| pem == newest && since.elapsed() >= self.pace.settle);
        let rest = kept.validity.remaining(now);
        let worn = if kept.of_newest || vouched {
            rest <= self.lives.certificate / part
        } else {
            // Better one that is not vouched for yet than one that has ended.
            rest <= self.lives.certificate / 12
        };
        let lasts_longer = left.min(self.lives.certificate) > rest + self.lives.certificate / 12;
        if worn && lasts_longer || leading && vouched && !kept.of_newest {
            return Due::Certificate;
        }
        Due::Nothing
    }

    /// Writes what is due over what was read, and serves it; where another one was faster, what that one
    /// wrote is found at the next look.
    async fn renew(
        &mut self,
        stored: Option<Secret>,
        due: Due,
        why: &str,
        now: OffsetDateTime,
    ) -> Result<(), String> {
        let made = self
            .made(stored.as_ref(), due, now)
            .map_err(|e| e.to_string())?;
        let mut secret = stored.unwrap_or_else(|| Secret {
            metadata: ObjectMeta {
                name: Some(SECRET.to_owned()),
                namespace: Some(self.namespace.clone()),
                labels: Some(super::labels()),
                ..ObjectMeta::default()
            },
            type_: Some("kubernetes.io/tls".to_owned()),
            ..Secret::default()
        });
        let data = secret.data.get_or_insert_default();
        data.extend(made.data());
        let params = PostParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PostParams::default()
        };
        let written = match secret.metadata.resource_version {
            None => self.api.create(&params, &secret).await,
            Some(_) => self.api.replace(SECRET, &params, &secret).await,
        };
        let written = match written {
            Ok(written) => written,
            Err(kube::Error::Api(status)) if status.code == 409 => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        let what = match due {
            Due::Authority => "a new CA",
            _ => "a new serving certificate",
        };
        let note = format!("{what}: {why}");
        self.teller
            .say(
                What::Certificate,
                Outcome::Changed,
                &reference(&written),
                note,
            )
            .await;
        self.serve(made, now);
        Ok(())
    }

    /// What is to be stored next. A certificate that still holds stays, until the CA that comes after its
    /// own is vouched for.
    fn made(
        &self,
        stored: Option<&Secret>,
        due: Due,
        now: OffsetDateTime,
    ) -> Result<Kept, CertificateError> {
        let names = self.names();
        let before = stored.and_then(|secret| Kept::read(secret).ok());
        let before = before.as_ref().or(self.kept.as_ref());
        let Some(before) = before.filter(|kept| !alive(&kept.authorities, now).is_empty()) else {
            return Kept::made(&names, self.lives, &[], now);
        };
        let newest = &before.authority;
        if due == Due::Certificate && !newest.validity().has_ended(now) {
            let authority = Authority::from_pem(newest.cert_pem(), newest.key_pem(), ORIGIN)?;
            let pair = authority.issue(&names, self.lives.certificate)?;
            return Kept::new(before.authorities.clone(), authority, pair);
        }
        if before.validity.has_ended(now) {
            return Kept::made(&names, self.lives, &before.authorities, now);
        }
        let (authorities, authority) = new_authority(self.lives, &before.authorities, now)?;
        Kept::new(authorities, authority, before.pair.clone())
    }

    /// What the API server, or a person on the same machine, may call the guard by.
    fn names(&self) -> Vec<String> {
        let namespace = &self.namespace;
        vec![
            format!("{SERVICE}.{namespace}.svc"),
            format!("{SERVICE}.{namespace}.svc.cluster.local"),
            format!("{SERVICE}.{namespace}"),
            SERVICE.to_owned(),
            "localhost".to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
        ]
    }

    fn serve(&mut self, kept: Kept, now: OffsetDateTime) {
        let end = kept.authority.validity().not_after.unix_timestamp();
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds, exact for the next 200 million years"
        )]
        self.authority_end.set(end as f64);
        self.pair.send_if_modified(|pair| {
            let new = *pair != kept.pair;
            pair.clone_from(&kept.pair);
            new
        });
        let holds = !kept.validity.has_ended(now);
        self.held
            .send_if_modified(|held| std::mem::replace(held, holds) != holds);
        self.kept = Some(kept);
    }

    /// Has the webhook configurations trust the CAs.
    async fn publish(&mut self, now: OffsetDateTime) -> Result<(), String> {
        let Some(kept) = &self.kept else {
            return Ok(());
        };
        let newest = kept.authority.cert_pem().to_owned();
        let bundle = kept.bundle(now);
        let publisher = bundle::Publisher {
            client: &self.client,
            namespace: &self.namespace,
            teller: &self.teller,
        };
        let missing = publisher.publish(&bundle, &mut self.contests).await?;
        self.contests.forget(Instant::now());
        self.without_bundle
            .set(i64::try_from(missing).unwrap_or(i64::MAX));
        if missing > 0 {
            self.vouched = None;
        } else if self.vouched.as_ref().is_none_or(|(pem, _)| *pem != newest) {
            self.vouched = Some((newest, Instant::now()));
        }
        Ok(())
    }
}
