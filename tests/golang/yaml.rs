//! YAML texts as people, tools and mistakes write them, for a schema: its fields in any case and some
//! that it does not have, values of the right type and of others, in every style.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::Value;

/// A piece of YAML, before it is written.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// As it is written.
    Scalar(String),
    /// Keys as they are written, and whether between brackets.
    Map(Vec<(String, Self)>, Style),
    List(Vec<Self>, Style),
}

/// How something is written. Each number is taken modulo what it is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    flow: bool,
    indent: u8,
    /// What stands around it: comments, empty lines, spaces.
    around: u8,
    /// Whether it has an anchor or a tag.
    mark: u8,
}

fn style() -> impl Strategy<Value = Style> {
    (prop::bool::weighted(0.3), 0..4_u8, any::<u8>(), any::<u8>()).prop_map(
        |(flow, indent, around, mark)| Style {
            flow,
            indent,
            around,
            mark,
        },
    )
}

/// Scalars that YAML 1.1, YAML 1.2 and JSON don't all read alike, and ordinary ones.
const SCALARS: &[&str] = &[
    "a",
    "b c",
    "x.y/z",
    "http://x:80/y?z",
    "a#b",
    "a:b",
    "it's",
    "-a",
    "7",
    "-1",
    "+5",
    "0",
    "-0",
    "07",
    "08",
    "0o7",
    "0x1F",
    "0b101",
    "-0b11",
    "1_000",
    "_1",
    "1__0",
    "1.5",
    "50.0",
    "-0.0",
    "1e3",
    "1E+3",
    "1e21",
    "1e-7",
    ".5",
    "5.",
    ".",
    "1.5e",
    "1.2.3",
    "12e03",
    "1e400",
    ".inf",
    "-.Inf",
    "+.INF",
    ".nan",
    ".NaN",
    "inf",
    "0.1",
    "123456789",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "2147483648",
    "3.4028235e39",
    "16777217.0",
    "yes",
    "Yes",
    "no",
    "NO",
    "on",
    "off",
    "y",
    "n",
    "Y",
    "true",
    "True",
    "tRue",
    "false",
    "~",
    "null",
    "Null",
    "NULL",
    "nUll",
    "",
    "2001-01-01",
    "2001-01-01T00:00:00Z",
    "1:30",
    "190:20:30",
    "=",
    "<<",
    "''",
    "\"\"",
    "'7'",
    "\"7\"",
    "'it''s'",
    "'a\n\n   b'",
    "\"a\\tb\\u0041\\x41\\n\"",
    "\"a\\\n   b\"",
    "\"yes\"",
    "'~'",
    "1d",
    "15s",
    "1h30m",
    "0s",
    "-1.5h",
    "aGk=",
    "aGk",
    "a\n      b",
    "|\n      text\n       more\n",
    ">-\n      one\n      two\n",
    "|2-\n        x\n",
    "!!str 7",
    "!!int 7",
    "!!int '7'",
    "!!float 1",
    "!!bool yes",
    "!!bool 'no'",
    "!!null ''",
    "!!binary aGk=",
    "!!str",
    "!own x",
    "! 7",
    "&s 7",
    "&t no",
    "*s",
    "*t",
    "*m",
    "*undefined",
    "[",
    "{",
    "]",
    "}",
    "@x",
    "`x",
    "%x",
    "- x",
    "? x",
    ": x",
    "x:",
    "x: y",
    "#c",
    "é",
    "\u{1f680}",
    "\u{a0}",
    "\"\\/\"",
    "\"\\ud83d\\ude80\"",
    "'open",
    "\"open",
    "\"\\q\"",
    "\u{85}",
    "a\tb",
    "\tb",
    "!<tag:yaml.org,2002:str> 1",
    "!!map {}",
    "!!seq []",
    "!!timestamp 2001-01-01",
];

fn scalar() -> impl Strategy<Value = Node> {
    prop::sample::select(SCALARS).prop_map(|text| Node::Scalar(text.to_owned()))
}

/// A scalar that a field of the type takes, most of the time.
fn fitting(schema: &Value) -> BoxedStrategy<Node> {
    let text = |field: &str| {
        schema
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let fitting: &'static [&'static str] = match (text("type"), text("format")) {
        (_, "duration") => &["15s", "0s", "1h", "'1m30s'", "-2h", "1.5s"],
        (_, "byte") => &["aGk=", "'aGk='", "\"\"", "[104, 105]", "|\n      aGk=\n"],
        ("integer", _) => &["7", "07", "50.0", "-1", "1e3", "0x10", "0"],
        ("number", _) => &["7", "1.5", "-0.5", "1e3", ".5"],
        ("boolean", _) => &["true", "no", "On", "n", "false", "TRUE"],
        _ => &[
            "a",
            "b c",
            "7",
            "0123",
            "no",
            "1.50",
            "x.y",
            "'q'",
            "\"d\\n\"",
            "https://x:80",
            "1e6",
            "-0.0",
        ],
    };
    let fitting = prop::sample::select(fitting).prop_map(|text| Node::Scalar(text.to_owned()));
    prop_oneof![9 => fitting, 1 => Just(Node::Scalar("null".to_owned())), 2 => scalar()].boxed()
}

/// A key in some spelling.
fn key(name: &str) -> impl Strategy<Value = String> + use<> {
    let spellings = vec![
        name.to_owned(),
        name.to_lowercase(),
        name.to_uppercase(),
        name.replace('s', "\u{17f}"),
        format!("'{name}'"),
        format!("\"{name}\""),
    ];
    prop_oneof![12 => Just(name.to_owned()), 1 => prop::sample::select(spellings)]
}

/// Keys that no field has. Of two that mean the same, Go takes one by chance.
const OTHER_KEYS: &[&str] = &[
    "other",
    "webhook",
    "<<",
    "1",
    "1.5",
    "yes",
    "'no'",
    "\"a b\"",
    "? complex",
    "é",
    "~",
    "a b",
    "1e6",
    "-1",
    "0x1f",
    "!!str t",
    "? [a]",
    "{a: b}",
    "*s",
    "&k anchored",
];

/// Something for the schema, or not.
pub(crate) fn node(schema: &Value, depth: u32) -> BoxedStrategy<Node> {
    let anything = anything(2);
    if depth == 0 {
        return fitting(schema);
    }
    let own = if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let fields: Vec<_> = properties
            .iter()
            .map(|(name, schema)| (key(name), node(schema, depth - 1)).boxed())
            .collect();
        let other = (
            prop::sample::select(OTHER_KEYS).prop_map(str::to_owned),
            self::anything(1),
        );
        let field = prop_oneof![15 => prop::strategy::Union::new(fields), 1 => other];
        map(field.boxed(), 5)
    } else if let Some(others) = schema
        .get("additionalProperties")
        .filter(|it| it.is_object())
    {
        let keys = prop::sample::select(
            &[
                "a",
                "b",
                "east-to-west",
                "'1'",
                "yes",
                "1.5",
                "\"c d\"",
                "A",
            ][..],
        );
        map(
            (keys.prop_map(str::to_owned), node(others, depth - 1)).boxed(),
            3,
        )
    } else if let Some(items) = schema.get("items") {
        (prop::collection::vec(node(items, depth - 1), 0..4), style())
            .prop_map(|(items, style)| Node::List(items, style))
            .boxed()
    } else {
        return fitting(schema);
    };
    prop_oneof![30 => own, 1 => anything].boxed()
}

fn map(field: BoxedStrategy<(String, Node)>, most: usize) -> BoxedStrategy<Node> {
    (prop::collection::vec(field, 0..=most), style())
        .prop_map(|(fields, style)| Node::Map(fields, style))
        .boxed()
}

fn anything(depth: u32) -> BoxedStrategy<Node> {
    scalar()
        .prop_recursive(depth, 8, 3, |inner| {
            let keys =
                prop::sample::select(&["a", "b", "c", "<<", "x y"][..]).prop_map(str::to_owned);
            prop_oneof![
                map((keys, inner.clone()).boxed(), 3),
                (prop::collection::vec(inner, 0..3), style())
                    .prop_map(|(items, style)| Node::List(items, style)),
            ]
        })
        .boxed()
}

/// Whole texts: one document, and what may stand before and behind it.
pub(crate) fn texts(schema: &Value) -> BoxedStrategy<String> {
    let before = &[
        "",
        "",
        "",
        "",
        "# c\n",
        "---\n",
        "--- # c\n",
        "\n\n",
        "%YAML 1.1\n---\n",
        "\u{feff}",
        "---\n# c\n\n",
        " ",
        "--- ",
    ];
    let behind = &[
        "",
        "",
        "",
        "",
        "\n",
        "...\n",
        "---\nother: [\n",
        "# c",
        "  # c\n",
        "...\n---\n{",
        "\t\n",
        "x\n",
        "- y\n",
        "---\n",
    ];
    let line_end = prop_oneof![12 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\r")];
    (
        prop::sample::select(&before[..]),
        node(schema, 5),
        prop::sample::select(&behind[..]),
        line_end,
    )
        .prop_map(|(before, node, behind, line_end)| {
            let mut text = before.to_owned();
            write_node(&node, 0, &mut text);
            if !text.ends_with('\n') {
                text.push('\n');
            }
            text += behind;
            text.replace('\n', line_end)
        })
        .boxed()
}

/// Writes a document, or what stands on lines of its own.
fn write_node(node: &Node, indent: usize, out: &mut String) {
    match node {
        Node::Map(fields, style) if !style.flow && !fields.is_empty() => {
            for (key, value) in fields {
                around(*style, indent, out);
                let _ = write!(out, "{:indent$}{key}:", "");
                write_value(value, indent, true, out);
            }
        }
        Node::List(items, style) if !style.flow && !items.is_empty() => {
            for item in items {
                around(*style, indent, out);
                let _ = write!(out, "{:indent$}-", "");
                write_value(item, indent, false, out);
            }
        }
        inline => {
            write_inline(inline, out);
            out.push('\n');
        }
    }
}

fn around(style: Style, indent: usize, out: &mut String) {
    match style.around % 16 {
        0 => {
            let _ = writeln!(out, "{:indent$}# c: [", "");
        }
        1 => out.push('\n'),
        2 => out.push_str("#c\n   \n"),
        _ => {}
    }
}

/// Writes what stands behind a key or a dash.
fn write_value(node: &Node, indent: usize, is_field: bool, out: &mut String) {
    let (style, block) = match node {
        Node::Map(fields, style) => (*style, !style.flow && !fields.is_empty()),
        Node::List(items, style) => (*style, !style.flow && !items.is_empty()),
        Node::Scalar(_) => {
            out.push(' ');
            write_inline(node, out);
            if !out.ends_with('\n') {
                out.push('\n');
            }
            return;
        }
    };
    if !block {
        out.push(' ');
        write_inline(node, out);
        out.push_str(if style.around % 5 == 0 {
            " # c\n"
        } else {
            "\n"
        });
        return;
    }
    match style.mark % 16 {
        0 => out.push_str(" &m"),
        1 => out.push_str(" !!map"),
        2 => out.push_str(" !!seq"),
        3 => out.push_str(" # c"),
        4 => out.push_str(" &n !own"),
        _ => {}
    }
    let compact = !is_field && style.indent % 2 == 0 && style.mark % 16 > 4;
    let deeper = match (node, is_field) {
        // A list may stand where its key does.
        (Node::List(..), true) => indent + usize::from(style.indent % 3),
        _ => indent + 1 + usize::from(style.indent % 3),
    };
    if compact {
        // The first line goes on behind the dash.
        let mut inner = String::new();
        write_node(node, indent + 2, &mut inner);
        out.push_str(&format!(" {}", inner.trim_start_matches(' ')));
    } else {
        out.push('\n');
        write_node(node, deeper, out);
    }
}

/// Writes something between brackets, or a scalar.
fn write_inline(node: &Node, out: &mut String) {
    let between = |style: Style| match style.around % 8 {
        0 => ",",
        1 => " , ",
        2 => ",\n          ",
        3 => ", # c\n          ",
        _ => ", ",
    };
    match node {
        Node::Scalar(text) => out.push_str(text),
        Node::Map(fields, style) => {
            out.push('{');
            for (number, (key, value)) in fields.iter().enumerate() {
                if number > 0 {
                    out.push_str(between(*style));
                }
                out.push_str(key);
                out.push_str(if style.mark % 31 == 0 { ":" } else { ": " });
                write_inline(value, out);
            }
            out.push_str(if style.mark % 11 == 0 { ",}" } else { "}" });
        }
        Node::List(items, style) => {
            out.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    out.push_str(between(*style));
                }
                write_inline(item, out);
            }
            out.push_str(if style.mark % 11 == 0 { " , ]" } else { "]" });
        }
    }
}
