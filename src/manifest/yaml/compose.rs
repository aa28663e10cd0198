//! From the parser's events to a JSON value and its places.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};
use jsonptr::PointerBuf;
use serde_json::{Map, Value};

use super::{
    Composed, Duplicate, Limits, Surprise, SurpriseKind, YamlError,
    alias::{Anchor, Size, Target},
    libyaml,
    scalar::Scalar,
    spans::{NodeId, NodeKind, Spans},
    tag,
};

/// How many duplicates and surprises are kept of one document: more would only be slow to show.
pub(super) const NOTES: usize = 100;

/// Composes the first document of `text[chunk]`. `None` where there is none.
///
/// `whole` makes anything behind the first document an error.
pub(super) fn compose(
    text: &str,
    chunk: Range<usize>,
    limits: &Limits,
    whole: bool,
) -> Result<Option<Composed>, YamlError> {
    let options = granit_parser::options! { emit_comments: false };
    let source = &text[chunk.clone()];
    let mut composer = Composer {
        text,
        base: chunk.start,
        whole,
        limits: *limits,
        spans: Spans::with_capacity(source.len()),
        stack: Vec::new(),
        anchors: HashMap::new(),
        copied: Size::default(),
        end: chunk.start,
        root: None,
        notes: Notes::default(),
    };
    let mut done = false;
    let mut end = chunk.end;
    for event in Parser::new_from_str_with_options(source, options) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) if done => return Err(after_end(super::error::place(&error, chunk.start))),
            // Go does not look at what the next document would begin with.
            Err(error) if !whole && composer.is_complete() && composer.closes(&error) => {
                end = super::error::place(&error, chunk.start).start;
                break;
            }
            Err(error) => return Err(super::error::of_scanner(&error, source, chunk.start)),
        };
        match event {
            Event::DocumentStart(..) if done => return Err(after_end(composer.bytes(&span))),
            Event::DocumentEnd if !whole => {
                end = libyaml::next_token(text, composer.bytes(&span).start);
                break;
            }
            Event::DocumentEnd => done = true,
            event => composer.event(event, &span)?,
        }
    }
    libyaml::tabs(text, chunk.start..end, &composer.spans)?;
    Ok(composer.finish())
}

/// kubectl stops here without a word, so half of a manifest can be lost to one space.
fn after_end(range: Range<usize>) -> YamlError {
    YamlError::new(
        range,
        "the document has ended, kubectl does not read what follows",
    )
    .help("check the indentation, or begin another document with a line of '---'")
}

struct Composer<'t> {
    text: &'t str,
    /// Where the parsed part begins in the text.
    base: usize,
    /// Whether nothing may follow the document.
    whole: bool,
    limits: Limits,
    spans: Spans,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Anchor>,
    /// What anchors and aliases have copied so far.
    copied: Size,
    /// Where the last scalar, alias or bracket ended.
    end: usize,
    root: Option<Value>,
    notes: Notes,
}

#[derive(Default)]
struct Notes {
    surprises: Vec<Surprise>,
    duplicates: Vec<Duplicate>,
    non_finite: Vec<(NodeId, f64)>,
    unusable_keys: Vec<(NodeId, &'static str)>,
    nulls: bool,
}

/// A list or an object that is not complete yet.
struct Frame {
    open: Open,
    node: NodeId,
    anchor: usize,
    /// Between brackets.
    flow: bool,
}

enum Open {
    Sequence(Vec<Value>),
    Mapping(Map<String, Value>, Option<Key>),
}

enum Key {
    Name(String),
    Merge,
}

impl Composer<'_> {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), YamlError> {
        let has_properties = match &event {
            Event::Scalar(_, _, anchor, tag) => *anchor != 0 || tag.is_some(),
            Event::MappingStart(_, anchor, tag) | Event::SequenceStart(_, anchor, tag) => {
                *anchor != 0 || tag.is_some()
            }
            Event::Alias(_) => true,
            _ => false,
        };
        if has_properties {
            libyaml::properties(self.text, self.end)?;
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let mut range = self.bytes(span);
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    // The parser goes on to where the next line begins.
                    let written = self.text[range.clone()].trim_end();
                    range.end = range.start + written.len();
                }
                self.end = range.end;
                if self.in_flow() {
                    libyaml::in_brackets(self.text, &range, style, self.wants_key())?;
                }
                if style == ScalarStyle::DoubleQuoted && matches!(text, Cow::Owned(_)) {
                    libyaml::escapes(self.text, &range)?;
                }
                self.scalar(&text, style, anchor, tag.as_deref(), range)
            }
            Event::MappingStart(_, anchor, _) => self.open(
                NodeKind::Mapping,
                Open::Mapping(Map::new(), None),
                anchor,
                span,
            ),
            Event::SequenceStart(_, anchor, _) => {
                self.open(NodeKind::Sequence, Open::Sequence(Vec::new()), anchor, span)
            }
            Event::MappingEnd | Event::SequenceEnd => {
                // Of a block, nothing shows the end; of a flow collection, the bracket does.
                let range = self.bytes(span);
                if !range.is_empty() {
                    self.end = range.end;
                }
                self.close()
            }
            Event::Alias(id) => {
                let range = self.bytes(span);
                self.end = range.end;
                self.alias(id, range)
            }
            _ => Ok(()),
        }
    }

    /// Whether the document has its value.
    fn is_complete(&self) -> bool {
        self.stack.is_empty() && self.root.is_some()
    }

    /// Whether the parser stopped at a bracket or a comma.
    fn closes(&self, error: &ScanError) -> bool {
        let at = super::error::place(error, self.base).start;
        let rest = self.text.get(at..).unwrap_or_default();
        rest.starts_with([']', '}', ','])
    }

    fn bytes(&self, span: &Span) -> Range<usize> {
        let range = span.byte_range().unwrap_or_default();
        self.base + range.start..self.base + range.end
    }

    /// Whether the next node is between brackets.
    fn in_flow(&self) -> bool {
        self.stack.last().is_some_and(|frame| frame.flow)
    }

    /// Whether the next node is the name of a field.
    fn wants_key(&self) -> bool {
        matches!(
            self.stack.last(),
            Some(Frame {
                open: Open::Mapping(_, None),
                ..
            })
        )
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        range: Range<usize>,
    ) -> Result<(), YamlError> {
        let (read, decoded) = tag::read(text, style, tag, &range)?;
        let plain = style == ScalarStyle::Plain;
        let text = decoded.as_deref().unwrap_or(text);
        let legacy = matches!(read, Scalar::Bool { legacy: true, .. });
        if legacy || matches!(read, Scalar::Int { octal: true, .. }) {
            self.surprise(read, &range);
        }
        if self.wants_key() {
            let merge = text == "<<" && (plain && tag.is_none() || tag::is_merge(tag));
            let name = read.to_key(text);
            if anchor != 0 {
                let value = read.to_json(text).unwrap_or_default();
                self.anchor(anchor, &value, Target::Scalar(read), name.clone(), &range)?;
            }
            if merge {
                self.spans.push(NodeKind::Merge, range);
                self.set_key(Key::Merge);
                return Ok(());
            }
            return self.key(name, range);
        }
        let node = self.push_scalar(read, range.clone());
        let value = read.to_json(text).unwrap_or_default();
        if anchor != 0 {
            self.anchor(
                anchor,
                &value,
                Target::Scalar(read),
                read.to_key(text),
                &range,
            )?;
        }
        self.value(value, node)
    }

    fn push_scalar(&mut self, read: Scalar, range: Range<usize>) -> NodeId {
        let node = self.spans.push(read.into(), range);
        if let Scalar::Float(value) = read
            && !value.is_finite()
        {
            self.notes.non_finite.push((node, value));
        }
        node
    }

    fn open(
        &mut self,
        kind: NodeKind,
        open: Open,
        anchor: usize,
        span: &Span,
    ) -> Result<(), YamlError> {
        let range = self.bytes(span);
        if self.wants_key() {
            let error = YamlError::new(range, "a list or an object can't be the name of a field")
                .help("quote text that begins with '{' or '['");
            // In a block it may be a document of its own to Go: nothing but a ':' tells.
            return Err(if self.in_flow() {
                error
            } else {
                error.unsure()
            });
        }
        if self.stack.len() >= self.limits.depth {
            let message = format!("nested more than {} levels deep", self.limits.depth);
            return Err(YamlError::new(range, message));
        }
        // Of a block's start there is nothing to see, nor of an object that is one field of a list.
        let block = range.is_empty();
        let flow = !block || self.in_flow();
        let range = match kind {
            NodeKind::Sequence if block => self.list_start(range.start),
            _ => range,
        };
        self.end = range.end;
        let node = self.spans.push(kind, range);
        self.stack.push(Frame {
            open,
            node,
            anchor,
            flow,
        });
        Ok(())
    }

    /// Where the first dash of a list is. Of one that is not indented below its key, the parser gives
    /// the place of the first entry's value.
    fn list_start(&self, given: usize) -> Range<usize> {
        let is_value = matches!(
            self.stack.last(),
            Some(Frame {
                open: Open::Mapping(_, Some(_)),
                ..
            })
        );
        let mut start = self.end;
        let gap = self.text.get(start..given).filter(|_| is_value);
        // The first piece is the rest of the key's line.
        for line in gap.unwrap_or_default().split_inclusive('\n') {
            let text = line.trim_start_matches(' ');
            if start > self.end && text.starts_with('-') {
                start += line.len() - text.len();
                return start..start;
            }
            start += line.len();
        }
        given..given
    }

    fn close(&mut self) -> Result<(), YamlError> {
        let Some(frame) = self.stack.pop() else {
            return Ok(());
        };
        self.spans.close(frame.node, self.end);
        let value = match frame.open {
            Open::Sequence(items) => Value::Array(items),
            Open::Mapping(fields, _) => Value::Object(fields),
        };
        if frame.anchor != 0 {
            let range = self.spans.range(frame.node);
            let name = Err("a list or an object can't be the name of a field");
            self.anchor(frame.anchor, &value, Target::Node(frame.node), name, &range)?;
        }
        self.value(value, frame.node)
    }

    fn anchor(
        &mut self,
        id: usize,
        value: &Value,
        target: Target,
        name: Result<String, &'static str>,
        range: &Range<usize>,
    ) -> Result<(), YamlError> {
        let size = Size::of(value);
        self.copy(size, range)?;
        self.anchors.insert(
            id,
            Anchor {
                value: value.clone(),
                target,
                size,
                name,
            },
        );
        Ok(())
    }

    fn alias(&mut self, id: usize, range: Range<usize>) -> Result<(), YamlError> {
        let Some(anchor) = self.anchors.get(&id) else {
            return Err(YamlError::new(
                range,
                "this alias stands for something that contains it",
            ));
        };
        let (size, target) = (anchor.size, anchor.target);
        if self.wants_key() {
            let name = anchor.name.clone();
            return self.key(name, range);
        }
        self.copy(size, &range)?;
        let value = self
            .anchors
            .get(&id)
            .map(|anchor| anchor.value.clone())
            .unwrap_or_default();
        let node = match target {
            Target::Scalar(read) => self.push_scalar(read, range),
            Target::Node(node) => self.spans.push_alias(range, node),
        };
        self.value(value, node)
    }

    /// Counts what is about to be copied: a few lines of aliases can stand for terabytes.
    fn copy(&mut self, size: Size, range: &Range<usize>) -> Result<(), YamlError> {
        self.copied.add(size);
        if self.copied.nodes > self.limits.alias_nodes
            || self.copied.bytes > self.limits.alias_bytes
        {
            return Err(YamlError::new(
                range.clone(),
                "the aliases stand for far more than is written",
            ));
        }
        Ok(())
    }

    fn set_key(&mut self, key: Key) {
        if let Some(Frame {
            open: Open::Mapping(_, pending),
            ..
        }) = self.stack.last_mut()
        {
            *pending = Some(key);
        }
    }

    fn key(
        &mut self,
        name: Result<String, &'static str>,
        range: Range<usize>,
    ) -> Result<(), YamlError> {
        let source = self.text.get(range.clone()).unwrap_or_default();
        let (name, unusable) = match name {
            Ok(name) => (name, None),
            Err(message) if self.whole => return Err(YamlError::new(range, message)),
            Err(message) => (source.to_owned(), Some(message)),
        };
        let spelt = source == name
            || matches!(source.as_bytes(), [b'"', .., b'"'] | [b'\'', .., b'\''])
                && source.get(1..source.len() - 1) == Some(&name);
        let duplicate = match self.stack.last() {
            Some(Frame {
                open: Open::Mapping(fields, _),
                node,
                ..
            }) => fields.contains_key(&name).then_some(*node),
            _ => None,
        };
        let node = self
            .spans
            .push_key(range.clone(), (!spelt).then_some(&name));
        let unusable = unusable.map(|message| (node, message));
        self.notes.unusable_keys.extend(unusable);
        if let Some(object) = duplicate
            && self.notes.duplicates.len() < NOTES
            && let Some(first) = self.spans.first_key(self.text, object, &name)
        {
            let first = self.spans.range(first);
            // A field that a merge brought has no key here, and may be written over.
            if first != range {
                self.notes.duplicates.push(Duplicate {
                    name: name.clone(),
                    first,
                    second: range,
                });
            }
        }
        self.set_key(Key::Name(name));
        Ok(())
    }

    /// Puts a complete value where it belongs.
    fn value(&mut self, value: Value, node: NodeId) -> Result<(), YamlError> {
        self.notes.nulls |= value.is_null();
        match self.stack.last_mut() {
            None => self.root = Some(value),
            Some(Frame {
                open: Open::Sequence(items),
                ..
            }) => items.push(value),
            Some(Frame {
                open: Open::Mapping(fields, key),
                ..
            }) => match key.take() {
                Some(Key::Name(name)) => {
                    fields.insert(name, value);
                }
                Some(Key::Merge) => return self.merge(value, node),
                // `wants_key` has seen to it that there is a key.
                None => {}
            },
        }
        Ok(())
    }

    /// `<<`: what is merged replaces what stands before it, as in go-yaml v2, and of a list the
    /// first wins.
    fn merge(&mut self, value: Value, node: NodeId) -> Result<(), YamlError> {
        let is_object = |node| self.spans.kind(node) == NodeKind::Mapping;
        let objects = match value {
            Value::Object(object) if is_object(node) => vec![object],
            Value::Array(items)
                if !self.spans.is_alias(node) && self.spans.entries(node).all(is_object) =>
            {
                let objects = items.into_iter().rev().filter_map(|item| match item {
                    Value::Object(object) => Some(object),
                    _ => None,
                });
                objects.collect()
            }
            _ => {
                let range = self.spans.range(node);
                return Err(
                    YamlError::new(range, "'<<' merges an object or a list of objects")
                        .help("quote the name if it is meant as it stands: \"<<\""),
                );
            }
        };
        if let Some(Frame {
            open: Open::Mapping(fields, _),
            ..
        }) = self.stack.last_mut()
        {
            fields.extend(objects.into_iter().flatten());
        }
        Ok(())
    }

    fn surprise(&mut self, read: Scalar, range: &Range<usize>) {
        if self.notes.surprises.len() >= NOTES {
            return;
        }
        let (kind, value) = match read {
            Scalar::Bool { value, .. } => (SurpriseKind::Boolean, value.into()),
            Scalar::Int { value, .. } => (SurpriseKind::Octal, value.into()),
            _ => return,
        };
        let written = self.text.get(range.clone()).unwrap_or_default().to_owned();
        let key = self.wants_key();
        let pointer = self.here();
        self.notes.surprises.push(Surprise {
            kind,
            key,
            pointer,
            written,
            value,
            bytes: range.clone(),
        });
    }

    /// The pointer of the value that comes next; of the object, if its next key does.
    fn here(&self) -> PointerBuf {
        let mut pointer = PointerBuf::new();
        for frame in &self.stack {
            match &frame.open {
                Open::Sequence(items) => pointer.push_back(items.len()),
                Open::Mapping(_, Some(Key::Name(name))) => pointer.push_back(name.as_str()),
                Open::Mapping(_, Some(Key::Merge)) => pointer.push_back("<<"),
                Open::Mapping(_, None) => {}
            }
        }
        pointer
    }

    fn finish(self) -> Option<Composed> {
        let Notes {
            surprises,
            duplicates,
            non_finite,
            unusable_keys,
            nulls,
        } = self.notes;
        let (value, spans) = (self.root?, self.spans);
        Some(Composed {
            value,
            spans,
            surprises,
            duplicates,
            non_finite,
            unusable_keys,
            nulls,
        })
    }
}
