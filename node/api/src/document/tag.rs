//! Language tags (BCP 47) in canonical case, and the languages that a path may name.

use std::fmt;

/// The two-letter codes of ISO 639-1.
const TWO_LETTER: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce \
    ch co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv \
    ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr \
    ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn \
    no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so \
    sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh \
    yi yo za zh zu";

/// Languages around the Mediterranean that have three letters only, and "undetermined".
const THREE_LETTER: &str = "und ary arz arq aeb ayl apc kab tzm zgh shi rif ckb kmr prs rmn fil";

/// Three-letter codes and retired codes of languages that have a current two-letter code.
#[rustfmt::skip] // a table reads better in columns
const SHORTER: &[(&str, &str)] = &[
    ("epo", "eo"), ("eng", "en"), ("rus", "ru"), ("cmn", "zh"), ("zho", "zh"), ("chi", "zh"),
    ("spa", "es"), ("por", "pt"), ("ita", "it"), ("ben", "bn"), ("fra", "fr"), ("fre", "fr"),
    ("deu", "de"), ("ger", "de"), ("ukr", "uk"), ("kat", "ka"), ("ara", "ar"), ("hin", "hi"),
    ("jpn", "ja"), ("heb", "he"), ("iw", "he"), ("yid", "yi"), ("ji", "yi"), ("pol", "pl"),
    ("amh", "am"), ("jav", "jv"), ("kor", "ko"), ("nob", "nb"), ("dan", "da"), ("swe", "sv"),
    ("fin", "fi"), ("tur", "tr"), ("nld", "nl"), ("hun", "hu"), ("ces", "cs"), ("ell", "el"),
    ("gre", "el"), ("bul", "bg"), ("bel", "be"), ("mar", "mr"), ("kan", "kn"), ("ron", "ro"),
    ("slv", "sl"), ("hrv", "hr"), ("srp", "sr"), ("mkd", "mk"), ("lit", "lt"), ("lav", "lv"),
    ("est", "et"), ("tam", "ta"), ("vie", "vi"), ("urd", "ur"), ("tha", "th"), ("guj", "gu"),
    ("uzb", "uz"), ("pan", "pa"), ("aze", "az"), ("ind", "id"), ("in", "id"), ("tel", "te"),
    ("pes", "fa"), ("fas", "fa"), ("mal", "ml"), ("ori", "or"), ("mya", "my"), ("nep", "ne"),
    ("sin", "si"), ("khm", "km"), ("tuk", "tk"), ("aka", "ak"), ("zul", "zu"), ("sna", "sn"),
    ("afr", "af"), ("lat", "la"), ("slk", "sk"), ("cat", "ca"), ("tgl", "tl"), ("hye", "hy"),
    ("cym", "cy"), ("sqi", "sq"), ("bos", "bs"), ("mlt", "mt"), ("kur", "ku"),
];

/// Scripts that folders of translations are told apart by.
const SCRIPTS: &[&str] = &[
    "Arab", "Cyrl", "Grek", "Hans", "Hant", "Hebr", "Latn", "Tfng",
];

/// Longest tag in bytes; BCP 47 asks for room for 35.
const TAG_BYTES_MAX: usize = 35;

/// A well-formed language tag in canonical case: `fr`, `pt-BR`, `sr-Latn`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tag(String);

impl Tag {
    /// The tag of text whose language nobody knows.
    pub(crate) fn undetermined() -> Self {
        Self("und".to_owned())
    }

    /// Reads a tag as people write it (`fr`, `ar_AE`, `FR-fr`, `fra`); none where it is not well
    /// formed. Whether the language exists is [`Tag::is_known`].
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.len() > TAG_BYTES_MAX {
            return None;
        }
        let mut parts = text.split(['-', '_']).map(str::to_ascii_lowercase);
        let primary = parts
            .next()
            .filter(|p| matches!(p.len(), 2 | 3) && p.bytes().all(|b| b.is_ascii_lowercase()))?;
        let shorter = SHORTER.iter().find(|(long, _)| *long == primary);
        let mut tag = shorter.map_or(primary, |(_, short)| (*short).to_owned());
        let mut private = false;
        let mut last_len = usize::MAX;
        for part in parts {
            let shaped = canonical_subtag(&part, private)?;
            private |= part.len() == 1;
            last_len = part.len();
            tag.push('-');
            tag.push_str(&shaped);
        }
        // A singleton such as `x` announces more.
        (last_len > 1).then_some(Self(tag))
    }

    /// Reads the name of a folder or a suffix of a file as a language, more strictly than
    /// [`Tag::parse`]: `fin`, `src` and `no_go` are names like any other.
    pub(crate) fn from_path_part(part: &str) -> Option<Self> {
        let primary = part.split(['-', '_']).next()?;
        let lower = primary.to_ascii_lowercase();
        let one_case = primary == lower || primary == primary.to_ascii_uppercase();
        if !one_case || !current_codes().any(|code| code == lower) {
            return None;
        }
        let tag = Self::parse(part)?;
        let ordinary = tag.0.split('-').skip(1).take_while(|subtag| *subtag != "x");
        let known = |subtag: &str| subtag.len() < 4 || SCRIPTS.contains(&subtag);
        ordinary.into_iter().all(known).then_some(tag)
    }

    /// Whether the language is one that we know by name.
    pub(crate) fn is_known(&self) -> bool {
        let primary = self.primary();
        current_codes().any(|code| code == primary)
    }

    /// The language without script and region.
    pub(crate) fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }

    /// The more precise of two tags of one language: `pt` and `pt-PT` give `pt-PT`. The first
    /// where they differ otherwise.
    pub(crate) fn refined_by(self, other: Option<&Tag>) -> Self {
        match other {
            Some(other) if !self.0.contains('-') && other.primary() == self.0 => other.clone(),
            _ => self,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn current_codes() -> impl Iterator<Item = &'static str> {
    TWO_LETTER
        .split_ascii_whitespace()
        .chain(THREE_LETTER.split_ascii_whitespace())
}

/// One subtag after the first, given in lower case: `Latn`, `BR`, `419`, `fonipa`.
fn canonical_subtag(part: &str, private: bool) -> Option<String> {
    let shape = (
        part.len(),
        part.bytes().all(|b| b.is_ascii_alphabetic()),
        part.bytes().all(|b| b.is_ascii_digit()),
    );
    if !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    match shape {
        (1..=8, _, _) if private => Some(part.to_owned()),
        (1, true, _) => Some(part.to_owned()),
        (2, true, _) => Some(part.to_ascii_uppercase()),
        (3, _, true) | (5..=8, _, _) => Some(part.to_owned()),
        (4, true, _) => {
            let mut chars = part.chars();
            let first = chars.next()?.to_ascii_uppercase();
            Some(std::iter::once(first).chain(chars).collect())
        }
        (4, false, _) if part.starts_with(|c: char| c.is_ascii_digit()) => Some(part.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_take_their_canonical_case() {
        for (written, canonical) in [
            ("fr", "fr"),
            ("FR", "fr"),
            ("ar_AE", "ar-AE"),
            ("pt-br", "pt-BR"),
            ("fra", "fr"),
            ("iw", "he"),
            ("sr-LATN-rs", "sr-Latn-RS"),
            ("es-419", "es-419"),
            ("und", "und"),
            ("und-x-1a2b", "und-x-1a2b"),
            ("kab", "kab"),
        ] {
            assert_eq!(
                Tag::parse(written).map(|t| t.0),
                Some(canonical.to_owned()),
                "{written}"
            );
        }
        for wrong in [
            "", "f", "french", "fr-", "fr-x", "../fr", "fr/ar", "fr-a b", "\u{e9}n",
        ] {
            assert_eq!(Tag::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_real_languages_are_path_parts() {
        for name in ["fr", "FR", "pt-BR", "pt_BR", "zh-Hans", "ar", "he", "kab"] {
            assert!(Tag::from_path_part(name).is_some(), "{name}");
        }
        for name in [
            "src", "fin", "doc", "Fr", "xx", "french", "v2", "img", "fr.d", "no-where", "id-card",
        ] {
            assert!(Tag::from_path_part(name).is_none(), "{name}");
        }
    }

    #[test]
    fn the_more_precise_tag_of_one_language_wins() {
        let tag = |t: &str| Tag::parse(t).unwrap();
        assert_eq!(tag("pt").refined_by(Some(&tag("pt-PT"))), tag("pt-PT"));
        assert_eq!(tag("pt-BR").refined_by(Some(&tag("pt-PT"))), tag("pt-BR"));
        assert_eq!(tag("pt").refined_by(Some(&tag("ar"))), tag("pt"));
    }
}
