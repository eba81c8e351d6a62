//! Help in the interface language: the texts of commands and flags are messages of the catalogue,
//! `cmd-<path>` and `arg-<path>-<flag>`, or `arg-<flag>` where a flag means the same everywhere.

use std::ffi::OsString;

use clap::builder::Str;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};
use diwan_api::message::Catalogue;

use crate::args::Cli;

/// The flag `--lang` of the interface. It is no global flag of clap's: verbs whose `--lang` is that
/// of the content (`search`, `list`, `show`, `import`) take it before the verb.
pub(crate) const INTERFACE_LANG: &str = "interface-lang";

/// Flags that every verb has; help lists them apart, after the verb's own.
const COMMON: [&str; 6] = ["home", "socket", "json", INTERFACE_LANG, "help", "version"];

/// A command line that was understood.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// Its verb and flags.
    pub(crate) cli: Cli,
    /// The interface language said.
    pub(crate) lang: Option<String>,
}

/// Understands a command line, the program's name first.
pub(crate) fn parse<I, T>(words: I) -> Result<Parsed, clap::Error>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
    let catalogue = Catalogue::for_language(said_language(&words).as_deref());
    let matches = command(&catalogue).try_get_matches_from(words)?;
    Ok(Parsed {
        cli: Cli::from_arg_matches(&matches)?,
        lang: interface_language(&matches),
    })
}

/// The whole command with its texts.
pub(crate) fn command(catalogue: &Catalogue) -> Command {
    let root = Cli::command()
        .disable_help_subcommand(true)
        .subcommand_required(true)
        .arg_required_else_help(true);
    worded(root, "", catalogue)
}

/// The word behind the first `--lang`, for help and errors that come before parsing is done.
pub(crate) fn said_language(words: &[OsString]) -> Option<String> {
    let mut words = words.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        match word.strip_prefix("--lang") {
            Some("") => return words.next().map(str::to_owned),
            Some(rest) if rest.starts_with('=') => return rest.get(1..).map(str::to_owned),
            _ if word == "--" => return None,
            _ => {}
        }
    }
    None
}

fn interface_language(matches: &ArgMatches) -> Option<String> {
    let deeper = matches
        .subcommand()
        .and_then(|(_, m)| interface_language(m));
    let here = matches.try_get_one::<String>(INTERFACE_LANG);
    deeper.or_else(|| here.ok().flatten().cloned())
}

/// The command at `path` with the texts of it, of its flags, and of what is below it.
fn worded(command: Command, path: &str, catalogue: &Catalogue) -> Command {
    let own_lang = command
        .get_arguments()
        .any(|arg| arg.get_long() == Some("lang"));
    let below: Vec<Str> = command
        .get_subcommands()
        .map(|c| Str::from(c.get_name().to_owned()))
        .collect();
    let mut command = command
        .about(catalogue.text(&key("cmd", path, ""), &[]))
        .subcommand_help_heading(catalogue.text("help-commands", &[]))
        .subcommand_value_name(catalogue.text("help-command", &[]))
        .disable_help_flag(true)
        .disable_version_flag(true)
        .help_template(format!(
            "{{about}}\n\n{}: {{usage}}\n\n{{all-args}}\n",
            catalogue.text("help-usage", &[])
        ))
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .action(ArgAction::Help),
        );
    if path.is_empty() {
        command = command.arg(
            Arg::new("version")
                .short('V')
                .long("version")
                .action(ArgAction::Version),
        );
    }
    if !own_lang {
        let lang = Arg::new(INTERFACE_LANG).long("lang").value_name("LANG");
        command = command.arg(lang);
    }
    let command = command.mut_args(|arg| {
        let id = arg.get_id().as_str().to_owned();
        let heading = match id.as_str() {
            _ if arg.is_positional() => "help-arguments",
            id if COMMON.contains(&id) => "help-common",
            _ => "help-options",
        };
        let takes_values = arg.get_action().takes_values();
        // Values, defaults and variables are told in the texts, in the reader's language.
        arg.help(catalogue.text(&argument_key(path, &id, catalogue), &[]))
            .help_heading(catalogue.text(heading, &[]))
            .hide_possible_values(takes_values)
            .hide_default_value(takes_values)
            .hide_env(takes_values)
    });
    below.iter().fold(command, |command, name| {
        let path = if path.is_empty() {
            name.to_string()
        } else {
            format!("{path}-{name}")
        };
        command.mut_subcommand(name, |sub| worded(sub, &path, catalogue))
    })
}

/// The key of a flag's text: its verb's own, else the common one.
fn argument_key(path: &str, id: &str, catalogue: &Catalogue) -> String {
    let id = id.replace('_', "-");
    let own = key("arg", path, &id);
    if catalogue.has(&own) {
        own
    } else {
        key("arg", "", &id)
    }
}

fn key(family: &str, path: &str, id: &str) -> String {
    let parts = [family, path, id];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.len() == 1 {
        format!("{family}-diwan")
    } else {
        parts.join("-")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use diwan_api::message;

    /// The keys that the texts of a command and of all below it come from.
    fn keys(command: &Command, path: &str, catalogue: &Catalogue, into: &mut BTreeSet<String>) {
        into.insert(key("cmd", path, ""));
        for arg in command.get_arguments() {
            into.insert(argument_key(path, arg.get_id().as_str(), catalogue));
        }
        for sub in command.get_subcommands() {
            let name = sub.get_name();
            let path = if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}-{name}")
            };
            keys(sub, &path, catalogue, into);
        }
    }

    #[test]
    fn every_command_and_flag_has_its_text_and_no_text_is_left_over() {
        let catalogue = Catalogue::english();
        let mut used = BTreeSet::new();
        keys(&command(&catalogue), "", &catalogue, &mut used);
        let missing: Vec<_> = used.iter().filter(|key| !catalogue.has(key)).collect();
        assert!(missing.is_empty(), "no text: {missing:?}");
        let unused: Vec<_> = message::keys("en")
            .into_iter()
            .filter(|key| key.starts_with("cmd-") || key.starts_with("arg-"))
            .filter(|key| !used.contains(key))
            .collect();
        assert!(unused.is_empty(), "no command or flag: {unused:?}");
    }

    #[test]
    fn help_speaks_through_the_catalogue_alone() {
        let help = command(&Catalogue::english())
            .term_width(100)
            .try_get_matches_from(["diwan", "trust", "add", "--help"])
            .unwrap_err()
            .to_string();
        insta::assert_snapshot!(help, @"
        Add an agency by its card

        Usage: diwan trust add [OPTIONS] <CARD>

        Arguments:
          <CARD>  The agency's card file

        Options:
              --fingerprint <DIGITS>  The fingerprint that you heard from the agency; without it the agency
                                      stays unverified

        Common options:
              --home <DIR>     The node's home [default: $DIWAN_HOME, else ~/.local/share/diwan]
          -h, --help           Print this help
              --socket <PATH>  The node's socket [default: run/node.sock in its home]
              --json           Print one JSON document instead of text
              --lang <LANG>    Language of messages, such as fr [default: from the locale]
        ");
    }

    #[test]
    fn the_language_of_help_is_known_before_parsing() {
        let said = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(Into::into).collect();
            said_language(&words)
        };
        assert_eq!(
            said(&["diwan", "--lang", "fr", "--help"]).as_deref(),
            Some("fr")
        );
        assert_eq!(said(&["diwan", "--lang=ar"]).as_deref(), Some("ar"));
        assert_eq!(said(&["diwan", "comment", "--", "--lang", "fr"]), None);
        assert_eq!(said(&["diwan", "--language", "fr"]), None);
    }

    /// Every command's help, as a page of the reference.
    fn reference(command: &Command, name: &str, page: &mut String) {
        let mut shown = command.clone().term_width(90).bin_name(name);
        page.push_str(&format!("\n## {name}\n\n```\n"));
        for line in shown.render_help().to_string().trim_end().lines() {
            page.push_str(line.trim_end());
            page.push('\n');
        }
        page.push_str("```\n");
        for sub in command.get_subcommands() {
            reference(sub, &format!("{name} {}", sub.get_name()), page);
        }
    }

    #[test]
    fn the_reference_agrees_with_the_code() {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/diwan.md");
        let mut page = String::from(
            "# diwan: every command\n\nMade from the code by `DIWAN_REGENERATE=1 cargo test -p \
             diwan-cli reference`. Exit codes: 0 done · 1 failed · 2 usage · 3 node unreachable · 4 \
             not permitted · 5 not found · 6 integrity fault · 7 partly done · 130 interrupted.\n",
        );
        let mut root = command(&Catalogue::english());
        root.build();
        reference(&root, "diwan", &mut page);
        if std::env::var_os("DIWAN_REGENERATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &page).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == page,
            "docs/reference/diwan.md is not what the code says"
        );
    }
}
