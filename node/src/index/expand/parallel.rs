//! Which records are translations of each other, where each has one language and nothing says so.
//!
//! What translators leave as it is tells: names, numbers, addresses, words of code, words that two languages share.
//! These are a record's anchors. The more of them two records have in common, and the rarer they are, the likelier they
//! say the same; and they have as many headings (Resnik and Smith, "The Web as a Parallel Corpus", Computational
//! Linguistics 29, 2003). Each is paired with one at most, and only where both fit each other better than any other.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash as _, Hasher as _};
use std::ops::Range;

use super::super::analysis::Language;
use super::super::headings::headings;
use super::stems;

/// Records that are held against each other.
const RECORDS_MAX: usize = 20_000;
/// Anchors of a record. Of more, those with the lowest numbers are kept, which are the same in its translation.
const ANCHORS_MAX: usize = 1024;
/// Anchors of all records.
const ALL_ANCHORS_MAX: usize = 4_000_000;
/// Bytes of a text that are looked at.
const TEXT_MAX: usize = 64 * 1024;
/// Anchors that a pair shares at least.
const SHARED_MIN: u32 = 4;
/// Least likeness of a pair, of one.
const LIKENESS_MIN: f32 = 0.4;
/// How many times as like each other two must be as either is to any other.
const AHEAD: f32 = 1.2;
/// Times that one record is held against another for one anchor, for each pair of languages: the rarest come first.
const WORK_MAX: u64 = 10_000_000;

/// Records of one language each.
#[derive(Default)]
pub struct Parallel {
    of: BTreeMap<Language, Vec<Outline>>,
    taken: usize,
    anchors: usize,
}

/// What translators leave of a record as it is.
struct Outline {
    record: u64,
    /// Ascending, each once.
    anchors: Vec<u32>,
    headings: usize,
}

/// How like another a record is to those that are compared with it.
#[derive(Clone, Copy, Default)]
struct Best {
    likeness: f32,
    /// The second best.
    behind: f32,
    with: usize,
}

impl Best {
    fn see(&mut self, likeness: f32, with: usize) {
        if likeness > self.likeness {
            self.behind = self.likeness;
            (self.likeness, self.with) = (likeness, with);
        } else {
            self.behind = self.behind.max(likeness);
        }
    }

    fn is_clear(&self) -> bool {
        self.likeness >= LIKENESS_MIN && self.likeness >= AHEAD * self.behind
    }
}

impl Parallel {
    /// Whether no more is taken.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.taken >= RECORDS_MAX || self.anchors >= ALL_ANCHORS_MAX
    }

    /// Takes a record of one language, by BCP 47 tag, and its texts.
    pub fn take(&mut self, record: u64, tag: &str, texts: &[&str]) {
        let language = Language::of_tag(tag);
        if self.is_full() || language == Language::Other {
            return;
        }
        let mut anchors = BTreeSet::new();
        for text in texts {
            let end = text.floor_char_boundary(TEXT_MAX);
            for word in stems(Language::Other, text.get(..end).unwrap_or_default()) {
                if is_anchor(&word.stem) {
                    anchors.insert(number(&word.stem));
                }
                if anchors.len() > ANCHORS_MAX {
                    anchors.pop_last();
                }
            }
        }
        if anchors.len() < SHARED_MIN as usize {
            return;
        }
        let headings = texts.iter().flat_map(|text| headings(text));
        self.taken += 1;
        self.anchors += anchors.len();
        self.of.entry(language).or_default().push(Outline {
            record,
            headings: headings.count(),
            anchors: anchors.into_iter().collect(),
        });
    }

    /// The pairs.
    #[must_use]
    pub fn pairs(&self) -> Vec<(u64, u64)> {
        let mut found = Vec::new();
        for (one, left) in &self.of {
            for (other, right) in &self.of {
                if one < other {
                    found.extend(pairs(left, right));
                }
            }
        }
        found
    }
}

/// Letters and digits that are the same in every script that a translation may be in.
fn is_anchor(word: &str) -> bool {
    word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// An anchor by number: two that share one are rare enough.
#[expect(clippy::cast_possible_truncation, reason = "a hash")]
fn number(word: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish() as u32
}

fn pairs(left: &[Outline], right: &[Outline]) -> Vec<(u64, u64)> {
    let (on_left, on_right) = (having(left), having(right));
    let shared = shared(&on_left, &on_right, left.len() + right.len());
    let (left_lengths, right_lengths) = (lengths(left, &shared), lengths(right, &shared));
    let mut best_right = vec![Best::default(); right.len()];
    let mut best_left = vec![Best::default(); left.len()];
    // By the other record: the sum of weights that are shared with it, and how many they are.
    let mut sums = vec![(0.0_f32, 0_u32); right.len()];
    let mut met = Vec::new();
    for (at, (outline, length)) in left.iter().zip(&left_lengths).enumerate() {
        for Shared { weight, right, .. } in known(&shared, outline) {
            for (_, other) in on_right.get(right.clone()).unwrap_or_default() {
                if let Some((sum, count)) = sums.get_mut(*other) {
                    if *count == 0 {
                        met.push(*other);
                    }
                    *sum += weight;
                    *count += 1;
                }
            }
        }
        for other in met.drain(..) {
            let lengths = length * right_lengths.get(other).copied().unwrap_or(f32::MAX);
            let (Some(sums), Some(of_left), Some(of_right)) = (
                sums.get_mut(other),
                best_left.get_mut(at),
                best_right.get_mut(other),
            ) else {
                continue;
            };
            let (sum, count) = std::mem::take(sums);
            if count >= SHARED_MIN && lengths > 0.0 {
                of_left.see(sum / lengths, other);
                of_right.see(sum / lengths, at);
            }
        }
    }
    let each = left.iter().zip(&best_left).enumerate();
    let agreed = each.filter_map(|(at, (outline, best))| {
        let (other, back) = (right.get(best.with)?, best_right.get(best.with)?);
        let is_mutual = best.is_clear() && back.is_clear() && back.with == at;
        (is_mutual && outline.headings == other.headings).then_some((outline.record, other.record))
    });
    agreed.collect()
}

/// Anchors and the records that have them, by anchor.
fn having(outlines: &[Outline]) -> Vec<(u32, usize)> {
    let each = outlines.iter().enumerate();
    let mut having: Vec<(u32, usize)> = each
        .flat_map(|(at, outline)| outline.anchors.iter().map(move |anchor| (*anchor, at)))
        .collect();
    having.sort_unstable();
    having
}

/// An anchor that records on both sides have.
struct Shared {
    anchor: u32,
    /// What it says: the square of the inverse document frequency.
    weight: f32,
    /// Which of those on the right have it.
    right: Range<usize>,
}

/// The anchors of both sides, the rarest of them as far as the work allows, by anchor.
fn shared(left: &[(u32, usize)], right: &[(u32, usize)], records: usize) -> Vec<Shared> {
    let mut both = Vec::new();
    let mut from = 0;
    for on_left in left.chunk_by(|one, next| one.0 == next.0) {
        let Some((anchor, _)) = on_left.first() else {
            continue;
        };
        let behind = right.get(from..).unwrap_or_default();
        let start = from + behind.partition_point(|(other, _)| other < anchor);
        let behind = right.get(start..).unwrap_or_default();
        from = start + behind.partition_point(|(other, _)| other == anchor);
        let (of_left, of_right) = (on_left.len(), from - start);
        if of_right > 0 {
            let shared = Shared {
                anchor: *anchor,
                weight: (records as f32 / (of_left + of_right) as f32).ln().powi(2),
                right: start..from,
            };
            both.push((of_left as u64 * of_right as u64, shared));
        }
    }
    both.sort_unstable_by_key(|(pairs, shared)| (*pairs, shared.anchor));
    let mut work = 0;
    let affordable = both.into_iter().take_while(|(pairs, _)| {
        work += pairs;
        work <= WORK_MAX
    });
    let mut affordable: Vec<Shared> = affordable.map(|(_, shared)| shared).collect();
    affordable.sort_unstable_by_key(|shared| shared.anchor);
    affordable
}

/// The anchors of a record that are held against others.
fn known<'s>(shared: &'s [Shared], outline: &'s Outline) -> impl Iterator<Item = &'s Shared> {
    outline.anchors.iter().filter_map(|anchor| {
        let at = shared.binary_search_by_key(anchor, |shared| shared.anchor);
        shared.get(at.ok()?)
    })
}

/// How much each record has to share.
fn lengths(of: &[Outline], shared: &[Shared]) -> Vec<f32> {
    let sums = of.iter().map(|outline| {
        let weights = known(shared, outline).map(|shared| shared.weight);
        weights.sum::<f32>()
    });
    sums.map(f32::sqrt).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FRENCH: &str = "# Saisir un téléphone\n\nMode avion, puis `adb pull /sdcard` avec Cellebrite UFED 4PC, clé AES256.";
    const ARABIC: &str =
        "# ضبط هاتف\n\nوضع الطيران ثم `adb pull /sdcard` مع Cellebrite UFED 4PC والمفتاح AES256.";

    fn pairs(records: &[(u64, &str, &str)]) -> Vec<(u64, u64)> {
        let mut parallel = Parallel::default();
        for (record, lang, text) in records {
            parallel.take(*record, lang, &[text]);
        }
        parallel.pairs()
    }

    #[test]
    fn what_translators_leave_as_it_is_brings_records_together() {
        let others = [
            (
                3,
                "fr",
                "# Virements\n\nSWIFT MT103 et IBAN sous 24 heures, formulaire TRACFIN 11 par goAML.",
            ),
            (
                4,
                "ar",
                "# شهود\n\nالبروتوكول 2021 من CEPOL و UNODC و EUROJUST و FRONTEX.",
            ),
        ];
        let mut records = others.to_vec();
        records.extend([(1, "fr", FRENCH), (2, "ar", ARABIC)]);
        assert_eq!(pairs(&records), [(1, 2)]);
        records.reverse();
        assert_eq!(pairs(&records), [(1, 2)]);
    }

    #[test]
    fn other_headings_or_a_second_one_that_fits_as_well_are_no_pair() {
        let more = format!("{ARABIC}\n\n## خاتمة\n\nنص.");
        let other = (
            9,
            "ar",
            "# شهود\n\nالبروتوكول 2021 من CEPOL و UNODC و EUROJUST.",
        );
        let more = [(1, "fr", FRENCH), (2, "ar", &more), other];
        assert_eq!(pairs(&more), []);
        let twice = [
            (1, "fr", FRENCH),
            (2, "ar", ARABIC),
            (3, "ar", ARABIC),
            other,
        ];
        assert_eq!(pairs(&twice), []);
        let same_language = [(1, "fr", FRENCH), (2, "fr", FRENCH), other];
        assert_eq!(pairs(&same_language), []);
    }

    #[test]
    fn what_is_held_against_each_other_is_bounded() {
        let mut parallel = Parallel::default();
        for record in 0..RECORDS_MAX as u64 + 10 {
            parallel.take(record, "fr", &["adb pull sdcard UFED"]);
        }
        assert!(parallel.is_full());
        assert_eq!(parallel.taken, RECORDS_MAX);
        let long: String = (0..100_000).map(|n| format!("m{n} ")).collect();
        let mut parallel = Parallel::default();
        parallel.take(1, "en", &[&long]);
        assert_eq!(
            parallel.of[&Language::English][0].anchors.len(),
            ANCHORS_MAX
        );
        parallel.take(2, "en", &["of two anchors"]);
        assert_eq!(parallel.taken, 1, "too few anchors");
    }

    proptest! {
        #[test]
        fn a_record_has_one_counterpart_in_a_language_at_most(
            anchors in prop::collection::vec((0..3_usize, prop::collection::vec(0..40_u32, 4..12)), 0..24),
        ) {
            let texts: Vec<String> = anchors.iter().map(|(_, anchors)| {
                anchors.iter().map(|anchor| format!("m{anchor} ")).collect()
            }).collect();
            let languages = ["fr", "en", "ar"];
            let records: Vec<(u64, &str, &str)> = anchors.iter().zip(&texts).zip(0..)
                .map(|(((lang, _), text), num)| (num, languages[*lang], text.as_str()))
                .collect();
            let found = pairs(&records);
            let of = |record: u64| {
                let found = records.iter().find(|(num, ..)| *num == record);
                found.unwrap().1
            };
            for (one, other) in &found {
                prop_assert_ne!(of(*one), of(*other));
            }
            for record in 0..records.len() as u64 {
                for lang in languages {
                    let with = found.iter().filter(|(one, other)| {
                        (*one == record && of(*other) == lang) || (*other == record && of(*one) == lang)
                    });
                    prop_assert!(with.count() <= 1);
                }
            }
            let mut reversed = records.clone();
            reversed.reverse();
            let sorted = |mut pairs: Vec<(u64, u64)>| { pairs.sort_unstable(); pairs };
            prop_assert_eq!(sorted(pairs(&reversed)), sorted(found));
        }
    }
}
