//! The gates in words: when a rule does less than its mode says. `explain` and the rule book show them.

use crate::{
    policy::{Check, Contract, Gate, Mode, Operation, Profile, Scope},
    scenario::{By, written_of},
};

/// Whether only `check` and its like can see what the rule is about, because it is gone once the API
/// server has the object.
pub fn is_offline(contract: &Contract) -> bool {
    let mut written = written_of(&contract.id).peekable();
    written.peek().is_some() && written.all(|written| written.by == By::Check)
}

/// What holds for the rule beside its mode, each a sentence.
pub fn conduct(contract: &Contract) -> Vec<&'static str> {
    let mut told = Vec::new();
    let mut tell = |holds: bool, text: &'static str| {
        if holds {
            told.push(text);
        }
    };
    let asked = |operation| contract.on.contains(&operation);
    let compares = matches!(contract.check, Check::Immutable(_));
    let offline = is_offline(contract) || contract.files;
    let denies = contract.mode_in(Profile::Strict).max(contract.mode) == Mode::Deny;
    let gated = denies && !contract.crash && !offline;
    tell(
        contract.files,
        "Only `check` says it, of files: it is about how an object is kept, not about what is stored.",
    );
    tell(
        offline && !contract.files,
        "Only `check` says it: the API server refuses or drops what it is about before the webhook is asked.",
    );
    tell(
        contract.crash,
        "It is of the crash class: what it finds stops Ramen's controllers for everybody. So it holds for \
         everybody, trusted users, restores and recoveries among them, and nothing is exempted from it. Only an \
         object that is stored with just this already is warned about.",
    );
    tell(
        contract.blocks,
        "What it finds holds up other objects than its own; `audit` shows that first.",
    );
    tell(
        contract.early,
        "The mutating webhook refuses it too, because the CRD would refuse it with a code that makes \
         `kubectl apply --force` delete the object.",
    );
    tell(
        gated && asked(Operation::Update) && !compares,
        "An object that is stored with the fault already is warned about, not refused.",
    );
    tell(
        gated && asked(Operation::Create),
        "An object that a backup tool brings back is warned about, not refused.",
    );
    tell(
        gated && contract.missing,
        "That another object is missing refuses no update and no dry run: it may still come.",
    );
    tell(
        gated && contract.scope == Scope::World,
        "A recovery (a failover, an action that is taken back, a fence) is warned about, not refused.",
    );
    tell(
        gated && contract.scope == Scope::Membership,
        "It may refuse a recovery, too: no later moment makes the cluster one of the policy's.",
    );
    tell(
        gated && contract.scope != Scope::Object,
        "In a cluster it refuses only after the other objects have been read afresh; where that fails, it warns.",
    );
    tell(
        !offline && contract.terminating == Gate::Skip,
        "It is not asked about an object that is being deleted.",
    );
    tell(
        !offline && contract.trusted == Gate::Skip,
        "It is not asked about what Ramen's own controllers and other trusted users do.",
    );
    let asks_trusted = contract.trusted == Gate::Usual;
    tell(
        gated && asks_trusted,
        "What Ramen's own controllers and other trusted users do is warned about, not refused.",
    );
    told
}
