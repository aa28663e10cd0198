//! What an expression amounts to, as far as its form tells.

use kube_cel::cel::{
    IdedExpr,
    common::ast::{Expr, LiteralValue, operators},
};

/// What an expression has to amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::site) enum Type {
    Bool,
    Text,
    Any,
}

impl Type {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Text => "string",
            Self::Any => "anything",
        }
    }

    /// Whether an expression may amount to it, as far as its form tells. What is taken out of an object may
    /// be anything, which kube-apiserver does not take for what it wants.
    pub(super) fn may_be(self, expr: &IdedExpr) -> bool {
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
