//! The names in an expression: variables, and the fields of those that are known.

use kube_cel::cel::{
    IdedExpr,
    common::ast::{EntryExpr, Expr, ListExpr, LiteralValue, SelectExpr},
};

use super::{
    Asks, Names, Problem, REQUEST, USER,
    tree::{call, ident, node, taken, truth},
    variable,
};
use crate::{report::nearest, site::optional};

/// The variable that there never is: what is not kept of a request.
const UNKNOWN: &str = "@unknown";

/// The fields of `request` that are kept, and those that are not.
const FIELDS: [&str; 10] = [
    "kind",
    "resource",
    "subResource",
    "requestKind",
    "requestResource",
    "requestSubResource",
    "name",
    "namespace",
    "operation",
    "dryRun",
];

/// Goes through an expression.
pub(super) struct Reading<'a> {
    names: Names<'a>,
    /// The names that macros give to what they go through.
    pub(super) given: Vec<String>,
    pub(super) variables: Vec<usize>,
    pub(super) asks: Asks,
    pub(super) fields: Vec<Vec<String>>,
    pub(super) problem: Option<Problem>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(names: Names<'a>) -> Self {
        Self {
            names,
            given: Vec::new(),
            variables: Vec::new(),
            asks: Asks::default(),
            fields: Vec::new(),
            problem: None,
        }
    }

    /// What is wrong comes before what is missing.
    fn say(&mut self, problem: Problem) {
        let graver = matches!(problem, Problem::Wrong(_))
            && !matches!(self.problem, Some(Problem::Wrong(_)));
        if self.problem.is_none() || graver {
            self.problem = Some(problem);
        }
    }

    pub(super) fn wrong(&mut self, message: impl Into<String>) {
        self.say(Problem::Wrong(message.into()));
    }

    pub(super) fn missing(&mut self, what: impl Into<String>) {
        self.say(Problem::Missing(what.into()));
    }

    pub(super) fn is_given(&self, name: &str) -> bool {
        self.given.iter().any(|given| given == name)
    }

    /// Whether it is this variable of the policy's, and no name of a macro's.
    fn is(&self, expr: &IdedExpr, name: &str) -> bool {
        matches!(&expr.expr, Expr::Ident(given) if given == name) && !self.is_given(name)
    }

    pub(super) fn expr(&mut self, IdedExpr { id, expr }: IdedExpr) -> IdedExpr {
        let expr = match expr {
            Expr::Ident(name) => return self.ident(id, &name),
            Expr::Select(select) => return self.select(id, select),
            Expr::Call(call) => return self.call(id, call),
            Expr::Comprehension(it) => Expr::Comprehension(Box::new(self.comprehension(*it))),
            Expr::List(list) => {
                let optional = list.optional_indices;
                let elements = list.elements.into_iter().enumerate();
                let elements = elements.map(|(at, it)| self.entry(it, optional.contains(&at)));
                Expr::List(ListExpr {
                    elements: elements.collect(),
                    optional_indices: optional,
                })
            }
            Expr::Map(mut map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        entry.key = self.expr(std::mem::take(&mut entry.key));
                        let value = std::mem::take(&mut entry.value);
                        entry.value = self.entry(value, entry.optional);
                    }
                }
                Expr::Map(map)
            }
            Expr::Struct(it) => {
                self.missing(format!("objects of type {}", it.type_name));
                Expr::Struct(it)
            }
            other @ (Expr::Literal(_) | Expr::Unspecified) => other,
        };
        IdedExpr { id, expr }
    }

    /// An entry of a list or a map.
    fn entry(&mut self, expr: IdedExpr, optional: bool) -> IdedExpr {
        let expr = self.expr(expr);
        if optional {
            call(optional::NATIVE, vec![expr])
        } else {
            expr
        }
    }

    fn ident(&mut self, id: u64, name: &str) -> IdedExpr {
        let expr = |name: &str| IdedExpr {
            id,
            expr: Expr::Ident(name.to_owned()),
        };
        if self.is_given(name) || name.starts_with('@') {
            return expr(name);
        }
        match name {
            "object" => self.fields.push(Vec::new()),
            "oldObject" => {}
            "namespaceObject" => self.asks.namespace = true,
            "params" if self.names.params => {}
            "request" => self.missing("the whole of `request` at once"),
            "variables" if self.names.variables.is_some() => {
                self.missing("the whole of `variables` at once");
            }
            "authorizer" => self.missing("`authorizer`"),
            "int" | "uint" | "double" | "bool" | "string" | "bytes" | "list" | "map"
            | "null_type" | "type" => self.missing("types as values"),
            _ => {
                let known = [
                    "object",
                    "oldObject",
                    "request",
                    "params",
                    "namespaceObject",
                    "variables",
                ];
                let hint = nearest(name, known).filter(|near| *near != name);
                let hint =
                    hint.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
                self.wrong(format!("undeclared reference to \"{name}\"{hint}"));
            }
        }
        expr(name)
    }

    fn select(&mut self, id: u64, select: SelectExpr) -> IdedExpr {
        let SelectExpr {
            operand,
            field,
            test,
        } = select;
        if self.is(&operand, "variables") && self.names.variables.is_some() {
            return self.variable(&field, test);
        }
        if self.is(&operand, "authorizer") {
            self.missing("`authorizer`");
            return truth(false);
        }
        if self.is(&operand, "request") {
            return self.request(&field, test);
        }
        if let Expr::Select(inner) = &operand.expr
            && inner.field == "userInfo"
            && self.is(&inner.operand, "request")
        {
            match &*field {
                "uid" | "extra" => {
                    self.asks.unkept = true;
                    return ident(UNKNOWN);
                }
                "username" | "groups" => {}
                _ => self.wrong(format!("undefined field \"{field}\" of request.userInfo")),
            }
        }
        self.unseen(&field);
        if !test && Self::is_optional(&operand) {
            let key = node(Expr::Literal(LiteralValue::String(field.as_str().into())));
            return call(optional::SELECT, vec![self.expr(*operand), key]);
        }
        if let Some(path) = self.path(&operand, &field) {
            self.fields.push(path);
            return taken(id, self.untracked(*operand), field, test);
        }
        let operand = self.expr(*operand);
        taken(id, operand, field, test)
    }

    /// What the guard does not keep of an object.
    pub(super) fn unseen(&mut self, name: &str) {
        const UNSEEN: [&str; 2] = [
            "managedFields",
            "kubectl.kubernetes.io/last-applied-configuration",
        ];
        if UNSEEN.contains(&name) {
            self.missing(format!("{name}, which is not kept"));
        }
    }

    /// The names from `object` to a field.
    fn path(&self, operand: &IdedExpr, field: &str) -> Option<Vec<String>> {
        let mut path = match &operand.expr {
            Expr::Ident(name) if name == "object" && !self.is_given(name) => Vec::new(),
            Expr::Select(inner) if !inner.test => self.path(&inner.operand, &inner.field)?,
            _ => return None,
        };
        path.push(field.to_owned());
        Some(path)
    }

    /// As [`Reading::expr`], of what is part of a field that was taken down already.
    fn untracked(&mut self, expr: IdedExpr) -> IdedExpr {
        let known = self.fields.len();
        let expr = self.expr(expr);
        self.fields.truncate(known);
        expr
    }

    fn variable(&mut self, name: &str, test: bool) -> IdedExpr {
        let variables = self.names.variables.unwrap_or_default();
        let Some(at) = variables.iter().position(|known| known.name == name) else {
            let near = nearest(name, variables.iter().map(|known| &*known.name));
            let hint = near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
            self.wrong(format!("undefined field \"{name}\" of variables{hint}"));
            return truth(false);
        };
        self.asks.add(variables[at].expression.asks);
        if !self.variables.contains(&at) {
            self.variables.push(at);
        }
        if test {
            truth(true)
        } else {
            ident(&variable(name))
        }
    }

    fn request(&mut self, field: &str, test: bool) -> IdedExpr {
        match field {
            "userInfo" => {
                self.asks.user = true;
                if test { truth(true) } else { ident(USER) }
            }
            "options" => {
                self.asks.unkept = true;
                ident(UNKNOWN)
            }
            known if FIELDS.contains(&known) => taken(0, ident(REQUEST), field.to_owned(), test),
            _ => {
                let near = nearest(field, FIELDS);
                let hint =
                    near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
                self.wrong(format!("undefined field \"{field}\" of request{hint}"));
                truth(false)
            }
        }
    }
}
