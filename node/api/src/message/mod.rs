//! The message catalogue: every text that people read, in Project Fluent's format, one directory of
//! `.ftl` files a language below `node/api/messages`. The directories are embedded and listed at run
//! time, so a new language is a new directory and no change of code.
//!
//! A message that the chosen language lacks is taken from English, which is complete: tests check it
//! against the error codes, the commands and the sources.

#[cfg(test)]
mod tests;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use include_dir::{Dir, include_dir};
use unic_langid::LanguageIdentifier;

use crate::error::ApiError;

/// A value of a message: a text, or a number that plural forms depend on. Made with `into()`.
pub use fluent_bundle::FluentValue as Value;

static MESSAGES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/messages");

/// The language that every message exists in.
const FALLBACK: &str = "en";

/// The messages of one language, with English behind them.
pub struct Catalogue {
    language: String,
    /// The chosen language first, then English.
    bundles: Vec<FluentBundle<FluentResource>>,
}

impl Catalogue {
    /// The catalogue for the language said (`--lang`), else for the locale of the environment, else
    /// English. A language without messages gives English.
    #[must_use]
    pub fn for_language(said: Option<&str>) -> Self {
        Self::of(&preferred_language(said))
    }

    /// English alone, in which `--json` and logs speak.
    #[must_use]
    pub fn english() -> Self {
        Self::of(FALLBACK)
    }

    /// The catalogue of one tag: its own directory, or that of its primary language.
    fn of(tag: &str) -> Self {
        let chosen = [tag, primary(tag)]
            .into_iter()
            .find(|tag| MESSAGES.get_dir(*tag).is_some())
            .unwrap_or(FALLBACK);
        let mut bundles = vec![bundle(chosen)];
        if chosen != FALLBACK {
            bundles.push(bundle(FALLBACK));
        }
        Self {
            language: chosen.to_owned(),
            bundles,
        }
    }

    /// The language whose messages are used, such as `fr`.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.language
    }

    /// The text of `key` with its values. A key that no language has is returned as it is: a missing
    /// text must not hide what happened.
    ///
    /// Values are inserted as they are; whoever prints to a terminal neutralises them first.
    #[must_use]
    pub fn text(&self, key: &str, values: &[(&str, Value<'_>)]) -> String {
        self.format(key, None, values)
            .map_or_else(|| key.to_owned(), |formatted| formatted.text)
    }

    /// Whether `key` has a text.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.bundles
            .iter()
            .any(|bundle| bundle.get_message(key).is_some_and(|m| m.value().is_some()))
    }

    /// What happened, and what to do about it: the message and the hint of an error.
    #[must_use]
    pub fn error(&self, error: &ApiError) -> (String, String) {
        let values: Vec<_> = error
            .args
            .iter()
            .map(|(name, value)| (name.as_str(), Value::from(value.as_str())))
            .collect();
        self.failure(error.code.name(), &values)
    }

    /// Message and hint of a failure by its name: `error-<name>` and `error-<name>.hint`.
    #[must_use]
    pub fn failure(&self, name: &str, values: &[(&str, Value<'_>)]) -> (String, String) {
        let key = format!("error-{name}");
        let hint = self
            .format(&key, Some("hint"), values)
            .map_or_else(String::new, |formatted| formatted.text);
        (self.text(&key, values), hint)
    }

    fn format(
        &self,
        key: &str,
        attribute: Option<&str>,
        values: &[(&str, Value<'_>)],
    ) -> Option<Formatted> {
        let mut args = FluentArgs::with_capacity(values.len());
        for (name, value) in values {
            args.set(*name, value.clone());
        }
        self.bundles.iter().find_map(|bundle| {
            let message = bundle.get_message(key)?;
            let pattern = match attribute {
                None => message.value()?,
                Some(name) => message.get_attribute(name)?.value(),
            };
            let mut errors = Vec::new();
            let text = bundle
                .format_pattern(pattern, Some(&args), &mut errors)
                .into_owned();
            Some(Formatted {
                text,
                #[cfg(test)]
                complete: errors.is_empty(),
            })
        })
    }
}

struct Formatted {
    text: String,
    /// Every value that the message names was there.
    #[cfg(test)]
    complete: bool,
}

/// The languages that have messages, sorted.
#[must_use]
pub fn languages() -> Vec<String> {
    let mut tags: Vec<_> = MESSAGES
        .dirs()
        .filter_map(|dir| dir.path().file_name()?.to_str().map(str::to_owned))
        .collect();
    tags.sort();
    tags
}

/// The keys of one language's messages, in the order of the files; empty where the language has none.
#[must_use]
pub fn keys(language: &str) -> Vec<String> {
    sources(language)
        .flat_map(str::lines)
        .filter_map(|line| line.split_once(" ="))
        .map(|(key, _)| key)
        .filter(|key| key.starts_with(|c: char| c.is_ascii_lowercase()) && !key.contains(' '))
        .map(str::to_owned)
        .collect()
}

/// The language of the person at this terminal, as a BCP 47 tag such as `fr` or `pt-BR`: the one
/// said, else that of `LC_ALL`, `LC_MESSAGES` or `LANG`, else English.
#[must_use]
pub fn preferred_language(said: Option<&str>) -> String {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    language_of(said, locale.as_deref())
}

/// The primary language of a tag: `fr` of `fr-CA`.
#[must_use]
pub fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}

/// `fr_FR.UTF-8@euro` and the like as a tag; what is no language gives English.
fn language_of(said: Option<&str>, locale: Option<&str>) -> String {
    let written = said.or(locale).unwrap_or(FALLBACK);
    let tag = written
        .split(['.', '@'])
        .next()
        .unwrap_or(FALLBACK)
        .replace('_', "-");
    match tag.parse::<LanguageIdentifier>() {
        Ok(id) if !matches!(tag.as_str(), "C" | "POSIX") => id.to_string(),
        _ => FALLBACK.to_owned(),
    }
}

fn bundle(language: &str) -> FluentBundle<FluentResource> {
    let id = language.parse::<LanguageIdentifier>().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // Terminals show isolation marks around every value as boxes; the output code isolates what
    // runs right to left itself.
    bundle.set_use_isolating(false);
    for source in sources(language) {
        // A broken entry costs that entry only; a test keeps the files free of them.
        let resource = match FluentResource::try_new(source.to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        let _ = bundle.add_resource(resource);
    }
    bundle
}

fn sources(language: &str) -> impl Iterator<Item = &'static str> {
    MESSAGES
        .get_dir(language)
        .into_iter()
        .flat_map(Dir::files)
        .filter(|file| file.path().extension().is_some_and(|e| e == "ftl"))
        .filter_map(include_dir::File::contents_utf8)
}
