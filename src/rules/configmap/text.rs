//! Ramen's configuration as a text: whether Ramen can read it, and what of it Ramen does not take as it
//! looks.

use serde_json::Value;

use super::{
    Case, Report, Rule,
    config::{Config, is_ramens},
    configured,
};
use crate::{
    api::{ConfigMap, DRCluster, RAMEN_CONFIG, schema},
    golang::quote,
    manifest::goyaml::{Embedded, EmbeddedError, Fault},
    policy::Operation,
    world::Relation,
};

pub(super) const RULES: &[Rule<ConfigMap>] = &[
    ("config-parse", parse),
    ("config-key-missing", key_missing),
    ("config-unknown-field", unknown_field),
    ("config-yaml11-surprise", surprise),
];

fn parse(case: &Case<'_, ConfigMap>, report: &mut Report) {
    if !is_ramens(case) {
        return;
    }
    if let Err(error) = case.new.spec.ramen_config() {
        faults(error, &configured(""), |fault, pointer, message| {
            let finding = if fault.sure {
                report.say(pointer, message)
            } else {
                report.advise(pointer, message)
            };
            if let Some(help) = fault.help {
                finding.fix(help);
            }
        });
    }
}

/// Hands on every reason why a text can't be read, with its pointer and a message. `text` is the
/// pointer to the text.
pub(super) fn faults(
    error: &EmbeddedError,
    text: &str,
    mut say: impl FnMut(&Fault, String, String),
) {
    for fault in &error.faults {
        let message = if fault.syntax {
            let line = fault.position.line;
            let verdict = if fault.sure {
                "is no YAML"
            } else {
                "may be no YAML"
            };
            format!("line {line} of the text {verdict}: {}", fault.message)
        } else {
            fault.message.clone()
        };
        say(fault, format!("{text}{}", fault.pointer), message);
    }
}

fn key_missing(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    let text = case.new.spec.data.get(RAMEN_CONFIG);
    // Comments say nothing.
    let empty = |line: &str| line.trim().is_empty() || line.trim().starts_with('#');
    if text.is_some_and(|text| !text.lines().all(empty)) {
        return;
    }
    let message = match text {
        None => "is not there",
        Some(_) => "is empty",
    };
    let clusters = case.world.related::<DRCluster>(Relation::Any, "");
    let user = clusters
        .iter()
        .find(|cluster| !cluster.meta.is_terminating());
    match user {
        Some(cluster) if case.operation == Operation::Update => {
            let message = format!("{message}, and there is {}", cluster.key());
            let finding = config.grave(report, configured(""), message);
            finding.because(*cluster, "/spec/s3ProfileName");
        }
        _ => {
            report.advise(configured(""), message);
        }
    }
}

/// What the stored text has too is left alone, though the text is another one now: what nobody reads is
/// not in what the text says.
fn unknown_field(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    let before = config
        .old
        .map(|old| &*old.embedded.unknown)
        .unwrap_or_default();
    for unknown in &config.text.embedded.unknown {
        if before.iter().any(|known| known.pointer == unknown.pointer) {
            continue;
        }
        let finding = report.say(
            configured(unknown.pointer.as_str()),
            "Ramen has no such field",
        );
        let written = unknown
            .pointer
            .last()
            .map(|token| token.decoded().into_owned());
        let fix = match written.and_then(|written| elsewhere(&written)) {
            Some(Elsewhere::Same(path)) => format!("move it: Ramen looks for it at \"{path}\""),
            Some(Elsewhere::Longer(path)) => format!("did you mean \"{path}\"?"),
            None => match &unknown.nearest {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => continue,
            },
        };
        finding.fix(fix);
    }
}

/// Where in the configuration a field might be meant to stand, as `s3StoreProfiles[].s3Bucket`.
#[derive(Debug, PartialEq)]
enum Elsewhere {
    /// One of that name.
    Same(String),
    /// One whose name was cut short.
    Longer(String),
}

/// The only such place, if there is one.
fn elsewhere(written: &str) -> Option<Elsewhere> {
    let written = written.to_ascii_lowercase();
    let mut paths = Vec::new();
    collect(schema("RamenConfig")?, "", &mut paths);
    let name = |path: &String| {
        path.rsplit('.')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let mut same = paths.iter().filter(|path| name(path) == written);
    if let Some(path) = same.next() {
        let path = Elsewhere::Same(path.clone());
        return same.next().is_none().then_some(path);
    }
    let mut longer = paths
        .iter()
        .filter(|path| is_short_for(&written, &name(path)));
    let path = Elsewhere::Longer(longer.next()?.clone());
    longer.next().is_none().then_some(path)
}

/// Whether a name is another one with something left out of its middle: `s3Endpoint`.
fn is_short_for(written: &str, name: &str) -> bool {
    let common =
        |pairs: &mut dyn Iterator<Item = (u8, u8)>| pairs.take_while(|(a, b)| a == b).count();
    let start = common(&mut written.bytes().zip(name.bytes()));
    let end = common(&mut written.bytes().rev().zip(name.bytes().rev()));
    written.len() > 5 && written.len() < name.len() && start + end >= written.len()
}

/// Every field below a schema.
fn collect(schema: &Value, path: &str, paths: &mut Vec<String>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        collect(schema, &path, paths);
        if let Some(items) = schema.get("items") {
            collect(items, &format!("{path}[]"), paths);
        }
        paths.push(path);
    }
}

fn surprise(case: &Case<'_, ConfigMap>, report: &mut Report) {
    const NAMES: [&str; 3] = ["s3ProfileName", "s3Bucket", "s3Region"];
    let Some(config) = Config::of(case) else {
        return;
    };
    let Embedded {
        value, conversions, ..
    } = &config.text.embedded;
    for found in conversions {
        let field = found.pointer.last();
        let named = field.is_some_and(|field| NAMES.contains(&&*field.decoded()));
        // A key that stands again may have brought another value.
        let counts = found.pointer.resolve(value).ok() == Some(&Value::from(&*found.read));
        if named && counts && found.read != found.written {
            let (written, read) = (&found.written, quote(&found.read));
            let finding = report.say(
                configured(found.pointer.as_str()),
                format!("{written} is {read} to Ramen"),
            );
            finding.fix(format!("if it is a name, write {}", quote(written)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Elsewhere, elsewhere};

    #[test]
    fn a_field_is_found_where_it_belongs() {
        let same = |path: &str| Some(Elsewhere::Same(path.to_owned()));
        let longer = |path: &str| Some(Elsewhere::Longer(path.to_owned()));
        for (written, found) in [
            (
                "s3Endpoint",
                longer("s3StoreProfiles[].s3CompatibleEndpoint"),
            ),
            ("S3STOREPROFILES", same("s3StoreProfiles")),
            (
                "veleroNamespaceName",
                same("kubeObjectProtection.veleroNamespaceName"),
            ),
            ("featureEnabled", same("multiNamespace.FeatureEnabled")),
            // There are several.
            ("name", None),
            ("disabled", None),
            ("webhook", None),
            ("enabled", None),
        ] {
            assert_eq!(elsewhere(written), found, "{written}");
        }
    }
}
