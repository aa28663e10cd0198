//! `AdmissionReview` v1 in and out.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::{
    ByteString,
    apimachinery::pkg::apis::meta::v1::{Status, StatusCause, StatusDetails},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    api::Doc,
    engine::{Request, User, Verdict},
    golang::quote,
    policy::Operation,
    report::{Book, Finding, clip, field, plain},
};

/// The only group and version of `AdmissionReview` that is answered.
pub const API_VERSION: &str = "admission.k8s.io/v1";
/// The most characters of a warning: kube-apiserver cuts longer ones.
const WARNING_CHARS: usize = 200;
/// The most denials that one answer spells out: far more than anyone reads.
const DENIALS: usize = 100;
/// The most warnings of one answer; then one says how many more there are.
const WARNINGS: usize = 8;

/// A review as it was sent, and what of it the answer repeats.
#[derive(Debug)]
pub struct Review {
    /// `request.uid`.
    pub uid: String,
    /// What is to be judged.
    pub request: Request,
}

/// Why a review can't be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// Not JSON, or a field has the wrong type.
    #[error("the body is not an AdmissionReview: {0}")]
    Malformed(String),
    /// Another kind or version.
    #[error("the body is a {found}; only AdmissionReview of {API_VERSION} is answered")]
    Version {
        /// What was sent, as `apiVersion kind`.
        found: String,
    },
    /// A field that the answer can't do without.
    #[error("the AdmissionReview has no {0}")]
    Missing(&'static str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    request: Option<Sent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    #[serde(default)]
    uid: String,
    #[serde(default)]
    kind: Option<GroupVersionKind>,
    #[serde(default)]
    sub_resource: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    operation: String,
    #[serde(default)]
    user_info: Option<UserInfo>,
    #[serde(default)]
    object: Option<Doc>,
    #[serde(default)]
    old_object: Option<Doc>,
    #[serde(default)]
    dry_run: Option<bool>,
}

#[derive(Deserialize)]
struct GroupVersionKind {
    #[serde(default)]
    group: String,
    #[serde(default)]
    kind: String,
}

#[derive(Deserialize)]
struct UserInfo {
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    groups: Option<Vec<String>>,
}

impl Review {
    /// Reads a review.
    ///
    /// # Errors
    /// What is not an `AdmissionReview` of v1 with a request that has a uid, a kind, an operation, and
    /// the objects that the operation implies. `CONNECT` is answered as an operation without objects.
    pub fn read(body: &[u8]) -> Result<Self, ReviewError> {
        let envelope: Envelope = serde_json::from_slice(body)
            .map_err(|error| ReviewError::Malformed(clip(&plain(error.to_string()), 300)))?;
        if envelope.kind != "AdmissionReview" || envelope.api_version != API_VERSION {
            let found = format!(
                "{} of {}",
                quote(&clip(&envelope.kind, 60)),
                quote(&clip(&envelope.api_version, 60))
            );
            return Err(ReviewError::Version { found });
        }
        let sent = envelope.request.ok_or(ReviewError::Missing("request"))?;
        if sent.uid.is_empty() {
            return Err(ReviewError::Missing("request.uid"));
        }
        let kind = sent.kind.ok_or(ReviewError::Missing("request.kind"))?;
        let operation = match &*sent.operation {
            "CREATE" => Operation::Create,
            "UPDATE" => Operation::Update,
            "DELETE" => Operation::Delete,
            "" => return Err(ReviewError::Missing("request.operation")),
            other => {
                return Err(ReviewError::Malformed(format!(
                    "request.operation {:?} is not known",
                    clip(other, 60)
                )));
            }
        };
        if operation != Operation::Delete && sent.object.is_none() {
            return Err(ReviewError::Missing("request.object"));
        }
        if operation == Operation::Update && sent.old_object.is_none() {
            return Err(ReviewError::Missing("request.oldObject"));
        }
        let user = sent.user_info.map_or_else(User::default, |info| User {
            name: info.username.unwrap_or_default(),
            groups: info.groups.unwrap_or_default(),
        });
        let request = Request {
            operation,
            group: kind.group,
            kind: kind.kind,
            namespace: sent.namespace.unwrap_or_default(),
            name: sent.name.unwrap_or_default(),
            subresource: sent.sub_resource.unwrap_or_default(),
            new: sent.object,
            old: sent.old_object,
            user,
            dry_run: sent.dry_run.unwrap_or_default(),
        };
        Ok(Self {
            uid: sent.uid,
            request: request.with_defaults(),
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_annotations: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<ByteString>,
}

/// The answer to a review, as JSON.
pub fn answer(review: &Review, verdict: &Verdict) -> Vec<u8> {
    write(&review.uid, verdict, &review.request, None)
}

/// The answer of the mutating phase: a refusal, or a patch where there is something to add.
pub fn answer_with_patch(review: &Review, verdict: &Verdict, patch: Option<&Value>) -> Vec<u8> {
    write(&review.uid, verdict, &review.request, patch)
}

fn write(uid: &str, verdict: &Verdict, request: &Request, patch: Option<&Value>) -> Vec<u8> {
    let denials: Vec<&Finding> = verdict.denials().collect();
    let allowed = denials.is_empty();
    let patch = patch
        .filter(|_| allowed)
        .map(|patch| ByteString(patch.to_string().into_bytes()));
    let response = Response {
        uid,
        allowed,
        status: (!allowed).then(|| status(request, &denials, &verdict.book)),
        warnings: warnings(verdict),
        audit_annotations: audit(verdict),
        patch_type: patch.as_ref().map(|_| "JSONPatch"),
        patch,
    };
    let answer = Answer {
        api_version: API_VERSION,
        kind: "AdmissionReview",
        response,
    };
    // Strings, numbers and lists of them: this always serialises.
    serde_json::to_vec(&answer).unwrap_or_default()
}

/// A denial is 403: on 409 and 422 `kubectl apply --force`, Argo CD and Flux delete the object and make
/// it anew, which ends its protection.
fn status(request: &Request, denials: &[&Finding], book: &Book) -> Status {
    let cause = |finding: &&Finding| StatusCause {
        reason: Some(finding.rule.id.clone()),
        field: Some(finding.field()),
        message: Some(format!("{}; {}", finding.message, finding.fix())),
    };
    Status {
        status: Some("Failure".to_owned()),
        message: Some(message(denials, book)),
        reason: Some("Forbidden".to_owned()),
        details: Some(StatusDetails {
            name: Some(request.name.clone()),
            group: Some(request.group.clone()),
            kind: Some(request.kind.clone()),
            causes: Some(denials.iter().take(DENIALS).map(cause).collect()),
            ..StatusDetails::default()
        }),
        code: Some(403),
        ..Status::default()
    }
}

/// All that is wrong, for a person at a terminal.
pub fn message(denials: &[&Finding], book: &Book) -> String {
    let said = |finding: &Finding| match book.page(&finding.rule.id) {
        None => finding.to_string(),
        Some(page) => format!("{finding}, see {page}"),
    };
    match denials {
        [one] => said(one),
        all => {
            let shown = all.iter().take(DENIALS);
            let mut lines = shown.fold(String::new(), |lines, finding| {
                lines + &format!("\n  {}", said(finding))
            });
            if all.len() > DENIALS {
                lines += &format!("\n  and {} more", all.len() - DENIALS);
            }
            format!("{} problems:{lines}", all.len())
        }
    }
}

fn warnings(verdict: &Verdict) -> Vec<String> {
    let text = |finding: &Finding| {
        let place = match field(&finding.pointer) {
            place if place.is_empty() => String::new(),
            place => format!("{place}: "),
        };
        clip(
            &format!(
                "{}: {place}{}; {}",
                finding.rule.id,
                finding.message,
                finding.fix()
            ),
            WARNING_CHARS,
        )
    };
    let all: Vec<&Finding> = verdict.warnings().collect();
    let mut lines: Vec<String> = all
        .iter()
        .take(WARNINGS)
        .map(|finding| text(finding))
        .collect();
    if all.len() > WARNINGS {
        lines.push(format!(
            "ramen-guard: {} more; `ramen-guard check` shows all",
            all.len() - WARNINGS
        ));
    }
    lines
}

/// Notes for the API server's audit log: the rules that spoke, by mode.
fn audit(verdict: &Verdict) -> Option<Value> {
    if verdict.findings.is_empty() {
        return None;
    }
    let mut notes = BTreeMap::<&str, BTreeSet<String>>::new();
    for finding in &verdict.findings {
        let id = &finding.rule.id;
        let rule = match finding.lowered {
            Some(lowered) => format!("{id} ({})", lowered.name()),
            None => id.clone(),
        };
        notes.entry(finding.mode.name()).or_default().insert(rule);
    }
    let joined = notes.into_iter().map(|(mode, rules)| {
        let rules: Vec<String> = rules.into_iter().collect();
        (mode.to_owned(), Value::from(rules.join(", ")))
    });
    Some(Value::Object(joined.collect()))
}
