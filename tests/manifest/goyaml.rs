//! What Ramen reads: sigs.k8s.io/yaml v1.6.0 into the structs of `api/v1alpha1/ramenconfig_types.go`
//! (RamenDR/ramen at a78c2e37), and into a struct of the types that are not in it. Where there is Go,
//! `tests/golang/configs.rs` asks it about the same tables, and about more.

use jsonptr::Pointer;
use ramen_guard::{
    golang::duration,
    manifest::goyaml::{self, EmbeddedError},
};
use serde_json::{Map, Value, json};

/// The shape of `RamenConfig`.
pub(super) fn ramen_config() -> Value {
    let string = || json!({"type": "string"});
    let boolean = || json!({"type": "boolean"});
    let optional = || json!({"type": "boolean", "nullable": true});
    let inline = || json!({"type": "string", "x-go-inline": true});
    let duration = || json!({"type": "string", "format": "duration"});
    json!({"type": "object", "properties": {
        "apiVersion": inline(), "kind": inline(),
        "leaderElection": {"type": "object", "nullable": true, "properties": {
            "leaderElect": optional(), "leaseDuration": duration(), "renewDeadline": duration(),
            "retryPeriod": duration(), "resourceLock": string(), "resourceName": string(),
            "resourceNamespace": string(),
        }},
        "metrics": {"type": "object", "properties": {"bindAddress": string()}},
        "health": {"type": "object", "properties": {
            "healthProbeBindAddress": string(), "readinessEndpointName": string(),
            "livenessEndpointName": string(),
        }},
        "ramenControllerType": string(),
        "s3StoreProfiles": {"type": "array", "items": {"type": "object", "properties": {
            "s3ProfileName": string(), "s3Bucket": string(), "s3CompatibleEndpoint": string(),
            "s3Region": string(),
            "s3SecretRef": {"type": "object", "properties": {"name": string(), "namespace": string()}},
            "veleroNamespaceSecretKeyRef": {"type": "object", "nullable": true, "properties": {
                "name": inline(), "key": string(), "optional": optional(),
            }},
            "caCertificates": {"type": "string", "format": "byte"},
        }}},
        "maxConcurrentReconciles": {"type": "integer"},
        "drClusterOperator": {"type": "object", "properties": {
            "deploymentAutomationEnabled": boolean(), "s3SecretDistributionEnabled": boolean(),
            "channelName": string(), "packageName": string(), "namespaceName": string(),
            "catalogSourceName": string(), "catalogSourceNamespaceName": string(),
            "clusterServiceVersionName": string(),
        }},
        "volSync": {"type": "object", "properties": {
            "disabled": boolean(), "cephFSCSIDriverName": string(), "destinationCopyMethod": string(),
        }},
        "kubeObjectProtection": {"type": "object", "properties": {
            "disabled": boolean(), "veleroNamespaceName": string(),
        }},
        "multiNamespace": {"type": "object", "properties": {
            "FeatureEnabled": boolean(), "volsyncSupported": boolean(),
        }},
        "volumeUnprotectionEnabled": boolean(), "ramenOpsNamespace": string(),
        "retainNamespaceSCCAcrossPeers": boolean(),
    }})
}

fn other_types() -> Value {
    json!({"type": "object", "properties": {
        "c": ramen_config(),
        "i32": {"type": "integer", "format": "int32"},
        "f": {"type": "number"},
        "ps": {"type": "string", "nullable": true},
        "pd": {"type": "string", "format": "duration", "nullable": true},
        "m": {"type": "object", "additionalProperties": {"type": "string"}},
        "l": {"type": "array", "items": {"type": "string"}},
        "li": {"type": "array", "items": {"type": "integer"}},
        "b": {"type": "string", "format": "byte"},
    }})
}

/// Without the fields that are as if they were not there, durations as numbers: Go's struct does
/// not tell the difference.
fn plain(value: &Value) -> Value {
    match value {
        Value::String(text) => match duration::parse(text) {
            Ok(nanoseconds) if nanoseconds != 0 => json!({"nanoseconds": nanoseconds}),
            Ok(_) if text != "0" => Value::Null,
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)));
            let is_zero = |value: &Value| match value {
                Value::Null => true,
                Value::Bool(value) => !value,
                Value::Number(number) => number.as_f64() == Some(0.0),
                Value::String(text) => text.is_empty(),
                Value::Array(items) => items.is_empty(),
                Value::Object(fields) => fields.is_empty(),
            };
            Value::Object(
                fields
                    .filter(|(_, value)| !is_zero(value))
                    .collect::<Map<_, _>>(),
            )
        }
        value => value.clone(),
    }
}

fn agree(table: &str, schema: &Value) {
    let table: Vec<(String, Option<Value>)> = super::rows(table);
    let mut wrong = Vec::new();
    for (text, expected) in table {
        let read = goyaml::read(&text, schema);
        let same = match (&read, &expected) {
            (Ok(read), Some(expected)) => plain(&read.value) == plain(expected),
            (Err(_), None) => true,
            _ => false,
        };
        if !same {
            wrong.push(format!(
                "{text:?}: {:?} for {expected:?}",
                read.map(|read| read.value)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn reads_ramens_configuration_as_ramen_does() {
    agree(include_str!("ramenconfig.jsonl"), &ramen_config());
}

#[test]
fn reads_other_types_as_go_does() {
    agree(include_str!("gotypes.jsonl"), &other_types());
}

fn faults(text: &str) -> Vec<(String, String, usize, usize)> {
    let EmbeddedError { faults } = goyaml::read(text, &ramen_config()).unwrap_err();
    let of = faults.into_iter();
    of.map(|fault| {
        (
            fault.pointer.to_string(),
            fault.message,
            fault.position.line,
            fault.position.column,
        )
    })
    .collect()
}

#[test]
fn says_every_fault_and_where() {
    let text = "maxConcurrentReconciles: '7'\nvolSync:\n  disabled: \"true\"\ns3StoreProfiles:\n- caCertificates: x\n\
                - s3Bucket: [a]\nmetrics: 1\nleaderElection:\n  leaseDuration: 1d\n  retryPeriod:\nkind: 5\n";
    let expected = [
        (
            "/maxConcurrentReconciles",
            "must be an integer, not the string \"7\"",
            1,
            26,
        ),
        (
            "/volSync/disabled",
            "must be a boolean, not the string \"true\"",
            3,
            13,
        ),
        (
            "/s3StoreProfiles/0/caCertificates",
            "must be base64, and this is not",
            5,
            19,
        ),
        (
            "/s3StoreProfiles/1/s3Bucket",
            "must be a string, not a list",
            6,
            13,
        ),
        ("/metrics", "must be an object, not 1", 7, 10),
        (
            "/leaderElection/leaseDuration",
            "unknown unit \"d\" in duration \"1d\"",
            9,
            18,
        ),
        (
            "/leaderElection/retryPeriod",
            "must be a duration, not null",
            10,
            3,
        ),
        ("/kind", "must be a string, not 5", 11, 7),
    ];
    let expected: Vec<_> = expected
        .map(|(a, b, c, d)| (a.to_owned(), b.to_owned(), c, d))
        .into();
    assert_eq!(faults(text), expected);
}

/// Mistakes that people make: what Go says of each was asked, see `tests/golang/configs.rs`.
const MISTAKES: &[&str] = &[
    "a: b: c\n",
    "kind: [a\n",
    "kind: {a: b\n",
    "kind: {a: b]\n",
    "kind: \"a\n",
    "kind: 'it's'\n",
    "kind: \"a\" b\n",
    "kind: {{ .Values.x }}\n",
    "{{ if x }}\nkind: b\n",
    "kind: @x\n",
    "kind: %x\n",
    "kind: `x`\n",
    "kind: *a\n",
    "kind:a\nmetrics: {}\n",
    "- a\nkind: b\n",
    "kind: b\n- a\n",
    "kind: b\n}\n",
    "kind: |\na\n",
    "kind: \"\\/\"\n",
    "kind: \"C:\\dir\"\n",
    "\tkind: a\n",
    "metrics:\n\tbindAddress: a\n",
    "volSync:\n  disabled: true\n\t\nmetrics: {}\n",
    "s3StoreProfiles:\n- s3Bucket: a\n s3Region: b\n",
    "s3StoreProfiles:\n  - s3Bucket: a\n   s3Region: b\n",
    "volSync: { disabled: true\nkind: x\n",
    "s3StoreProfiles: [{s3CompatibleEndpoint: http://x/y?z}]\n",
    "<<: x\n",
    "kind: !!int x\n",
    "~: a\n",
    "kind: a\n---\nmetrics: 1\n<<<<<<< HEAD\n",
    "kind: a\n<<<<<<< HEAD\n",
];

#[test]
fn is_sure_of_what_people_do_wrong() {
    for text in MISTAKES {
        let read = goyaml::read(text, &ramen_config());
        if text.contains("---") {
            assert!(
                read.is_ok(),
                "{text:?}: Go does not look at another document"
            );
            continue;
        }
        let EmbeddedError { faults } = read.expect_err(text);
        assert!(
            faults.iter().all(|fault| fault.sure),
            "{text:?}: {faults:?}"
        );
    }
}

#[test]
fn says_when_it_is_not_sure() {
    for text in [
        "kind: \"x\ny\"\n",
        "kind: a\u{2028}\n",
        "kind: \"x\"#c\n",
        "kind: |#c\n  x\n",
        "kind: \"it\\'s\"\n",
    ] {
        let EmbeddedError { faults } = goyaml::read(text, &ramen_config()).expect_err(text);
        assert!(
            !faults.is_empty() && faults.iter().all(|fault| !fault.sure),
            "{text:?}: {faults:?}"
        );
    }
}

#[test]
fn reads_tabs_where_go_does() {
    let json = "{\n\t\"ramenOpsNamespace\": \"a\",\n\t\"s3StoreProfiles\": [\n\t\t{\n\t\t\t\"s3Bucket\": \"b\\t\"\n\t\t}\n\t]\n}\n";
    let read = goyaml::read(json, &ramen_config()).unwrap();
    let expected = json!({"ramenOpsNamespace": "a", "s3StoreProfiles": [{"s3Bucket": "b\t"}]});
    assert_eq!(read.value, expected);
    let bucket = read.range(Pointer::from_static("/s3StoreProfiles/0/s3Bucket"));
    assert_eq!(&json[bucket], "\"b\\t\"");
    for (text, value) in [
        ("ramenOpsNamespace: a\n \t\nkind: b\n", "a"),
        ("ramenOpsNamespace: a\n \tb\nkind: b\n", "a b"),
        ("ramenOpsNamespace: \"a\n \tb\"\n", "a b"),
        ("ramenOpsNamespace:\ta \t\n", "a"),
        ("ramenOpsNamespace: |\n  a\n  \tb\n", "a\n\tb\n"),
    ] {
        let read = goyaml::read(text, &ramen_config()).unwrap();
        assert_eq!(read.value["ramenOpsNamespace"], value, "{text:?}");
    }
}

#[test]
fn says_where_it_is_no_yaml() {
    let said = faults("a: 1\nb: [\n");
    assert_eq!((said[0].0.as_str(), said[0].2), ("", 2));
    assert_eq!(faults("invalid: yaml: data\n")[0].2, 1);
    assert_eq!(
        faults("just text\n")[0].1,
        "must be an object, not the string \"just text\""
    );
}

#[test]
fn says_what_was_renamed_converted_and_ignored() {
    let text = "MaxConcurrentReconciles: 7\nramenOpsNamespace: 0123\nveleroNamespaceName: x\nvolSync:\n  Disabled: yes\n\
                s3StoreProfiles:\n- s3Endpoint: x\n  s3Region: no\n";
    let read = goyaml::read(text, &ramen_config()).unwrap();
    let expected = json!({
        "maxConcurrentReconciles": 7, "ramenOpsNamespace": "83", "volSync": {"disabled": true},
        "s3StoreProfiles": [{"s3Region": "false"}],
    });
    assert_eq!(read.value, expected);
    let renamed: Vec<_> = read
        .renamed
        .iter()
        .map(|key| (key.pointer.as_str(), &*key.written))
        .collect();
    assert_eq!(
        renamed,
        [
            ("/maxConcurrentReconciles", "MaxConcurrentReconciles"),
            ("/volSync/disabled", "Disabled")
        ]
    );
    let unknown: Vec<_> = read
        .unknown
        .iter()
        .map(|key| (key.pointer.as_str(), &text[key.bytes.clone()]))
        .collect();
    assert_eq!(
        unknown,
        [
            ("/veleroNamespaceName", "veleroNamespaceName"),
            ("/s3StoreProfiles/0/s3Endpoint", "s3Endpoint")
        ]
    );
    let converted: Vec<_> = read
        .conversions
        .iter()
        .map(|found| (&*found.written, &*found.read))
        .collect();
    assert_eq!(converted, [("0123", "83"), ("no", "false")]);
    assert_eq!(read.surprises.len(), 3);
}

#[test]
fn finds_places_by_the_schemas_names() {
    let text = "volSync:\n  Disabled: yes\ns3StoreProfiles:\n- s3Region: no\n";
    let read = goyaml::read(text, &ramen_config()).unwrap();
    let at = |pointer: &'static str| &text[read.range(Pointer::from_static(pointer))];
    assert_eq!(at("/volSync/disabled"), "yes");
    assert_eq!(at("/s3StoreProfiles/0/s3Region"), "no");
    assert_eq!(at("/s3StoreProfiles/0/s3Bucket"), "s3Region: no");
    assert_eq!(at("/volSync/absent"), "volSync");
    assert_eq!(at("/leaderElection"), text.trim_end());
}

#[test]
fn a_merge_counts_as_written_there() {
    let text = "metrics: &m\n  bindAddress: a\nhealth:\n  <<: [*m, {healthProbeBindAddress: b}]\n";
    let read = goyaml::read(text, &ramen_config()).unwrap();
    assert_eq!(read.value["health"], json!({"healthProbeBindAddress": "b"}));
    let at = &text[read.range(Pointer::from_static("/health/healthProbeBindAddress"))];
    assert_eq!(at, "b");
    assert_eq!(read.unknown[0].pointer.as_str(), "/health/bindAddress");
}

#[test]
fn many_keys_take_no_time() {
    let text: String = (0..20_000)
        .map(|number| format!("key{number}: x\n"))
        .collect();
    let read = goyaml::read(&text, &ramen_config()).unwrap();
    assert_eq!(read.unknown.len(), 20_000);
}
