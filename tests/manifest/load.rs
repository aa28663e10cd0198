//! Files, folders and standard input.

use std::{fs, io, path::PathBuf};

use jsonptr::{Pointer, PointerBuf};
use ramen_guard::{
    api::{Doc, UnreadStatus},
    manifest::{
        load::{Loaded, SkipReason, load, load_text},
        object::Manifest,
        position::{Position, Source},
        yaml::Limits,
    },
};
use serde_json::json;
use tempfile::TempDir;

fn text(text: &str) -> Loaded {
    load_text("test.yaml", text, &Limits::default())
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn from(paths: &[PathBuf]) -> Loaded {
    load(paths, &mut io::empty(), &Limits::default())
}

fn names(loaded: &Loaded) -> Vec<&str> {
    loaded
        .manifests
        .iter()
        .map(|manifest| {
            manifest.doc.value["metadata"]["name"]
                .as_str()
                .unwrap_or("")
        })
        .collect()
}

fn at(manifest: &Manifest, pointer: &str) -> (usize, usize, String) {
    let position = manifest.position(&PointerBuf::parse(pointer).unwrap());
    let text = manifest.source.text[position.bytes.clone()].to_owned();
    (position.line, position.column, text)
}

const POLICY: &str = "apiVersion: v1\nkind: DRPolicy\nmetadata: {name: a}\n";

#[test]
fn reads_folders_by_name_without_what_git_ignores() {
    let folder = folder(&[
        ("b.yaml", "apiVersion: v1\nkind: B\nmetadata: {name: b}\n"),
        (
            "a/x.yml",
            "apiVersion: v1\nkind: A\nmetadata: {name: x}\n---\napiVersion: v1\nkind: A\nmetadata: {name: xy}\n",
        ),
        (
            "a/w.json",
            "{\"apiVersion\": \"v1\", \"kind\": \"A\", \"metadata\": {\"name\": \"w\"}}",
        ),
        ("a/readme.md", "no"),
        ("out/z.yaml", POLICY),
        (".gitignore", "out\n"),
        (".hidden/h.yaml", POLICY),
        (".git/HEAD", ""),
    ]);
    let loaded = from(&[folder.path().to_owned()]);
    assert_eq!(names(&loaded), ["w", "x", "xy", "b"]);
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    assert_eq!(loaded.files, 3);
    // What is named is read, ignored or not.
    assert_eq!(names(&from(&[folder.path().join("out/z.yaml")])), ["a"]);
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_and_to_nowhere() {
    let folder = folder(&[("a/x.yaml", POLICY)]);
    std::os::unix::fs::symlink("..", folder.path().join("a/up")).unwrap();
    std::os::unix::fs::symlink("nowhere.yaml", folder.path().join("a/dead.yaml")).unwrap();
    let loaded = from(&[folder.path().to_owned()]);
    assert_eq!(names(&loaded), ["a"]);
    let [error] = &loaded.errors[..] else {
        panic!("{:?}", loaded.errors)
    };
    assert!(error.name.ends_with("dead.yaml"), "{error:?}");
    assert_eq!(error.message, "no such file or folder");
}

#[test]
fn a_path_that_is_not_there_is_an_error_and_stops_nothing() {
    let folder = folder(&[("a.yaml", POLICY)]);
    let loaded = from(&[folder.path().join("no.yaml"), folder.path().join("a.yaml")]);
    assert_eq!(names(&loaded), ["a"]);
    assert_eq!(loaded.errors[0].message, "no such file or folder");
}

#[test]
fn standard_input() {
    let loaded = load(
        &[PathBuf::from("-")],
        &mut POLICY.as_bytes(),
        &Limits::default(),
    );
    assert_eq!(loaded.manifests[0].source.name, "<stdin>");
    let empty = load(&[PathBuf::from("-")], &mut io::empty(), &Limits::default());
    assert!(empty.manifests.is_empty() && empty.errors.is_empty());
}

#[test]
fn what_is_not_utf_8_is_named() {
    let folder = folder(&[]);
    let path = folder.path().join("a.yaml");
    fs::write(&path, b"a: 1\nb: \xe9\n").unwrap();
    let loaded = from(std::slice::from_ref(&path));
    let error = &loaded.errors[0];
    assert_eq!(error.message, "not UTF-8: byte 0xe9 at offset 8");
    let position = error.position.as_ref().unwrap();
    assert_eq!((position.line, position.column), (2, 4));

    fs::write(&path, b"\xff\xfea\0:\0").unwrap();
    assert_eq!(
        from(&[path]).errors[0].help,
        Some("save it as UTF-8, not as UTF-16")
    );
}

#[test]
fn a_file_may_be_too_long() {
    let limits = Limits {
        bytes: 20,
        ..Limits::default()
    };
    let folder = folder(&[("a.yaml", POLICY)]);
    let loaded = load(&[folder.path().join("a.yaml")], &mut io::empty(), &limits);
    assert_eq!(loaded.errors[0].message, "longer than 20 bytes");
}

#[test]
fn templates_are_recognised() {
    let loaded = text("apiVersion: v1\nkind: {{ .Values.kind }}\n");
    let help = "this looks like a template: render it first, with 'helm template'";
    assert_eq!(loaded.errors[0].help, Some(help));
    assert_eq!(loaded.errors[0].position.as_ref().unwrap().line, 2);
}

#[test]
fn what_is_no_kubernetes_object_is_counted() {
    let loaded = text("a: 1\n---\n- x\n---\nkind: DRPolicy\n---\n# nothing\n---\napiVersion: v1\n");
    let reasons: Vec<_> = loaded
        .skipped
        .iter()
        .map(|skipped| (skipped.position.line, &skipped.reason))
        .collect();
    let no_version = SkipReason::NoApiVersion("DRPolicy".to_owned());
    assert_eq!(
        reasons,
        [
            (1, &SkipReason::NoKind),
            (3, &SkipReason::NotAnObject),
            (5, &no_version),
            (9, &SkipReason::NoKind)
        ]
    );
    assert!(loaded.errors.is_empty());
}

#[test]
fn a_duplicate_key_is_an_error_with_both_places() {
    let loaded = text("apiVersion: v1\nkind: A\nspec:\n  x: 1\n  z: 2\n  x: 3\n");
    let error = &loaded.errors[0];
    assert_eq!(error.message, "duplicate key \"x\"");
    assert_eq!(error.position.as_ref().unwrap().line, 6);
    let (first, label) = error.related.as_ref().unwrap();
    assert_eq!((first.line, *label), (4, "first here"));
    // Still judged, as kubectl would send it.
    assert_eq!(
        loaded.manifests[0].doc.value["spec"],
        json!({"x": 3, "z": 2})
    );
}

#[test]
fn lists_are_taken_apart_and_places_stay() {
    let loaded = text(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: A\n  metadata: {name: a}\n  spec:\n    x: no\n\
         - apiVersion: g/v1\n  kind: BList\n  items:\n  - metadata:\n      name: b\n    spec: {}\n- 7\n",
    );
    assert_eq!(names(&loaded), ["a", "b"]);
    let [a, b] = &loaded.manifests[..] else {
        panic!()
    };
    assert_eq!(at(a, "/spec/x"), (8, 8, "no".to_owned()));
    assert_eq!(a.surprises[0].pointer.as_str(), "/spec/x");
    assert_eq!(
        (b.doc.text("kind"), b.doc.text("apiVersion"), b.item),
        ("B", "g/v1", Some(0))
    );
    assert_eq!(at(b, "/metadata/name"), (13, 13, "b".to_owned()));
    assert_eq!(loaded.skipped.len(), 1);
    assert_eq!(loaded.skipped[0].position.line, 15);
}

#[test]
fn a_kind_may_end_in_list_and_be_none() {
    let loaded = text(
        "apiVersion: v1\nkind: ProtectedVolumeReplicationGroupList\nmetadata: {name: a}\nspec: {}\n",
    );
    assert_eq!(names(&loaded), ["a"]);
}

#[test]
fn the_object_is_without_nulls_status_and_managed_fields() {
    let loaded = text(
        "apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  managedFields: [1]\n  labels: null\nspec:\n  x: {w: ~, z: [~]}\nstatus: {a: 1}\n",
    );
    let manifest = &loaded.manifests[0];
    let expected = json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": {"x": {"z": [null]}}});
    assert_eq!(manifest.doc.value, expected);
    assert!(
        matches!(&manifest.doc.status, Some(UnreadStatus::Value(status)) if *status == json!({"a": 1}))
    );
    assert_eq!(manifest.raw()["spec"]["x"], json!({"w": null, "z": [null]}));
    assert_eq!(at(manifest, "/status/a").0, 9);
    // The same as the other way to make one.
    let other = Doc::from_value(json!({"kind": "A", "status": null, "spec": {"a": null}})).unwrap();
    let this = text(
        "{\"apiVersion\": \"v1\", \"kind\": \"A\", \"status\": null, \"spec\": {\"a\": null}}",
    );
    assert_eq!(this.manifests[0].doc.value["spec"], other.value["spec"]);
    assert!(this.manifests[0].doc.status.is_none() && other.status.is_none());
}

#[test]
fn places_of_what_is_there_and_of_what_is_not() {
    let loaded = text(
        "# c\napiVersion: v1\nkind: \"DRPolicy\"\nmetadata:\n  name: a # x\nspec:\n  \"dr\\u0043lusters\":\n  - east\n  - {m: 1}\n  empty:\n  é: ü\n",
    );
    let manifest = &loaded.manifests[0];
    assert_eq!(at(manifest, "/metadata/name"), (5, 9, "a".to_owned()));
    assert_eq!(
        at(manifest, "/spec/drClusters/0"),
        (8, 5, "east".to_owned())
    );
    assert_eq!(at(manifest, "/spec/drClusters/1/m"), (9, 9, "1".to_owned()));
    assert_eq!(at(manifest, "/spec/drClusters").0, 8);
    assert_eq!(at(manifest, "/spec/é"), (11, 6, "ü".to_owned()));
    // A value that takes no room, and values that are not there: the key, or what stands for one.
    assert_eq!(at(manifest, "/spec/empty"), (10, 3, "empty".to_owned()));
    assert_eq!(
        at(manifest, "/spec/absent/deeper"),
        (6, 1, "spec".to_owned())
    );
    assert_eq!(at(manifest, "/spec/drClusters/7").0, 7);
    assert_eq!(
        at(manifest, "/spec/drClusters/1/absent"),
        (9, 6, "m".to_owned())
    );
    assert_eq!(at(manifest, "/absent"), (3, 7, "\"DRPolicy\"".to_owned()));
    let key = manifest.key_position(Pointer::from_static("/spec/drClusters"));
    assert_eq!((key.line, key.column), (7, 3));
}

#[test]
fn places_behind_aliases_and_merges() {
    let loaded =
        text("apiVersion: v1\nkind: A\nx: &x\n  a: 1\n  b: {c: 2}\nw: *x\nz:\n  <<: *x\n  a: 3\n");
    let manifest = &loaded.manifests[0];
    assert_eq!(at(manifest, "/w"), (6, 4, "*x".to_owned()));
    assert_eq!(at(manifest, "/w/b/c"), (5, 10, "2".to_owned()));
    assert_eq!(at(manifest, "/z/b/c"), (5, 10, "2".to_owned()));
    assert_eq!(at(manifest, "/z/a"), (9, 6, "3".to_owned()));
}

#[test]
fn places_inside_a_text() {
    let inner = "a: 1\n\nb:\n  c: [x,\n    y]\n";
    let block = |head: &str, body: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  k: {head}\n{body}")
    };
    let indented: String = inner.lines().map(|line| format!("    {line}\n")).collect();
    for (head, lines) in [("|", (8, 9)), ("|-", (8, 9)), ("|2", (8, 9))] {
        let loaded = text(&block(head, &indented));
        let manifest = &loaded.manifests[0];
        let data = Pointer::from_static("/data/k");
        let decoded = data.resolve(&manifest.doc.value).unwrap().as_str().unwrap();
        for (word, line) in [("x", lines.0), ("y]", lines.1)] {
            let start = decoded.find(word).unwrap();
            let place = manifest.position_inside(data, start..start + word.len());
            assert_eq!(
                (place.line, &manifest.source.text[place.bytes.clone()]),
                (line, word),
                "{head}"
            );
        }
    }
    // Folded: the lines join, and each is still found.
    let loaded = text(&block(">", "    one\n    two\n\n    three\n"));
    let manifest = &loaded.manifests[0];
    let data = Pointer::from_static("/data/k");
    assert_eq!(manifest.doc.value["data"]["k"], "one two\nthree\n");
    assert_eq!(manifest.position_inside(data, 4..7).line, 6);
    assert_eq!(manifest.position_inside(data, 8..13).line, 8);
    // Quoted: the scalar itself.
    let loaded = text(&block("\"a: 1\\nb: [\"", ""));
    assert_eq!(loaded.manifests[0].position_inside(data, 5..6).line, 4);
}

/// A configuration in several styles, each as a ConfigMap in a file.
fn config_maps() -> Vec<String> {
    let config = "metrics: {bindAddress: '0'}\ns3StoreProfiles:\n- s3ProfileName: east\n  S3Bucket: \"b\"\n- s3Region: r\n";
    let indented = |by: usize| -> String {
        let margin = " ".repeat(by);
        config
            .lines()
            .map(|line| format!("{margin}{line}\n"))
            .collect()
    };
    let map = |scalar: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  mappings.yaml: {scalar}\n")
    };
    let quoted = serde_json::to_string(config).unwrap();
    // In folded blocks an empty line makes one end of a line.
    let doubled = |lines: &str| lines.replace('\n', "\n\n");
    let mut maps = vec![
        map(&format!("|\n{}", indented(4))),
        map(&format!("|-\n{}", indented(3))),
        map(&format!("|+\n\n{}\n", indented(4))),
        map(&format!("|2 # two\n{}", indented(4))),
        map(&format!(">\n{}", doubled(&indented(4)))),
        map(&format!(">2-\n{}", doubled(&indented(4)))),
        map(&quoted),
        map(
            "'{metrics: {bindAddress: ''0''},\n    s3StoreProfiles: [{s3ProfileName: east,  \n\n      S3Bucket: \"b\"}, {s3Region: r}]}'",
        ),
        map(&quoted.replace("\\n  ", "\\n\\\n      \\  ")),
        map(
            "'{metrics: {bindAddress: \"0\"}, s3StoreProfiles: [{s3ProfileName: east, S3Bucket: \"b\"}, {s3Region: r}]}'",
        ),
        map(
            "|\n    {metrics: {bindAddress: '0'},\n     s3StoreProfiles: [{s3ProfileName: east,\n      S3Bucket: b}, {s3Region: r}]}",
        ),
        format!("{{apiVersion: v1, kind: ConfigMap, data: {{mappings.yaml: {quoted}}}}}\n"),
        format!(
            "{{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\",\n \"data\": {{\"mappings.yaml\": {quoted}}}}}\n"
        ),
        format!("# c\n---\n{}", map(&format!("|\n{}", indented(4)))),
        format!(
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  data:\n    mappings.yaml: |\n{}",
            indented(6)
        ),
    ];
    maps.extend(maps.clone().iter().map(|text| text.replace('\n', "\r\n")));
    maps
}

#[test]
fn places_below_a_text_in_every_style() {
    for file in config_maps() {
        let loaded = text(&file);
        assert!(loaded.errors.is_empty(), "{file}: {:?}", loaded.errors);
        let manifest = &loaded.manifests[0];
        let at = |field: &str| {
            let pointer = PointerBuf::parse(format!("/data/mappings.yaml{field}")).unwrap();
            let (value, key) = (manifest.position(&pointer), manifest.key_position(&pointer));
            let slice = |position: &Position| {
                // The place has to be the same by line and column.
                let line = manifest.source.line(position.line);
                let start: String = line.chars().skip(position.column - 1).collect();
                let found = &manifest.source.text[position.bytes.clone()];
                let first = found.lines().next().unwrap_or_default();
                assert!(start.starts_with(first), "{file}: {field}: {position:?}");
                first.to_owned()
            };
            (slice(&value), slice(&key))
        };
        let is = |field: &str, value: &str, key: &str| {
            assert_eq!(
                at(field),
                (value.to_owned(), key.to_owned()),
                "{file}: {field}"
            );
        };
        is("/s3StoreProfiles/0/s3ProfileName", "east", "s3ProfileName");
        is("/s3StoreProfiles/1/s3Region", "r", "s3Region");
        // In whatever case Go takes it.
        assert_eq!(at("/s3StoreProfiles/0/s3Bucket").1, "S3Bucket", "{file}");
        assert!(
            ["b", "\"b\"", "\\\"b\\\""].contains(&&*at("/s3StoreProfiles/0/s3Bucket").0),
            "{file}"
        );
        assert_eq!(at("/metrics/bindAddress").1, "bindAddress", "{file}");
        // What is not there.
        is(
            "/s3StoreProfiles/0/absent",
            "s3ProfileName",
            "s3ProfileName",
        );
        is("/s3StoreProfiles/1/absent/deeper", "s3Region", "s3Region");
        is("/s3StoreProfiles/7", "s3StoreProfiles", "s3StoreProfiles");
        is("/metrics/absent", "metrics", "metrics");
        let key = at("/absent").0;
        assert_eq!(key.trim_matches('"'), "mappings.yaml", "{file}");
    }
}

#[test]
fn the_place_where_a_text_is_no_yaml() {
    let map = |scalar: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\ndata:\n  mappings.yaml: {scalar}\n  c.txt: 'a: b: c'\n"
        )
    };
    for (scalar, line, column) in [
        ("|\n    a: 1\n    b: c: d\n", 6, 9),
        (">\n    a: 1\n\n    b: c: d\n", 7, 9),
        ("\"a: 1\\nb: c: d\"", 4, 29),
        ("'a: b: c'", 4, 23),
    ] {
        let loaded = text(&map(scalar));
        let manifest = &loaded.manifests[0];
        let place = |pointer: &'static str| {
            let position = manifest.position(Pointer::from_static(pointer));
            (position.line, position.column)
        };
        assert_eq!(place("/data/mappings.yaml"), (line, column), "{scalar}");
        // Below it nobody knows more than where it is.
        assert_eq!(place("/data/mappings.yaml/a"), (4, 3), "{scalar}");
        // Another text is not meant to be YAML.
        let last = manifest.source.text.lines().count();
        assert_eq!(place("/data/c.txt"), (last, 10), "{scalar}");
    }
}

#[test]
fn an_anchor_in_a_text_is_where_it_was_written() {
    let loaded = text(
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  mappings.yaml: |\n    a: &x\n      b: 1\n    c: *x\n    d: {<<: *x}\n",
    );
    let manifest = &loaded.manifests[0];
    for (pointer, line) in [
        ("/data/mappings.yaml/c", 7),
        ("/data/mappings.yaml/c/b", 6),
        ("/data/mappings.yaml/d/b", 6),
    ] {
        assert_eq!(
            manifest.position(Pointer::from_static(pointer)).line,
            line,
            "{pointer}"
        );
    }
}

#[test]
fn lines_and_columns() {
    let source = Source::new("x", "aé\r\nb\n\nlast");
    assert_eq!(source.line(1), "aé");
    assert_eq!(
        (
            source.line(3),
            source.line(4),
            source.line(5),
            source.line(0)
        ),
        ("", "last", "", "")
    );
    let end = source.text.len();
    let position = source.position(1..end);
    assert_eq!(
        (
            position.line,
            position.column,
            position.end_line,
            position.end_column
        ),
        (1, 2, 4, 5)
    );
    // Within a character, and behind the end.
    assert_eq!(source.position(2..2).column, 2);
    assert_eq!(source.position(end + 9..end + 9).line, 4);
}

#[test]
fn places_in_files_of_other_systems() {
    let loaded = text(
        "\u{feff}apiVersion: v1\r\nkind: A\r\nspec:\r\n  a: \u{1f600}b # \u{e9}\r\n  c: |\r\n    d\r\n    e\r\n",
    );
    let manifest = &loaded.manifests[0];
    assert_eq!(at(manifest, "/apiVersion"), (1, 14, "v1".to_owned()));
    assert_eq!(at(manifest, "/spec/a"), (4, 6, "\u{1f600}b".to_owned()));
    assert_eq!(manifest.doc.value["spec"]["c"], "d\ne\n");
    let pointer = Pointer::from_static("/spec/c");
    let place = manifest.position_inside(pointer, 2..3);
    assert_eq!((place.line, place.column, place.end_column), (7, 5, 6));
}
