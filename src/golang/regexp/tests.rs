use std::time::{Duration, Instant};

use super::check;

#[rustfmt::skip]
const TAKEN: &[&str] = &[
    "", "busybox-.*", "wordpress$", "^a|b$", "(a)(b)", "a*", "a*?", "a+?", "a{2}?", "a|", "|a", "||",
    "]", "}", "{", "a{", "a{,5}", "a{01}", "a{1,x}", "a{ 1}", "a{1", "a{1000}", "a{0,1000}", "{2",
    "(a{0}){1000}", "(?:a{2}){500}", "((a{10}){10}){10}", "(?:(?:a{600}){0}){1000}", "(a{2,}){500}",
    "a*(?i)*", r"a*\Q\E*", r"\Q*(\E", r"\Q*(", r"\Qab\E{3}", "()*", "(|a)*", "^*", "$?", r"\b+", "(?i)",
    "(?)", "(?i)a", "(?i-s:a)", "(?imsU)", "(?-i)", "(?:)", "(?P<n>a)(?P<n>b)", "(?<n9_>a)", "(?<9>)",
    r"\pN", r"\PN", r"\p{Greek}", r"\p{^greek}", r"\p{Any}", r"\p{ASCII}", r"\p{l-C}", r"\p{Yi}",
    r"\p{Cased_Letter}", r"[\pL\d]", r"\p{Old_Italic}", "[[:alpha:]]", "[[:^word:]x]", "[[:alpha]", "[[:]",
    "[:x:]", "[[.a.]]", "[[=a=]]", "[]a]", "[^]a]", "[a-]", "[-a]", "[a-c-e]", r"[\d-z]", r"[\n-\r]", r"[\]]",
    "[a&&b]", "[a~~b]", "[[a]", "[^^]", "[ -~]", "[+--]",
    r"\A\z", r"\B", r"\<", r"\0", r"\012", r"\0123", r"\17", r"\777", r"\x41", r"\x{10FFFF}", r"\x{d800}",
    r"\x{0000000000041}", r"\_", r"\-", r"\a\f\n\r\t\v", "é+", "\0",
    "(?i)\u{130}", "a b # c",
];

#[rustfmt::skip]
const REFUSED: &[&str] = &[
    "*", "+a", "?", "a**", "a*+", "a*??", "a{2}{3}", "a{2}*", "(*)", "a|*", "(?i)*", "a|(?i)*", r"\Q\E*",
    "{2}", "a{1001}", "a{2,1}", "a{1001,}", "a{99999999999}", "(a{600}){2}", "(((a{10}){10}){10}){2}",
    "(a{600}){0,2}", "((a{600}){0,}){2}", "a{600}(?i){2}", "(", "(a", "a)", ")", "((a)", "(?:a", "a|b)",
    "[", "[a", "[]", "[^]", "[a-", "[z-a]", "[a--b]", "[a", r"[a-\d]", r"[a-\pL]", r"[\b]", r"[\Qa\E]", r"[a\]", "[[:foo:]]",
    "[[:^:]]", "[[:ALPHA:]]", r"\", r"a\", r"\1", r"(a)\1", r"\9", r"\18", r"\8", r"\C", r"\Z", r"\G", r"\K", r"\y", r"\e",
    r"\cA", r"\u0041", r"\u{41}", r"\X", r"\R", r"\h", r"\E", r"\é", r"\x", r"\x4", r"\x{}", r"\x{110000}", r"\x{41",
    r"\xg1", r"\x{ 41}", r"\p", r"\pX", r"\p{}", r"\p{Grek}", r"\p{Alphabetic}", r"\p{Greek", r"\p{sc=Greek}", r"\p{^^L}",
    "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?>a)", "(?P=n)", "(?P>n)", "(?P<n", "(?P<>a)", "(?P<n-m>a)", "(?<é>a)",
    "(?x)", "(?u)", "(?R)", "(?i", "(?-)", "(?i-)", "(?-:a)", "(?i--s)", "(?", "(?#c)", "(?|a)", "(?'n'a)", "(?^a)",
];

#[test]
fn takes_what_go_takes() {
    for text in TAKEN {
        assert_eq!(check(text), Ok(()), "{text:?}");
    }
}

#[test]
fn refuses_what_go_refuses() {
    for text in REFUSED {
        assert!(check(text).is_err(), "{text:?}");
    }
    for (text, said) in [
        ("a**", "invalid nested repetition operator: `**`"),
        ("a|*?b", "missing argument to repetition operator: `*?`"),
        ("(a{600}){2}b", "invalid repeat count: `{2}`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("x[b-a]", "invalid character class range: `b-a`"),
        (r"\p{x}y", r"invalid character class range: `\p{x}`"),
    ] {
        let error = check(text).map_err(|error| error.to_string());
        assert_eq!(error, Err(said.to_owned()), "{text:?}");
    }
}

#[test]
fn takes_time_by_length_alone() {
    let start = Instant::now();
    for part in [
        "[[:a]", "{", "{1", "(", "(?i)", r"\pL", r"\Q\E", "a{1000}", "[a", "[[:", "|",
    ] {
        let _ = check(&part.repeat(100_000));
    }
    // A second in a debug build. By the square of the length it were minutes.
    let took = start.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
}
