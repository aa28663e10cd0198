//! A site's own policies in a real kube-apiserver, with no guard: it says what the table says, which is what
//! `check` and the webhook say, too (`tests/site.rs`).

#[path = "../site/table.rs"]
mod table;

use serde_json::{Value, json};
use table::{Ask, Case, End, cases, neighbours};

use crate::{
    client::{Answer, Ask as Question},
    fixtures::list,
    floor::settle,
    manifests::resource,
    server::{Cluster, User},
};

/// What is made for the table. It goes when this is dropped.
struct Site<'a> {
    cluster: &'a Cluster,
    objects: Vec<Value>,
}

impl<'a> Site<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        let objects = Vec::new();
        Self { cluster, objects }
    }

    #[track_caller]
    fn make(&mut self, objects: Vec<Value>) {
        self.cluster.apply(User::Admin, &list(&objects)).ok();
        self.objects.extend(objects);
    }
}

impl Drop for Site<'_> {
    fn drop(&mut self) {
        self.objects.reverse();
        let objects = list(&self.objects).to_string();
        let args = ["delete", "--wait=false", "--ignore-not-found", "-f", "-"];
        let _ = self.cluster.kubectl(User::Admin, &args, Some(&objects));
    }
}

/// The request of an ask.
fn question(case: &Case, at: usize) -> Question {
    let ask = &case.asks[at];
    let (old, new) = case.objects(at);
    let object = new.as_ref().or(old.as_ref()).unwrap();
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
    let (_, plural) = resource(text("/kind").unwrap()).unwrap();
    let place =
        text("/metadata/namespace").map_or_else(String::new, |it| format!("namespaces/{it}/"));
    let place = format!("/apis/ramendr.openshift.io/v1alpha1/{place}{plural}");
    let name = text("/metadata/name").unwrap();
    let (method, path, body) = match ask {
        Ask {
            create: Some(_), ..
        } => ("POST", place, new.clone().unwrap()),
        Ask {
            update: Some(patch),
            ..
        } => ("PATCH", format!("{place}/{name}"), patch.clone()),
        _ => (
            "DELETE",
            format!("{place}/{name}"),
            json!({"kind": "DeleteOptions", "apiVersion": "v1"}),
        ),
    };
    Question {
        method,
        path: format!("{path}?dryRun=All"),
        body,
    }
}

/// What is wrong with an answer, or nothing.
fn complaint(case: &Case, ask: &Ask, answer: &Answer) -> Option<String> {
    let message = answer.body["message"].as_str().unwrap_or_default();
    let name = format!("ValidatingAdmissionPolicy 'site-{}'", case.name);
    let denied = message
        .split_once(&name)
        .and_then(|(_, rest)| Some(rest.split_once(" denied request: ")?.1));
    let ours = answer.warnings.iter().filter(|it| it.contains(&name));
    let mut said: Vec<&str> = ours
        .filter_map(|it| Some(it.split_once(&name)?.1.split_once("': ")?.1))
        .collect();
    let end = match denied {
        Some(reason) => {
            said = vec![reason];
            End::Deny
        }
        None if !said.is_empty() => End::Warn,
        None if answer.code < 300 => End::Allow,
        None => return Some(format!("{}: {message}", answer.code)),
    };
    said.sort_unstable();
    let mut expected = ask.said().unwrap_or_default();
    expected.sort_unstable();
    let same = end == End::Allow || expected.is_empty() || said == expected;
    (end != ask.then || !same).then(|| format!("{end:?} instead of {:?}: {said:?}", ask.then))
}

#[test]
fn the_api_server_says_what_the_table_says() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _alone = cluster.alone();
    let cases = cases();
    let mut site = Site::new(cluster);
    site.make(neighbours());
    let each = || {
        let asks = |case: &'_ Case| case.asks.len();
        cases
            .iter()
            .flat_map(move |case| (0..asks(case)).map(move |at| (case, at)))
    };
    // What is changed and what is deleted is stored before there is any policy.
    site.make(each().filter_map(|(case, at)| case.objects(at).0).collect());
    site.make(cases.iter().flat_map(Case::policy).collect());
    settle(cluster).unwrap();
    let questions = each().map(|(case, at)| question(case, at)).collect();
    let answers = cluster.client(User::Alice).ask_all(questions);
    let wrong: Vec<String> = each()
        .zip(&answers)
        .filter_map(|((case, at), answer)| {
            let complaint = complaint(case, &case.asks[at], answer)?;
            Some(format!("{} {at}: {complaint}", case.name))
        })
        .collect();
    assert!(answers.len() > 100);
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        answers.len(),
        wrong.join("\n")
    );
}
