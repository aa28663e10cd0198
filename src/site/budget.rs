//! How much work the site's expressions may make of one request.
//!
//! kube-apiserver counts what an expression costs, and ends it when that is too much. The interpreter counts
//! nothing, so the loops of an expression do, and what grows a value looks at its size. What takes too long
//! is not decided: it refuses nobody.
#![allow(
    clippy::needless_pass_by_value,
    reason = "the interpreter has functions in this form only"
)]

use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, Instant},
};

use kube_cel::cel::{Context, ExecutionError, Value};

/// The steps that the loops of all expressions may take for one request. kube-apiserver ends an expression
/// at a cost of a million, and a step costs some.
const STEPS: u32 = 500_000;
/// Where the steps are costly ones, time ends them: the API server waits for two or three seconds.
const TIME: Duration = Duration::from_millis(800);
/// The most characters, or entries at all depths, of a value that an expression makes.
const SIZE: usize = 1 << 18;
/// The same, of what goes into a function that multiplies.
const SMALL: usize = 1 << 14;

/// The functions that count; an expression can't name them.
pub(super) const STEP: &str = "@step";
/// See [`STEP`]: gives back what it is given unless that is too large.
pub(super) const SIZED: &str = "@sized";
/// See [`SIZED`].
pub(super) const SMALLER: &str = "@small";

#[derive(Clone, Copy)]
struct Left {
    steps: u32,
    until: Instant,
}

thread_local! {
    static LEFT: Cell<Option<Left>> = const { Cell::new(None) };
    static SPENT: Cell<bool> = const { Cell::new(false) };
}

/// The work of one request, from now until it is dropped.
pub(super) struct Budget(());

impl Budget {
    pub(super) fn new() -> Self {
        LEFT.set(Some(Left {
            steps: STEPS,
            until: Instant::now() + TIME,
        }));
        SPENT.set(false);
        Self(())
    }

    /// Whether it was too much.
    pub(super) fn is_spent() -> bool {
        SPENT.get()
    }

    /// Whether an expression asked for too much; the next one may ask anew where only that one was too large.
    pub(super) fn take_spent() -> bool {
        let spent = SPENT.get();
        if spent && LEFT.get().is_none_or(|left| left.steps > 0) {
            SPENT.set(false);
        }
        spent
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        LEFT.set(None);
        SPENT.set(false);
    }
}

fn too_much() -> ExecutionError {
    SPENT.set(true);
    ExecutionError::function_error("cost", "takes too long")
}

fn step() -> Result<bool, ExecutionError> {
    let Some(left) = LEFT.get() else {
        return Ok(true);
    };
    let steps = left.steps.saturating_sub(1);
    let late = steps == 0 || steps.is_multiple_of(16) && Instant::now() > left.until;
    let steps = if late { 0 } else { steps };
    LEFT.set(Some(Left { steps, ..left }));
    if late { Err(too_much()) } else { Ok(true) }
}

fn sized(value: Value) -> Result<Value, ExecutionError> {
    if is_too_large(&value) {
        return Err(too_much());
    }
    Ok(value)
}

/// Whether a value is larger than those that expressions may make.
pub(super) fn is_too_large(value: &Value) -> bool {
    size(value, SIZE) > SIZE
}

fn small(value: Value) -> Result<Value, ExecutionError> {
    let wide = matches!(value, Value::Int(number) if number > 100_000);
    if wide || size(&value, SMALL) > SMALL {
        return Err(too_much());
    }
    Ok(value)
}

/// How large a value is; of one that is larger than `most`, only that it is.
fn size(value: &Value, most: usize) -> usize {
    let mut all = 1;
    let mut add = |value: &Value| {
        if all <= most {
            all += size(value, most - all.min(most));
        }
    };
    match value {
        Value::String(text) => return text.len().max(1),
        Value::Bytes(bytes) => return bytes.len().max(1),
        Value::List(items) => items.iter().for_each(&mut add),
        Value::Map(map) => map.map.values().for_each(&mut add),
        _ => {}
    }
    all
}

/// Adds the functions that count.
pub(super) fn register(context: &mut Context<'static>) {
    context.add_function(STEP, step);
    context.add_function(SIZED, sized);
    context.add_function(SMALLER, small);
    // The type checker's own; nothing is checked here.
    context.add_function("dyn", |value: Value| -> Result<Value, ExecutionError> {
        Ok(value)
    });
    context.add_function("bool", truth);
}

fn truth(value: Value) -> Result<bool, ExecutionError> {
    match &value {
        Value::Bool(value) => Ok(*value),
        // Go's strconv.ParseBool, less what CEL leaves out of it.
        Value::String(text) => match text.as_str() {
            "1" | "t" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "f" | "false" | "FALSE" | "False" => Ok(false),
            _ => Err(ExecutionError::function_error(
                "bool",
                format!("type conversion error from 'string' to 'bool': {text}"),
            )),
        },
        _ => Err(ExecutionError::UnsupportedTargetType {
            target: Value::String(Arc::new("bool".to_owned())),
        }),
    }
}
