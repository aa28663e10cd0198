//! Certificates: a CA of our own, what it issues, and how PEM files are read and written.
//!
//! Keys are ECDSA P-256, which every Kubernetes API server verifies and which is cheap to sign with.

use std::{
    fmt::{self, Display},
    fs,
    io::{self, Write as _},
    net::IpAddr,
    path::Path,
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _, SanType, string::Ia5String,
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use x509_parser::parse_x509_certificate;

/// How far before now a certificate begins, for clusters whose clocks differ.
const BACKDATED: Duration = Duration::from_mins(5);
/// A longer common name is not allowed by RFC 5280.
const COMMON_NAME_LENGTH: usize = 64;

/// Why a certificate or a key can't be used or made. The text names where it came from and the way
/// out.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file can't be read.
    #[error("can't read {origin}: {source}")]
    Read {
        /// The file.
        origin: String,
        /// Why.
        source: io::Error,
    },
    /// The file can't be written.
    #[error("can't write {origin}: {source}")]
    Write {
        /// The file.
        origin: String,
        /// Why.
        source: io::Error,
    },
    /// There is nothing like a certificate in it.
    #[error(
        "no certificate in {origin}: it must hold PEM, from -----BEGIN CERTIFICATE----- on, the leaf first"
    )]
    NoCertificate {
        /// The file.
        origin: String,
    },
    /// There is nothing like a private key in it.
    #[error(
        "no private key in {origin}: it must hold an unencrypted PEM key (PKCS#8, SEC1 or PKCS#1)"
    )]
    NoKey {
        /// The file.
        origin: String,
    },
    /// It looks like PEM, but what is inside can't be used.
    #[error("can't use {origin}: {why}")]
    Unusable {
        /// The file.
        origin: String,
        /// Why.
        why: String,
    },
    /// The key belongs to another certificate.
    #[error(
        "the key in {key} does not belong to the certificate in {certificate}: give the two that were made together"
    )]
    Mismatch {
        /// The certificate's file.
        certificate: String,
        /// The key's file.
        key: String,
    },
    /// The certificate is past its end.
    #[error("the certificate in {origin} expired at {at}: renew it, or correct the clock")]
    Expired {
        /// The file.
        origin: String,
        /// Its end, RFC 3339.
        at: String,
    },
    /// A certificate can't be made for this.
    #[error("can't make a certificate for {subject}: {why}")]
    Make {
        /// For whom.
        subject: String,
        /// Why.
        why: String,
    },
}

impl CertificateError {
    fn make(subject: &str, why: impl Display) -> Self {
        Self::Make {
            subject: subject.to_owned(),
            why: why.to_string(),
        }
    }

    pub(crate) fn unusable(origin: &str, why: impl Display) -> Self {
        Self::Unusable {
            origin: origin.to_owned(),
            why: why.to_string(),
        }
    }
}

/// A certificate (with the chain above it, if any) and its key, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    /// One or more certificates, the leaf first.
    pub cert_pem: String,
    /// The private key. Never logged; see [`write_private`] to keep it in a file.
    pub key_pem: String,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("cert_pem", &self.cert_pem)
            .finish_non_exhaustive()
    }
}

impl Pair {
    /// Whether the key is the certificate's. `origin` names where the two come from in errors.
    pub(crate) fn check(&self, origin: &str) -> Result<(), CertificateError> {
        let leaf = first(&self.cert_pem, origin)?;
        let key = KeyPair::from_pem(&self.key_pem).map_err(|_| CertificateError::NoKey {
            origin: origin.to_owned(),
        })?;
        let (_, parsed) =
            parse_x509_certificate(&leaf).map_err(|why| CertificateError::unusable(origin, why))?;
        if parsed.public_key().raw == key.subject_public_key_info() {
            return Ok(());
        }
        Err(CertificateError::Mismatch {
            certificate: origin.to_owned(),
            key: origin.to_owned(),
        })
    }
}

/// Whether the certificate names the CA as its issuer.
pub(crate) fn issued_by(
    cert_pem: &str,
    ca_pem: &str,
    origin: &str,
) -> Result<bool, CertificateError> {
    let (leaf, ca) = (first(cert_pem, origin)?, first(ca_pem, origin)?);
    let unusable = |why| CertificateError::unusable(origin, why);
    let (_, leaf) = parse_x509_certificate(&leaf).map_err(unusable)?;
    let (_, ca) = parse_x509_certificate(&ca).map_err(unusable)?;
    Ok(leaf.issuer().as_raw() == ca.subject().as_raw())
}

/// The first certificate of a PEM text.
fn first(pem: &str, origin: &str) -> Result<CertificateDer<'static>, CertificateError> {
    let mut chain = certificates(pem.as_bytes(), origin)?;
    Ok(chain.swap_remove(0))
}

/// From when to when a certificate may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub not_before: OffsetDateTime,
    /// The last moment.
    pub not_after: OffsetDateTime,
}

impl Validity {
    /// Reads it from the first certificate in `pem`; `origin` names the file in errors.
    pub fn of_pem(pem: &str, origin: &str) -> Result<Self, CertificateError> {
        match certificates(pem.as_bytes(), origin)?.first() {
            Some(leaf) => Self::of(leaf, origin),
            None => Err(CertificateError::NoCertificate {
                origin: origin.to_owned(),
            }),
        }
    }

    pub(crate) fn of(leaf: &CertificateDer<'_>, origin: &str) -> Result<Self, CertificateError> {
        let (_, parsed) =
            parse_x509_certificate(leaf).map_err(|why| CertificateError::unusable(origin, why))?;
        let validity = parsed.validity();
        Ok(Self {
            not_before: validity.not_before.to_datetime(),
            not_after: validity.not_after.to_datetime(),
        })
    }

    /// Whether `now` is within.
    pub fn contains(&self, now: OffsetDateTime) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// Whether `now` is past the end.
    pub fn has_ended(&self, now: OffsetDateTime) -> bool {
        now > self.not_after
    }

    /// How long a certificate that begins now may last without outliving this one.
    pub fn remaining(&self, now: OffsetDateTime) -> Duration {
        (self.not_after - now).try_into().unwrap_or_default()
    }
}

/// A certificate authority: its certificate and the key it signs with.
pub struct Authority {
    pair: Pair,
    validity: Validity,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a CA that signs leaf certificates only, valid from a few minutes ago until `lifetime`
    /// from now.
    pub fn new(common_name: &str, lifetime: Duration) -> Result<Self, CertificateError> {
        let fail = |why: rcgen::Error| CertificateError::make(common_name, why);
        let validity = starting_now(common_name, lifetime)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        (params.not_before, params.not_after) = (validity.not_before, validity.not_after);
        let key = KeyPair::generate().map_err(fail)?;
        let certificate = params.self_signed(&key).map_err(fail)?;
        let pair = Pair {
            cert_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        };
        Ok(Self {
            pair,
            validity,
            issuer: Issuer::new(params, key),
        })
    }

    /// Takes up a CA that was made before. `origin` names where the two come from in errors.
    pub fn from_pem(cert_pem: &str, key_pem: &str, origin: &str) -> Result<Self, CertificateError> {
        let chain = certificates(cert_pem.as_bytes(), origin)?;
        let Some(own) = chain.first() else {
            return Err(CertificateError::NoCertificate {
                origin: origin.to_owned(),
            });
        };
        let key = KeyPair::from_pem(key_pem).map_err(|_| CertificateError::NoKey {
            origin: origin.to_owned(),
        })?;
        let (_, parsed) =
            parse_x509_certificate(own).map_err(|why| CertificateError::unusable(origin, why))?;
        if !parsed.is_ca() {
            return Err(CertificateError::unusable(
                origin,
                "it is not the certificate of a CA",
            ));
        }
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(CertificateError::Mismatch {
                certificate: origin.to_owned(),
                key: origin.to_owned(),
            });
        }
        let validity = Validity::of(own, origin)?;
        let issuer = Issuer::from_ca_cert_der(own, key)
            .map_err(|why| CertificateError::unusable(origin, why))?;
        let pair = Pair {
            cert_pem: cert_pem.to_owned(),
            key_pem: key_pem.to_owned(),
        };
        Ok(Self {
            pair,
            validity,
            issuer,
        })
    }

    /// The CA's certificate: what a `caBundle` holds.
    pub fn cert_pem(&self) -> &str {
        &self.pair.cert_pem
    }

    /// The CA's own key, for the Secret or the file it is kept in.
    pub fn key_pem(&self) -> &str {
        &self.pair.key_pem
    }

    /// From when to when the CA may be used.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// Issues a serving certificate for DNS names and IP addresses, with a new key. It lasts
    /// `lifetime` from now, but never longer than the CA.
    pub fn issue<N: AsRef<str>>(
        &self,
        names: &[N],
        lifetime: Duration,
    ) -> Result<Pair, CertificateError> {
        let Some(first) = names.first().map(AsRef::as_ref) else {
            return Err(CertificateError::make(
                "nobody",
                "give at least one DNS name or IP address",
            ));
        };
        let fail = |why: rcgen::Error| CertificateError::make(first, why);
        let wanted = starting_now(first, lifetime)?;
        let mut params = CertificateParams::default();
        params.subject_alt_names = names
            .iter()
            .map(|name| alternative(name.as_ref()))
            .collect::<Result<_, _>>()?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        if first.len() <= COMMON_NAME_LENGTH {
            params.distinguished_name.push(DnType::CommonName, first);
        }
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = wanted.not_before.max(self.validity.not_before);
        params.not_after = wanted.not_after.min(self.validity.not_after);
        let key = KeyPair::generate().map_err(fail)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(fail)?;
        Ok(Pair {
            cert_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

/// Writes a key so that only the owner may ever read it (mode 0600). It is written beside `path`
/// and moved there, so that nobody sees half a key; the folder must be there.
pub fn write_private(path: &Path, key_pem: &str) -> Result<(), CertificateError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let write = || -> io::Result<()> {
        // What a run that was killed left behind may have other rights.
        match fs::remove_file(beside) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(beside)?;
        file.write_all(key_pem.as_bytes())?;
        file.sync_all()?;
        fs::rename(beside, path)
    };
    write().map_err(|source| CertificateError::Write {
        origin: path.display().to_string(),
        source,
    })
}

/// The certificates in `pem`, at least one.
pub(crate) fn certificates(
    pem: &[u8],
    origin: &str,
) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(chain) if chain.is_empty() => Err(CertificateError::NoCertificate {
            origin: origin.to_owned(),
        }),
        Ok(chain) => Ok(chain),
        Err(why) => Err(CertificateError::unusable(
            origin,
            format_args!("broken PEM: {why}"),
        )),
    }
}

/// RFC 3339, for people.
pub(crate) fn readable(moment: OffsetDateTime) -> String {
    moment
        .format(&Rfc3339)
        .unwrap_or_else(|_| moment.unix_timestamp().to_string())
}

fn alternative(name: &str) -> Result<SanType, CertificateError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    if name.is_empty() {
        return Err(CertificateError::make("\"\"", "a name may not be empty"));
    }
    Ok(SanType::DnsName(
        Ia5String::try_from(name).map_err(|why| CertificateError::make(name, why))?,
    ))
}

fn starting_now(subject: &str, lifetime: Duration) -> Result<Validity, CertificateError> {
    let now = OffsetDateTime::now_utc();
    let lasting = |by: Duration| {
        time::Duration::try_from(by)
            .ok()
            .and_then(|by| now.checked_add(by))
    };
    match lasting(lifetime) {
        Some(not_after) if !lifetime.is_zero() => Ok(Validity {
            not_before: now - BACKDATED,
            not_after,
        }),
        _ => Err(CertificateError::make(
            subject,
            "the lifetime must be more than nothing and end before the year 10000",
        )),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn an_authority_is_taken_up_again() {
        let made = Authority::new("guard CA", DAY).unwrap();
        let again = Authority::from_pem(made.cert_pem(), made.key_pem(), "the secret").unwrap();
        assert_eq!(
            again.validity().not_after.unix_timestamp(),
            made.validity().not_after.unix_timestamp()
        );
        let pair = again
            .issue(&["guard.svc", "127.0.0.1", "::1"], DAY)
            .unwrap();
        let leaf = certificates(pair.cert_pem.as_bytes(), "leaf")
            .unwrap()
            .remove(0);
        let ca = certificates(made.cert_pem().as_bytes(), "ca")
            .unwrap()
            .remove(0);
        let (_, ca) = parse_x509_certificate(&ca).unwrap();
        let (_, leaf) = parse_x509_certificate(&leaf).unwrap();
        assert_eq!(leaf.issuer(), ca.subject());
        assert_eq!(
            leaf.subject_alternative_name()
                .unwrap()
                .unwrap()
                .value
                .general_names
                .len(),
            3
        );
        assert_ne!(leaf.raw_serial(), ca.raw_serial());
    }

    #[test]
    fn a_leaf_does_not_outlive_its_authority() {
        let authority = Authority::new("guard CA", DAY).unwrap();
        let pair = authority.issue(&["guard.svc"], 10 * DAY).unwrap();
        let leaf = Validity::of_pem(&pair.cert_pem, "leaf").unwrap();
        let end = authority.validity().not_after;
        assert_eq!(leaf.not_after.unix_timestamp(), end.unix_timestamp());
        assert!(leaf.contains(OffsetDateTime::now_utc()));
        assert!(leaf.has_ended(end + DAY));
        assert!(leaf.remaining(OffsetDateTime::now_utc()) <= DAY);
        assert_eq!(leaf.remaining(end + DAY), Duration::ZERO);
    }

    #[test]
    fn what_cannot_be_issued_is_refused() {
        let authority = Authority::new("guard CA", DAY).unwrap();
        let none: [&str; 0] = [];
        let said = |result: Result<Pair, CertificateError>| result.unwrap_err().to_string();
        assert!(said(authority.issue(&none, DAY)).contains("at least one DNS name"));
        assert!(said(authority.issue(&[""], DAY)).contains("may not be empty"));
        assert!(said(authority.issue(&["größe.example"], DAY)).contains("größe.example"));
        assert!(said(authority.issue(&["guard.svc"], Duration::ZERO)).contains("lifetime"));
        assert!(said(authority.issue(&["guard.svc"], Duration::MAX)).contains("lifetime"));
        let long = format!("{}.svc", "a".repeat(60));
        assert!(authority.issue(&[long], DAY).is_ok());
    }

    #[test]
    fn a_pair_that_is_no_authority_is_refused() {
        let authority = Authority::new("guard CA", DAY).unwrap();
        let other = Authority::new("other CA", DAY).unwrap();
        let leaf = authority.issue(&["guard.svc"], DAY).unwrap();
        let said = |cert: &str, key: &str| match Authority::from_pem(cert, key, "ca.crt") {
            Ok(_) => panic!("taken"),
            Err(why) => why.to_string(),
        };
        assert!(said(authority.cert_pem(), other.key_pem()).contains("does not belong"));
        assert!(said(&leaf.cert_pem, &leaf.key_pem).contains("not the certificate of a CA"));
        assert!(said("", other.key_pem()).starts_with("no certificate in ca.crt"));
        assert!(said(authority.cert_pem(), "").starts_with("no private key in ca.crt"));
        let cut = &authority.cert_pem()[..authority.cert_pem().len() / 2];
        assert!(said(cut, authority.key_pem()).contains("ca.crt"));
    }

    #[test]
    fn a_key_never_shows() {
        let pair = Authority::new("guard CA", DAY)
            .unwrap()
            .issue(&["guard.svc"], DAY)
            .unwrap();
        assert!(!format!("{pair:?}").contains("PRIVATE KEY"));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_is_private_from_the_start() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tls.key");
        fs::write(&path, "old").unwrap();
        fs::write(folder.path().join("tls.key.new"), "left behind").unwrap();
        write_private(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = folder.path().join("missing/tls.key");
        assert!(
            write_private(&nowhere, "new")
                .unwrap_err()
                .to_string()
                .contains("missing/tls.key")
        );
    }
}
