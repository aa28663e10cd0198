//! What Go and Kubernetes' own libraries make of a text.
//!
//! Ramen reads durations, networks, selectors and names with Go's functions, and some of them are
//! neither what RFCs say nor what the usual Rust crates do. Each file here does what one of these
//! functions does, checked against a table that the Go function made; `tests/golang.rs` compares them with Go
//! itself.
//!
//! | module | the function |
//! | --- | --- |
//! | [`duration`] | `time.ParseDuration` |
//! | [`cidr`] | `net.ParseCIDR` |
//! | [`selector`] | `metav1.LabelSelectorAsSelector` |
//! | [`base64`] | `base64.StdEncoding` |
//! | [`expand`] | `os.Expand` |
//! | [`url`] | `url.ParseRequestURI` |
//! | [`regexp`] | `regexp.Compile` |
//! | [`shlex`] | `github.com/google/shlex` |
//! | [`cron`] | `github.com/robfig/cron/v3` |
//! | [`names`] | `k8s.io/apimachinery/pkg/util/validation`: names, keys, label values |

pub mod base64;
pub mod cidr;
pub mod cron;
pub mod duration;
pub mod expand;
pub mod names;
pub mod regexp;
pub mod selector;
pub mod shlex;
pub mod url;

/// A text in double quotes, as Go's `%q` and `strconv.Quote` show it: quotes, backslashes and
/// control characters escaped, so that a message stays on one line.
pub fn quote(text: &str) -> String {
    use std::fmt::Write as _;

    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{0}'..='\u{1f}' | '\u{7f}' => {
                // Writing into a String does not fail.
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}
