//! A scalar's style and tag, and what they make of it.

use std::ops::Range;

use granit_parser::{ScalarStyle, Tag};

use super::{
    YamlError,
    scalar::{self, Scalar},
    spans::NodeKind,
};
use crate::golang::{base64, quote};

/// Reads a scalar by its style and tag; also its text, if decoding changed it.
pub(super) fn read(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    range: &Range<usize>,
) -> Result<(Scalar, Option<String>), YamlError> {
    let Some(tag) = tag else {
        let plain = style == ScalarStyle::Plain;
        return Ok((
            if plain {
                scalar::plain(text)
            } else {
                Scalar::Text
            },
            None,
        ));
    };
    match tag.suffix_in_namespace("tag:yaml.org,2002:").as_deref() {
        Some("binary") => {
            let bytes = base64::decode(text)
                .ok_or_else(|| YamlError::new(range.clone(), "this is not base64"))?;
            Ok((
                Scalar::Text,
                Some(String::from_utf8_lossy(&bytes).into_owned()),
            ))
        }
        Some(name) => match scalar::tagged(name, text) {
            Ok(read) => Ok((read, None)),
            Err(found) => {
                let message = format!("{} is of type !!{found}, not !!{name}", quote(text));
                Err(YamlError::new(range.clone(), message))
            }
        },
        None => Ok((Scalar::Text, None)),
    }
}

pub(super) fn is_merge(tag: Option<&Tag>) -> bool {
    tag.and_then(|tag| tag.suffix_in_namespace("tag:yaml.org,2002:"))
        .as_deref()
        == Some("merge")
}

impl From<Scalar> for NodeKind {
    fn from(read: Scalar) -> Self {
        match read {
            Scalar::Null => Self::Null,
            Scalar::Bool { .. } => Self::Bool,
            Scalar::Int { .. } | Scalar::Uint(_) => Self::Int,
            Scalar::Float(_) => Self::Float,
            Scalar::Text => Self::Text,
        }
    }
}
