//! What aliases stand for, and how much of it.

use serde_json::Value;

use super::{scalar::Scalar, spans::NodeId};

/// A complete node that aliases can stand for.
pub(super) struct Anchor {
    pub(super) value: Value,
    pub(super) target: Target,
    pub(super) size: Size,
    /// The node as the name of a field, or why it can't be one.
    pub(super) name: Result<String, &'static str>,
}

/// What an alias is shown as: a scalar where it is used, all else where it is written.
#[derive(Clone, Copy)]
pub(super) enum Target {
    Scalar(Scalar),
    Node(NodeId),
}

#[derive(Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) nodes: usize,
    pub(super) bytes: usize,
}

impl Size {
    pub(super) fn of(value: &Value) -> Self {
        let mut size = Self { nodes: 1, bytes: 0 };
        match value {
            Value::String(text) => size.bytes = text.len(),
            Value::Array(items) => items.iter().for_each(|item| size.add(Self::of(item))),
            Value::Object(fields) => {
                for (name, value) in fields {
                    size.bytes += name.len();
                    size.add(Self::of(value));
                }
            }
            _ => {}
        }
        size
    }

    pub(super) fn add(&mut self, other: Self) {
        self.nodes = self.nodes.saturating_add(other.nodes);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}
