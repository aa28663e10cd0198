//! An expression of a policy: compiled as kube-apiserver would, as far as the interpreter goes.
//!
//! The interpreter resolves names when it comes to them. Here they are resolved before, so that a name that
//! there is not is an error where it is written, and what can't be had offline is known. On the way the
//! macros that the interpreter lacks, and that are others in disguise, are spelt out.

use std::sync::LazyLock;

use kube_cel::cel::{
    Context, ExecutionError, IdedExpr, Value,
    common::ast::{
        CallExpr, ComprehensionExpr, EntryExpr, Expr, ListExpr, LiteralValue, SelectExpr, operators,
    },
    parser::Parser,
};

use super::{
    budget::{self, SIZED, SMALLER, STEP},
    optional,
};
use crate::{cel, report::nearest};

/// What expressions are evaluated with, before any object.
pub(super) static FUNCTIONS: LazyLock<Context<'static>> = LazyLock::new(|| {
    let mut context = cel::functions();
    budget::register(&mut context);
    optional::register(&mut context);
    context
});

/// The variable with who asks. It is not there where nobody knows.
pub(super) const USER: &str = "@user";
/// The variable with what is known of a request.
pub(super) const REQUEST: &str = "@request";
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

/// Functions and macros of kube-apiserver that the interpreter does not have.
const MISSING: [&str; 30] = [
    "all",
    "exists",
    "existsOne",
    "exists_one",
    "transformList",
    "transformMap",
    "transformMapEntry",
    "sortBy",
    "url",
    "isURL",
    "getScheme",
    "getHost",
    "getHostname",
    "getPort",
    "getEscapedPath",
    "getQuery",
    "type",
    "optFlatMap",
    "format.named",
    "unwrap",
    "unwrapOpt",
    "jsonpatch.escapeKey",
    "lists.range",
    "group",
    "resource",
    "serviceAccount",
    "path",
    "check",
    "map",
    "filter",
];

/// What an expression may name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    /// Whether there is `params`.
    pub(super) params: bool,
    /// The variables before it; `None` where none may be named.
    pub(super) variables: Option<&'a [super::policy::Variable]>,
}

/// What an expression has to amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Text,
    Any,
}

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Text => "string",
            Self::Any => "anything",
        }
    }

    /// Whether an expression may amount to it, as far as its form tells. What is taken out of an object may
    /// be anything, which kube-apiserver does not take for what it wants.
    fn may_be(self, expr: &IdedExpr) -> bool {
        use operators as op;
        if self == Self::Any {
            return true;
        }
        match &expr.expr {
            Expr::Literal(LiteralValue::Boolean(_)) => self == Self::Bool,
            Expr::Literal(LiteralValue::String(_) | LiteralValue::Null) => self == Self::Text,
            Expr::Literal(_) | Expr::List(_) | Expr::Map(_) => false,
            Expr::Ident(name) => !OBJECTS.contains(&name.as_str()),
            Expr::Select(select) if select.test => self == Self::Bool,
            Expr::Select(select) => !is_of_object(&select.operand),
            Expr::Call(call) => match &*call.func_name {
                op::CONDITIONAL => call.args[1..].iter().all(|it| self.may_be(it)),
                op::INDEX => !is_of_object(&call.args[0]),
                op::ADD => self == Self::Text,
                op::SUBSTRACT
                | op::MULTIPLY
                | op::DIVIDE
                | op::MODULO
                | op::NEGATE
                | op::OPT_SELECT
                | op::OPT_INDEX => false,
                op::EQUALS
                | op::NOT_EQUALS
                | op::LESS
                | op::LESS_EQUALS
                | op::GREATER
                | op::GREATER_EQUALS
                | op::IN
                | op::LOGICAL_AND
                | op::LOGICAL_OR
                | op::LOGICAL_NOT => self == Self::Bool,
                _ => true,
            },
            _ => true,
        }
    }
}

/// The variables of which the type is not known.
const OBJECTS: [&str; 3] = ["object", "oldObject", "params"];

/// Whether something is taken out of an object.
fn is_of_object(expr: &IdedExpr) -> bool {
    match &expr.expr {
        Expr::Ident(name) => OBJECTS.contains(&name.as_str()),
        Expr::Select(select) => !select.test && is_of_object(&select.operand),
        Expr::Call(call) if call.func_name == operators::INDEX => is_of_object(&call.args[0]),
        _ => false,
    }
}

/// Why an expression is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// kube-apiserver would not take it either.
    Wrong(String),
    /// It asks for what is not to be had here.
    Missing(String),
}

/// What an expression asks for that may not be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asks {
    /// Who makes the request.
    pub(super) user: bool,
    /// What is not kept of a request.
    pub(super) unkept: bool,
    /// The namespace's object.
    pub(super) namespace: bool,
}

impl Asks {
    fn add(&mut self, other: Self) {
        self.user |= other.user;
        self.unkept |= other.unkept;
        self.namespace |= other.namespace;
    }
}

/// An expression that can be evaluated.
#[derive(Debug)]
pub(super) struct Expression {
    source: String,
    tree: IdedExpr,
    /// The variables that it names, by their place.
    pub(super) variables: Vec<usize>,
    /// Of these too.
    pub(super) asks: Asks,
    /// The one field of the object that it names, if it is one.
    pub(super) field: Option<Vec<String>>,
}

impl Expression {
    pub(super) fn compile(source: &str, wanted: Type, names: Names<'_>) -> Result<Self, Problem> {
        let parsed =
            std::panic::catch_unwind(|| Parser::new().enable_optional_syntax(true).parse(source));
        let tree = match parsed {
            Ok(Ok(tree)) => tree,
            Ok(Err(errors)) => {
                let first = errors.errors.first();
                let text = first.map_or_else(String::new, |error| {
                    format!(
                        "{} in line {}, column {}",
                        error.msg, error.pos.0, error.pos.1
                    )
                });
                return Err(Problem::Wrong(text));
            }
            Err(_) => {
                return Err(Problem::Missing(
                    "a form of expression that is not read here".to_owned(),
                ));
            }
        };
        if !wanted.may_be(&tree) {
            return Err(Problem::Wrong(format!(
                "must evaluate to {}",
                wanted.name()
            )));
        }
        let mut reading = Reading::new(names);
        let tree = reading.expr(tree);
        if let Some(problem) = reading.problem {
            return Err(problem);
        }
        let mut fields = reading.fields;
        fields.sort();
        fields.dedup();
        Ok(Self {
            source: source.to_owned(),
            tree,
            variables: reading.variables,
            asks: reading.asks,
            field: if fields.len() == 1 {
                fields.pop()
            } else {
                None
            },
        })
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// What it amounts to.
    pub(super) fn evaluate(&self, context: &Context<'_>) -> Result<Value, ExecutionError> {
        // The interpreter has places where it gives up.
        let evaluate = std::panic::AssertUnwindSafe(|| context.resolve(&self.tree));
        std::panic::catch_unwind(evaluate)
            .unwrap_or_else(|_| Err(ExecutionError::function_error("cel", "internal error")))
    }
}

/// What kube-apiserver says of an error.
pub(super) fn said(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
        ExecutionError::DivisionByZero(_) => "division by zero".to_owned(),
        ExecutionError::RemainderByZero(_) => "modulus by zero".to_owned(),
        ExecutionError::Overflow(..) => "integer overflow".to_owned(),
        ExecutionError::IndexOutOfBounds(Value::Int(index)) => {
            format!("index out of bounds: {index}")
        }
        ExecutionError::FunctionError { message, .. } => message.clone(),
        ExecutionError::NoSuchOverload
        | ExecutionError::UnsupportedTargetType { .. }
        | ExecutionError::NotSupportedAsMethod { .. }
        | ExecutionError::ValuesNotComparable(..)
        | ExecutionError::UnsupportedBinaryOperator(..)
        | ExecutionError::UnsupportedUnaryOperator(..)
        | ExecutionError::UnexpectedType { .. } => "no such overload".to_owned(),
        other => crate::report::clip(&other.to_string(), 200),
    }
}

fn node(expr: Expr) -> IdedExpr {
    IdedExpr { id: 0, expr }
}

fn ident(name: &str) -> IdedExpr {
    node(Expr::Ident(name.to_owned()))
}

fn call(name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    node(Expr::Call(CallExpr {
        func_name: name.to_owned(),
        target: None,
        args,
    }))
}

fn method(target: IdedExpr, name: &str) -> IdedExpr {
    node(Expr::Call(CallExpr {
        func_name: name.to_owned(),
        target: Some(Box::new(target)),
        args: Vec::new(),
    }))
}

fn truth(value: bool) -> IdedExpr {
    node(Expr::Literal(LiteralValue::Boolean(value.into())))
}

/// `body`, where `name` stands for `value`.
fn bound(name: &str, value: IdedExpr, body: IdedExpr) -> IdedExpr {
    node(Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: node(Expr::List(ListExpr::new(Vec::new()))),
        iter_var: "@unused".to_owned(),
        iter_var2: None,
        accu_var: name.to_owned(),
        accu_init: value,
        loop_cond: truth(false),
        loop_step: ident(name),
        result: body,
    })))
}

/// One of the functions that make an optional value.
fn of_optional(name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    node(Expr::Call(CallExpr {
        func_name: name.to_owned(),
        target: Some(Box::new(ident("optional"))),
        args,
    }))
}

/// Whether there is a function of this name, whatever it takes.
fn is_function(name: &str) -> bool {
    let tried = FUNCTIONS.resolve(&call(name, Vec::new()));
    !matches!(tried, Err(ExecutionError::UndeclaredReference(missing)) if *missing == name)
}

/// Goes through an expression.
struct Reading<'a> {
    names: Names<'a>,
    /// The names that macros give to what they go through.
    given: Vec<String>,
    variables: Vec<usize>,
    asks: Asks,
    fields: Vec<Vec<String>>,
    problem: Option<Problem>,
}

impl<'a> Reading<'a> {
    fn new(names: Names<'a>) -> Self {
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

    fn wrong(&mut self, message: impl Into<String>) {
        self.say(Problem::Wrong(message.into()));
    }

    fn missing(&mut self, what: impl Into<String>) {
        self.say(Problem::Missing(what.into()));
    }

    fn is_given(&self, name: &str) -> bool {
        self.given.iter().any(|given| given == name)
    }

    /// Whether it is this variable of the policy's, and no name of a macro's.
    fn is(&self, expr: &IdedExpr, name: &str) -> bool {
        matches!(&expr.expr, Expr::Ident(given) if given == name) && !self.is_given(name)
    }

    fn expr(&mut self, IdedExpr { id, expr }: IdedExpr) -> IdedExpr {
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
    fn unseen(&mut self, name: &str) {
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

    fn call(&mut self, id: u64, it: CallExpr) -> IdedExpr {
        let it = match self.spelt_out(it) {
            Ok(spelt_out) => return spelt_out,
            Err(it) => it,
        };
        let CallExpr {
            func_name,
            target,
            args,
        } = it;
        let is_operator = !func_name.starts_with(|c: char| c.is_ascii_alphabetic());
        // `math.abs(x)` is no method of something called `math`.
        let prefix = target.as_ref().and_then(|target| match &target.expr {
            Expr::Ident(prefix) if !self.is_given(prefix) => Some(format!("{prefix}.{func_name}")),
            _ => None,
        });
        let of_prefix = |name: &&String| is_function(name) || MISSING.contains(&name.as_str());
        let prefix = prefix.filter(|name| of_prefix(&name));
        let full = prefix.clone().unwrap_or_else(|| func_name.clone());
        if !is_operator && (!is_function(&full) || matches!(&*full, "lists.range" | "format.named"))
        {
            self.no_function(&full, target.as_deref());
            // A macro's arguments have names that only it knows.
            return truth(false);
        }
        let appends = matches!(args.first(), Some(IdedExpr { expr: Expr::Ident(name), .. }) if name == "@result");
        let target = target.map(|target| {
            if prefix.is_some() {
                target
            } else {
                Box::new(self.expr(*target))
            }
        });
        for arg in &args {
            if let Expr::Literal(LiteralValue::String(text)) = &arg.expr {
                self.unseen(text.inner());
            }
        }
        self.compares_numbers(&func_name, &args);
        let selects = matches!(&*func_name, operators::OPT_SELECT | operators::OPT_INDEX)
            || func_name == operators::INDEX && args.first().is_some_and(Self::is_optional);
        let func_name = if selects {
            optional::SELECT.to_owned()
        } else {
            func_name
        };
        let mut args: Vec<IdedExpr> = args.into_iter().map(|arg| self.expr(arg)).collect();
        let mut target = target;
        // Of an argument the interpreter forgets why there is none; of a target it does not.
        let converts = ["size", "int", "uint", "double", "string"];
        if target.is_none() && args.len() == 1 && converts.contains(&&*full) {
            target = args.pop().map(Box::new);
        }
        if matches!(&*full, "replace" | "join" | "format") {
            args = args
                .into_iter()
                .map(|arg| self::call(SMALLER, vec![arg]))
                .collect();
            target = target.map(|target| Box::new(self::call(SMALLER, vec![*target])));
        }
        let adds = func_name == operators::ADD && !appends;
        let done = IdedExpr {
            id,
            expr: Expr::Call(CallExpr {
                func_name,
                target,
                args,
            }),
        };
        if adds {
            self::call(SIZED, vec![done])
        } else {
            done
        }
    }

    fn no_function(&mut self, name: &str, target: Option<&IdedExpr>) {
        if target.is_some_and(names_authorizer) {
            self.missing("`authorizer`");
        } else if MISSING.contains(&name) {
            self.missing(format!("the function {name}()"));
        } else {
            self.wrong(format!("undeclared reference to \"{name}\""));
        }
    }

    /// `optMap` in other words; or the call as it is.
    fn spelt_out(&mut self, mut it: CallExpr) -> Result<IdedExpr, CallExpr> {
        let first = it.args.first().map(|first| &first.expr);
        let Some(Expr::Ident(name)) = first else {
            return Err(it);
        };
        let name = name.clone();
        match (&*it.func_name, it.args.len()) {
            ("optMap", 2) if it.target.is_some() => {
                let body = it.args.pop().unwrap_or_default();
                let target = self.expr(*it.target.take().unwrap_or_default());
                let body = of_optional("of", vec![self.within(&name, body)]);
                // The target is evaluated once, under a name that no expression can have.
                let held = format!("@opt.{name}");
                let some = bound(&name, method(ident(&held), "value"), body);
                let chosen = vec![
                    method(ident(&held), "hasValue"),
                    some,
                    of_optional("none", Vec::new()),
                ];
                Ok(bound(&held, target, call(operators::CONDITIONAL, chosen)))
            }
            _ => Err(it),
        }
    }

    /// Whether something is optional, as far as its form tells. A variable that is optional is not selected
    /// from: kube-apiserver does not either.
    fn is_optional(expr: &IdedExpr) -> bool {
        match &expr.expr {
            Expr::Select(select) => !select.test && Self::is_optional(&select.operand),
            Expr::Call(call) => match &*call.func_name {
                operators::OPT_SELECT | operators::OPT_INDEX | "optMap" | "or" => true,
                operators::INDEX => call.args.first().is_some_and(Self::is_optional),
                operators::CONDITIONAL => call.args[1..].iter().any(Self::is_optional),
                _ => call.target.as_ref().is_some_and(
                    |target| matches!(&target.expr, Expr::Ident(name) if name == "optional"),
                ),
            },
            _ => false,
        }
    }

    /// The interpreter takes numbers of different types for different ones.
    fn compares_numbers(&mut self, operator: &str, args: &[IdedExpr]) {
        let compares = [operators::EQUALS, operators::NOT_EQUALS, operators::IN];
        let other = |arg: &IdedExpr| {
            matches!(
                arg.expr,
                Expr::Literal(LiteralValue::Double(_) | LiteralValue::UInt(_))
            )
        };
        // One that is made so, or a number itself, is of the same type.
        let made = |arg: &IdedExpr| match &arg.expr {
            Expr::Call(call) => matches!(&*call.func_name, "double" | "uint"),
            Expr::Literal(_) => true,
            _ => false,
        };
        if compares.contains(&operator) && args.iter().any(other) && !args.iter().all(made) {
            self.missing("to compare numbers of different types");
        }
    }

    /// An expression in which a name is given.
    fn within(&mut self, name: &str, expr: IdedExpr) -> IdedExpr {
        self.given.push(name.to_owned());
        let expr = self.expr(expr);
        self.given.pop();
        expr
    }

    fn comprehension(&mut self, it: ComprehensionExpr) -> ComprehensionExpr {
        let iter_range = self.expr(it.iter_range);
        let accu_init = self.expr(it.accu_init);
        let outer = self.given.len();
        self.given
            .extend([it.accu_var.clone(), it.iter_var.clone()]);
        self.given.extend(it.iter_var2.clone());
        let loop_cond = self.expr(it.loop_cond);
        let step = call(STEP, Vec::new());
        let done = ComprehensionExpr {
            iter_range,
            accu_init,
            loop_cond: call(operators::LOGICAL_AND, vec![loop_cond, step]),
            loop_step: self.expr(it.loop_step),
            result: self.expr(it.result),
            ..it
        };
        self.given.truncate(outer);
        done
    }
}

/// The name under which a variable of the policy's is known when an expression is evaluated.
pub(super) fn variable(name: &str) -> String {
    format!("@variables.{name}")
}

/// A field of something. The interpreter's own selection gives `false` of what has no fields; its index does
/// not.
fn taken(id: u64, operand: IdedExpr, field: String, test: bool) -> IdedExpr {
    let expr = if test {
        Expr::Select(SelectExpr {
            operand: Box::new(operand),
            field,
            test,
        })
    } else {
        let field = node(Expr::Literal(LiteralValue::String(field.as_str().into())));
        Expr::Call(CallExpr {
            func_name: operators::INDEX.to_owned(),
            target: None,
            args: vec![operand, field],
        })
    };
    IdedExpr { id, expr }
}

fn names_authorizer(expr: &IdedExpr) -> bool {
    match &expr.expr {
        Expr::Ident(name) => name == "authorizer",
        Expr::Select(select) => names_authorizer(&select.operand),
        Expr::Call(call) => call.target.as_deref().is_some_and(names_authorizer),
        _ => false,
    }
}
