//! The keys of the configuration file: what may stand in it, and what the rule book says of each.

/// A key of the configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigKey {
    /// Where it stands: `trusted.users`. `*` is any name.
    pub path: &'static str,
    /// What it may be.
    pub wanted: &'static str,
    /// What it is where it is not given, as YAML; empty where there is nothing then.
    pub default: &'static str,
    /// What it does.
    pub effect: &'static str,
}

const fn key(
    path: &'static str,
    wanted: &'static str,
    default: &'static str,
    effect: &'static str,
) -> ConfigKey {
    ConfigKey {
        path,
        wanted,
        default,
        effect,
    }
}

const SWITCH: &str = "`true` or `false`";

/// Every key there is; any other is refused.
pub const KEYS: &[ConfigKey] = &[
    key(
        "profile",
        "`observe`, `recommended` or `strict`",
        "recommended",
        "How strict the guard is as a whole. `observe` refuses nothing; what would have been refused is warned \
         about and counted. `recommended` refuses what stops Ramen's operators and what is provably wrong. \
         `strict` also refuses what the rules call strict.",
    ),
    key(
        "rules.*",
        "`deny`, `warn`, `audit` or `off`",
        "",
        "The mode of one rule, whatever the profile says. `audit` only counts and logs; `off` does not ask. A \
         rule that does not exist is refused, and the nearest is named.",
    ),
    key(
        "trusted.users",
        "a list of user names",
        "[]",
        "Users that are warned, never refused, except for what stops an operator for everybody. They come in \
         addition to the built-in ones, which nobody can take away: Ramen's operators, the agent of Open Cluster \
         Management, Kubernetes' own clean-up, the restorers of backups.",
    ),
    key(
        "trusted.groups",
        "a list of group names",
        "[]",
        "The same for everybody in a group.",
    ),
    key(
        "exemptions.enabled",
        SWITCH,
        "false",
        "Whether the annotation `guard.ramendr.openshift.io/exempt` takes an object out of rules.",
    ),
    key(
        "ramen.namespace",
        "the name of a namespace",
        "ramen-system",
        "Where the operator's own ConfigMap is. With the Operator Lifecycle Manager it is \
         `openshift-operators`.",
    ),
    key(
        "reconcile.labels",
        SWITCH,
        "true",
        "Whether the replica that leads adds the backup label to DRPolicies, DRClusters and DRPlacementControls \
         that were stored without it.",
    ),
    key(
        "reconcile.ramen-config",
        SWITCH,
        "true",
        "Whether it adds to the hub operator's configuration what the operator's next start would.",
    ),
    key(
        "reconcile.placements",
        SWITCH,
        "true",
        "Whether it takes annotations off placements whose DRPlacementControl is gone.",
    ),
    key(
        "reconcile.audit",
        SWITCH,
        "true",
        "Whether it judges all that is stored, every ten minutes, and reports it.",
    ),
    key(
        "reconcile.probe",
        SWITCH,
        "true",
        "Whether it tries every minute if the API server reaches the guard.",
    ),
    key(
        "book",
        "an address that begins with `https://` or `http://`",
        "",
        "Where you have put this book. Refusals, and what `check`, `audit` and `explain` print, then name the page of \
         the rule: `ADDRESS/rules/RULE.html`. Warnings don't: they have little room.",
    ),
];

/// The names that may stand below a path, `""` for the whole file.
pub(super) fn below(place: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for key in KEYS {
        let rest = if place.is_empty() {
            Some(key.path)
        } else {
            key.path
                .strip_prefix(place)
                .and_then(|rest| rest.strip_prefix('.'))
        };
        let name = rest.and_then(|rest| rest.split('.').next());
        names.extend(name.filter(|name| !names.contains(name)));
    }
    names
}
