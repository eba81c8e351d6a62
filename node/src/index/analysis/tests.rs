use proptest::collection::vec;
use proptest::prelude::*;
use tantivy::tokenizer::TokenStream;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use super::{Language, MAX_WORD_CHARS, Side, is_invisible, is_letter, written};

fn terms(language: Language, side: Side, text: &str) -> Vec<String> {
    let mut analyser = language.analyser(side);
    let mut stream = analyser.token_stream(text);
    let mut terms = Vec::new();
    stream.process(&mut |token| terms.push(token.text.clone()));
    terms
}

/// Whether a query for one spelling finds the other, both ways.
fn meet(language: Language, left: &str, right: &str) -> bool {
    let finds = |query: &str, record: &str| {
        let indexed = terms(language, Side::Record, record);
        let asked = terms(language, Side::Query, query);
        asked.iter().any(|term| indexed.contains(term))
    };
    finds(left, right) && finds(right, left)
}

#[test]
fn spellings_of_one_word_meet() {
    let table = [
        (
            Language::French,
            &[
                ("événement", "évènement"),
                ("événement", "evenement"),
                ("enquête", "ENQUETE"),
                ("l'enquête", "enquêtes"),
                ("l’enquête", "enquête"),
                ("qu’europol", "Europol"),
                ("D'arrêt", "arret"),
                ("œuvre", "oeuvres"),
                ("cafe\u{301}", "café"),
                ("cybercriminalite", "cybercriminalité"),
                ("saisie", "saisies"),
                ("ﬁnancière", "financieres"),
                ("soft\u{ad}ware", "software"),
            ][..],
        ),
        (
            Language::English,
            &[
                ("investigation", "Investigations"),
                ("officer's", "officers"),
                ("officer’s", "officer"),
                ("naïve", "naive"),
                ("trafficking", "trafficked"),
                ("ＦＵＬＬ", "full"),
            ][..],
        ),
        (
            Language::Arabic,
            &[
                ("أخبار", "الأخبار"),
                ("اخبار", "الأخبار"),
                ("والشرطة", "شرطة"),
                ("للشرطة", "الشُّرْطَة"),
                ("وبالشرطة", "شرطه"),
                ("تحقيق", "تحقيقات"),
                ("التحقيقات", "وتحقيق"),
                ("إرهاب", "الارهابية"),
                ("مكافحة", "لمكافحة"),
                ("مكافحة", "مكافحتها"),
                ("فرنسا", "وفرنسا"),
                ("وثائق", "الوثائق"),
                ("آليات", "الآليات"),
                ("ألمانيا", "المانيا"),
                ("قانون", "القانونية"),
                ("قضاء", "القضائي"),
                ("محققين", "المحققون"),
                ("مســـتشفى", "مستشفي"),
                ("الش\u{200c}رطة", "\u{200f}الشرطة\u{200e}"),
                ("٢٠٢٤", "2024"),
                ("۲۰۲۴", "2024"),
                ("ﷲ", "الله"),
            ][..],
        ),
        (
            Language::Other,
            &[
                ("İstanbul", "ISTANBUL"),
                ("ılık", "ILIK"),
                ("Größe", "GROSSE"),
                ("Αστυνομίας", "ΑΣΤΥΝΟΜΙΑΣ"),
                ("מִשְׁטָרָה", "משטרה"),
                ("Łódź", "lodz"),
            ][..],
        ),
    ];
    for (language, pairs) in table {
        for (left, right) in pairs {
            assert!(
                meet(language, left, right),
                "{language:?}: {left} and {right} stay apart"
            );
        }
    }
}

#[test]
fn different_words_stay_apart() {
    for (language, left, right) in [
        (Language::Arabic, "قانون", "قائمة"),
        (Language::Arabic, "تكوين", "تعاون"),
        (Language::Arabic, "متهم", "مهم"),
        (Language::French, "police", "politique"),
        (Language::English, "police", "policy"),
        // Vowel signs of Indic scripts are letters.
        (Language::Other, "कल", "काल"),
        (Language::Other, "か", "が"),
    ] {
        assert!(
            !meet(language, left, right),
            "{language:?}: {left} and {right} meet"
        );
    }
}

#[test]
fn words_are_split_at_what_is_not_a_letter() {
    let split = |text| terms(Language::Other, Side::Record, text);
    assert_eq!(
        split("rapport_final.pdf, a@b.c"),
        ["rapport", "final", "pdf", "a", "b", "c"]
    );
    assert_eq!(
        split("TLP:AMBER+STRICT\u{0}x"),
        ["tlp", "amber", "strict", "x"]
    );
    assert_eq!(split("東京都"), ["東", "京", "都"]);
    assert_eq!(split("カメラを押収"), ["カメラ", "を", "押", "収"]);
    assert_eq!(split("メール_2024 ๑๒a"), ["メール", "2024", "๑๒a"]);
    // Each consonant with the marks on it.
    assert_eq!(split("ตี่รวจ"), ["ตี่", "ร", "ว", "จ"]);
    assert_eq!(
        split("m²b מדו\"ח \"צה״ל\" ג'ורג'"),
        ["m2b", "מדוח", "צהל", "גורג"]
    );
    assert_eq!(split("\u{200f}\u{640} \u{301} !"), Vec::<String>::new());
}

/// Letters, marks and signs of which words of UAX #29 are made, and what stands between them.
const PIECES: &str = "(a|é|e\u{301}|Ω|щ|ش|\u{64b}|ـ|א|\u{5b8}|1|٣|क|ि|ท|ี|か|ナ|ー|京|๑|\u{200d}|\u{ad}|\"|'|’|״|\\.|,|:|_|-|/| |€)";

#[test]
fn overlong_words_are_dropped_and_keep_their_place() {
    let text = format!("a {} b", "x".repeat(MAX_WORD_CHARS + 1));
    let mut analyser = Language::English.analyser(Side::Record);
    let mut stream = analyser.token_stream(&text);
    let mut positions = Vec::new();
    stream.process(&mut |token| positions.push((token.text.clone(), token.position)));
    assert_eq!(positions, [("a".to_owned(), 0), ("b".to_owned(), 2)]);
}

#[test]
fn tags_choose_the_language_by_their_primary_subtag() {
    assert_eq!(Language::of_tag("fr-CA"), Language::French);
    assert_eq!(Language::of_tag("AR"), Language::Arabic);
    assert_eq!(Language::of_tag("en_GB"), Language::English);
    assert_eq!(Language::of_tag("frr"), Language::Other);
    assert_eq!(Language::of_tag(""), Language::Other);
}

proptest! {
    /// Words are those of UAX #29, or parts of them between signs.
    #[test]
    fn words_keep_to_unicode_segmentation(pieces in vec(PIECES, 0..16)) {
        let text = pieces.concat();
        let ours: Vec<_> = written(Language::Other, &text).collect();
        let mut covered = 0;
        for (start, word) in text.split_word_bound_indices() {
            let end = start + word.len();
            for part in ours.iter().filter(|part| part.start < end && part.end > start) {
                prop_assert!(part.start >= start && part.end <= end, "{part:?} crosses {start}..{end}");
                let between = text.get(covered.max(start)..part.start).unwrap_or_default();
                prop_assert!(!between.contains(is_letter), "{between:?} left out");
                covered = part.end;
                let letters = text[part.clone()].replace(['"', '\'', '’', '״'], "א");
                let is_sign = |c: char| !is_letter(c) && !is_combining_mark(c) && !is_invisible(c);
                prop_assert!(!letters.contains(is_sign), "{letters:?} has a sign within it");
            }
            let rest = text.get(covered.max(start)..end).unwrap_or_default();
            prop_assert!(!rest.contains(is_letter), "{rest:?} left out");
        }
        for pair in ours.windows(2) {
            let between = &text[pair[0].end..pair[1].start];
            let is_boundary = text.split_word_bound_indices().any(|(at, _)| (pair[0].end..=pair[1].start).contains(&at));
            prop_assert!(is_boundary || !between.is_empty(), "split without a sign");
        }
    }

    #[test]
    fn any_text_is_analysed_within_bounds(text in any::<String>()) {
        for language in Language::ALL {
            for side in [Side::Record, Side::Query] {
                let mut analyser = language.analyser(side);
                let mut stream = analyser.token_stream(&text);
                let mut last_position = 0;
                while stream.advance() {
                    let token = stream.token();
                    prop_assert!(text.get(token.offset_from..token.offset_to).is_some());
                    prop_assert!(token.position >= last_position);
                    prop_assert!(!token.text.is_empty());
                    last_position = token.position;
                }
            }
        }
    }

    #[test]
    fn arabic_words_are_analysed_and_stems_are_stable(
        text in "[ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأؤإئةى\u{64b}-\u{655}\u{640}]{1,14}"
    ) {
        let query = terms(Language::Arabic, Side::Query, &text);
        for term in terms(Language::Arabic, Side::Record, &text) {
            prop_assert!(query.contains(&term), "a query does not find its own spelling");
        }
    }

    #[test]
    fn latin_words_survive_case_and_decomposition(text in "[a-zàâçéèêëîïôùûüÿ]{1,12}") {
        use unicode_normalization::UnicodeNormalization;
        let plain = terms(Language::French, Side::Record, &text);
        let upper: String = text.to_uppercase().nfd().collect();
        prop_assert_eq!(plain, terms(Language::French, Side::Record, &upper));
    }
}
