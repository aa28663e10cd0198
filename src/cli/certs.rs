//! `certs`: a CA and a serving certificate in a folder, for who keeps them by other means than the guard's.

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use super::{print, serve::NAMES};
use crate::admission::certificate::{Authority, CertificateError, write_private};

/// Makes a CA and a serving certificate into a folder; a CA that is there already is used again
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The folder: ca.crt, ca.key, tls.crt and tls.key are written there
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// What the guard is called by: a DNS name or an address, as often as needed; else its own names
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// How long the certificate lasts
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=36500))]
    days: u32,
    /// How long the CA lasts, if it is made
    #[arg(long, value_name = "DAYS", default_value_t = 3650, value_parser = clap::value_parser!(u32).range(1..=36500))]
    ca_days: u32,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let folder = &args.folder;
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let names: Vec<&str> = if args.names.is_empty() {
        // The one that an API server calls comes first.
        NAMES.iter().rev().copied().collect()
    } else {
        args.names.iter().map(String::as_str).collect()
    };
    let made = make(args, &names).map_err(|error| error.to_string())?;
    let folder = folder.display();
    print(&format!(
        "{made} {folder}/ca.crt, and a certificate for {} that lasts {} days: {folder}/tls.crt, {folder}/tls.key\n\
         ramen-guard serve --tls-cert {folder}/tls.crt --tls-key {folder}/tls.key\n\
         caBundle: $(base64 -w0 {folder}/ca.crt)\n",
        names[0], args.days
    ))
}

fn make(args: &Args, names: &[&str]) -> Result<&'static str, CertificateError> {
    let days = |days: u32| Duration::from_secs(u64::from(days) * 24 * 3600);
    let at = |file: &str| args.folder.join(file);
    let (cert, key) = (at("ca.crt"), at("ca.key"));
    let (authority, made) = if cert.exists() || key.exists() {
        let read = |path: &PathBuf| {
            fs::read_to_string(path).map_err(|source| CertificateError::Read {
                origin: path.display().to_string(),
                source,
            })
        };
        let origin = cert.display().to_string();
        let authority = Authority::from_pem(&read(&cert)?, &read(&key)?, &origin)?;
        (authority, "used the CA")
    } else {
        let authority = Authority::new("ramen-guard", days(args.ca_days))?;
        write_private(&key, authority.key_pem())?;
        write(&cert, authority.cert_pem())?;
        (authority, "made the CA")
    };
    let pair = authority.issue(names, days(args.days))?;
    write_private(&at("tls.key"), &pair.key_pem)?;
    write(&at("tls.crt"), &pair.cert_pem)?;
    Ok(made)
}

fn write(path: &PathBuf, pem: &str) -> Result<(), CertificateError> {
    fs::write(path, pem).map_err(|source| CertificateError::Write {
        origin: path.display().to_string(),
        source,
    })
}
