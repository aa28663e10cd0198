//! YAML as kubectl reads it, with positions.
//!
//! kubectl reads YAML with sigs.k8s.io/yaml: YAML 1.1 scalars (`yes` is a boolean, `0644` is 420),
//! turned into JSON. [`documents`] cuts a text as kubectl does and reads each document; `first`
//! reads what a Go program gets that calls `yaml.Unmarshal` on the text. Syntax is granit-parser's,
//! what a scalar means is `scalar`'s.
//!
//! What differs from Go, on purpose or because the parser does, stands in `tests/manifest/`.

mod alias;
mod compose;
mod error;
mod json;
mod libyaml;
pub(crate) mod scalar;
mod simple;
mod spans;
mod stream;
mod tag;

use std::ops::Range;

use jsonptr::PointerBuf;
use serde_json::Value;

pub use error::YamlError;
pub(crate) use scalar::go_float32;
pub(crate) use spans::NodeKind;
pub use spans::{Found, NodeId, Spans};

/// How much a text may ask for. The defaults are far above any manifest.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest text, in bytes.
    pub bytes: usize,
    /// The deepest nesting of lists and objects. `serde_json` reads no more than 127 levels again.
    pub depth: usize,
    /// How many values aliases may stand for, all together.
    pub alias_nodes: usize,
    /// How many bytes of strings aliases may stand for, all together.
    pub alias_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            depth: 100,
            alias_nodes: 400_000,
            alias_bytes: 32 << 20,
        }
    }
}

/// A document: the JSON that kubectl makes of it, and where it came from.
#[derive(Clone, Debug)]
pub struct Composed {
    /// The value.
    pub value: Value,
    /// The places of the value and of all in it, in the whole text.
    pub spans: Spans,
    /// What YAML 1.1 took for something else than it looks like. At most a hundred.
    pub surprises: Vec<Surprise>,
    /// Keys that stand twice; the last one counts. At most a hundred.
    pub duplicates: Vec<Duplicate>,
    /// Numbers that JSON does not have; `null` stands in their place.
    pub(crate) non_finite: Vec<(NodeId, f64)>,
    /// Keys that can't be the name of a field, and why. Only [`first`] lets them be.
    pub(crate) unusable_keys: Vec<(NodeId, &'static str)>,
    /// Whether there is a `null` anywhere.
    pub(crate) nulls: bool,
}

/// A plain scalar that YAML 1.1 reads in a way that surprises.
#[derive(Clone, Debug, PartialEq)]
pub struct Surprise {
    /// In which way.
    pub kind: SurpriseKind,
    /// The value's place in the document; of a key, the object that has it.
    pub pointer: PointerBuf,
    /// Whether it is a key.
    pub key: bool,
    /// What was written.
    pub written: String,
    /// What kubectl makes of it.
    pub value: Value,
    /// Where it was written.
    pub bytes: Range<usize>,
}

/// How a plain scalar surprises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SurpriseKind {
    /// `y`, `n`, `yes`, `no`, `on` or `off`, which is a boolean.
    Boolean,
    /// A number with a leading zero, which is octal.
    Octal,
}

/// A key that an object has twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The key.
    pub name: String,
    /// Where it stands first.
    pub first: Range<usize>,
    /// Where it stands again; what stands there last is what counts.
    pub second: Range<usize>,
}

/// Reads every document of a text, in order, as `kubectl apply -f` would. Documents that hold
/// nothing, or `null`, are left out. What is wrong with one does not touch the others.
pub fn documents(text: &str, limits: &Limits) -> Vec<Result<Composed, YamlError>> {
    if let Some(error) = too_long(text, limits) {
        return vec![Err(error)];
    }
    let mut documents = Vec::new();
    for piece in stream::pieces(text) {
        match piece {
            Ok(chunk) => document(text, chunk, limits, &mut documents),
            Err(error) => documents.push(Err(error)),
        }
    }
    documents
}

fn document(
    text: &str,
    chunk: Range<usize>,
    limits: &Limits,
    documents: &mut Vec<Result<Composed, YamlError>>,
) {
    let trimmed = text[chunk.clone()].trim_start();
    let start = chunk.end - trimmed.len();
    if trimmed.starts_with('{')
        && let Some(read) = json::read(text, start..chunk.end, limits)
    {
        documents.extend(read.into_iter().map(Ok));
        return;
    }
    if let Some(read) = simple::read(text, chunk.clone(), limits) {
        documents.push(Ok(read));
        return;
    }
    match compose::compose(text, chunk, limits, true).and_then(finite) {
        Ok(Some(composed)) if composed.value.is_null() => {}
        Ok(Some(composed)) => documents.push(Ok(composed)),
        Ok(None) => {}
        Err(error) => documents.push(Err(error)),
    }
}

/// Reads the first document of a text, as Go's `yaml.Unmarshal` does, which does not look at what
/// follows it. `None` where there is nothing. Numbers that JSON does not have are left to the
/// caller.
///
/// # Errors
/// When it is not YAML, or asks for more than the limits allow.
pub(crate) fn first(text: &str, limits: &Limits) -> Result<Option<Composed>, YamlError> {
    if let Some(error) = too_long(text, limits) {
        return Err(error);
    }
    let read = |end| compose::compose(text, 0..end, limits, false);
    read(text.len()).or_else(|error| {
        if let Some(spaced) = libyaml::spaces_for_tabs(text)
            && let Ok(Some(composed)) = compose::compose(&spaced, 0..text.len(), limits, false)
            && composed.spans.hold_all_tabs(text, &spaced)
        {
            return Ok(Some(composed));
        }
        // Behind a list or an object in brackets everything is the business of the next document, but
        // the parser has looked that far.
        let Some(end) = libyaml::end_of_brackets(text).filter(|end| *end <= error.bytes.start)
        else {
            return Err(error);
        };
        let next = libyaml::next_token(text, end);
        match text[next..].chars().next() {
            Some(':') | None => Err(error),
            Some(c) if c.is_alphanumeric() || "-[]{},.?".contains(c) => {
                read(end).map_err(|_| error.unsure())
            }
            _ => Err(error.unsure()),
        }
    })
}

fn too_long(text: &str, limits: &Limits) -> Option<YamlError> {
    let message = || format!("longer than {} bytes", limits.bytes);
    (text.len() > limits.bytes).then(|| YamlError::new(0..0, message()))
}

/// Refuses what JSON does not have.
fn finite(composed: Option<Composed>) -> Result<Option<Composed>, YamlError> {
    match composed
        .as_ref()
        .and_then(|composed| composed.non_finite.first())
    {
        Some((node, value)) => {
            let range = composed
                .as_ref()
                .map_or(0..0, |composed| composed.spans.range(*node));
            Err(YamlError::new(
                range,
                format!("{value} is not a number that JSON has"),
            ))
        }
        None => Ok(composed),
    }
}
