//! Optional values.
//!
//! The interpreter's own turn into what they hold when they are copied, which giving them a name does; they
//! equal nothing, and fail where a field is missing. So those here stand for them.
#![allow(
    clippy::needless_pass_by_value,
    clippy::option_option,
    clippy::unnecessary_wraps,
    reason = "the interpreter has functions in this form only"
)]

use std::sync::Arc;

use kube_cel::cel::{
    Context, ExecutionError, Value,
    extractors::This,
    objects::{Key, Opaque, OptionalValue},
};

/// What stands for `a.?b` and `a[?b]`, and for `a.b` and `a[b]` where `a` is optional.
pub(super) const SELECT: &str = "@optional";
/// What an optional entry of a list or a map has to be for the interpreter.
pub(super) const NATIVE: &str = "@native";

/// A value, or none.
#[derive(Debug)]
struct Maybe(Option<Value>);

impl PartialEq for Maybe {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

// Opaque values have to be. Not a number is not equal to itself here either, which nobody relies on.
impl Eq for Maybe {}

impl Opaque for Maybe {
    fn runtime_type_name(&self) -> &'static str {
        "optional_type"
    }
}

type Result<T> = std::result::Result<T, ExecutionError>;

fn maybe(value: Option<Value>) -> Value {
    Value::Opaque(Arc::new(Maybe(value)))
}

/// What an optional value holds; nothing if it is not one.
fn held(value: &Value) -> Option<Option<Value>> {
    let Value::Opaque(opaque) = value else {
        return None;
    };
    if let Some(Maybe(held)) = opaque.downcast_ref::<Maybe>() {
        return Some(held.clone());
    }
    // The library's functions give the interpreter's own.
    let own = opaque.downcast_ref::<OptionalValue>()?;
    Some(own.value().cloned())
}

fn of_optional(value: &Value) -> Result<Option<Value>> {
    held(value).ok_or(ExecutionError::NoSuchOverload)
}

fn select(of: Value, key: Value) -> Result<Value> {
    let held = held(&of).unwrap_or(Some(of));
    Ok(maybe(match (held, key) {
        (Some(Value::Map(map)), key) => {
            let key: std::result::Result<Key, _> = key.try_into();
            key.ok().and_then(|key| map.get(&key).cloned())
        }
        (Some(Value::List(items)), Value::Int(at)) => usize::try_from(at)
            .ok()
            .and_then(|at| items.get(at).cloned()),
        _ => None,
    }))
}

fn native(value: Value) -> Result<Value> {
    let held = of_optional(&value)?;
    let native = held.map_or_else(OptionalValue::none, OptionalValue::of);
    Ok(Value::Opaque(Arc::new(native)))
}

fn none() -> Result<Value> {
    Ok(maybe(None))
}

fn of(value: Value) -> Result<Value> {
    Ok(maybe(Some(value)))
}

fn of_non_zero(value: Value) -> Result<Value> {
    let is_zero = match &value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Int(value) => *value == 0,
        Value::UInt(value) => *value == 0,
        Value::Float(value) => *value == 0.0,
        Value::String(value) => value.is_empty(),
        Value::Bytes(value) => value.is_empty(),
        Value::List(value) => value.is_empty(),
        Value::Map(value) => value.map.is_empty(),
        _ => false,
    };
    Ok(maybe((!is_zero).then_some(value)))
}

fn has_value(This(this): This<Value>) -> Result<bool> {
    Ok(of_optional(&this)?.is_some())
}

fn value(This(this): This<Value>) -> Result<Value> {
    let held = of_optional(&this)?;
    held.ok_or_else(|| ExecutionError::function_error("value", "optional.none() dereference"))
}

fn or(This(this): This<Value>, other: Value) -> Result<Value> {
    of_optional(&other)?;
    Ok(if of_optional(&this)?.is_some() {
        this
    } else {
        other
    })
}

fn or_value(This(this): This<Value>, other: Value) -> Result<Value> {
    Ok(of_optional(&this)?.unwrap_or(other))
}

/// Puts the functions of optional values in place of the interpreter's own.
pub(super) fn register(context: &mut Context<'static>) {
    context.add_function(SELECT, select);
    context.add_function(NATIVE, native);
    context.add_function("optional.none", none);
    context.add_function("optional.of", of);
    context.add_function("optional.ofNonZeroValue", of_non_zero);
    context.add_function("hasValue", has_value);
    context.add_function("value", value);
    context.add_function("or", or);
    context.add_function("orValue", or_value);
}
