//! Pieces of expressions, and what is put together of them.

use kube_cel::cel::{
    IdedExpr,
    common::ast::{
        CallExpr, ComprehensionExpr, Expr, ListExpr, LiteralValue, SelectExpr, operators,
    },
};

pub(super) fn node(expr: Expr) -> IdedExpr {
    IdedExpr { id: 0, expr }
}

pub(super) fn ident(name: &str) -> IdedExpr {
    node(Expr::Ident(name.to_owned()))
}

pub(super) fn call(name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    node(Expr::Call(CallExpr {
        func_name: name.to_owned(),
        target: None,
        args,
    }))
}

pub(super) fn method(target: IdedExpr, name: &str) -> IdedExpr {
    node(Expr::Call(CallExpr {
        func_name: name.to_owned(),
        target: Some(Box::new(target)),
        args: Vec::new(),
    }))
}

pub(super) fn truth(value: bool) -> IdedExpr {
    node(Expr::Literal(LiteralValue::Boolean(value.into())))
}

/// `body`, where `name` stands for `value`.
pub(super) fn bound(name: &str, value: IdedExpr, body: IdedExpr) -> IdedExpr {
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
pub(super) fn of_optional(name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    node(Expr::Call(CallExpr {
        func_name: name.to_owned(),
        target: Some(Box::new(ident("optional"))),
        args,
    }))
}

/// A field of something. The interpreter's own selection gives `false` of what has no fields; its index does
/// not.
pub(super) fn taken(id: u64, operand: IdedExpr, field: String, test: bool) -> IdedExpr {
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
