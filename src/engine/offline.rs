//! What a manifest is judged by beside the rules: its kind's schema, as the API server would do first,
//! and what YAML makes of what was written.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use jsonptr::{Pointer, PointerBuf};
use serde_json::{Value, json};

use super::{Request, Settings, Verdict, judge::is_unreadable};
use crate::{
    api::{self, Doc, Kind as _, UnreadStatus, VolumeReplicationGroup},
    manifest::{
        crds::{self, Crds},
        load::Manifest,
        schema::{Schema, SchemaError, SchemaErrorKind},
        yaml::{Surprise, SurpriseKind},
    },
    policy::{self, Contract, Mode},
    report::{Finding, Lowered, plain},
};

/// Where a `VolumeReplicationGroup` has the parameters of its recipe.
const PARAMETERS: &str = "/spec/kubeObjectProtection/recipeParameters";

/// The schema of a kind of Ramen's, compiled when first asked for.
fn schema(kind: &str) -> Option<&'static Schema> {
    static COMPILED: LazyLock<Mutex<HashMap<String, &'static Schema>>> =
        LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(schema) = compiled.get(kind) {
        return Some(schema);
    }
    // One for each kind, for as long as the process lives.
    let schema: &'static Schema = Box::leak(Box::new(Schema::compile(api::schema(kind)?)));
    compiled.insert(kind.to_owned(), schema);
    Some(schema)
}

/// Whether an object has all that its kind has to have, as everything has that was ever stored. Of the kinds
/// of others that is not known.
pub(crate) fn is_whole(doc: &Doc) -> bool {
    let own = (doc.group() == api::GROUP).then(|| schema(doc.text("kind")));
    let errors = own.flatten().map(|schema| schema.validate(&doc.value));
    errors.is_none_or(|errors| {
        let mut errors = errors.iter();
        !errors.any(|error| error.kind == SchemaErrorKind::Required)
    })
}

/// What is known of the objects of others: they have metadata.
static ANY: LazyLock<Schema> = LazyLock::new(|| {
    Schema::compile(&json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true }))
});

/// The request with empty values where a value is of another type than its field, and these fields: so
/// rules can still be asked about the rest. Nothing where the object can't be made to fit.
pub(super) fn emptied(request: &Request) -> Option<(Request, Vec<PointerBuf>)> {
    let own = (request.group == api::GROUP).then(|| schema(&request.kind));
    let schema = own.flatten()?;
    let errors = schema.validate(&request.new.as_ref()?.value);
    let mut emptied = request.clone();
    let object = &mut emptied.new.as_mut()?.value;
    let mut fields = Vec::new();
    for error in errors {
        if error.kind == SchemaErrorKind::Type {
            *object.pointer_mut(error.pointer.as_str())? = schema.empty(&error.pointer)?;
            fields.push(error.pointer);
        }
    }
    (!fields.is_empty()).then_some((emptied, fields))
}

/// Adds what the schema says to the verdict of the rules. Where a rule blames the same field, it says
/// it better.
///
/// A kind that one of the CRDs defines has to fit that one; another kind of Ramen's has to fit the schema
/// that the guard was built with.
pub(super) fn add(
    verdict: &mut Verdict,
    request: &Request,
    manifest: &Manifest,
    settings: &Settings,
    crds: &Crds,
) {
    let offline = Offline {
        request,
        manifest,
        settings,
    };
    let version = crds::version_of(&manifest.doc);
    let given = crds.find(&request.group, &request.kind);
    let schema = if let Some(crd) = given {
        if crd.version(version).is_none() {
            let fix = "write a version that is served";
            offline.add_version(verdict, crd.versions(), Mode::Deny, fix);
        }
        crd.version(version).map(|version| &version.schema)
    } else {
        let own = (request.group == api::GROUP).then(|| schema(&request.kind));
        let own = own.flatten();
        if own.is_some() && version != api::VERSION {
            // A newer Ramen may serve it.
            let fix = "correct the version; if a newer Ramen serves it, give its CRDs with --crds";
            offline.add_version(verdict, [api::VERSION].into_iter(), Mode::Warn, fix);
        }
        own
    };
    let schema = match schema {
        Some(schema) => schema,
        None if verdict.known || given.is_some() => &ANY,
        None => return,
    };
    verdict.known = true;
    verdict.book = settings.book.clone();
    offline.add_errors(verdict, schema, given.is_some());
    let keys = manifest.surprises.iter().filter(|surprise| surprise.key);
    for surprise in keys {
        add_key(verdict, request, surprise, settings);
    }
    verdict.findings.sort_by(|a, b| a.order().cmp(&b.order()));
}

/// A manifest, and how it is judged.
struct Offline<'a> {
    request: &'a Request,
    manifest: &'a Manifest,
    settings: &'a Settings,
}

impl Offline<'_> {
    /// Says that the kind is not served in the version that the manifest names.
    fn add_version<'v>(
        &self,
        verdict: &mut Verdict,
        served: impl Iterator<Item = &'v str>,
        most: Mode,
        fix: &str,
    ) {
        let Some(rule) = policy::contract("object-schema") else {
            return;
        };
        let (group, kind) = (&self.request.group, &self.request.kind);
        let served: Vec<String> = served.map(|version| format!("{group}/{version}")).collect();
        let (mode, lowered) = standing(rule, self.settings, false);
        let mode = mode.min(most);
        if mode > Mode::Off {
            verdict.findings.push(Finding {
                rule: rule.into(),
                mode,
                pointer: PointerBuf::from_tokens(["apiVersion"]),
                message: format!("{kind} is served as {}", served.join(", ")),
                fix: Some(fix.to_owned()),
                related: Vec::new(),
                rests_on: Arc::default(),
                lowered,
            });
        }
    }

    /// `given`: whether the schema is another one than that of the types, which then have no say in which
    /// fields there are.
    fn add_errors(&self, verdict: &mut Verdict, schema: &Schema, given: bool) {
        let Self {
            request,
            manifest,
            settings,
        } = self;
        let old = request.old.as_ref().map(|old| &old.value);
        let errors = schema.validate_change(&written(manifest, schema), old);
        if given {
            let is_unknown = |finding: &Finding| {
                let mut unknown = errors
                    .iter()
                    .filter(|error| matches!(error.kind, SchemaErrorKind::UnknownField { .. }));
                unknown.any(|error| error.pointer == finding.pointer)
            };
            verdict.findings.retain(|finding| {
                !finding.rule.id.ends_with("-unknown-field") || is_unknown(finding)
            });
        }
        if errors.is_empty() {
            return;
        }
        // As the API server does, what is stored already is let be.
        let stored: HashSet<(PointerBuf, String)> = old
            .map_or_else(Vec::new, |old| schema.validate(old))
            .into_iter()
            .map(|error| (error.pointer, error.message))
            .collect();
        let said = Said::of(&verdict.findings);
        // Of one field the first that there is to say is enough.
        let mut own: HashMap<PointerBuf, Mode> = HashMap::new();
        let mut readable = true;
        for error in errors {
            let unknown = matches!(error.kind, SchemaErrorKind::UnknownField { .. });
            let Some(contract) = policy::contract(if unknown {
                "object-unknown-field"
            } else {
                "object-schema"
            }) else {
                continue;
            };
            let at = (error.pointer.clone(), error.message.clone());
            let kept = error.stored || error.kind != SchemaErrorKind::Rule && stored.contains(&at);
            let (mode, lowered) = standing(contract, settings, kept);
            if mode == Mode::Off {
                continue;
            }
            readable = false;
            let said = said.has(&error.pointer, mode, unknown)
                || own.get(&error.pointer).is_some_and(|most| *most >= mode);
            if said {
                continue;
            }
            own.insert(error.pointer.clone(), mode);
            let fix = fix(&error, &manifest.surprises);
            let message = match error.kind {
                SchemaErrorKind::UnknownField { .. } => "the kind has no such field".to_owned(),
                _ => error.message,
            };
            verdict.findings.push(Finding {
                rule: contract.into(),
                mode,
                pointer: error.pointer,
                message: plain(message),
                fix,
                related: Vec::new(),
                rests_on: Arc::default(),
                lowered,
            });
        }
        // The schema says better what is wrong than the reading that failed of it.
        verdict
            .findings
            .retain(|finding| readable || !is_unreadable(finding));
    }
}

/// The fields about which something is said, with the most that becomes of it.
struct Said(BTreeMap<String, Mode>);

impl Said {
    fn of(findings: &[Finding]) -> Self {
        let mut said = Self(BTreeMap::new());
        let rules = findings.iter().filter(|finding| !is_unreadable(finding));
        for finding in rules {
            said.add(&finding.pointer, finding.mode);
        }
        said
    }

    fn add(&mut self, pointer: &Pointer, mode: Mode) {
        let most = self.0.entry(pointer.as_str().to_owned()).or_insert(mode);
        *most = mode.max(*most);
    }

    /// Whether something as grave is said of the field, or of one below it.
    fn has(&self, pointer: &Pointer, mode: Mode, exactly: bool) -> bool {
        let pointer = pointer.as_str();
        if exactly {
            return self.0.contains_key(pointer);
        }
        let below = format!("{pointer}/");
        let mut inner = self
            .0
            .range(below.clone()..)
            .take_while(|(field, _)| field.starts_with(&below));
        self.0.get(pointer).is_some_and(|most| *most >= mode)
            || inner.any(|(_, most)| *most >= mode)
    }
}

/// What becomes of a finding of the schema's.
fn standing(contract: &Contract, settings: &Settings, stored: bool) -> (Mode, Option<Lowered>) {
    let mode = settings.mode(contract);
    if mode < Mode::Deny {
        let observed = settings.unobserved(contract) == Mode::Deny;
        return (mode, observed.then_some(Lowered::Observed));
    }
    if stored {
        (Mode::Warn, Some(Lowered::Stored))
    } else {
        (mode, None)
    }
}

fn fix(error: &SchemaError, surprises: &[Surprise]) -> Option<String> {
    match &error.kind {
        SchemaErrorKind::UnknownField {
            nearest: Some(nearest),
        } => Some(format!("did you mean \"{nearest}\"?")),
        SchemaErrorKind::Required => Some("add the field".to_owned()),
        SchemaErrorKind::Metadata if error.message.starts_with("Required value") => {
            Some("add the field".to_owned())
        }
        SchemaErrorKind::Type | SchemaErrorKind::Metadata
            if error.message.contains(" must be of type string: ") =>
        {
            let mut values = surprises.iter().filter(|surprise| !surprise.key);
            let surprise = values.find(|surprise| surprise.pointer == error.pointer)?;
            Some(format!(
                "YAML 1.1 reads {} as {}: write \"{}\", in quotes",
                surprise.written, surprise.value, surprise.written
            ))
        }
        _ => None,
    }
}

/// The object as it was written, with its status where that is the schema's business.
fn written<'a>(manifest: &'a Manifest, schema: &Schema) -> Cow<'a, Value> {
    let raw = manifest.raw();
    match &manifest.doc.status {
        Some(UnreadStatus::Value(status)) if schema.has_status() => {
            let mut raw = raw.clone();
            if let Value::Object(fields) = &mut raw {
                fields.insert("status".to_owned(), status.clone());
            }
            Cow::Owned(raw)
        }
        _ => Cow::Borrowed(raw),
    }
}

/// A field's name that YAML makes another one of. A value that it makes something else of is refused
/// by the schema where a string is wanted.
fn add_key(verdict: &mut Verdict, request: &Request, surprise: &Surprise, settings: &Settings) {
    let mut pointer: PointerBuf = surprise.pointer.clone();
    let name = surprise.value.to_string();
    pointer.push_back(name.as_str());
    let has = |pointer: &Pointer, value: &Value| pointer.resolve(value).is_ok();
    if request
        .old
        .as_ref()
        .is_some_and(|old| has(&pointer, &old.value))
    {
        return;
    }
    let written = &surprise.written;
    let fix = format!("write \"{written}\", in quotes");
    let unknown = |finding: &&mut Finding| {
        finding.pointer == pointer && finding.rule.id.ends_with("-unknown-field")
    };
    if let Some(finding) = verdict.findings.iter_mut().find(unknown) {
        finding.fix = Some(format!("YAML 1.1 reads {written} as {name}: {fix}"));
        return;
    }
    let parameter = request.kind == VolumeReplicationGroup::KIND
        && surprise.pointer.as_str() == PARAMETERS
        && surprise.kind == SurpriseKind::Boolean;
    let Some(rule) = policy::contract(if parameter {
        "vrg-recipe-parameter-name-yaml-bool"
    } else {
        "object-yaml11-surprise"
    }) else {
        return;
    };
    let mode = settings.mode(rule);
    if mode > Mode::Off {
        verdict.findings.push(Finding {
            rule: rule.into(),
            mode,
            pointer,
            message: format!("YAML 1.1 reads the name {written} as \"{name}\""),
            fix: Some(fix),
            related: Vec::new(),
            rests_on: Arc::default(),
            lowered: None,
        });
    }
}
