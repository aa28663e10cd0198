//! Fields that Ramen does not read, or takes for something else.

use serde_json::Value;

use super::{Case, Report, Rule, parameters::has};
use crate::{
    api::{LabelSelector, Recipe, Text, recipe::Group},
    golang::{quote, selector},
    rules::below,
};

pub(super) const RULES: &[Rule<Recipe>] = &[
    ("recipe-ignored-field", ignored),
    ("recipe-volumes-type", volumes_type),
    ("recipe-label-selector", label_selectors),
];

const VOLUMES: &str = "/spec/volumes";

/// The fields of a group or of the volumes that say something and are read for neither.
fn ignored_by_all(group: &Group) -> Vec<&'static str> {
    let given = [
        ("parent", group.parent.text().is_some()),
        ("nameSelector", group.name_selector.text().is_some()),
        ("selectResource", group.select_resource.text().is_some()),
        (
            "includedNamespacesByLabel",
            group.included_namespaces_by_label.is_some(),
        ),
        ("excludedNamespaces", !group.excluded_namespaces.is_empty()),
        ("restoreStatus", group.restore_status.is_some()),
        (
            "restoreOverwriteResources",
            group.restore_overwrite_resources == Some(true),
        ),
    ];
    let given = given.into_iter().filter(|(_, given)| *given);
    given.map(|(field, _)| field).collect()
}

/// As [`ignored_by_all`], of fields that are read for groups.
fn ignored_of_volumes(volumes: &Group) -> Vec<&'static str> {
    let given = [
        ("backupRef", volumes.backup_ref.text().is_some()),
        (
            "includedResourceTypes",
            !volumes.included_resource_types.is_empty(),
        ),
        (
            "excludedResourceTypes",
            !volumes.excluded_resource_types.is_empty(),
        ),
        (
            "includeClusterResources",
            volumes.include_cluster_resources == Some(true),
        ),
        ("essential", volumes.essential == Some(true)),
    ];
    let given = given.into_iter().filter(|(_, given)| *given);
    given.map(|(field, _)| field).collect()
}

fn ignored(case: &Case<'_, Recipe>, report: &mut Report) {
    let recipe = &case.new.spec;
    for (index, group) in recipe.groups.iter().enumerate() {
        for field in ignored_by_all(group) {
            report.say(format!("/spec/groups/{index}/{field}"), "is never read");
        }
    }
    let Some(volumes) = &recipe.volumes else {
        return;
    };
    for field in ignored_by_all(volumes)
        .into_iter()
        .chain(ignored_of_volumes(volumes))
    {
        let all = field == "nameSelector" && volumes.label_selector.is_none();
        let message = if all {
            "is never read, so that every volume is selected"
        } else {
            "is never read"
        };
        let finding = report.say(format!("{VOLUMES}/{field}"), message);
        if field == "nameSelector" {
            finding.fix("select the volumes by a labelSelector");
        }
    }
}

fn volumes_type(case: &Case<'_, Recipe>, report: &mut Report) {
    let of = case.new.spec.volumes.as_ref();
    let type_ = of.map_or("", |volumes| &*volumes.type_);
    if !type_.is_empty() && type_ != "volume" {
        report.say(
            format!("{VOLUMES}/type"),
            format!("{} is not \"volume\"", quote(type_)),
        );
    }
}

fn label_selectors(case: &Case<'_, Recipe>, report: &mut Report) {
    let recipe = &case.new.spec;
    let mut check = |at: String, selector: Option<&LabelSelector>| {
        let at = format!("{at}/labelSelector");
        if selector.is_some()
            && let Some(written) = case.doc.value.pointer(&at)
        {
            label_selector(&at, written, report);
        }
    };
    for (index, group) in recipe.groups.iter().enumerate() {
        check(
            format!("/spec/groups/{index}"),
            group.label_selector.as_ref(),
        );
    }
    if let Some(volumes) = &recipe.volumes {
        check(VOLUMES.to_owned(), volumes.label_selector.as_ref());
    }
    for (index, hook) in recipe.hooks.iter().enumerate() {
        check(format!("/spec/hooks/{index}"), hook.label_selector.as_ref());
    }
}

fn label_selector(at: &str, selector: &Value, report: &mut Report) {
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    for key in labels.into_iter().flat_map(|labels| labels.keys()) {
        if has(key) {
            let message = format!("the label {} stays beside what it becomes", quote(key));
            let finding = report.say(below(&format!("{at}/matchLabels"), key), message);
            finding.fix("use matchExpressions, where a key may be a parameter");
        }
    }
    for problem in selector::problems_of(selector) {
        let value = problem.pointer.resolve(selector).ok();
        let tokens: Vec<String> = problem
            .pointer
            .tokens()
            .map(|token| token.decoded().into_owned())
            .collect();
        let open = value.and_then(Value::as_str).is_some_and(has)
            || matches!(&*tokens, [list, key] if list == "matchLabels" && has(key));
        if !open {
            report.say(format!("{at}{}", problem.pointer), problem.message);
        }
    }
}
