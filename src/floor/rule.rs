//! From a contract to expressions.

use std::sync::LazyLock;

use jsonptr::{Pointer, PointerBuf};
use regex::Regex;
use serde_saphyr::LitString;

use super::{
    Named, Validation,
    field::{absent, changed_name, present, quoted, value},
    indented,
};
use crate::{
    api,
    engine::{Settings, Situation, foreseen},
    policy::{Check, Contract, Gate, Mode, Operation},
    report::{field, list},
};

/// Whether a rule is part of the floor.
pub fn is_in(contract: &Contract) -> bool {
    contract.floor.is_some() || !matches!(contract.check, Check::Code(_))
}

/// What is asked of an object for a rule; a rule about several fields asks several times.
pub(super) struct Asked {
    pub(super) contract: &'static Contract,
    number: usize,
    field: PointerBuf,
    holds: String,
    says: Text,
    /// Whether it only compares the old object with the new one, so that nothing is wrong with an
    /// object that stays.
    compares: bool,
    settled: Settled,
    /// What a refusal adds: where the rule can be read about.
    page: String,
}

/// What becomes of a finding, by situation.
struct Settled {
    plain: Mode,
    trusted: Mode,
    stored: Mode,
    restored: Mode,
    exempted: Option<Mode>,
}

/// What is asked for a rule.
pub(super) fn asked(contract: &'static Contract, settings: &Settings) -> Vec<Asked> {
    let settled = || {
        let mode = |situation| foreseen(contract, settings, situation);
        Settled {
            plain: mode(Situation::Plain),
            trusted: mode(Situation::Trusted),
            stored: mode(Situation::Stored),
            restored: mode(Situation::Restored),
            exempted: settings.exemptions.then(|| mode(Situation::Exempted)),
        }
    };
    let one = |number, field: &Pointer, holds: String, says: Text, compares| Asked {
        contract,
        number,
        field: field.to_buf(),
        holds,
        says,
        compares,
        settled: settled(),
        page: settings
            .page(&contract.id)
            .map_or_else(String::new, |page| format!(", see {page}")),
    };
    if let Some(floor) = &contract.floor {
        let holds = floor.holds.trim().to_owned();
        return vec![one(0, &floor.field, holds, Text::new(&floor.says), false)];
    }
    match &contract.check {
        Check::Immutable(fields) => {
            let asked = fields.iter().enumerate().map(|(number, field)| {
                let says = Text::new("may not change after creation");
                one(number, field, stays(field), says, true)
            });
            asked.collect()
        }
        Check::Required(field) => {
            let holds = is_given(&contract.kind, field);
            vec![one(0, field, holds, Text::new("is required"), false)]
        }
        Check::OneOf(one_of) => {
            let field = &one_of.field;
            let known = list(one_of.values.iter().map(String::as_str));
            let values: Vec<String> = one_of.values.iter().map(|value| quoted(value)).collect();
            let given = value("object", field);
            let holds = format!(
                "{} || {given} in [{}]",
                absent("object", field),
                values.join(", ")
            );
            let says = format!("\"{{{given}}}\" is not one of {known}");
            vec![one(0, field, holds, Text::new(&says), false)]
        }
        Check::Code(_) => Vec::new(),
    }
}

/// That a field does not change. Where a whole body came or went, that is the matter of another rule.
fn stays(field: &Pointer) -> String {
    format!(
        "!has(object.spec) || !has(oldObject.spec) || !variables.{}",
        changed_name(field)
    )
}

/// That a field is there and not empty. Where the whole body is missing, that is the matter of another
/// rule.
fn is_given(kind: &str, field: &Pointer) -> String {
    let present = present("object", field);
    if field.as_str() == "/spec" {
        return present;
    }
    let schema = field.tokens().try_fold(api::schema(kind), |schema, token| {
        let properties = schema?.get("properties")?;
        Some(properties.get(&*token.decoded()))
    });
    let text = schema
        .flatten()
        .is_some_and(|schema| schema["type"] == "string");
    let filled = if text {
        format!(" && {} != ''", value("object", field))
    } else {
        String::new()
    };
    format!("!has(object.spec) || ({present}{filled})")
}

impl Asked {
    /// Whether a request may end in this mode by it.
    pub(super) fn ends_in(&self, mode: Mode) -> bool {
        let Settled {
            plain,
            trusted,
            stored,
            restored,
            ..
        } = self.settled;
        match mode {
            Mode::Off => false,
            Mode::Audit => plain == mode,
            Mode::Warn | Mode::Deny => [plain, trusted, stored, restored].contains(&mode),
        }
    }

    /// The name of the variable that tells what becomes of the request.
    pub(super) fn variable_name(&self) -> String {
        let name = self.contract.id.replace('-', "_");
        match self.number {
            0 => name,
            number => format!("{name}_{}", number + 1),
        }
    }

    /// The variable that tells what becomes of the request: a mode, or nothing.
    pub(super) fn variable(&self) -> Named {
        Named {
            name: self.variable_name(),
            expression: LitString(self.expression()),
        }
    }

    /// The field that is blamed, as Kubernetes spells it, and what holds of it. What
    /// `fields` compares is spelt out.
    pub(super) fn check(&self) -> (String, String) {
        let name = format!("variables.{}", changed_name(&self.field));
        let changed = super::field::changed(&self.field);
        let holds = self
            .holds
            .replace(&name, &format!("(\n{}\n)", indented(&changed)));
        (field(&self.field), holds)
    }

    fn expression(&self) -> String {
        let (asks, holds) = (self.asks(), indented(&self.holds));
        let cases = indented(&self.cases());
        format!("{asks} && !(\n{holds}\n) ? (\n{cases}\n) : ''")
    }

    /// What becomes of a finding.
    fn cases(&self) -> String {
        let settled = &self.settled;
        let mut cases: Vec<(String, Mode)> = Vec::new();
        if let Some(mode) = settled.exempted {
            let id = quoted(&self.contract.id);
            cases.push((format!("variables.exempted.contains({id})"), mode));
        }
        cases.push(("variables.trusted".to_owned(), settled.trusted));
        if self.contract.on.contains(&Operation::Create) {
            cases.push(("variables.restored".to_owned(), settled.restored));
        }
        // What stops a controller for everybody is let be only where it is the same to the letter, and
        // then nothing has changed.
        if !self.compares && !self.contract.crash && self.updates() {
            let holds = indented(&of_stored(&self.holds));
            let stored = format!("request.operation == 'UPDATE' && !(\n{holds}\n)");
            cases.push((stored, settled.stored));
        }
        cases.retain(|(_, mode)| *mode != settled.plain);
        let text = cases.chunk_by(|one, next| one.1 == next.1).map(|cases| {
            let conditions: Vec<&str> = cases.iter().map(|(condition, _)| &**condition).collect();
            format!("{} ? '{}' :\n", conditions.join(" ||\n"), cases[0].1)
        });
        text.collect::<String>() + &format!("'{}'", settled.plain)
    }

    fn updates(&self) -> bool {
        self.contract.on.contains(&Operation::Update)
    }

    /// The fields whose change makes the rule be asked.
    pub(super) fn fields(&self) -> Vec<&Pointer> {
        if self.compares {
            return vec![&self.field];
        }
        let watches = self.contract.watches.iter().filter(|_| self.updates());
        watches.map(|field| &**field).collect()
    }

    /// Whether the request is one that the rule is asked at.
    fn asks(&self) -> String {
        let contract = self.contract;
        let mut causes = Vec::new();
        if contract.on.contains(&Operation::Create) {
            causes.push("request.operation == 'CREATE'".to_owned());
        }
        // A comparison asks by itself whether its field changes.
        let changed = |field: &Pointer| format!("variables.{}", changed_name(field));
        if self.compares {
            causes.push("request.operation == 'UPDATE'".to_owned());
        } else {
            causes.extend(self.fields().into_iter().map(changed));
        }
        let mut conditions = vec![match &causes[..] {
            [one] => one.clone(),
            _ => format!("({})", causes.join(" || ")),
        }];
        if contract.terminating == Gate::Skip {
            conditions.push("!variables.going".to_owned());
        }
        if contract.trusted == Gate::Skip {
            conditions.push("!variables.trusted".to_owned());
        }
        conditions.join(" && ")
    }

    pub(super) fn validation(&self, mode: Mode) -> Validation {
        let place = field(&self.field);
        let id = &self.contract.id;
        let fix = &self.contract.fix;
        let around = match mode {
            Mode::Deny => (format!("{place}: "), format!("; {fix} ({id}){}", self.page)),
            _ => (format!("{id}: {place}: "), format!("; {fix}")),
        };
        Validation {
            expression: format!("variables.{} != '{mode}'", self.variable_name()),
            message: around.0.clone() + &self.says.constant(&self.contract.what) + &around.1,
            message_expression: self.says.expression(&around.0, &around.1).map(LitString),
            reason: "Forbidden",
        }
    }
}

/// A check as it is of the stored object, if that stays as it is.
fn of_stored(holds: &str) -> String {
    static OBJECT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\bobject\b").ok());
    OBJECT.as_ref().map_or_else(
        || holds.to_owned(),
        |object| object.replace_all(holds, "oldObject").into_owned(),
    )
}

/// A text with expressions in braces.
struct Text(Vec<Piece>);

enum Piece {
    Words(String),
    Value(String),
}

impl Text {
    fn new(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (value, after) = after.split_once('}').unwrap_or((after, ""));
            pieces.push(Piece::Words(before.to_owned()));
            pieces.push(Piece::Value(value.to_owned()));
            rest = after;
        }
        pieces.push(Piece::Words(rest.to_owned()));
        Self(pieces)
    }

    /// The text, or another one where it is not always the same.
    fn constant(&self, otherwise: &str) -> String {
        match &self.0[..] {
            [Piece::Words(words)] => words.clone(),
            _ => otherwise.trim().trim_end_matches('.').to_owned(),
        }
    }

    /// The text as an expression, if it is not always the same.
    fn expression(&self, before: &str, after: &str) -> Option<String> {
        if self.0.len() == 1 {
            return None;
        }
        let last = self.0.len() - 1;
        let pieces = self.0.iter().enumerate().map(|(at, piece)| match piece {
            Piece::Value(value) => format!("string({value})"),
            Piece::Words(words) => {
                let before = if at == 0 { before } else { "" };
                let after = if at == last { after } else { "" };
                quoted(&format!("{before}{words}{after}"))
            }
        });
        Some(pieces.collect::<Vec<_>>().join(" + "))
    }
}
