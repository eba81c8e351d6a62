//! How things look to a person: words of the catalogue, texts in the reader's language, dates,
//! labels. Everything that others wrote passes through here before it is printed.

use diwan_api::message::{Catalogue, Value, primary};
use diwan_api::types::Texts;

use super::text::{isolate, line};

/// Characters of an id that people see and type.
const SHORT_ID: usize = 12;

/// The eyes of one reader.
pub(crate) struct View {
    catalogue: Catalogue,
    /// Language of the content that the reader prefers, such as `fr`.
    reader: String,
    colour: bool,
}

impl View {
    pub(crate) fn new(catalogue: Catalogue, reader: &str, colour: bool) -> Self {
        Self {
            catalogue,
            reader: primary(reader).to_owned(),
            colour,
        }
    }

    /// Language of the content that the reader prefers.
    pub(crate) fn reader(&self) -> &str {
        &self.reader
    }

    /// A text of the catalogue. Its values may come from anywhere: they are made safe here.
    pub(crate) fn say(&self, key: &str, values: &[(&str, Value<'_>)]) -> String {
        self.catalogue.text(key, &safe(values))
    }

    /// Message and hint of a failure.
    pub(crate) fn failure(&self, name: &str, values: &[(&str, Value<'_>)]) -> (String, String) {
        self.catalogue.failure(name, &safe(values))
    }

    /// Whether the catalogue has a text of this name.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.catalogue.has(key)
    }

    /// The catalogue's word for one of a set of fixed words (`state-offline`), or the word itself.
    pub(crate) fn word(&self, family: &str, word: &str) -> String {
        let key = format!("{family}-{word}");
        if self.catalogue.has(&key) {
            self.catalogue.text(&key, &[])
        } else {
            self.name(word)
        }
    }

    /// A name or a title of any direction that stands in a line with other things.
    #[expect(clippy::unused_self, reason = "all texts pass through the view")]
    pub(crate) fn name(&self, text: &str) -> String {
        isolate(&line(text))
    }

    /// The text in the wanted language, else in the reader's, else English, else the first one.
    pub(crate) fn pick<'t>(
        &self,
        texts: &'t Texts,
        wanted: Option<&str>,
    ) -> Option<(&'t str, &'t str)> {
        let languages = wanted.into_iter().chain([self.reader.as_str(), "en"]);
        languages
            .filter_map(|language| {
                let exact = texts.get_key_value(language);
                exact.or_else(|| texts.iter().find(|(tag, _)| primary(tag) == language))
            })
            .chain(texts.iter().next())
            .map(|(tag, text)| (tag.as_str(), text.as_str()))
            .next()
    }

    /// The title that the reader sees in a line.
    pub(crate) fn title(&self, titles: &Texts, wanted: Option<&str>) -> String {
        match self.pick(titles, wanted) {
            Some((_, title)) if !title.trim().is_empty() => self.name(title),
            _ => self.say("untitled", &[]),
        }
    }

    /// What a word is called in the reader's language, and the word itself where it has no label.
    pub(crate) fn called(&self, word: &str, labels: Option<&Texts>) -> String {
        match labels.and_then(|labels| self.pick(labels, None)) {
            Some((_, label)) => self.name(label),
            None => self.name(word),
        }
    }

    /// The beginning of an id, long enough to be typed back.
    #[expect(clippy::unused_self, reason = "all texts pass through the view")]
    pub(crate) fn id(&self, id: &str) -> String {
        line(id).chars().take(SHORT_ID).collect()
    }

    /// `2026-11-23 22:40 UTC` of an RFC 3339 time; what is none is shown as it is.
    #[expect(clippy::unused_self, reason = "all texts pass through the view")]
    pub(crate) fn time(&self, rfc3339: &str) -> String {
        let minute = rfc3339.get(..16).filter(|_| rfc3339.ends_with('Z'));
        match minute.and_then(|minute| minute.split_once('T')) {
            Some((day, time)) => format!("{} {} UTC", line(day), line(time)),
            None => line(rfc3339),
        }
    }

    /// The day of an RFC 3339 time.
    #[expect(clippy::unused_self, reason = "all texts pass through the view")]
    pub(crate) fn day(&self, rfc3339: &str) -> String {
        line(rfc3339.split('T').next().unwrap_or_default())
    }

    /// A number of bytes with a unit.
    pub(crate) fn bytes(&self, bytes: u64) -> String {
        let mut unit = "unit-b";
        let (mut whole, mut tenths) = (bytes, 0);
        for larger in ["unit-kb", "unit-mb", "unit-gb"] {
            if whole < 1000 {
                break;
            }
            (whole, tenths) = (whole / 1000, whole % 1000 / 100);
            unit = larger;
        }
        let number = if unit == "unit-b" || whole >= 100 {
            whole.to_string()
        } else {
            format!("{whole}.{tenths}")
        };
        self.say(unit, &[("number", number.into())])
    }

    /// A time span in milliseconds, with a unit.
    pub(crate) fn span(&self, milliseconds: u64) -> String {
        if milliseconds < 1000 {
            self.say("unit-ms", &[("number", milliseconds.into())])
        } else {
            let number = format!("{}.{}", milliseconds / 1000, milliseconds % 1000 / 100);
            self.say("unit-s", &[("number", number.into())])
        }
    }

    /// The TLP label in the form that TLP 2.0 prescribes, in its colour.
    pub(crate) fn tlp(&self, label: &str) -> String {
        let colour = match label {
            "RED" => "31",
            "AMBER" | "AMBER+STRICT" => "33",
            "GREEN" => "32",
            _ => "1",
        };
        self.styled(colour, &format!("TLP:{}", line(label)))
    }

    /// Bold on a terminal.
    pub(crate) fn bold(&self, text: &str) -> String {
        self.styled("1", text)
    }

    /// Less prominent on a terminal.
    pub(crate) fn dim(&self, text: &str) -> String {
        self.styled("2", text)
    }

    /// What needs attention, yellow on a terminal.
    pub(crate) fn warn(&self, text: &str) -> String {
        self.styled("33", text)
    }

    /// A safe line in which byte ranges are bold; ranges that do not fit the text are left out.
    pub(crate) fn marked(&self, text: &str, marks: &[(usize, usize)]) -> String {
        let mut result = String::new();
        let mut done = 0;
        for (start, end) in marks {
            let plain = text.get(done..*start);
            let (Some(plain), Some(found)) = (plain, text.get(*start..*end)) else {
                continue;
            };
            result.push_str(&line(plain));
            result.push_str(&self.bold(&line(found)));
            done = *end;
        }
        result.push_str(&line(text.get(done..).unwrap_or_default()));
        isolate(&result)
    }

    fn styled(&self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

fn safe<'v>(values: &'v [(&'v str, Value<'v>)]) -> Vec<(&'v str, Value<'v>)> {
    let made_safe = |value: &'v Value<'v>| match value {
        Value::String(text) => Value::from(isolate(&line(text))),
        other => other.clone(),
    };
    values
        .iter()
        .map(|(name, value)| (*name, made_safe(value)))
        .collect()
}

/// The view that snapshots are made with: English, no colour, a French reader.
#[cfg(test)]
pub(crate) fn plain() -> View {
    View::new(Catalogue::english(), "fr", false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> Texts {
        pairs
            .iter()
            .map(|(l, t)| ((*l).to_owned(), (*t).to_owned()))
            .collect()
    }

    #[test]
    fn the_reader_gets_the_language_asked_then_its_own_then_english_then_any() {
        let view = plain();
        let all = texts(&[
            ("ar", "عنوان"),
            ("en", "title"),
            ("fr", "titre"),
            ("pt-BR", "título"),
        ]);
        assert_eq!(view.pick(&all, Some("ar")), Some(("ar", "عنوان")));
        assert_eq!(view.pick(&all, Some("pt")), Some(("pt-BR", "título")));
        assert_eq!(view.pick(&all, Some("de")), Some(("fr", "titre")));
        assert_eq!(
            view.pick(&texts(&[("ar", "a"), ("en", "e")]), None),
            Some(("en", "e"))
        );
        assert_eq!(view.pick(&texts(&[("tr", "t")]), None), Some(("tr", "t")));
        assert_eq!(view.pick(&Texts::new(), None), None);
    }

    #[test]
    fn values_of_messages_are_made_safe() {
        let text = plain().say("untitled", &[]);
        assert!(!text.is_empty());
        let (message, _) = plain().failure("unknown-group", &[("name", "a\u{1b}[2J".into())]);
        assert!(message.contains("a\u{fffd}[2J"), "{message:?}");
    }

    #[test]
    fn marks_that_do_not_fit_are_left_out() {
        let view = View::new(Catalogue::english(), "fr", true);
        let bold = |text: &str| format!("\u{1b}[1m{text}\u{1b}[0m");
        assert_eq!(
            view.marked("une saisie", &[(4, 10)]),
            format!("une {}", bold("saisie"))
        );
        assert_eq!(view.marked("été", &[(0, 1), (9, 99), (3, 2)]), "été");
        assert_eq!(plain().marked("une saisie", &[(4, 10)]), "une saisie");
    }

    #[test]
    fn sizes_times_and_spans_are_short() {
        let view = plain();
        assert_eq!(view.bytes(999), "999 B");
        assert_eq!(view.bytes(4_250_000), "4.2 MB");
        assert_eq!(view.bytes(123_456), "123 kB");
        assert_eq!(
            view.time("2026-11-23T22:40:38.123Z"),
            "2026-11-23 22:40 UTC"
        );
        assert_eq!(view.time("yesterday"), "yesterday");
        assert_eq!(view.span(7), "7 ms");
        assert_eq!(view.span(12_340), "12.3 s");
    }
}
