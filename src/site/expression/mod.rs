//! An expression of a policy: compiled as kube-apiserver would, as far as the interpreter goes.
//!
//! The interpreter resolves names when it comes to them. Here they are resolved before, so that a name that
//! there is not is an error where it is written, and what can't be had offline is known. On the way the
//! macros that the interpreter lacks, and that are others in disguise, are spelt out.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `calls` | functions, operators, macros and loops |
//! | `names` | variables and fields, and what they ask for |
//! | `tree` | pieces of expressions |
//! | `types` | what an expression amounts to, as far as its form tells |

mod calls;
mod names;
mod tree;
mod types;

use std::sync::LazyLock;

use kube_cel::cel::{Context, ExecutionError, IdedExpr, Value, parser::Parser};

use self::names::Reading;
pub(super) use self::types::Type;
use super::{budget, optional};
use crate::cel;

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

/// What an expression may name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    /// Whether there is `params`.
    pub(super) params: bool,
    /// The variables before it; `None` where none may be named.
    pub(super) variables: Option<&'a [super::policy::Variable]>,
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

/// The name under which a variable of the policy's is known when an expression is evaluated.
pub(super) fn variable(name: &str) -> String {
    format!("@variables.{name}")
}
