//! When Argo CD applies an object, among those of the same application.

use super::sync::{ARGO_HOOK, values};
use crate::{api::Meta, rules::annotation};

/// The wave of a sync, a number; lower ones come first.
const WAVE: &str = "argocd.argoproj.io/sync-wave";

/// When Argo CD applies an object: in which phase, and in which wave of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rules) struct Wave {
    /// First the phase, then the wave.
    pub(in crate::rules) order: (i8, i64),
    /// Whether the object itself says so.
    pub(in crate::rules) explicit: bool,
    /// Where it does, or would.
    pub(in crate::rules) pointer: String,
}

impl Wave {
    /// As a person would name it.
    pub(in crate::rules) fn shown(&self) -> String {
        match self.order {
            (-1, _) => "PreSync".to_owned(),
            (1, _) => "PostSync".to_owned(),
            (_, wave) => format!("wave {wave}"),
        }
    }
}

/// When Argo CD applies an object. What is no number is wave 0.
pub(in crate::rules) fn wave(meta: &Meta) -> Wave {
    let wave = meta
        .annotation(WAVE)
        .and_then(|text| text.parse::<i64>().ok());
    // One that has several phases is made in each.
    let phases = meta.annotation(ARGO_HOOK).map(values).into_iter().flatten();
    let phase = phases.filter_map(|phase| match phase {
        "PreSync" => Some(-1),
        "Sync" => Some(0),
        "PostSync" => Some(1),
        _ => None,
    });
    let phase = phase.min();
    let hook = phase.is_some_and(|phase| phase != 0);
    Wave {
        order: (phase.unwrap_or_default(), wave.unwrap_or_default()),
        explicit: wave.is_some() || hook,
        pointer: annotation(if hook { ARGO_HOOK } else { WAVE }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_come_before_waves() {
        let order = |annotations: &[(&str, &str)]| {
            let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let meta = Meta {
                annotations: annotations.iter().map(pair).collect(),
                ..Meta::default()
            };
            wave(&meta).order
        };
        assert_eq!(order(&[]), (0, 0));
        assert_eq!(order(&[(WAVE, "-3")]), (0, -3));
        assert_eq!(order(&[(WAVE, "+3")]), (0, 3));
        assert_eq!(order(&[(WAVE, "soon")]), (0, 0));
        assert_eq!(order(&[(WAVE, "5"), (ARGO_HOOK, "PreSync")]), (-1, 5));
        assert_eq!(order(&[(ARGO_HOOK, "PostSync, Sync")]), (0, 0));
        assert_eq!(order(&[(ARGO_HOOK, "SyncFail")]), (0, 0));
    }
}
