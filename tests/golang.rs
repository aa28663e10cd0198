//! `src/golang` against Go itself: tables of inputs, and thousands that are nearly right.
//!
//! The tables are in `golang/tables`, a line of JSON for each input. What is right is not written
//! down: the Go program in `golang/oracle` says it. `PROPTEST_CASES=1000000` tries more. So it is for the
//! YAML in Ramen's `ConfigMap`s, see `golang/configs.rs`.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::{collections::HashSet, env};

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use ramen_guard::golang::{
    base64, cidr, cron, duration, expand, names, regexp, selector, shlex, url,
};
use serde_json::{Value, json};

#[path = "golang/configs.rs"]
mod configs;
#[path = "golang/oracle.rs"]
mod oracle;
#[path = "golang/texts.rs"]
mod texts;
#[path = "golang/yaml.rs"]
mod yaml;

use texts::{assembled, changed, shaped};

/// A function of ours, and Go's.
struct Function<'a> {
    /// What the Go program calls it.
    op: &'a str,
    /// One input a line.
    table: &'a str,
    /// `None` is an error.
    ours: fn(&Value) -> Option<Value>,
    /// Where we differ on purpose.
    differences: &'a [Difference<'a>],
}

/// What we take and Go refuses, on purpose. There is nothing the other way round.
struct Difference<'a> {
    why: &'a str,
    /// Whether it is the reason, by the input and Go's error.
    applies: &'a dyn Fn(&str, &str) -> bool,
    /// An input that shows it, beside what the table has.
    example: &'a str,
}

/// The smallest number of inputs in a table that Go takes, and that it refuses.
const ROWS: usize = 40;

impl Function<'_> {
    fn rows(&self) -> Vec<Value> {
        let rows = self.table.lines();
        rows.map(|row| serde_json::from_str(row).unwrap()).collect()
    }

    fn texts(&self) -> Vec<String> {
        let rows = self.rows().into_iter();
        rows.map(|row| row.as_str().unwrap().to_owned()).collect()
    }

    /// Asks both about the inputs; how many Go takes. `None` without Go.
    #[track_caller]
    fn compare(&self, inputs: &[Value]) -> Option<usize> {
        let answers = oracle::ask(self.op, inputs)?;
        let mut wrong: Vec<String> = Vec::new();
        for (input, answer) in inputs.iter().zip(&answers) {
            let ours = (self.ours)(input);
            let agree = match (&ours, answer) {
                (Some(ours), Ok(theirs)) => same(ours, theirs),
                (None, Err(_)) => true,
                (Some(_), Err(error)) => {
                    let text = input.as_str().unwrap_or_default();
                    self.differences
                        .iter()
                        .any(|difference| (difference.applies)(text, error))
                }
                (None, Ok(_)) => false,
            };
            if !agree {
                wrong.push(format!("{input}: {ours:?}, but Go says {answer:?}"));
            }
        }
        wrong.sort_by_key(String::len);
        let shown = &wrong[..wrong.len().min(10)];
        assert!(
            wrong.is_empty(),
            "{}: {} of {} differ\n{}",
            self.op,
            wrong.len(),
            inputs.len(),
            shown.join("\n")
        );
        Some(answers.iter().filter(|answer| answer.is_ok()).count())
    }

    /// The table, and that it has enough of both; and that each difference is one.
    #[track_caller]
    fn compare_table(&self) {
        let rows = self.rows();
        let distinct: HashSet<String> = rows.iter().map(Value::to_string).collect();
        assert_eq!(
            distinct.len(),
            rows.len(),
            "{}: a row is there twice",
            self.op
        );
        let Some(taken) = self.compare(&rows) else {
            return;
        };
        let refused = rows.len() - taken;
        // What is expanded can't be wrong.
        assert!(
            taken >= ROWS && (refused >= ROWS || self.op == "expand"),
            "{}: the table has {taken} that Go takes and {refused} that it refuses",
            self.op
        );
        for Difference {
            why,
            applies,
            example,
        } in self.differences
        {
            let input = json!(example);
            let answers = oracle::ask(self.op, std::slice::from_ref(&input)).unwrap();
            let differs = (self.ours)(&input).is_some()
                && matches!(&answers[0], Err(error) if applies(example, error));
            assert!(differs, "{}: {why}: {example:?} is no example", self.op);
        }
    }

    /// Inputs that are made up, in one go.
    #[track_caller]
    fn compare_made(&self, inputs: impl Strategy<Value = Value>) {
        let mut runner = TestRunner::new(Config::default());
        let count = cases(8000);
        let made: Vec<Value> = (0..count)
            .map(|_| inputs.new_tree(&mut runner).unwrap().current())
            .collect();
        if let Some(taken) = self.compare(&made) {
            // Otherwise it tries only one side.
            let few = made.len() / 50;
            assert!(
                taken >= few && (made.len() - taken >= few || self.op == "expand"),
                "{}: Go takes {taken} of {}",
                self.op,
                made.len()
            );
        }
    }

    #[track_caller]
    fn compare_texts(&self, made: impl Strategy<Value = String> + 'static) {
        self.compare_table();
        let texts = prop_oneof![
            6 => changed(self.texts()),
            4 => made,
            1 => ".{0,12}",
        ];
        self.compare_made(texts.prop_map(Value::from));
    }
}

/// Equal, but for how bytes show that are no UTF-8: Go's JSON has a mark for each, Rust one for a
/// run.
fn same(ours: &Value, theirs: &Value) -> bool {
    fn plain(value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let mut chars: Vec<char> = text.chars().collect();
                chars.dedup_by(|a, b| *a == '\u{fffd}' && a == b);
                chars.into_iter().collect::<String>().into()
            }
            Value::Array(items) => items.iter().map(plain).collect(),
            other => other.clone(),
        }
    }
    ours == theirs || plain(ours) == plain(theirs)
}

/// How many inputs are made up: so many, unless somebody asks for another number.
fn cases(usual: u32) -> u32 {
    if env::var_os("PROPTEST_CASES").is_some() {
        Config::default().cases
    } else {
        usual
    }
}

fn text(input: &Value) -> &str {
    input.as_str().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn durations() {
    Function {
        op: "duration",
        table: include_str!("golang/tables/duration.jsonl"),
        ours: |input| duration::parse(text(input)).ok().map(Value::from),
        differences: &[],
    }
    .compare_texts(prop_oneof![
        shaped(r"[-+]?([0-9]{0,20}(\.[0-9]{0,22})?(ns|us|µs|μs|ms|s|m|h)){1,4}"),
        assembled(&[
            "-",
            "+",
            "0",
            "1",
            "9223372036854775807",
            "9223372036854775808",
            "4611686018427387904",
            "2562047",
            ".",
            "5",
            "ns",
            "us",
            "µs",
            "ms",
            "s",
            "m",
            "h",
            "d",
            " ",
            "854775807",
            "36",
            "e",
        ]),
    ]);
}

#[test]
fn networks() {
    Function {
        op: "cidr",
        table: include_str!("golang/tables/cidr.jsonl"),
        ours: |input| {
            let cidr = cidr::parse(text(input)).ok()?;
            let bytes = |address| match address {
                std::net::IpAddr::V4(address) => hex(&address.octets()),
                std::net::IpAddr::V6(address) => hex(&address.octets()),
            };
            Some(json!([
                bytes(cidr.address),
                bytes(cidr.network),
                cidr.prefix
            ]))
        },
        differences: &[],
    }
    .compare_texts(prop_oneof![
        shaped(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,2}\.[0-9]{1,3}/[0-9]{1,3}"),
        shaped(r"[0-9a-f]{1,5}(:[0-9a-fA-F]{0,4}){2,8}/1?[0-9]{1,2}"),
        shaped(r"(::)?([0-9a-f]{1,4}:){0,6}[0-9]{1,3}(\.[0-9]{1,2}){3}/[0-9]{1,2}"),
        assembled(&[
            "1", "0", "ff", "10.0.0.1", "255", "256", ":", "::", ".", "/", "/8", "/64", "1:2:3",
            "%", "-", "ffff"
        ]),
    ]);
}

#[test]
fn variables() {
    Function {
        op: "expand",
        table: include_str!("golang/tables/expand.jsonl"),
        ours: |input| Some(expand::expand(text(input), |name| format!("<{name}>")).into()),
        differences: &[],
    }
    .compare_texts(assembled(&[
        "$", "{", "}", "${", "a", "_", "9", "*", "#", "@", "!", "?", "-", " ", "é", "(", ")", "\\",
        "${a}", "\0",
    ]));
}

#[test]
fn base64_data() {
    Function {
        op: "base64",
        table: include_str!("golang/tables/base64.jsonl"),
        ours: |input| base64::decode(text(input)).map(|bytes| hex(&bytes).into()),
        differences: &[],
    }
    .compare_texts(prop_oneof![
        shaped(r"([a-zA-Z0-9+/]{4}){0,6}([a-zA-Z0-9+/]{2}==|[a-zA-Z0-9+/]{3}=)?[\r\n]{0,2}"),
        assembled(&[
            "a", "A", "/", "+", "=", "==", "\n", "\r", "AAAA", "-", "_", " "
        ]),
    ]);
}

#[test]
fn names_of_kubernetes() {
    fn verdict(read: Result<(), names::NameError>) -> Option<Value> {
        read.is_ok().then(|| true.into())
    }
    type Check = fn(&Value) -> Option<Value>;
    let functions: [(&str, Check); 4] = [
        ("dns-label", |input| verdict(names::dns_label(text(input)))),
        ("dns-subdomain", |input| {
            verdict(names::dns_subdomain(text(input)))
        }),
        ("qualified-name", |input| {
            verdict(names::qualified_name(text(input)))
        }),
        ("label-value", |input| {
            verdict(names::label_value(text(input)))
        }),
    ];
    for (op, ours) in functions {
        Function {
            op,
            table: include_str!("golang/tables/names.jsonl"),
            ours,
            differences: &[],
        }
        .compare_texts(name());
    }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        shaped(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"),
        shaped(r"[a-z]([-a-z0-9]{59,63}[a-z0-9])?"),
        shaped(r"([a-z0-9]{1,30}\.){1,3}[a-z0-9]{1,4}(/[A-Za-z0-9]{1,4}([-._][a-z]{1,3}){0,2})?"),
        shaped(r"([a-z0-9]{50,60}\.){3,4}[a-z0-9]{1,30}(/[a-z]{60,64})?"),
        assembled(&[
            "a",
            "B",
            "9",
            "-",
            "_",
            ".",
            "/",
            "io",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            " ",
            "é"
        ]),
    ]
}

#[test]
fn label_selectors() {
    let function = Function {
        op: "selector",
        table: include_str!("golang/tables/selector.jsonl"),
        ours: |input| selector::problems_of(input).is_empty().then(|| true.into()),
        differences: &[],
    };
    function.compare_table();
    let label = || {
        prop_oneof![
            3 => shaped("[a-z]{1,4}"),
            1 => shaped("[a-z.]{1,4}/[a-zA-Z_.-]{1,5}"),
            1 => shaped("[a-zA-Z0-9._/-]{0,5}"),
            1 => name(),
        ]
    };
    let labels = prop::collection::btree_map(label(), label(), 0..3);
    let operator = prop_oneof![
        6 => prop::sample::select(&["In", "NotIn", "Exists", "DoesNotExist"][..]).prop_map(str::to_owned),
        1 => prop::sample::select(&["in", "", "Gt", "Lt", "=", "!=", "Exist", "exists", "In "][..]).prop_map(str::to_owned),
    ];
    let values = prop_oneof![
        Just(None),
        prop::collection::vec(label(), 0..3).prop_map(Some),
    ];
    let expression = (label(), operator, values).prop_map(
        |(key, operator, values)| json!({ "key": key, "operator": operator, "values": values }),
    );
    let expressions = prop::collection::vec(expression, 0..3);
    function.compare_made((labels, expressions).prop_map(
        |(labels, expressions)| json!({ "matchLabels": labels, "matchExpressions": expressions }),
    ));
}

#[test]
fn urls() {
    Function {
        op: "url",
        table: include_str!("golang/tables/url.jsonl"),
        ours: |input| {
            let url = url::parse_request_uri(text(input)).ok()?;
            Some(json!([url.scheme, url.opaque, url.host, url.path]))
        },
        differences: &[],
    }
    .compare_texts(prop_oneof![
        shaped(
            r"(https?|s3|a+b)://([a-z:%@]{1,5}@)?([a-z0-9.-]|%[0-9a-f]{2}){1,9}(:[0-9]{0,5})?(/[a-z0-9%?# ]{0,9})?"
        ),
        shaped(r"https?://\[[0-9a-f:.]{1,9}(%25([a-z]|%[0-7][0-9a-f]){1,3})?\](:[0-9]{0,3})?/?"),
        assembled(&[
            "http", "https", ":", "/", "//", "@", "[", "]", "::1", "%25", "%2f", "%41", "%ff", "%",
            "?", "#", "a", "1.2.3.4", "9000", " ", "é", "x", "+", "-", ".", "_", "<", "^", "*",
        ]),
    ]);
}

#[test]
fn commands() {
    Function {
        op: "shlex",
        table: include_str!("golang/tables/shlex.jsonl"),
        ours: |input| shlex::split(text(input)).ok().map(Value::from),
        differences: &[],
    }
    .compare_texts(assembled(&[
        "a", " ", "  ", "\t", "\n", "\r", "'", "\"", "\\", "#", "''", "\"\"", "\\\\", "b c", "$x",
        "é", "\0", "\u{a0}", "|",
    ]));
}

#[test]
fn schedules() {
    Function {
        op: "cron",
        table: include_str!("golang/tables/cron.jsonl"),
        ours: |input| cron::parse(text(input)).ok().map(|()| true.into()),
        differences: &[Difference {
            why: "which time zones there are is up to the machine",
            applies: &|text, error| {
                let zone = text.split_once('=').map_or("", |(_, zone)| zone);
                error.starts_with("error: provided bad location ")
                    && !zone.starts_with(['/', '\\'])
                    && !zone.split(' ').next().is_some_and(|zone| zone.contains(".."))
            },
            example: "TZ=Mars/Olympus * * * * *",
        }],
    }
    .compare_texts(prop_oneof![
        shaped(r"[0-9*]{1,2}(/[0-9]{1,2})? [0-9]{1,2}(-[0-9]{1,2})? ([0-9]{1,2}|\*) ([0-9]|\*|[a-c]{3}|jan|dec) [0-9*?]"),
        shaped(r"((TZ|CRON_TZ)=(UTC|Asia/Tokyo)? )?(@(daily|hourly|every [0-9]{1,2}[smh])|([0-9*?],?){1,2}( \*){4})"),
        assembled(&[
            "*", "?", " ", "* * * * ", "0 0 ", "*/", "/", "-", ",", "1", "5", "59", "60", "sun", "Jan", "DEC", "@", "@every ",
            "1h", "+", "TZ=", "UTC ", "7",
        ]),
    ]);
}

#[test]
fn regular_expressions() {
    let Some(groups) = oracle::ask("regexp-groups", &[json!("")]) else {
        return;
    };
    let groups: Vec<String> = serde_json::from_value(groups[0].clone().unwrap()).unwrap();
    for name in &groups {
        for text in [format!(r"\p{{{name}}}"), format!(r"[\P{{^{name}}}]")] {
            assert_eq!(regexp::check(&text), Ok(()), "{text}");
        }
    }
    // In the spelling that Go looks a name up by; names with two capitals don't have it.
    let scripts: HashSet<String> = groups
        .iter()
        .map(|name| plain(name))
        .chain(["garay", "tolongsiki", "todhri"].map(str::to_owned))
        .collect();
    let deep = format!("{}a{}", "(".repeat(1001), ")".repeat(1001));
    Function {
        op: "regexp",
        table: include_str!("golang/tables/regexp.jsonl"),
        ours: |input| regexp::check(text(input)).ok().map(|()| true.into()),
        differences: &[
            Difference {
                why: "Go before 1.25 knows scripts of two words, and later ones will again",
                applies: &|_, error| {
                    let name = ["p", "P"].iter().find_map(|letter| {
                        let start = format!(r"error: error parsing regexp: invalid character class range: `\{letter}{{");
                        error.strip_prefix(&start)?.strip_suffix("}`")
                    });
                    name.is_some_and(|name| {
                        scripts.contains(&plain(name.strip_prefix('^').unwrap_or(name)))
                    })
                },
                example: r"\p{Old_Italic}",
            },
            Difference {
                why: "how deep it nests is not counted",
                applies: &|_, error| error.contains("nests too deeply"),
                example: &deep,
            },
            Difference {
                why: "how much memory it needs is not counted",
                applies: &|_, error| error.contains("expression too large"),
                example: &format!("(({}){{30}}){{30}}", "a".repeat(4000)),
            },
        ],
    }
    .compare_texts(prop_oneof![
        shaped(r"(\(\?[imsU-]{0,3}[:)]|[a-z]|\[[\^a-z\]\\-]{0,4}\]?|\\[a-zA-Z0-7]|[*+?|()]|\{[0-9]{1,4}(,[0-9]{0,3})?\}){0,8}"),
        assembled(&[
            "a", "(", ")", "(?:", "(?P<n>", "(?<n>", "(?i)", "(?", "|", "*", "+", "?", "{2}", "{600}", "{0,}", "{,3}", "{", "}",
            "[", "]", "[^", "-", "[:alpha:]", "[:", ":]", "\\", "\\Q", "\\E", "\\d", "\\b", "\\p", "\\pL", "\\p{Greek}", "\\x{41}",
            "\\x4", "\\1", "\\07", "^", "$", ".", "é", "&&", ",", ":", "<", ">", "P", "1",
        ]),
    ]);
}

fn plain(name: &str) -> String {
    let name = name.replace(['_', '-', ' '], "");
    name.to_ascii_lowercase()
}
