//! The command line: common flags, and the verbs. Each verb's own flags stand in its file; help texts
//! stand in the message catalogue (see [`crate::help`]).

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    annotate, card, completions, correct, diff, edit, exchange, export, group, guard, history,
    holders, import, list, needs, new, node, officer, publish, purge, quarantine, reissue, search,
    show, similar, sync, translate, trust, vocabulary, watch,
};

#[derive(Debug, Parser)]
#[command(name = "diwan", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every verb. `--lang` is one too; see [`crate::help::INTERFACE_LANG`].
#[derive(Debug, Args)]
pub(crate) struct Common {
    #[arg(long, global = true, value_name = "DIR", env = "DIWAN_HOME")]
    pub(crate) home: Option<PathBuf>,
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Status,
    #[command(subcommand)]
    Card(card::Verb),
    #[command(subcommand)]
    Trust(trust::Verb),
    #[command(subcommand)]
    Group(group::Verb),
    New(new::Args),
    Import(import::Args),
    Export(export::Args),
    Search(search::Args),
    Similar(similar::Args),
    Watch(watch::Args),
    Show(show::Args),
    List(list::Args),
    Edit(edit::Args),
    Diff(diff::Args),
    #[command(subcommand)]
    Exchange(exchange::Verb),
    Needs(needs::Args),
    History(history::Args),
    Holders(holders::Args),
    Comment(annotate::Args),
    Answer(annotate::Args),
    Endorse(annotate::Args),
    Correct(correct::Args),
    Accept(correct::Accept),
    Decline(correct::Decline),
    Translate(translate::Args),
    Adopt(translate::Adopt),
    Publish(publish::Args),
    Withdraw(publish::Withdraw),
    #[command(subcommand)]
    Guard(guard::Verb),
    #[command(subcommand)]
    Officer(officer::Verb),
    #[command(subcommand)]
    Vocabulary(vocabulary::Verb),
    Purge(purge::Args),
    #[command(subcommand)]
    Quarantine(quarantine::Verb),
    #[command(subcommand)]
    Node(node::Verb),
    Reissue(reissue::Args),
    Sync(sync::Args),
    Completions(completions::Args),
}

impl Common {
    /// The node's socket: the one said, else `run/node.sock` of the home said, else of the default
    /// home (`$XDG_DATA_HOME/diwan`, `~/.local/share/diwan`).
    pub(crate) fn socket(&self) -> PathBuf {
        if let Some(socket) = &self.socket {
            return socket.clone();
        }
        let home = self.home.clone().unwrap_or_else(default_home);
        home.join("run").join("node.sock")
    }
}

fn default_home() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let data = match variable("XDG_DATA_HOME") {
        Some(data) => PathBuf::from(data),
        None => PathBuf::from(variable("HOME").unwrap_or_default()).join(".local/share"),
    };
    data.join("diwan")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::help;

    /// What the words on a command line are understood as.
    fn parse(line: &str) -> Result<Cli, clap::error::ErrorKind> {
        help::parse(line.split(' '))
            .map(|parsed| parsed.cli)
            .map_err(|error| error.kind())
    }

    #[test]
    fn the_lines_of_the_contract_are_understood() {
        for line in [
            "diwan status --json",
            "diwan --home /h status",
            "diwan status --home /h --lang ar",
            "diwan card export",
            "diwan card export tn.card --socket /s",
            "diwan card show tn.card",
            "diwan trust add tn.card --fingerprint 12345",
            "diwan trust verify tn --fingerprint 12345",
            "diwan trust list --json",
            "diwan trust suspend tn",
            "diwan trust remove tn --yes",
            "diwan trust remove tn --dry-run",
            "diwan group create cyber --member tn:owner --member ma --threshold 1 --tlp GREEN",
            "diwan group add cyber tn:reader ma",
            "diwan group set-role cyber tn:owner",
            "diwan group remove cyber tn ma --yes",
            "diwan new --group own --kind practice --title fr=a --title ar=b --body fr=@f --theme t \
             --tag x --tlp RED --hcode H1 --link need=abcdef --editors fr,tn",
            "diwan group cosign cyber --statement abcdef",
            "diwan group cosign cyber",
            "diwan group leave cyber --yes",
            "diwan group join cyber",
            "diwan group extend-cuts cyber tn",
            "diwan quarantine list --own",
            "diwan quarantine show 12D3KooW 7",
            "diwan purge abcdef --reason text --dry-run",
            "diwan purge abcdef --yes",
            "diwan node list",
            "diwan node certify tn2.request --output tn.card",
            "diwan node revoke 12D3KooW --yes",
            "diwan reissue --yes",
            "diwan new --group own --kind practice",
            "diwan new --group own --kind exchange --title a --field start=2026-03-09 --field \
             countries=TN --field countries=DZ --field outcome.ar=b",
            "diwan edit abcdef --field countries=",
            "diwan import a b --group g --kind k --lang fr --format markdown --dry-run",
            "diwan import a --group g --separate-languages --editors origin --jsonl",
            "diwan export out --group g --query q --format jsonl",
            "diwan search saisie --lang fr --kind k --theme t --country TN --group g --tlp RED \
             --since 2026-01-01 --sort date --limit 5 --after c --facets --no-expand --explain --jsonl",
            "diwan watch a b --keep",
            "diwan watch add phones saisie kind:training --json",
            "diwan watch list",
            "diwan watch remove phones",
            "diwan similar abcdef --lang ar --kind k --group g --limit 5 --no-expand --json",
            "diwan show abcdef --lang ar --at 123",
            "diwan list --group g --origin tn --limit 5",
            "diwan list --due --group g",
            "diwan list --stale-translations ar",
            "diwan list --due 2027-01-01",
            "diwan edit abcdef --title fr=a --tlp GREEN",
            "diwan edit abcdef",
            "diwan history abcdef",
            "diwan holders abcdef --json",
            "diwan exchange show abcdef --json",
            "diwan diff abcdef 1-00000001",
            "diwan diff abcdef 1-00000001 2-00000002 --json",
            "diwan needs --theme cybercrime --country TN --json",
            "diwan comment abcdef text",
            "diwan comment abcdef --body fr=text",
            "diwan answer abcdef text",
            "diwan translate abcdef --lang ar --title a --body @f",
            "diwan translate abcdef --lang ar --from-lang fr --of 1-00000001 --summary a --json",
            "diwan adopt abcdef",
            "diwan correct abcdef --title fr=a --body @f --reason b --of 1-00000001",
            "diwan accept abcdef --override reason",
            "diwan decline abcdef --reason a",
            "diwan diff abcdef",
            "diwan list --kind expert --field languages=ar --field country=TN",
            "diwan publish abcdef --group g",
            "diwan publish abcdef --dry-run --tlp GREEN",
            "diwan publish abcdef --group g --override reason --yes --json",
            "diwan withdraw abcdef --reason text",
            "diwan withdraw abcdef --undo --dry-run",
            "diwan list --withdrawn",
            "diwan guard check a.md abcdef --tlp CLEAR",
            "diwan guard rules",
            "diwan officer add 1001 --role contributor --name Leila",
            "diwan officer list",
            "diwan officer set-role 1001 contact-point",
            "diwan officer revoke 1001 --yes",
            "diwan new --group own --kind practice --override reason",
            "diwan import a --group g --override reason",
            "diwan comment abcdef text --override reason",
            "diwan endorse abcdef text --field result=helped --field date=2026-05-04",
            "diwan sync --peer tn --wait --timeout 5",
            "diwan completions bash",
        ] {
            assert!(parse(line).is_ok(), "{line}: {:?}", parse(line).err());
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "diwan",
            "diwan nothing",
            "diwan trust",
            "diwan import a",
            "diwan import --group g",
            "diwan search x --sort size",
            "diwan search x --limit 0",
            "diwan list --limit 1001",
            "diwan export out --format pdf",
            "diwan new --group g --kind k --link abcdef",
            "diwan new --group g --kind k --field start",
            "diwan new --group g --kind k --field outcome.=b",
            "diwan sync --timeout 5",
            "diwan group create cyber --member :owner",
            "diwan trust remove tn --yes --dry-run",
            "diwan officer add leila --role reader",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_interface_language_stands_apart_from_that_of_the_content() {
        let lang = |line: &str| help::parse(line.split(' ')).unwrap().lang;
        assert_eq!(lang("diwan status --lang ar").as_deref(), Some("ar"));
        assert_eq!(
            lang("diwan --lang ar search x --lang fr").as_deref(),
            Some("ar")
        );
        assert_eq!(lang("diwan search x --lang fr"), None);
        assert_eq!(lang("diwan trust list --lang fr").as_deref(), Some("fr"));
    }

    #[test]
    fn the_socket_said_wins_over_the_home() {
        let socket = |line| parse(line).unwrap().common.socket();
        assert_eq!(
            socket("diwan status --home /h"),
            PathBuf::from("/h/run/node.sock")
        );
        assert_eq!(
            socket("diwan status --home /h --socket /s"),
            PathBuf::from("/s")
        );
    }

    #[test]
    fn the_definition_holds_together() {
        help::command(&diwan_api::message::Catalogue::english()).debug_assert();
    }
}
