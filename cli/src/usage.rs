//! Mistakes on the command line, said in the interface language and, with `--json`, as every other
//! error.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use diwan_api::error::Exit;
use diwan_api::message::Catalogue;

use crate::error;
use crate::output::View;

/// What to print for a line that was not understood, where, and how to exit. Help and version come
/// this way too.
pub(crate) struct Answer {
    /// The text.
    pub(crate) text: String,
    /// Whether it belongs on stdout.
    pub(crate) to_stdout: bool,
    /// How to exit.
    pub(crate) exit: Exit,
}

/// The answer to a line that clap did not accept.
pub(crate) fn answer(error: &clap::Error, view: &View, json: bool) -> Answer {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Answer {
            text: error.to_string(),
            to_stdout: true,
            exit: Exit::Done,
        },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !json => Answer {
            text: error.to_string(),
            to_stdout: false,
            exit: Exit::Usage,
        },
        _ => Answer {
            text: explained(error, view, json),
            to_stdout: false,
            exit: Exit::Usage,
        },
    }
}

fn explained(error: &clap::Error, view: &View, json: bool) -> String {
    if json {
        let english = View::new(Catalogue::english(), "en", false);
        let (message, hint) = explanation(error, &english);
        error::document("usage", &message, &hint)
    } else {
        let (message, hint) = explanation(error, view);
        error::lines(view, &message, &hint)
    }
}

fn explanation(error: &clap::Error, view: &View) -> (String, String) {
    let of = |kind| context(error, kind);
    let detail = match error.kind() {
        ErrorKind::UnknownArgument => view.say(
            "usage-unknown-argument",
            &[("argument", of(ContextKind::InvalidArg).into())],
        ),
        ErrorKind::InvalidSubcommand => view.say(
            "usage-unknown-command",
            &[("command", of(ContextKind::InvalidSubcommand).into())],
        ),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            view.say("usage-missing-command", &[])
        }
        ErrorKind::MissingRequiredArgument => view.say(
            "usage-missing-argument",
            &[("argument", of(ContextKind::InvalidArg).into())],
        ),
        ErrorKind::ArgumentConflict => view.say(
            "usage-conflict",
            &[
                ("argument", of(ContextKind::InvalidArg).into()),
                ("other", of(ContextKind::PriorArg).into()),
            ],
        ),
        ErrorKind::InvalidValue if of(ContextKind::InvalidValue).is_empty() => view.say(
            "usage-empty-value",
            &[("argument", of(ContextKind::InvalidArg).into())],
        ),
        _ => view.say(
            "usage-bad-value",
            &[
                ("argument", of(ContextKind::InvalidArg).into()),
                ("value", of(ContextKind::InvalidValue).into()),
            ],
        ),
    };
    let (message, general) = view.failure("usage", &[("detail", detail.into())]);
    let advice = advice(error, view).or_else(|| usage(error, view));
    (message, advice.unwrap_or(general))
}

/// Advice that fits better than the general one.
fn advice(error: &clap::Error, view: &View) -> Option<String> {
    if is_word_to_leave_out(error) {
        return Some(view.say("usage-leave-out", &[]));
    }
    let nearest = [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ];
    if let Some(found) = nearest
        .into_iter()
        .map(|kind| context(error, kind))
        .find(|f| !f.is_empty())
    {
        return Some(view.say("usage-did-you-mean", &[("nearest", found.into())]));
    }
    let valid = context(error, ContextKind::ValidValue);
    if !valid.is_empty() {
        return Some(view.say("usage-expected", &[("expected", valid.into())]));
    }
    // Our own value parsers fail with the key of what they expect.
    let source = std::error::Error::source(error)?.to_string();
    if view.has(&source) {
        let expected = view.say(&source, &[]);
        return Some(view.say("usage-expected", &[("expected", expected.into())]));
    }
    Some(view.say("usage-expected", &[("expected", source.into())]))
}

/// `diwan search evidence -training`: the shell gave the words apart, and one looks like a flag.
fn is_word_to_leave_out(error: &clap::Error) -> bool {
    let flag = context(error, ContextKind::InvalidArg);
    let is_short = flag.starts_with('-') && !flag.starts_with("--");
    let usage = error.get(ContextKind::Usage).map(ToString::to_string);
    is_short
        && error.kind() == ErrorKind::UnknownArgument
        && usage.is_some_and(|usage| usage.contains("diwan search "))
}

/// How the command is written, where clap says it.
fn usage(error: &clap::Error, view: &View) -> Option<String> {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else {
        return None;
    };
    let usage = usage.to_string();
    let line = usage.lines().next()?;
    let line = line.split_once(": ").map_or(line, |(_, line)| line);
    Some(format!("{}: {line}", view.say("help-usage", &[])))
}

fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::help;
    use crate::output::plain;

    fn said(line: &str) -> String {
        let error = help::parse(line.split(' ')).unwrap_err();
        let answer = answer(&error, &plain(), false);
        assert_eq!(answer.exit, Exit::Usage);
        answer.text
    }

    #[test]
    fn mistakes_are_named_with_advice() {
        let lines = [
            "diwan serch x",
            "diwan search x --limt 3",
            "diwan search x -training",
            "diwan search x --sort size",
            "diwan search x --limit many",
            "diwan import a",
            "diwan new guideline",
            "diwan group create g --member :owner",
            "diwan new --group g --kind k --link abc",
            "diwan trust remove tn --yes --dry-run",
        ];
        let all: Vec<_> = lines
            .iter()
            .map(|line| format!("$ {line}\n{}", said(line)))
            .collect();
        insta::assert_snapshot!(all.join("\n"), @"
        $ diwan serch x
        error: The command line is not understood: there is no command “serch”
        hint: Did you mean search?

        $ diwan search x --limt 3
        error: The command line is not understood: there is no --limt here
        hint: Did you mean --limit?

        $ diwan search x -training
        error: The command line is not understood: there is no -t here
        hint: To leave a word out, put the whole query in quotes: `diwan search 'evidence -training'`.

        $ diwan search x --sort size
        error: The command line is not understood: “size” is no value for --sort <ORDER>
        hint: Expected: relevance, date.

        $ diwan search x --limit many
        error: The command line is not understood: “many” is no value for --limit <N>
        hint: Expected: a number from 1 to 200.

        $ diwan import a
        error: The command line is not understood: missing: --group <GROUP>
        hint: Usage: diwan import --group <GROUP> <PATH>...

        $ diwan new guideline
        error: The command line is not understood: there is no guideline here
        hint: Usage: diwan new [OPTIONS] --group <GROUP> --kind <KIND>

        $ diwan group create g --member :owner
        error: The command line is not understood: “:owner” is no value for --member <AGENCY[:ROLE]>
        hint: Expected: an agency, or AGENCY:ROLE such as tn:contributor.

        $ diwan new --group g --kind k --link abc
        error: The command line is not understood: “abc” is no value for --link <REL=ID>
        hint: Expected: RELATION=ID, such as need=1a2b3c.

        $ diwan trust remove tn --yes --dry-run
        error: The command line is not understood: --yes and --dry-run cannot stand together
        hint: Usage: diwan trust remove --yes <AGENCY>
        ");
    }

    #[test]
    fn help_and_version_are_no_mistakes() {
        for line in ["diwan --help", "diwan --version", "diwan trust add -h"] {
            let error = help::parse(line.split(' ')).unwrap_err();
            let answer = answer(&error, &plain(), true);
            assert!(answer.to_stdout && answer.exit == Exit::Done, "{line}");
        }
    }

    #[test]
    fn with_json_a_mistake_is_a_document() {
        let error = help::parse(["diwan", "serch"]).unwrap_err();
        let text = answer(&error, &plain(), true).text;
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["error"]["code"], "usage");
    }
}
