//! The resources that Velero leaves out of what it captures.

use super::{Case, Report, Rule};
use crate::{
    api::{ConfigMap, Key},
    golang::quote,
    report::clip,
    world::Configs,
};

pub(super) const RULES: &[Rule<ConfigMap>] = &[("excluded-resources-format", format)];

/// The name of the ConfigMap.
const NAME: &str = "default-excluded-resources";
/// The key that the list is under.
const LIST: &str = "resources";

/// Whether a ConfigMap is the list that Ramen reads.
pub(super) fn is_list(key: &Key, operator_namespace: &str) -> bool {
    let namespaces = Configs::cluster_operator_namespaces(operator_namespace);
    &*key.name == NAME && namespaces.contains(&&*key.namespace)
}

/// Where a text is no list in JSON, Ramen takes what is between commas for names.
fn format(case: &Case<'_, ConfigMap>, report: &mut Report) {
    if !is_list(&case.new.key(), case.operator_namespace) {
        return;
    }
    let pointer = format!("/data/{LIST}");
    let Some(text) = case.new.spec.data.get(LIST) else {
        report.say(pointer, "is not there");
        return;
    };
    if serde_json::from_str::<Option<Vec<Option<String>>>>(text).is_ok() {
        return;
    }
    let is_name =
        |name: &&str| !name.contains(|c: char| c.is_whitespace() || "[]{}\"':".contains(c));
    let odd = text.split(',').map(str::trim).find(|name| !is_name(name));
    if let Some(odd) = odd {
        let message = format!(
            "is no list in JSON, and {} is no name",
            quote(&clip(odd, 40))
        );
        report.say(pointer, message);
    }
}
