//! Handling labels as documents write them.

use super::skip::SkipReason;

/// The labels of TLP 2.0 from the widest audience to the narrowest, with the spellings of each.
const TLP: &[(&str, &[&str])] = &[
    // TLP 1.0 called it WHITE.
    ("CLEAR", &["CLEAR", "WHITE"]),
    ("GREEN", &["GREEN"]),
    ("AMBER", &["AMBER"]),
    (
        "AMBER+STRICT",
        &["AMBER+STRICT", "AMBER-STRICT", "AMBER STRICT"],
    ),
    ("RED", &["RED"]),
];

/// Europol's handling codes, in ascending order.
const HANDLING_CODES: &[(&str, &[&str])] = &[
    ("H0", &["H0"]),
    ("H1", &["H1"]),
    ("H2", &["H2"]),
    ("H3", &["H3"]),
];

/// The strictest TLP label of those given; none where none is given.
///
/// # Errors
/// [`SkipReason::BadLabel`] for the first that is unknown.
pub(crate) fn strictest_tlp<'a>(
    labels: impl IntoIterator<Item = &'a str>,
) -> Result<Option<String>, SkipReason> {
    strictest(labels, TLP, "TLP:")
}

/// The highest handling code of those given; none where none is given.
///
/// # Errors
/// [`SkipReason::BadLabel`] for the first that is unknown.
pub(crate) fn highest_code<'a>(
    codes: impl IntoIterator<Item = &'a str>,
) -> Result<Option<String>, SkipReason> {
    strictest(codes, HANDLING_CODES, "")
}

fn strictest<'a>(
    labels: impl IntoIterator<Item = &'a str>,
    known: &[(&str, &[&str])],
    prefix: &str,
) -> Result<Option<String>, SkipReason> {
    let mut strictest = None;
    for label in labels {
        let upper = label.trim().to_uppercase();
        let bare = upper.strip_prefix(prefix).unwrap_or(&upper).trim();
        let rank = known
            .iter()
            .position(|(_, spellings)| spellings.contains(&bare));
        let rank = rank.ok_or_else(|| {
            let mut value = label.to_owned();
            super::clean::cut(&mut value, super::limits::TAG_BYTES_MAX);
            SkipReason::BadLabel { value }
        })?;
        strictest = strictest.max(Some(rank));
    }
    Ok(strictest
        .and_then(|rank| known.get(rank))
        .map(|(name, _)| (*name).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_label_wins_in_any_order() {
        let strictest = |labels: &[&str]| strictest_tlp(labels.iter().copied()).unwrap();
        assert_eq!(strictest(&[]), None);
        assert_eq!(strictest(&["TLP:GREEN", "clear"]).as_deref(), Some("GREEN"));
        assert_eq!(
            strictest(&["amber+strict", "AMBER"]).as_deref(),
            Some("AMBER+STRICT")
        );
        assert_eq!(
            strictest(&["red", "TLP: Amber-Strict"]).as_deref(),
            Some("RED")
        );
        assert_eq!(highest_code(["h1", "H0"]).unwrap().as_deref(), Some("H1"));
    }

    #[test]
    fn an_unknown_label_is_never_passed_over() {
        for label in ["", "GRENE", "TLP:EX:AMBER", "secret"] {
            let refusal = strictest_tlp(["RED", label]);
            assert_eq!(
                refusal,
                Err(SkipReason::BadLabel {
                    value: label.to_owned()
                })
            );
        }
        assert!(highest_code(["H4"]).is_err());
    }
}
