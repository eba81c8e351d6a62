//! Which language a text is in, and whether what the file claims is true.

use whatlang::Lang;

use super::tag::Tag;

/// Fewest letters of prose that can disprove a claim. Shorter texts are names, commands and
/// half-sentences, of which detection says anything.
const CLAIM_LETTERS_MIN: usize = 300;

/// Fewest letters of prose from which a language is told where nobody claims one.
const GUESS_LETTERS_MIN: usize = 30;

/// Fewest letters of prose from which the more probable of two languages is taken where nobody
/// claims one.
const LIKELY_LETTERS_MIN: usize = 300;

/// Fewest letters of a line that can speak for its language.
const LINE_LETTERS_MIN: usize = 25;

/// A text that has one letter in so many in the script or the lines of the language claimed is
/// taken as a half-finished translation, and keeps its claim.
const CLAIMED_SHARE_MIN: usize = 8;

/// Languages that statistics of three letters mix up; among them the claim stands.
const ALIKE: &[&[&str]] = &[
    &[
        "es", "pt", "gl", "ca", "an", "oc", "ast", "it", "la", "co", "sc",
    ],
    &["nb", "no", "nn", "da", "sv", "fo", "is"],
    &["hr", "sr", "bs", "sl", "mk", "bg"],
    &["cs", "sk", "pl"],
    &["ru", "uk", "be", "bg", "mk", "sr"],
    &["id", "ms", "jv", "tl", "su", "fil"],
    &["tr", "az", "tk", "uz", "ku", "kmr"],
    &["fa", "ur", "prs", "ps", "ckb", "ku"],
    &["ar", "ary", "arz", "arq", "aeb", "ayl", "apc"],
    &["hi", "mr", "ne"],
    &["de", "nl", "af", "lb", "yi"],
    &["he", "yi"],
    &["fr", "oc", "ca", "wa", "br"],
    &["zh", "ja"],
    &["ber", "kab", "tzm", "zgh", "shi", "rif"],
];

/// What a text turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The language to use.
    pub(crate) lang: Tag,
    /// The claim was wrong.
    pub(crate) corrected: bool,
    /// The text was long and clear enough to confirm the claim.
    pub(crate) confirmed: bool,
}

/// Judges prose against the language that its file claims.
pub(crate) fn judge(prose: &str, claim: Option<Tag>) -> Verdict {
    let letters = prose.chars().filter(|c| c.is_alphabetic()).count();
    let Some(claim) = claim else {
        let found = whatlang::detect(prose).filter(|info| {
            letters >= LIKELY_LETTERS_MIN && info.confidence() > 0.5
                || letters >= GUESS_LETTERS_MIN && info.is_reliable()
        });
        let lang = found.and_then(|info| Tag::parse(info.lang().code()));
        let lang = lang.unwrap_or_else(Tag::undetermined);
        return Verdict {
            lang,
            corrected: false,
            confirmed: false,
        };
    };
    let info =
        whatlang::detect(prose).filter(|info| letters >= CLAIM_LETTERS_MIN && info.is_reliable());
    let detected = info.and_then(|info| Some((info.lang(), Tag::parse(info.lang().code())?)));
    match detected {
        None => Verdict {
            lang: claim,
            corrected: false,
            confirmed: false,
        },
        Some((_, detected)) if alike(&claim, &detected) => {
            let confirmed = claim.primary() == detected.primary();
            Verdict {
                lang: claim,
                corrected: false,
                confirmed,
            }
        }
        Some((lang, detected)) if disproves(prose, letters, &claim, lang) => Verdict {
            lang: detected,
            corrected: true,
            confirmed: false,
        },
        Some(_) => Verdict {
            lang: claim,
            corrected: false,
            confirmed: false,
        },
    }
}

fn alike(claim: &Tag, detected: &Tag) -> bool {
    let (claim, detected) = (claim.primary(), detected.primary());
    claim == detected
        || ALIKE
            .iter()
            .any(|group| group.contains(&claim) && group.contains(&detected))
}

/// Whether hardly anything of a text is in the language claimed.
fn disproves(prose: &str, letters: usize, claim: &Tag, detected: Lang) -> bool {
    let of_claim = if let Some(is_of_script) = script_of(claim) {
        prose.chars().filter(|c| is_of_script(*c)).count()
    } else {
        let is_claimed = |lang: &&Lang| {
            Tag::parse(lang.code()).is_some_and(|tag| tag.primary() == claim.primary())
        };
        let Some(claimed) = Lang::all().iter().find(is_claimed) else {
            // A language that the detector does not know is always taken for another.
            return false;
        };
        letters_of_lines_in(*claimed, detected, prose)
    };
    of_claim.saturating_mul(CLAIMED_SHARE_MIN) < letters
}

/// Letters of the lines that are rather in `claimed` than in `other`.
fn letters_of_lines_in(claimed: Lang, other: Lang, prose: &str) -> usize {
    let detector = whatlang::Detector::with_allowlist(vec![claimed, other]);
    let lines = prose.lines().filter_map(|line| {
        let letters = line.chars().filter(|c| c.is_alphabetic()).count();
        let counts = letters >= LINE_LETTERS_MIN && detector.detect_lang(line) == Some(claimed);
        counts.then_some(letters)
    });
    lines.sum()
}

/// Letters of the script of a language that is not written in Latin; none for the others.
fn script_of(tag: &Tag) -> Option<fn(char) -> bool> {
    if tag.as_str().contains("-Latn") {
        return None;
    }
    Some(match tag.primary() {
        "ar" | "fa" | "ur" | "ps" | "ckb" | "prs" | "arz" | "ary" | "arq" | "aeb" | "ayl"
        | "apc" => {
            |c| matches!(c, '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{fb50}'..='\u{fefc}')
        }
        "he" | "yi" => |c| matches!(c, '\u{590}'..='\u{5ff}'),
        "el" => |c| matches!(c, '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}'),
        "ru" | "uk" | "be" | "bg" | "mk" => |c| matches!(c, '\u{400}'..='\u{52f}'),
        "zh" | "ja" | "ko" => |c| matches!(c, '\u{2e80}'..='\u{d7ff}'),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: &str = "Keep the evidence where it was found until somebody who may decide \
        about it has seen it. Write down who touched the device, at what time and for what \
        reason. A telephone that is switched on stays on, and one that is off stays off, until \
        the laboratory has answered. Whoever seizes a server asks first which other services \
        depend on it, because a hospital may stop working when the machine stops. Photographs of \
        the cables help to put everything together again in the laboratory afterwards.";
    const FRENCH: &str = "Conservez la preuve à l'endroit où elle a été trouvée jusqu'à ce que la \
        personne compétente l'ait vue. Notez qui a touché l'appareil, à quelle heure et pour \
        quelle raison. Un téléphone allumé reste allumé, un téléphone éteint reste éteint, tant \
        que le laboratoire n'a pas répondu. Avant de saisir un serveur, demandez quels services \
        en dépendent, car un hôpital pourrait s'arrêter avec la machine. Des photographies des \
        câbles aident ensuite le laboratoire à tout remonter comme auparavant.";

    fn verdict(text: &str, claim: Option<&str>) -> (String, bool) {
        let verdict = judge(text, claim.and_then(Tag::parse));
        (verdict.lang.to_string(), verdict.corrected)
    }

    #[test]
    fn without_a_claim_the_text_decides() {
        assert_eq!(verdict(ENGLISH, None), ("en".to_owned(), false));
        assert_eq!(verdict(FRENCH, None), ("fr".to_owned(), false));
        assert_eq!(verdict("ls -l", None), ("und".to_owned(), false));
        assert_eq!(verdict("", None), ("und".to_owned(), false));
    }

    #[test]
    fn a_clearly_wrong_claim_is_corrected() {
        assert_eq!(verdict(ENGLISH, Some("ar")), ("en".to_owned(), true));
        assert_eq!(verdict(ENGLISH, Some("fr-CA")), ("en".to_owned(), true));
        assert_eq!(verdict(FRENCH, Some("en")), ("fr".to_owned(), true));
    }

    #[test]
    fn a_claim_that_may_be_true_stands() {
        assert_eq!(verdict(FRENCH, Some("fr-BE")), ("fr-BE".to_owned(), false));
        assert_eq!(
            verdict("Seize the server.", Some("fr")),
            ("fr".to_owned(), false)
        );
        let half = format!("{FRENCH}\n{ENGLISH}");
        assert_eq!(verdict(&half, Some("fr")), ("fr".to_owned(), false));
        assert_eq!(verdict(&half, Some("en")), ("en".to_owned(), false));
        // Maltese has no profile, Occitan looks like French.
        assert_eq!(verdict(ENGLISH, Some("mt")), ("mt".to_owned(), false));
        assert_eq!(verdict(FRENCH, Some("oc")), ("oc".to_owned(), false));
        let mixed = format!("{ENGLISH} {}", "شرطة وطنية ومكافحة الجرائم ".repeat(8));
        assert_eq!(verdict(&mixed, Some("ar")), ("ar".to_owned(), false));
    }
}
