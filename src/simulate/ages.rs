//! How long ago something was, as a person says it.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A time as Kubernetes writes it; nothing for what is not one.
pub(super) fn read(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// How long before `now` something was, in seconds; less than 0 for what is still to come.
pub(super) fn age(then: OffsetDateTime, now: OffsetDateTime) -> i64 {
    (now - then).whole_seconds()
}

/// The two greatest units of so many seconds: `2 h 5 min`.
pub(super) fn span(seconds: i64) -> String {
    const UNITS: [(u64, &str, &str); 4] = [
        (86_400, " day", " days"),
        (3_600, " h", " h"),
        (60, " min", " min"),
        (1, " s", " s"),
    ];
    let mut rest = seconds.unsigned_abs();
    let mut parts: Vec<String> = Vec::new();
    let first = UNITS
        .iter()
        .position(|(size, ..)| rest >= *size)
        .unwrap_or(3);
    for (size, one, many) in UNITS.iter().skip(first).take(2) {
        let count = rest / size;
        rest %= size;
        if count > 0 || parts.is_empty() {
            parts.push(format!("{count}{}", if count == 1 { one } else { many }));
        }
    }
    parts.join(" ")
}

/// How long ago: `4 min ago`, or `in 10 s` where two clocks differ.
pub(super) fn ago(seconds: i64) -> String {
    if seconds < 0 {
        format!("in {}", span(seconds))
    } else {
        format!("{} ago", span(seconds))
    }
}

/// A duration as Go writes it, without what is 0: `1h30m`.
pub(super) fn short(seconds: i64) -> String {
    let total = seconds.unsigned_abs();
    let parts = [
        (total / 3_600, "h"),
        (total / 60 % 60, "m"),
        (total % 60, "s"),
    ];
    let text: String = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

/// So many bytes: `12.0 MiB`.
pub(super) fn bytes(count: i64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let exact = count.max(0).unsigned_abs();
    if exact < 1024 {
        return format!("{exact} B");
    }
    // Tenths, so that no number is ever inexact.
    let mut tenths = exact / 1024 * 10 + exact % 1024 * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units_at_most() {
        for (seconds, said) in [
            (0, "0 s"),
            (1, "1 s"),
            (59, "59 s"),
            (60, "1 min"),
            (260, "4 min 20 s"),
            (3_600, "1 h"),
            (3_601, "1 h"),
            (7_500, "2 h 5 min"),
            (86_400, "1 day"),
            (200_000, "2 days 7 h"),
            (-5, "5 s"),
            (i64::MIN, "106751991167300 days 15 h"),
        ] {
            assert_eq!(span(seconds), said);
        }
        assert_eq!(ago(240), "4 min ago");
        assert_eq!(ago(-10), "in 10 s");
    }

    #[test]
    fn durations_are_written_as_go_does() {
        for (seconds, said) in [
            (0, "0s"),
            (45, "45s"),
            (900, "15m"),
            (5_400, "1h30m"),
            (259_200, "72h"),
            (3_661, "1h1m1s"),
        ] {
            assert_eq!(short(seconds), said);
        }
    }

    #[test]
    fn bytes_are_rounded_down() {
        for (count, said) in [
            (-1, "0 B"),
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (12 * 1024 * 1024, "12.0 MiB"),
            (i64::MAX, "7.9 EiB"),
        ] {
            assert_eq!(bytes(count), said);
        }
    }

    #[test]
    fn only_times_are_times() {
        assert!(read("2026-01-15T10:00:00Z").is_some());
        assert!(read("2026-01-15").is_none());
        assert!(read("").is_none());
    }
}
