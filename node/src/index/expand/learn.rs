//! Which words translate each other, learned from multilingual records: their titles, and the headings,
//! paragraphs and sentences of their bodies that stand at the same place.
//!
//! Candidates are pairs of words that stand in the same segments more often than not (Dice's coefficient).
//! Between them decides the first model of Brown et al., "The Mathematics of Statistical Machine
//! Translation" (Computational Linguistics 19, 1993), in both directions: a word is explained by the one
//! that explains it best, so that what merely stands beside it loses.

use std::collections::{BTreeMap, HashMap};

use super::super::analysis::Language;
use super::super::headings::lines;
use super::stems;

/// Languages that are learned from each other.
const LANGUAGES: [Language; 10] = [
    Language::French,
    Language::English,
    Language::Arabic,
    Language::Spanish,
    Language::Italian,
    Language::Portuguese,
    Language::German,
    Language::Greek,
    Language::Turkish,
    Language::Hebrew,
];
/// Words of a segment; a longer one says too little of which word is which.
const SEGMENT_WORDS: usize = 40;
/// Segments of all pairs of languages.
const SEGMENTS_MAX: usize = 120_000;
/// Segments of them that are labels of concepts.
const LABELS_MAX: usize = 60_000;
/// Pairs of words that are counted at a time: those seen once make room.
const PAIRS_MAX: usize = 1_500_000;
/// Steps of the estimation.
const STEPS: usize = 4;
/// Least of Dice's coefficient of a candidate.
const DICE_MIN: f32 = 0.08;
/// Words of a segment in which what is seen once counts.
const FEW_WORDS: usize = 5;
/// What explains a word that no other explains.
const NOTHING: f32 = 0.02;
/// Translations of a word in one language.
const TRANSLATIONS_MAX: usize = 3;
/// Least weight of a translation, and least part of that of the best one.
const WEIGHT_MIN: (f32, f32) = (0.1, 0.3);

/// Words and what they are in other languages.
#[derive(Default)]
pub struct Lexicon {
    words: HashMap<(Language, String), Vec<Translation>>,
}

/// A word in another language.
pub(in crate::index) struct Translation {
    pub(in crate::index) language: Language,
    pub(in crate::index) stem: String,
    /// As it was written first.
    pub(in crate::index) word: String,
    /// Between 0 and 1.
    pub(in crate::index) weight: f32,
}

impl Lexicon {
    /// What a word is in other languages.
    pub(in crate::index) fn of(&self, language: Language, stem: &str) -> &[Translation] {
        let key = (language, stem.to_owned());
        self.words.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Words that have a translation.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether nothing was learned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// Gathers segments of records.
#[derive(Default)]
pub struct Learner {
    words: [Words; LANGUAGES.len()],
    segments: BTreeMap<(usize, usize), Vec<Segment>>,
    taken: usize,
}

/// The words of a part of a text in two languages, each once.
type Segment = (Vec<u32>, Vec<u32>);

/// The words of a language by number.
#[derive(Default)]
struct Words {
    numbers: HashMap<String, u32>,
    /// Stem and word.
    names: Vec<(String, String)>,
}

impl Learner {
    /// Whether no more is taken.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.taken >= SEGMENTS_MAX
    }

    /// Takes a concept's preferred labels by BCP 47 tag.
    pub fn take_labels(&mut self, labels: &BTreeMap<String, String>) {
        if self.taken < LABELS_MAX {
            self.take(labels);
        }
    }

    /// Takes a record's texts of one field by BCP 47 tag.
    pub fn take(&mut self, texts: &BTreeMap<String, String>) {
        let of = |language: Language| {
            let mut texts = texts.iter();
            texts.find_map(|(tag, text)| (Language::of_tag(tag) == language).then_some(text))
        };
        for (one, first) in LANGUAGES.into_iter().enumerate() {
            for (other, second) in LANGUAGES.into_iter().enumerate().skip(one + 1) {
                if let (Some(left), Some(right)) = (of(first), of(second)) {
                    self.align(one, other, left, right);
                }
            }
        }
    }

    fn align(&mut self, one: usize, other: usize, left: &str, right: &str) {
        for (left, right) in aligned(left, right) {
            if self.is_full() {
                return;
            }
            let (Some(left), Some(right)) = (self.numbers(one, left), self.numbers(other, right))
            else {
                continue;
            };
            self.taken += 1;
            let segments = self.segments.entry((one, other)).or_default();
            segments.push((left, right));
        }
    }

    /// The words of a segment, each once; none where it has too many, or none.
    fn numbers(&mut self, language: usize, text: &str) -> Option<Vec<u32>> {
        let words = self.words.get_mut(language)?;
        let mut numbers = Vec::new();
        for word in stems(*LANGUAGES.get(language)?, text) {
            if word.stem.chars().all(|c| !c.is_alphabetic()) || word.stem.chars().count() < 2 {
                continue;
            }
            let shown = text.get(word.offset..word.end).unwrap_or_default();
            numbers.push(words.number(word.stem, shown)?);
            if numbers.len() > SEGMENT_WORDS {
                return None;
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        (!numbers.is_empty()).then_some(numbers)
    }

    /// What the segments teach.
    #[must_use]
    pub fn learn(self) -> Lexicon {
        let mut lexicon = Lexicon::default();
        for ((one, other), segments) in &self.segments {
            let found = explain(segments);
            for (from, to, is_back) in [(*one, *other, false), (*other, *one, true)] {
                self.enter(&mut lexicon, from, to, &found, is_back);
            }
        }
        lexicon
    }

    fn enter(
        &self,
        lexicon: &mut Lexicon,
        from: usize,
        to: usize,
        found: &[(u32, u32, f32)],
        is_back: bool,
    ) {
        let mut of: BTreeMap<u32, Vec<(u32, f32)>> = BTreeMap::new();
        for (left, right, weight) in found {
            let (word, other) = if is_back {
                (right, left)
            } else {
                (left, right)
            };
            of.entry(*word).or_default().push((*other, *weight));
        }
        let (Some(language), Some(names)) = (LANGUAGES.get(to), self.words.get(to)) else {
            return;
        };
        for (word, mut others) in of {
            others.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            let best = others.first().map_or(0.0, |(_, weight)| *weight);
            let is_worth = |weight: f32| weight >= WEIGHT_MIN.0 && weight >= best * WEIGHT_MIN.1;
            let translations = others
                .iter()
                .take(TRANSLATIONS_MAX)
                .filter(|(_, weight)| is_worth(*weight))
                .filter_map(|(other, weight)| {
                    let (stem, word) = names.names.get(*other as usize)?;
                    Some(Translation {
                        language: *language,
                        stem: stem.clone(),
                        word: word.clone(),
                        weight: weight.min(1.0),
                    })
                });
            let translations: Vec<Translation> = translations.collect();
            let name = self
                .words
                .get(from)
                .and_then(|words| words.names.get(word as usize));
            if let (Some((stem, _)), false) = (name, translations.is_empty())
                && let Some(from) = LANGUAGES.get(from)
            {
                let known = lexicon.words.entry((*from, stem.clone())).or_default();
                known.extend(translations);
            }
        }
    }
}

impl Words {
    fn number(&mut self, stem: String, shown: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(&stem) {
            return Some(*number);
        }
        let number = u32::try_from(self.names.len()).ok()?;
        self.names.push((stem.clone(), shown.to_owned()));
        self.numbers.insert(stem, number);
        Some(number)
    }
}

/// Parts of two texts that stand at the same place: headings where both have as many, and below each of them
/// paragraphs where there are as many, and in those sentences.
fn aligned<'t>(left: &'t str, right: &'t str) -> Vec<(&'t str, &'t str)> {
    let (left, right) = (sections(left), sections(right));
    let mut pairs = Vec::new();
    if left.len() != right.len() {
        return pairs;
    }
    for ((left_head, left), (right_head, right)) in left.into_iter().zip(right) {
        pairs.push((left_head, right_head));
        if left.len() == right.len() {
            for (left, right) in left.into_iter().zip(right) {
                pairs.extend(in_sentences(left, right));
            }
        }
    }
    pairs
}

/// Headings of Markdown, each with the lines below it; what stands before the first has an empty one.
fn sections(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut sections = vec![("", Vec::new())];
    for (is_heading, line) in lines(text) {
        match (is_heading, sections.last_mut()) {
            (false, Some((_, lines))) => lines.push(line),
            _ => sections.push((line, Vec::new())),
        }
    }
    sections
}

fn in_sentences<'t>(left: &'t str, right: &'t str) -> Vec<(&'t str, &'t str)> {
    let sentences = |text: &'t str| -> Vec<&'t str> {
        let parts = text.split_inclusive(['.', '!', '?', '؟', '؛', ';', ':']);
        parts
            .filter(|part| part.chars().any(char::is_alphabetic))
            .collect()
    };
    let (lefts, rights) = (sentences(left), sentences(right));
    match lefts.len() == rights.len() {
        true => lefts.into_iter().zip(rights).collect(),
        false => vec![(left, right)],
    }
}

/// Pairs of words that explain each other, with how well.
fn explain(segments: &[Segment]) -> Vec<(u32, u32, f32)> {
    let pairs = candidates(segments);
    let places: HashMap<(u32, u32), usize> = pairs
        .iter()
        .enumerate()
        .map(|(at, (left, right, _))| ((*left, *right), at))
        .collect();
    let within: Vec<Vec<usize>> = segments
        .iter()
        .map(|(left, right)| {
            let all = left
                .iter()
                .flat_map(|one| right.iter().map(move |other| (*one, *other)));
            all.filter_map(|pair| places.get(&pair).copied()).collect()
        })
        .collect();
    let forth = estimate(&pairs, &within, |(left, right, _)| (*left, *right));
    let back = estimate(&pairs, &within, |(left, right, _)| (*right, *left));
    let both = forth.into_iter().zip(back);
    pairs
        .iter()
        .zip(both)
        .map(|((left, right, _), (forth, back))| (*left, *right, (forth * back).sqrt()))
        .collect()
}

/// The likelihood of the second word of each pair where the first one stands.
fn estimate(
    pairs: &[(u32, u32, f32)],
    within: &[Vec<usize>],
    order: impl Fn(&(u32, u32, f32)) -> (u32, u32),
) -> Vec<f32> {
    let mut likely: Vec<f32> = pairs.iter().map(|(_, _, dice)| *dice).collect();
    for _ in 0..STEPS {
        let mut counts = vec![0.0_f32; pairs.len()];
        let mut totals: HashMap<u32, f32> = HashMap::new();
        for segment in within {
            let mut sums: HashMap<u32, f32> = HashMap::new();
            for at in segment {
                if let (Some(pair), Some(part)) = (pairs.get(*at), likely.get(*at)) {
                    *sums.entry(order(pair).1).or_insert(NOTHING) += part;
                }
            }
            for at in segment {
                let (Some(pair), Some(part)) = (pairs.get(*at), likely.get(*at)) else {
                    continue;
                };
                let (from, to) = order(pair);
                let share = part / sums.get(&to).copied().unwrap_or(1.0);
                if let Some(count) = counts.get_mut(*at) {
                    *count += share;
                }
                *totals.entry(from).or_default() += share;
            }
        }
        for ((pair, count), likely) in pairs.iter().zip(&counts).zip(&mut likely) {
            let total = totals.get(&order(pair).0).copied().unwrap_or(0.0);
            *likely = if total > 0.0 { count / total } else { 0.0 };
        }
    }
    likely
}

/// Pairs of words that stand together in segments, with Dice's coefficient.
fn candidates(segments: &[Segment]) -> Vec<(u32, u32, f32)> {
    let (mut of_left, mut of_right) = (HashMap::<u32, u32>::new(), HashMap::<u32, u32>::new());
    let mut together: HashMap<(u32, u32), (u32, bool)> = HashMap::new();
    for (left, right) in segments {
        let is_short = left.len() <= FEW_WORDS && right.len() <= FEW_WORDS;
        for one in left {
            *of_left.entry(*one).or_default() += 1;
            for other in right {
                let (count, short) = together.entry((*one, *other)).or_default();
                *count += 1;
                *short |= is_short;
            }
        }
        for other in right {
            *of_right.entry(*other).or_default() += 1;
        }
        if together.len() > PAIRS_MAX {
            together.retain(|_, (count, _)| *count > 1);
        }
    }
    let mut found: Vec<(u32, u32, f32)> = together
        .into_iter()
        .filter(|(_, (count, short))| *count > 1 || *short)
        .filter_map(|((left, right), (count, _))| {
            let sum = of_left.get(&left)? + of_right.get(&right)?;
            let dice = 2.0 * count as f32 / sum as f32;
            (dice >= DICE_MIN).then_some((left, right, dice))
        })
        .collect();
    found.sort_by_key(|(left, right, _)| (*left, *right));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(fr: &str, en: &str) -> BTreeMap<String, String> {
        [("fr", fr), ("en", en)]
            .into_iter()
            .map(|(lang, text)| (lang.to_owned(), text.to_owned()))
            .collect()
    }

    fn best(lexicon: &Lexicon, language: Language, word: &str) -> Option<String> {
        let stem = stems(language, word).remove(0).stem;
        let all = lexicon.of(language, &stem);
        all.first()
            .map(|translation| translation.word.to_lowercase())
    }

    #[test]
    fn words_that_stand_together_in_titles_translate_each_other() {
        let mut learner = Learner::default();
        for (fr, en) in [
            ("Saisie d'un téléphone", "Seizing a phone"),
            ("Saisie d'un serveur", "Seizing a server"),
            ("Analyse d'un serveur", "Analysis of a server"),
            ("Analyse d'un téléphone", "Analysis of a phone"),
        ] {
            learner.take(&texts(fr, en));
        }
        let lexicon = learner.learn();
        for (fr, en) in [
            ("saisie", "seizing"),
            ("téléphones", "phone"),
            ("serveur", "server"),
        ] {
            assert_eq!(best(&lexicon, Language::French, fr).as_deref(), Some(en));
            assert!(best(&lexicon, Language::English, en).is_some(), "{en}");
        }
        assert_eq!(best(&lexicon, Language::French, "absent"), None);
    }

    #[test]
    fn parts_at_the_same_place_are_aligned() {
        let left = "# Un\n\nA. B.\n\nC\n\n## Deux\n\nD";
        let right = "# One\n\nE. F.\n\nG\n\n## Two\n\nH\n\nI";
        let pairs = aligned(left, right);
        let words: Vec<_> = pairs.iter().filter(|(left, _)| !left.is_empty()).collect();
        assert_eq!(
            words,
            [
                &("# Un", "# One"),
                &("A.", "E."),
                &(" B.", " F."),
                &("C", "G"),
                &("## Deux", "## Two")
            ]
        );
        assert!(aligned("# Un", "# One\n\n# Two").is_empty());
    }

    #[test]
    fn what_is_learned_is_bounded() {
        let mut learner = Learner::default();
        let long = "mot ".repeat(10) + &(0..100).map(|n| format!("m{n}x ")).collect::<String>();
        learner.take(&texts(&long, &long));
        assert_eq!(learner.taken, 0, "a segment of too many words");
        learner.taken = LABELS_MAX - 1;
        for _ in 0..3 {
            learner.take_labels(&texts("mot", "word"));
        }
        assert_eq!(learner.taken, LABELS_MAX, "labels leave room for records");
        learner.taken = SEGMENTS_MAX - 100;
        for n in 0..200 {
            learner.take(&texts(&format!("mot{}", n % 7), "word"));
        }
        assert_eq!(learner.taken, SEGMENTS_MAX);
        assert!(learner.learn().len() < 20);
    }
}
