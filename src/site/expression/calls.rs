//! Calls in an expression: functions, operators and macros, and the loops that macros are.

use kube_cel::cel::{
    ExecutionError, IdedExpr,
    common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, operators},
};

use super::{
    FUNCTIONS,
    names::Reading,
    tree::{self, bound, ident, method, of_optional, truth},
};
use crate::site::{
    budget::{SIZED, SMALLER, STEP},
    optional,
};

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

impl Reading<'_> {
    pub(super) fn call(&mut self, id: u64, it: CallExpr) -> IdedExpr {
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
                .map(|arg| tree::call(SMALLER, vec![arg]))
                .collect();
            target = target.map(|target| Box::new(tree::call(SMALLER, vec![*target])));
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
            tree::call(SIZED, vec![done])
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
                Ok(bound(
                    &held,
                    target,
                    tree::call(operators::CONDITIONAL, chosen),
                ))
            }
            _ => Err(it),
        }
    }

    /// Whether something is optional, as far as its form tells. A variable that is optional is not selected
    /// from: kube-apiserver does not either.
    pub(super) fn is_optional(expr: &IdedExpr) -> bool {
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

    pub(super) fn comprehension(&mut self, it: ComprehensionExpr) -> ComprehensionExpr {
        let iter_range = self.expr(it.iter_range);
        let accu_init = self.expr(it.accu_init);
        let outer = self.given.len();
        self.given
            .extend([it.accu_var.clone(), it.iter_var.clone()]);
        self.given.extend(it.iter_var2.clone());
        let loop_cond = self.expr(it.loop_cond);
        let step = tree::call(STEP, Vec::new());
        let done = ComprehensionExpr {
            iter_range,
            accu_init,
            loop_cond: tree::call(operators::LOGICAL_AND, vec![loop_cond, step]),
            loop_step: self.expr(it.loop_step),
            result: self.expr(it.result),
            ..it
        };
        self.given.truncate(outer);
        done
    }
}

/// Whether there is a function of this name, whatever it takes.
fn is_function(name: &str) -> bool {
    let tried = FUNCTIONS.resolve(&tree::call(name, Vec::new()));
    !matches!(tried, Err(ExecutionError::UndeclaredReference(missing)) if *missing == name)
}

fn names_authorizer(expr: &IdedExpr) -> bool {
    match &expr.expr {
        Expr::Ident(name) => name == "authorizer",
        Expr::Select(select) => names_authorizer(&select.operand),
        Expr::Call(call) => call.target.as_deref().is_some_and(names_authorizer),
        _ => false,
    }
}
