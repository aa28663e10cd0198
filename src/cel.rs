//! Expressions in CEL, evaluated as kube-apiserver does it.
//!
//! The interpreter knows less than kube-apiserver's: optional fields (`.?`), `cel.bind`, `sortBy` and macros of
//! two variables are missing. What it can't compile or evaluate has no result, and whoever asks lets that pass.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError},
};

use kube_cel::{
    KubeCelExt,
    cel::{
        Context, ExecutionError, Program,
        extractors::This,
        functions,
        objects::{Key, Map},
    },
};
use regex::Regex;

use crate::golang::{self, regexp};

pub use kube_cel::cel::{Value, objects::OptionalValue};

/// An expression, compiled when first asked for.
pub struct Expression {
    source: Box<str>,
    program: OnceLock<Option<Program>>,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

impl Expression {
    /// An expression of this text.
    pub fn new(source: &str) -> Self {
        Self {
            source: source.into(),
            program: OnceLock::new(),
        }
    }

    /// The expression's text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it amounts to. `None` if it can't be compiled, or its evaluation ends in an error.
    pub fn evaluate(&self, variables: &Variables) -> Option<Value> {
        let compiled = || Program::compile(&self.source).ok();
        let program = self.program.get_or_init(compiled).as_ref()?;
        program.execute(&variables.0).ok()
    }
}

/// The variables that expressions are evaluated with.
pub struct Variables(Context<'static>);

impl Default for Variables {
    fn default() -> Self {
        Self(FUNCTIONS.new_inner_scope())
    }
}

impl Variables {
    /// Gives a variable its value.
    pub fn set(&mut self, name: &str, value: Value) -> &mut Self {
        self.0.add_variable_from_value(name, value);
        self
    }
}

static FUNCTIONS: LazyLock<Context<'static>> = LazyLock::new(functions);

/// The functions of kube-apiserver; those of the interpreter's own that differ from Go's are replaced.
pub(crate) fn functions() -> Context<'static> {
    let mut context = Context::default().with_all();
    context.add_function("size", size);
    context.add_function("matches", matches);
    context.add_function("duration", duration);
    context
}

/// The characters of a text, where the interpreter's own counts bytes.
fn size(context: &functions::FunctionContext<'_, '_>, This(this): This<Value>) -> Counted {
    match &this {
        Value::String(text) => i64::try_from(text.chars().count())
            .map_err(|_| ExecutionError::function_error("size", "too long")),
        _ => functions::size(context, This(this)),
    }
}

type Counted = Result<i64, ExecutionError>;

/// How many patterns stay compiled.
const PATTERNS: usize = 512;

/// Go's regular expressions, each compiled once.
fn matches(This(text): This<Arc<String>>, pattern: Arc<String>) -> Result<bool, ExecutionError> {
    static COMPILED: LazyLock<Mutex<HashMap<Arc<String>, Option<Regex>>>> =
        LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    // A pattern may come out of an object, of which there is no end.
    if compiled.len() >= PATTERNS && !compiled.contains_key(&pattern) {
        compiled.clear();
    }
    let known = compiled
        .entry(pattern)
        .or_insert_with_key(|text| regexp::compile(text));
    match known {
        Some(pattern) => Ok(pattern.is_match(&text)),
        None => Err(ExecutionError::function_error("matches", "not a pattern")),
    }
}

/// Go's durations: the interpreter's own ignores what follows the first ones that it can read.
fn duration(text: Arc<String>) -> Result<Value, ExecutionError> {
    golang::duration::parse(&text)
        .map_err(|error| ExecutionError::function_error("duration", error))?;
    functions::duration(text)
}

/// A duration as Go writes it.
pub fn duration_value(text: &str) -> Option<Value> {
    duration(Arc::new(text.to_owned())).ok()
}

/// A point in time as RFC 3339 writes it.
pub fn timestamp_value(text: &str) -> Option<Value> {
    functions::timestamp(Arc::new(text.to_owned())).ok()
}

/// A text.
pub fn text(text: &str) -> Value {
    Value::String(Arc::new(text.to_owned()))
}

/// A map of texts to values.
pub fn map(entries: impl IntoIterator<Item = (String, Value)>) -> Value {
    let key = |(name, value)| (Key::String(Arc::new(name)), value);
    Value::Map(Map {
        map: Arc::new(entries.into_iter().map(key).collect()),
    })
}

/// A list of values.
pub fn list(items: Vec<Value>) -> Value {
    Value::List(Arc::new(items))
}

/// A number of JSON's.
pub fn number(number: &serde_json::Number) -> Value {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(number), ..) => Value::Int(number),
        (_, Some(number), _) => Value::UInt(number),
        (.., number) => Value::Float(number.unwrap_or(f64::NAN)),
    }
}

/// A value of JSON's whose schema is not known.
pub fn value(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(value) => number(value),
        serde_json::Value::String(value) => text(value),
        serde_json::Value::Array(items) => list(items.iter().map(self::value).collect()),
        serde_json::Value::Object(fields) => map(fields
            .iter()
            .map(|(name, field)| (name.clone(), self::value(field)))),
    }
}
