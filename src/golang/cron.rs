//! `ParseStandard` of `github.com/robfig/cron/v3`, which VolSync reads schedules with.
//!
//! Five fields (minute, hour, day of month, month, day of week), or `@daily` and its like, or
//! `@every` and a duration of Go; in front of any, `TZ=` or `CRON_TZ=` and a time zone. It is more
//! lenient than it looks: commas without anything between them count as nothing, whatever follows
//! the hyphen of `*-` is not looked at, and a number may have a plus sign.
//!
//! One difference: which time zones there are is a matter of the machine that runs Go, so every name
//! is right here that could be one.

use super::{duration, quote};

/// Why a schedule can't be read: a clause without the schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// There is nothing.
    #[error("empty schedule")]
    Empty,
    /// Fewer or more fields than five.
    #[error("expected 5 fields (minute, hour, day of month, month, day of week), found {0}")]
    Fields(usize),
    /// A field that can't be read.
    #[error("{field} {}: {why}", quote(.text))]
    Field {
        /// Which of the five, in words.
        field: &'static str,
        /// The part of the field between two commas.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// An `@` and a word that is none of those known.
    #[error("unknown schedule {}", quote(.0))]
    Descriptor(String),
    /// What follows `@every` is no duration.
    #[error("@every: {0}")]
    Every(#[from] duration::DurationError),
    /// A time zone that no machine knows, or that nothing follows.
    #[error("bad time zone {}", quote(.0))]
    Zone(String),
}

/// One of the five fields.
struct Field {
    name: &'static str,
    min: u64,
    max: u64,
    /// Words for numbers, from `first` on.
    words: &'static [&'static str],
    first: u64,
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const fn number(name: &'static str, min: u64, max: u64) -> Field {
    Field {
        name,
        min,
        max,
        words: &[],
        first: 0,
    }
}

const FIELDS: [Field; 5] = [
    number("minute", 0, 59),
    number("hour", 0, 23),
    number("day of month", 1, 31),
    Field {
        name: "month",
        min: 1,
        max: 12,
        words: &MONTHS,
        first: 1,
    },
    Field {
        name: "day of week",
        min: 0,
        max: 6,
        words: &DAYS,
        first: 0,
    },
];

const DESCRIPTORS: [&str; 7] = [
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];

/// Checks a schedule.
///
/// # Errors
/// Whenever `cron.ParseStandard` gives one, or panics, on a machine that has every time zone.
pub fn parse(text: &str) -> Result<(), CronError> {
    if text.is_empty() {
        return Err(CronError::Empty);
    }
    let zoned = ["TZ=", "CRON_TZ="]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix));
    let text = match zoned {
        Some(rest) => {
            // Without a space Go slices beyond its text, and panics.
            let (zone, rest) = rest
                .split_once(' ')
                .ok_or_else(|| CronError::Zone(rest.to_owned()))?;
            if zone.contains("..") || zone.starts_with(['/', '\\']) {
                return Err(CronError::Zone(zone.to_owned()));
            }
            rest.trim()
        }
        None => text,
    };
    if text.starts_with('@') {
        return descriptor(text);
    }
    let parts: Vec<&str> = text.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Err(CronError::Fields(parts.len()));
    }
    for (part, field) in parts.iter().zip(&FIELDS) {
        // A list of nothing is legal, and never comes.
        for range in part.split(',').filter(|range| !range.is_empty()) {
            field.check(range).map_err(|why| CronError::Field {
                field: field.name,
                text: range.to_owned(),
                why,
            })?;
        }
    }
    Ok(())
}

fn descriptor(text: &str) -> Result<(), CronError> {
    if DESCRIPTORS.contains(&text) {
        return Ok(());
    }
    match text.strip_prefix("@every ") {
        Some(text) => Ok(duration::parse(text).map(drop)?),
        None => Err(CronError::Descriptor(text.to_owned())),
    }
}

impl Field {
    /// Checks `*`, `?`, `number` or `number-number`, each with or without `/number` behind it.
    fn check(&self, text: &str) -> Result<(), String> {
        let (range, step) = match text.split_once('/') {
            Some((_, step)) if step.contains('/') => return Err("has more than one /".to_owned()),
            Some((range, step)) => (range, Some(step)),
            None => (text, None),
        };
        let (low, high) = match range.split_once('-') {
            Some((low, high)) => (low, Some(high)),
            None => (range, None),
        };
        let (start, end) = if matches!(low, "*" | "?") {
            (self.min, self.max)
        } else {
            let start = self.value(low)?;
            let end = match high {
                Some(high) if high.contains('-') => return Err("has more than one -".to_owned()),
                Some(high) => self.value(high)?,
                // `5/15` goes on to the end.
                None if step.is_some() => self.max,
                None => start,
            };
            (start, end)
        };
        let step = step.map_or(Ok(1), integer)?;
        let Field { min, max, .. } = self;
        if start < *min {
            Err(format!("{start} is below the minimum, {min}"))
        } else if end > *max {
            Err(format!("{end} is above the maximum, {max}"))
        } else if start > end {
            Err(format!("{start} is beyond {end}"))
        } else if step == 0 {
            Err("the step must be more than 0".to_owned())
        } else {
            Ok(())
        }
    }

    fn value(&self, text: &str) -> Result<u64, String> {
        // Go lowers one character to one.
        let lower: String = text
            .chars()
            .filter_map(|c| c.to_lowercase().next())
            .collect();
        let word = (self.first..)
            .zip(self.words)
            .find(|(_, word)| **word == lower);
        word.map_or_else(|| integer(text), |(number, _)| Ok(number))
    }
}

/// `strconv.Atoi`, for what is not negative.
fn integer(text: &str) -> Result<u64, String> {
    match text.parse::<i64>() {
        Ok(number) => u64::try_from(number).map_err(|_| format!("{} is negative", quote(text))),
        Err(_) => Err(format!("{} is not a number", quote(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_library_reads() {
        for text in [
            "* * * * *",
            "*/5 * * * *",
            "*/60 * * * *",
            "0 */36 * * *",
            "5/15 * * * *",
            "? ? ? ? ?",
            "0 0 1 jan sun",
            "0 0 1 JAN-Dec Mon-fri/2",
            "1,2,3-5,*/7 * * * *",
            ", , , , ,",
            "1,,2 * * * *",
            "*-x * * * *",
            "*-1-2-3/4 * * * *",
            "+5 * * * *",
            "005 * * * *",
            "  0\t0 1\u{a0}1 0\n",
            "@yearly",
            "@annually",
            "@monthly",
            "@weekly",
            "@daily",
            "@midnight",
            "@hourly",
            "@every 1h30m",
            "@every -5s",
            "TZ=Asia/Tokyo 0 0 * * *",
            "CRON_TZ=UTC   @daily ",
            "TZ= 0 0 * * *",
        ] {
            assert_eq!(parse(text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn refuses_what_the_library_refuses() {
        for text in [
            "",
            " ",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 0 *",
            "* * * 13 *",
            "* * * * 7",
            "*/0 * * * *",
            "*/-1 * * * *",
            "*/ * * * *",
            "/5 * * * *",
            "*/5/5 * * * *",
            "5-1 * * * *",
            "1-2-3 * * * *",
            "-1 * * * *",
            "1- * * * *",
            "a * * * *",
            "** * * * *",
            "*5 * * * *",
            "jan * * * *",
            "* * * sun *",
            "* * * january *",
            "99999999999999999999 * * * *",
            "* * L * *",
            "* * * * 1#2",
            "@Daily",
            "@daily ",
            " @daily",
            "@every",
            "@every 1d",
            "@every  1h",
            "@reboot",
            "TZ=UTC",
            "TZ=../x * * * * *",
            "TZ=/etc/x * * * * *",
            "tz=UTC * * * * *",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
