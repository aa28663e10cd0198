//! Where each value and each key of a document stands in its text.
//!
//! Kept beside the value as one flat list in the order of the text, sixteen bytes a node: composing
//! must be fast, and only a finding asks for a place.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use jsonptr::Pointer;

/// What stands at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    Null,
    Bool,
    Int,
    /// A number that YAML reads as a float, also where JSON then has an integer: `50.0`.
    Float,
    Text,
    Sequence,
    Mapping,
    /// Stands for another node, further up.
    Alias,
    /// The name of a field. Its value is the next node.
    Key,
    /// A `<<`. What is merged is the next node.
    Merge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    start: u32,
    end: u32,
    /// The node behind this one and all that is in it.
    next: u32,
    kind: NodeKind,
}

/// Names a node of a [`Spans`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// The whole document.
    pub const ROOT: Self = Self(0);

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// The places of one document: byte ranges of the text that it was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    nodes: Vec<Node>,
    /// The names of keys that are not spelt like their text, in order.
    names: Vec<(u32, Box<str>)>,
    /// What the aliases stand for, in order.
    targets: Vec<(u32, u32)>,
}

/// What a JSON pointer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The node, or the nearest parent that is there.
    pub node: NodeId,
    /// The key of that node, unless it is an entry of a list or the whole document.
    pub key: Option<NodeId>,
    /// Whether the node is what the pointer names.
    pub exact: bool,
}

/// How many nodes one search looks at. Merge keys can name each other more often than anyone waits.
const SEARCH_LIMIT: usize = 1 << 20;

impl Spans {
    /// Where a node stands, in bytes of the text. A block begins at its first key or entry.
    pub fn range(&self, node: NodeId) -> Range<usize> {
        self.nodes
            .get(node.index())
            .map_or(0..0, |node| node.start as usize..node.end as usize)
    }

    /// What is at a node; an alias is what it stands for.
    pub(crate) fn kind(&self, node: NodeId) -> NodeKind {
        self.nodes
            .get(self.resolve(node).index())
            .map_or(NodeKind::Null, |node| node.kind)
    }

    /// Whether the node itself is an alias.
    pub(crate) fn is_alias(&self, node: NodeId) -> bool {
        self.nodes
            .get(node.index())
            .is_some_and(|node| node.kind == NodeKind::Alias)
    }

    /// Finds what a pointer names, as far as it is there, below `root`. `text` is what the document
    /// was read from.
    pub fn find(&self, text: &str, root: NodeId, pointer: &Pointer) -> Found {
        self.search(text, root, pointer, false)
    }

    /// As [`Spans::find`], but a name that is not there may be in another case, as Go's JSON reader takes
    /// it.
    pub(crate) fn find_in_any_case(&self, text: &str, root: NodeId, pointer: &Pointer) -> Found {
        self.search(text, root, pointer, true)
    }

    fn search(&self, text: &str, root: NodeId, pointer: &Pointer, fold: bool) -> Found {
        let mut found = Found {
            node: root,
            key: None,
            exact: true,
        };
        let mut budget = SEARCH_LIMIT;
        for token in pointer.tokens() {
            let token = token.decoded();
            let next = match self.kind(found.node) {
                NodeKind::Mapping => {
                    let exact = self.field(text, found.node, &token, false, &mut budget);
                    exact.or_else(|| {
                        fold.then(|| self.field(text, found.node, &token, true, &mut budget))?
                    })
                }
                NodeKind::Sequence => {
                    let entry = token
                        .parse()
                        .ok()
                        .and_then(|at| self.entries(found.node).nth(at));
                    entry.map(|entry| (None, entry))
                }
                _ => None,
            };
            let Some((key, node)) = next else {
                found.exact = false;
                break;
            };
            found.key = key;
            found.node = node;
        }
        found
    }

    /// The first of some places, given in order, that is in no scalar and not between brackets.
    pub(crate) fn first_outside(
        &self,
        text: &str,
        places: impl Iterator<Item = usize>,
    ) -> Option<usize> {
        let mut nodes = self.nodes.iter().peekable();
        let mut covered = 0;
        for place in places {
            while let Some(node) = nodes.next_if(|node| node.start as usize <= place) {
                let brackets =
                    || matches!(text.as_bytes().get(node.start as usize), Some(b'{' | b'['));
                let block =
                    matches!(node.kind, NodeKind::Mapping | NodeKind::Sequence) && !brackets();
                if !block {
                    covered = covered.max(node.end as usize);
                }
            }
            if place >= covered && !self.trails_plain(text, place) {
                return Some(place);
            }
        }
        None
    }

    /// Whether everything in which two texts of one length differ is between brackets or quotes.
    pub(crate) fn hold_all_tabs(&self, text: &str, spaced: &str) -> bool {
        let pairs = text.bytes().zip(spaced.bytes()).enumerate();
        let mut places = pairs.filter(|(_, (a, b))| a != b).map(|(at, _)| at);
        let mut nodes = self.nodes.iter().peekable();
        let mut covered = 0;
        places.all(|place| {
            while let Some(node) = nodes.next_if(|node| node.start as usize <= place) {
                let first = text.as_bytes().get(node.start as usize);
                if matches!(first, Some(b'{' | b'[' | b'"' | b'\'')) {
                    covered = covered.max(node.end as usize);
                }
            }
            place < covered
        })
    }

    /// Whether a place at the beginning of a line is in the empty lines behind a plain scalar, indented as
    /// if the scalar went on: there libyaml does not mind what they are made of.
    fn trails_plain(&self, text: &str, place: usize) -> bool {
        let line_of = |at: usize| text[..at].rfind(['\n', '\r']).map_or(0, |end| end + 1);
        let last = self
            .nodes
            .partition_point(|node| node.start as usize <= place);
        let Some((last, node)) = last
            .checked_sub(1)
            .and_then(|last| Some((last, self.nodes.get(last)?)))
        else {
            return false;
        };
        let is_scalar = !matches!(
            node.kind,
            NodeKind::Mapping | NodeKind::Sequence | NodeKind::Key
        );
        let range = node.start as usize..node.end as usize;
        let gap = text.get(range.end..place);
        let follows = !range.is_empty() && gap.is_some_and(|gap| gap.trim().is_empty());
        if !is_scalar || !follows || text[range.clone()].starts_with(['"', '\'']) {
            return false;
        }
        // A text that begins on a line of its own may be a block, whose header says so.
        let line = line_of(range.start);
        if text[line..range.start].trim().is_empty() {
            let header = text[..line]
                .trim_end()
                .trim_end_matches(|c: char| "+-".contains(c) || c.is_ascii_digit());
            if header.ends_with(['|', '>']) || header.contains('#') {
                return false;
            }
        }
        let blocks = self.nodes[..last]
            .iter()
            .rev()
            .filter(|outer| outer.next as usize > last);
        let mut blocks = blocks.filter(|outer| {
            let bracket = text.as_bytes().get(outer.start as usize);
            matches!(outer.kind, NodeKind::Mapping | NodeKind::Sequence)
                && !matches!(bracket, Some(b'{' | b'['))
        });
        let column = |at: usize| at - line_of(at);
        let outer = blocks.next();
        outer.is_none_or(|outer| column(place) > column(outer.start as usize))
    }

    /// The entries of a list, in order; nothing for anything else.
    pub fn entries(&self, list: NodeId) -> impl Iterator<Item = NodeId> {
        let list = self.resolve(list);
        let is_list = self.kind(list) == NodeKind::Sequence;
        self.children(list).filter(move |_| is_list)
    }

    /// The fields of an object, in the order of the text, with their keys. Merged ones are not among
    /// them.
    pub(crate) fn fields(&self, object: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> {
        self.pairs(object)
            .filter(|(key, _)| self.nodes[key.index()].kind == NodeKind::Key)
    }

    /// All fields of an object by name, own and merged, with their keys. The last one counts.
    pub(crate) fn by_name<'a>(
        &'a self,
        text: &'a str,
        object: NodeId,
    ) -> HashMap<&'a str, (NodeId, NodeId)> {
        let mut fields = HashMap::new();
        self.collect(text, object, &mut SEARCH_LIMIT.clone(), &mut fields);
        fields
    }

    /// The nodes and keys that are part of the value: not those whose key stands again.
    pub(crate) fn counting(&self, text: &str) -> HashSet<NodeId> {
        let mut counting = HashSet::new();
        let mut open = vec![NodeId::ROOT];
        while let Some(node) = open.pop() {
            // What an alias stands for may be there already.
            if counting.insert(node) {
                let inner = self.resolve(node);
                counting.insert(inner);
                open.extend(self.entries(inner));
                for (key, value) in self.by_name(text, inner).into_values() {
                    counting.insert(key);
                    open.push(value);
                }
            }
        }
        counting
    }

    fn collect<'a>(
        &'a self,
        text: &'a str,
        object: NodeId,
        budget: &mut usize,
        fields: &mut HashMap<&'a str, (NodeId, NodeId)>,
    ) {
        for (key, value) in self.pairs(object) {
            *budget = budget.saturating_sub(1);
            if *budget == 0 {
                return;
            }
            if self.nodes[key.index()].kind == NodeKind::Key {
                fields.insert(self.name(text, key), (key, value));
            } else if self.kind(value) == NodeKind::Mapping {
                self.collect(text, value, budget, fields);
            } else {
                // Of a list the first counts.
                let entries: Vec<NodeId> = self.entries(value).collect();
                for entry in entries.into_iter().rev() {
                    self.collect(text, entry, budget, fields);
                }
            }
        }
    }

    /// The name of a key.
    pub(crate) fn name<'a>(&'a self, text: &'a str, key: NodeId) -> &'a str {
        if let Ok(at) = self.names.binary_search_by_key(&key.0, |(node, _)| *node) {
            return &self.names[at].1;
        }
        let source = text.get(self.range(key)).unwrap_or_default();
        // A key that begins with a quote is quoted; one with escapes is among the names.
        match source.as_bytes() {
            [b'"', .., b'"'] | [b'\'', .., b'\''] => &source[1..source.len() - 1],
            _ => source,
        }
    }

    /// The last field of that name, own or merged, which is the one that counts; with `fold` in whatever
    /// case.
    fn field(
        &self,
        text: &str,
        object: NodeId,
        name: &str,
        fold: bool,
        budget: &mut usize,
    ) -> Option<(Option<NodeId>, NodeId)> {
        let mut found = None;
        for (key, value) in self.pairs(object) {
            *budget = budget.checked_sub(1)?;
            if self.nodes[key.index()].kind == NodeKind::Merge {
                let merged = self.merged(text, value, name, fold, budget);
                found = merged.or(found);
                continue;
            }
            let written = self.name(text, key);
            if written == name || fold && written.eq_ignore_ascii_case(name) {
                found = Some((Some(key), value));
            }
        }
        found
    }

    /// A field of what a `<<` names: an object, or a list of them, of which the first wins.
    fn merged(
        &self,
        text: &str,
        value: NodeId,
        name: &str,
        fold: bool,
        budget: &mut usize,
    ) -> Option<(Option<NodeId>, NodeId)> {
        if self.kind(value) == NodeKind::Mapping {
            return self.field(text, value, name, fold, budget);
        }
        self.entries(value)
            .find_map(|entry| self.field(text, entry, name, fold, budget))
    }

    fn resolve(&self, node: NodeId) -> NodeId {
        // An alias never stands for an alias: it takes over what that one stands for.
        match self
            .targets
            .binary_search_by_key(&node.0, |(alias, _)| *alias)
        {
            Ok(at) => NodeId(self.targets[at].1),
            Err(_) => node,
        }
    }

    fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let end = self.nodes.get(node.index()).map_or(0, |node| node.next);
        let mut at = node.0 + 1;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let child = NodeId(at);
            at = self.nodes[child.index()].next;
            Some(child)
        })
    }

    /// Keys, `<<` among them, and what follows them.
    fn pairs(&self, object: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> {
        let object = self.resolve(object);
        let is_object = self.kind(object) == NodeKind::Mapping;
        let mut children = self.children(object);
        std::iter::from_fn(move || {
            if !is_object {
                return None;
            }
            Some((children.next()?, children.next()?))
        })
    }
}

/// Writing, in the order of the text.
impl Spans {
    /// For a text of so many bytes: a guess that saves growing.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            nodes: Vec::with_capacity(bytes / 16 + 4),
            ..Self::default()
        }
    }

    /// Adds a node that holds no other.
    pub(crate) fn push(&mut self, kind: NodeKind, range: Range<usize>) -> NodeId {
        let id = self.nodes.len();
        self.nodes.push(Node {
            start: small(range.start),
            end: small(range.end),
            next: small(id + 1),
            kind,
        });
        NodeId(small(id))
    }

    /// Adds a key; `name` is given where the text does not spell it.
    pub(crate) fn push_key(&mut self, range: Range<usize>, name: Option<&str>) -> NodeId {
        let id = self.push(NodeKind::Key, range);
        if let Some(name) = name {
            self.names.push((id.0, name.into()));
        }
        id
    }

    /// Adds what stands for another node.
    pub(crate) fn push_alias(&mut self, range: Range<usize>, target: NodeId) -> NodeId {
        let target = self.resolve(target);
        let id = self.push(NodeKind::Alias, range);
        self.targets.push((id.0, target.0));
        id
    }

    /// Ends a list or an object: everything added since is in it.
    pub(crate) fn close(&mut self, node: NodeId, end: usize) {
        let next = small(self.nodes.len());
        let node = &mut self.nodes[node.index()];
        node.next = next;
        node.end = small(end).max(node.start);
    }

    /// The key of `object` that has this name and came first. Looks at no more than a few thousand.
    pub(crate) fn first_key(&self, text: &str, object: NodeId, name: &str) -> Option<NodeId> {
        let mut at = object.index() + 1;
        for _ in 0..4096 {
            let node = self.nodes.get(at)?;
            let key = NodeId(small(at));
            if node.kind == NodeKind::Key && self.name(text, key) == name {
                return Some(key);
            }
            // Over the value, to the next key.
            at = self.nodes.get(at + 1)?.next as usize;
        }
        None
    }
}

/// Texts are limited to far less than 4 GiB.
fn small(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
