//! A scenario under another user, restored, being deleted, stored with its fault, and so on.

use ramen_guard::{api::Doc, engine::Request, policy::Operation, scenario::Scenario};
use serde_json::{Map, Value, json};

/// A scenario, and how it is varied.
pub(super) type Varied = Vec<(&'static str, Request)>;

/// The scenario at every gate.
pub(super) fn variations(scenario: &Scenario) -> Varied {
    let request = scenario.request();
    let mut varied = vec![("as it is", request.clone())];
    by_others(&request, &mut varied);
    in_other_states(&request, scenario.rule, &mut varied);
    stored(&request, &mut varied);
    let defaulted = varied
        .into_iter()
        .map(|(how, request)| (how, request.with_defaults()));
    defaulted.collect()
}

fn vary(
    request: &Request,
    varied: &mut Varied,
    how: &'static str,
    change: impl FnOnce(&mut Request),
) {
    let mut request = request.clone();
    change(&mut request);
    varied.push((how, request));
}

fn set(doc: &mut Option<Doc>, [map, key]: [&str; 2], value: Value) {
    if let Some(doc) = doc {
        doc.value["metadata"][map][key] = value;
    }
}

fn by_others(request: &Request, varied: &mut Varied) {
    for user in [
        "system:serviceaccount:ramen-system:ramen-hub-operator",
        "system:serviceaccount:open-cluster-management-agent:klusterlet-work-sa",
    ] {
        vary(request, varied, "by a trusted user", |request| {
            user.clone_into(&mut request.user.name);
        });
    }
    vary(request, varied, "by nobody in particular", |request| {
        request.user.name.clear();
        request.user.groups.clear();
    });
    vary(request, varied, "by a trusted group", |request| {
        request.user.groups = vec!["recovery".to_owned()];
    });
}

fn in_other_states(request: &Request, rule: &str, varied: &mut Varied) {
    for label in ["velero.io/restore-name", "velero.io/backup-name"] {
        vary(request, varied, "restored", |request| {
            set(&mut request.new, ["labels", label], json!("x"));
        });
    }
    vary(request, varied, "exempted", |request| {
        let exempt = format!("{rule} until 2999-01-01: it is known");
        let place = ["annotations", "guard.ramendr.openshift.io/exempt"];
        set(&mut request.new, place, json!(exempt));
    });
    vary(request, varied, "going", |request| {
        for doc in [&mut request.new, &mut request.old].into_iter().flatten() {
            doc.value["metadata"]["deletionTimestamp"] = json!("2026-01-15T10:00:00Z");
        }
    });
    vary(request, varied, "new with the fault", |request| {
        request.operation = Operation::Create;
        request.old = None;
    });
}

fn fields(doc: &mut Option<Doc>) -> &mut Map<String, Value> {
    let object = doc.as_mut().and_then(|doc| doc.value.as_object_mut());
    object.expect("an object")
}

fn stored(request: &Request, varied: &mut Varied) {
    let mut vary_stored = |how, change: &dyn Fn(&mut Request)| {
        vary(request, varied, how, |request| {
            request.operation = Operation::Update;
            request.old.clone_from(&request.new);
            change(request);
        });
    };
    vary_stored("stored already", &|_| {});
    vary_stored("labelled", &|request| {
        set(&mut request.new, ["labels", "team"], json!("x"));
    });
    vary_stored("stored without spec", &|request| {
        fields(&mut request.old).remove("spec");
    });
    vary_stored("stored with an empty spec", &|request| {
        fields(&mut request.old).insert("spec".to_owned(), json!({}));
    });
    // Each field of the spec changes once beside the fault, which may make the rule be asked again.
    let spec = request
        .new
        .as_ref()
        .and_then(|doc| doc.value.get("spec")?.as_object());
    for field in spec.into_iter().flat_map(|spec| spec.keys()) {
        let remove = |doc: &mut Option<Doc>| {
            let spec = fields(doc).get_mut("spec").and_then(Value::as_object_mut);
            spec.expect("a spec").remove(field);
        };
        vary_stored("stored, and a field comes", &|request| {
            remove(&mut request.old);
        });
        vary_stored("stored, and a field goes", &|request| {
            remove(&mut request.new);
        });
    }
}
