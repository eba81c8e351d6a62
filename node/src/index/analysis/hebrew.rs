//! Hebrew: one-letter words that are written together with the next one, and endings of gender and number.
//!
//! There is no free stemmer for it. Letters before a word are particles (and, the, in, as, to, from, that) or its
//! own, and only a reader knows: a word is known under each reading, up to two particles.

/// Particles of one letter.
const PARTICLES: [char; 7] = ['ו', 'ה', 'ב', 'כ', 'ל', 'מ', 'ש'];
/// Particles that are taken off at most.
const PARTICLES_MAX: usize = 2;
/// Letters that must remain.
const MIN_LETTERS: usize = 3;
/// Plural and feminine endings, folded; longest first.
const ENDINGS: [&str; 4] = ["יות", "ימ", "ות", "ה"];

/// The stem of a folded word, and the stems of what remains without particles.
pub(super) fn forms(folded: &str, stem_out: &mut String, others: &mut Vec<String>) {
    others.clear();
    stem_out.push_str(stem(folded));
    let mut rest = folded;
    for _ in 0..PARTICLES_MAX {
        let Some(word) = rest.strip_prefix(PARTICLES) else {
            break;
        };
        if word.chars().count() < MIN_LETTERS {
            break;
        }
        let form = stem(word);
        if form != stem_out && !others.iter().any(|other| other == form) {
            others.push(form.to_owned());
        }
        rest = word;
    }
}

fn stem(word: &str) -> &str {
    let shorter = ENDINGS.iter().find_map(|ending| {
        word.strip_suffix(ending)
            .filter(|rest| rest.chars().count() >= MIN_LETTERS)
    });
    shorter.unwrap_or(word)
}
