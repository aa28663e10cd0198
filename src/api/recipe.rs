//! `Recipe`: in which order the parts of an application are captured and recovered.
//!
//! The type is not Ramen's own: it is `RamenDR/recipe`'s `api/v1alpha1/recipe_types.go`, and other
//! products read it too. Ramen reads some fields only; they say so where they are not read. Any
//! string may hold parameters, `$NAME`, which Ramen fills in before it looks at it.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LabelSelector, absent_is_default};

/// What a `Recipe` says.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, JsonSchema, Serialize, Deserialize)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "Recipe",
    plural = "recipes",
    namespaced,
    status = "RecipeStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "In which order the parts of an application are captured and recovered, and what is done in between."
)]
#[serde(rename_all = "camelCase")]
pub struct RecipeSpec {
    /// What kind of application this is for. Not read.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub app_type: String,
    /// Sets of Kubernetes objects.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub groups: Vec<Group>,
    /// The set of volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volumes: Option<Group>,
    /// What can be done between the groups.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub hooks: Vec<Hook>,
    /// The orders of groups and hooks. Ramen knows `backup` and `restore`.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub workflows: Vec<Workflow>,
    /// Manifests of jobs, each a text by the job's name. Newer CRDs have this field and older ones drop
    /// it; so it is read, but is not in the schema. Absent is not the same as empty: it may have been dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub jobs: Option<Vec<BTreeMap<String, String>>>,
}

/// Nothing: no controller reports on a `Recipe`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecipeStatus {}

/// A set of objects or volumes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// What the steps of a workflow call it.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub name: String,
    /// The group of another object that this one narrows. Not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// When recovering: the group whose capture is used; the group itself when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_ref: Option<String>,
    /// `volume` or `resource`.
    #[serde(rename = "type", default, deserialize_with = "absent_is_default")]
    #[schemars(!default, extend("enum" = ["volume", "resource"]))]
    pub type_: String,
    /// The namespaces. When empty: for volumes those that are protected, for objects every one there is.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub included_namespaces: Vec<String>,
    /// Selects namespaces by their labels. Not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::plain_label_selector")]
    pub included_namespaces_by_label: Option<LabelSelector>,
    /// Namespaces to leave out. Not read.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub excluded_namespaces: Vec<String>,
    /// The resources, such as `deployments`; all of them when empty.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub included_resource_types: Vec<String>,
    /// Resources to leave out.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub excluded_resource_types: Vec<String>,
    /// Whether cluster-scoped objects belong to the group; not when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_cluster_resources: Option<bool>,
    /// Which objects or PVCs; all of them when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::plain_label_selector")]
    pub label_selector: Option<LabelSelector>,
    /// Which PVCs by name. Not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_selector: Option<String>,
    /// What the selectors select in order to find PVCs. Not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["pvc", "pod", "deployment", "statefulset"]))]
    pub select_resource: Option<String>,
    /// Whether a failure counts where only essential ones do; not when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub essential: Option<bool>,
    /// Whether objects that are already there are replaced. Not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_overwrite_resources: Option<bool>,
    /// Of which resources the status is recovered too. Not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_status: Option<RestoreStatus>,
}

/// A choice of resources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreStatus {
    /// The resources; all of them when empty.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub included_resources: Vec<String>,
    /// Resources to leave out.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub excluded_resources: Vec<String>,
}

/// An order of groups and hooks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Workflow {
    /// `backup` or `restore`; others are not read.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub name: String,
    /// The steps, each with one key: `group: NAME` or `hook: NAME/OPERATION`.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub sequence: Vec<BTreeMap<String, String>>,
    /// Which failures end the workflow: `any-error`, `essential-error`, or `full-error` (all failed).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "any-error", "enum" = ["any-error", "essential-error", "full-error"]))]
    pub fail_on: Option<String>,
}

/// Things that can be done with a set of pods or other objects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hook {
    /// What the steps of a workflow call it.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub name: String,
    /// The namespace of the objects.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub namespace: String,
    /// `exec` runs commands in pods, `scale` sets replicas, `check` waits, `job` runs a job.
    #[serde(rename = "type", default, deserialize_with = "absent_is_default")]
    #[schemars(!default, extend("enum" = ["exec", "scale", "check", "job"]))]
    pub type_: String,
    /// What the selectors select, such as `pod`; for a check also `group/version/resource`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub select_resource: Option<String>,
    /// Which objects, by label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::plain_label_selector")]
    pub label_selector: Option<LabelSelector>,
    /// Which objects, by name: a name or a regular expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_selector: Option<String>,
    /// Whether a command runs in one of the pods only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub single_pod_only: Option<bool>,
    /// What a failure does, unless an operation says it: `fail` or `continue`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "fail", "enum" = ["fail", "continue"]))]
    pub on_error: Option<String>,
    /// How long an operation may take unless it says so itself, seconds; 300 when absent or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::integer")]
    pub timeout: Option<i64>,
    /// Whether a failure counts where only essential ones do; not when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub essential: Option<bool>,
    /// The commands of an `exec` hook.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub ops: Vec<Operation>,
    /// The conditions of a `check` hook.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub chks: Vec<Check>,
    /// The jobs of a `job` hook.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub jobs: Vec<Job>,
    /// Whether a check that finds no object is passed over. As [`RecipeSpec::jobs`], newer than the CRD.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub skip_hook_if_not_present: Option<bool>,
}

/// A command of an `exec` hook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// What a step calls it, after the hook's name and a slash.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub name: String,
    /// The container; the pod's first when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The command: a JSON list of strings, or a line that is split as a shell splits it.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default, length(min = 1))]
    pub command: String,
    /// What a failure does: `continue`, or anything else to fail; the hook's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_error: Option<String>,
    /// How long it may take, seconds; the hook's when absent or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::integer")]
    pub timeout: Option<i64>,
    /// The operation that undoes it: `OPERATION` of this hook or `HOOK/OPERATION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inverse_op: Option<String>,
}

/// A condition that a `check` hook waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What a step calls it, after the hook's name and a slash.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub name: String,
    /// The condition, such as `{$.spec.replicas} == {$.status.readyReplicas}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// What a failure does: `continue`, or anything else to fail; the hook's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_error: Option<String>,
    /// How long it may take, seconds; the hook's when absent or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::integer")]
    pub timeout: Option<i64>,
}

/// A job that a `job` hook runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// What a step calls it, and which of [`RecipeSpec::jobs`] it is.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub name: String,
    /// Whether a job that is already there is made anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub force_create: Option<bool>,
    /// What a failure does: `continue`, or anything else to fail; the hook's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_error: Option<String>,
    /// How long it may take, seconds; the hook's when absent or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::integer")]
    pub timeout: Option<i64>,
    /// The operation that undoes it: `OPERATION` of this hook or `HOOK/OPERATION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inverse_op: Option<String>,
}

kind!(Recipe, "recipes", namespaced: true, RecipeSpec, RecipeStatus);
