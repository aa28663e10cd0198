//! Whether an object fits its CRD's schema, in the words of kube-apiserver.
//!
//! A structural schema (`openAPIV3Schema`) is compiled once and then walked beside a value. What it
//! says, and what it leaves unsaid, is what kube-apiserver v1.36 does on a CREATE: unknown fields as
//! with strict field validation, nulls of fields that are not nullable dropped, defaults filled in,
//! the `OpenAPI` checks, lists of type set and map, the rules in CEL. Source: k8s.io/kube-openapi
//! `pkg/validation`, k8s.io/apiextensions-apiserver `pkg/apiserver`.
//!
//! `metadata` is checked against what every object has, and in words of our own: the server's would be
//! a decoder's, and blame no field. `status` is not looked at where it is a subresource: a CREATE drops
//! it.

mod cel;
mod combine;
mod compile;
mod fields;
mod form;
mod format;
mod list;
mod metadata;
mod validate;
mod value;

use jsonptr::{Pointer, PointerBuf};
use serde_json::Value;

pub use form::{Flaw, well_formed};

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    root: compile::Node,
    /// Whether `status` is a field like any other.
    status: bool,
}

/// One thing that kube-apiserver would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    /// The place, which may not be there: a required field.
    pub pointer: PointerBuf,
    /// What sort of thing it is.
    pub kind: SchemaErrorKind,
    /// The server's words, without the field in front: `Required value`.
    pub message: String,
    /// Whether it is about a value that is stored already as it is: then the server lets it be.
    pub stored: bool,
}

/// What a value may do wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaErrorKind {
    /// A field that must be there is not.
    Required,
    /// Of another type than the schema wants.
    Type,
    /// None of the values that are listed.
    Unsupported,
    /// A string that is not of the format.
    Format,
    /// A string that does not match the pattern.
    Pattern,
    /// A number out of range.
    Range,
    /// A string too long or too short.
    Length,
    /// A list or a map with too many or too few entries.
    Count,
    /// An entry that a list of type set or map has already, or that can't be told from others.
    Duplicate,
    /// None of several schemas fits.
    NoAlternative,
    /// A field that the schema does not know.
    UnknownField {
        /// The known field that is spelt most like it.
        nearest: Option<String>,
    },
    /// A rule of the CRD's in CEL does not hold.
    Rule,
    /// What every object has is not as it must be: something in `metadata`, or, of an object inside of
    /// another, its `apiVersion` or `kind`.
    Metadata,
}

impl SchemaErrorKind {
    /// Whether the server lets a value of this sort be that is stored already.
    fn is_let_be(&self) -> bool {
        !matches!(
            self,
            Self::Metadata | Self::Duplicate | Self::UnknownField { .. }
        )
    }
}

impl SchemaError {
    /// Whether kube-apiserver asks no rule in CEL of an object that has such an error.
    fn is_blocking(&self) -> bool {
        match self.kind {
            SchemaErrorKind::Required
            | SchemaErrorKind::Type
            | SchemaErrorKind::Unsupported
            | SchemaErrorKind::Format => true,
            // What is too short or too few does not.
            SchemaErrorKind::Length | SchemaErrorKind::Count => self.message.starts_with("Too "),
            SchemaErrorKind::Metadata => {
                let blocking = ["Required value", "Too "];
                blocking.iter().any(|words| self.message.starts_with(words))
            }
            _ => false,
        }
    }
}

impl Schema {
    /// Compiles an `openAPIV3Schema`. What is not part of a structural schema is ignored.
    pub fn compile(schema: &Value) -> Self {
        Self {
            root: compile::Node::new(schema),
            status: false,
        }
    }

    /// Says whether `status` is a field like any other: where the kind has no subresource of that name.
    #[must_use]
    pub fn with_status(mut self, status: bool) -> Self {
        self.status = status;
        self
    }

    /// Whether `status` is a field like any other.
    pub fn has_status(&self) -> bool {
        self.status
    }

    /// An empty value of the type that is wanted at a place; nothing where any type is, or where the
    /// schema does not reach.
    pub fn empty(&self, place: &Pointer) -> Option<Value> {
        self.root.at(place)?.types.empty()
    }

    /// Everything that kube-apiserver would refuse of a new object, in the order of its fields; what
    /// rules in CEL say comes last.
    pub fn validate(&self, object: &Value) -> Vec<SchemaError> {
        self.validate_change(object, None)
    }

    /// As [`Schema::validate`], of an object that changes from `old`: rules in CEL may compare the two.
    pub fn validate_change(&self, object: &Value, old: Option<&Value>) -> Vec<SchemaError> {
        let mut errors = validate::validate(&self.root, object, old, self.status);
        let blocks = |error: &SchemaError| !error.stored && error.is_blocking();
        if !errors.iter().any(blocks) {
            errors.extend(cel::judge(&self.root, object, old));
        }
        errors
    }
}
