//! Schemas made of others: `allOf`, `anyOf`, `oneOf`, `not`.

use serde_json::Value;

use super::{SchemaError, SchemaErrorKind, compile::Node, metadata::Owner, validate::Walk};
use crate::golang::quote;

impl<'a> Walk<'a> {
    pub(super) fn check_combinations(&mut self, node: &'a Node, value: &'a Value) {
        if !node.any_of.is_empty() {
            self.check_any(node, value);
        }
        if !node.one_of.is_empty() {
            self.check_one(node, value);
        }
        if !node.all_of.is_empty() {
            self.check_all(node, value);
        }
        if let Some(not) = &node.not
            && self.beside(not, value).is_empty()
        {
            self.say_combination("must not validate the schema (not)");
        }
    }

    fn check_any(&mut self, node: &'a Node, value: &'a Value) {
        let mut first = None;
        for alternative in &node.any_of {
            let errors = self.beside(alternative, value);
            if errors.is_empty() {
                return;
            }
            first.get_or_insert(errors);
        }
        self.say_combination("must validate at least one schema (anyOf)");
        self.errors.extend(first.into_iter().flatten());
    }

    fn check_one(&mut self, node: &'a Node, value: &'a Value) {
        let (mut first, mut fitting) = (None, 0);
        for alternative in &node.one_of {
            let errors = self.beside(alternative, value);
            if errors.is_empty() {
                fitting += 1;
            } else {
                first.get_or_insert(errors);
            }
        }
        let found = match fitting {
            1 => return,
            0 => "none valid".to_owned(),
            more => format!("{more} valid alternatives"),
        };
        let what = format!("must validate one and only one schema (oneOf). Found {found}");
        self.say_combination(&what);
        if fitting == 0 {
            self.errors.extend(first.into_iter().flatten());
        }
    }

    fn check_all(&mut self, node: &'a Node, value: &'a Value) {
        let mut fitting = 0;
        for part in &node.all_of {
            let errors = self.beside(part, value);
            fitting += usize::from(errors.is_empty());
            self.errors.extend(errors);
        }
        if fitting < node.all_of.len() {
            let none = if fitting == 0 { ". None validated" } else { "" };
            self.say_combination(&format!("must validate all the schemas (allOf){none}"));
        }
    }

    /// What another schema says of the value that the walk is at.
    fn beside(&self, node: &'a Node, value: &'a Value) -> Vec<SchemaError> {
        let mut walk = Walk {
            path: self.path.clone(),
            errors: Vec::new(),
            alternative: true,
            shape: self.shape,
            old: None,
            owner: Owner::Embedded,
            status: self.status,
        };
        walk.value(node, value);
        walk.errors
    }

    fn say_combination(&mut self, what: &str) {
        let path = quote(&self.field());
        let message = format!("Invalid value: \"\": {path} {what}");
        self.say(SchemaErrorKind::NoAlternative, message);
    }
}
