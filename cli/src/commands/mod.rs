//! The verbs, one file each: flags, the request, and how its answer looks.

pub(crate) mod annotate;
pub(crate) mod card;
pub(crate) mod completions;
pub(crate) mod correct;
pub(crate) mod diff;
pub(crate) mod edit;
pub(crate) mod exchange;
pub(crate) mod export;
pub(crate) mod group;
pub(crate) mod guard;
pub(crate) mod history;
pub(crate) mod holders;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod needs;
pub(crate) mod new;
pub(crate) mod node;
pub(crate) mod officer;
pub(crate) mod publish;
pub(crate) mod purge;
pub(crate) mod quarantine;
pub(crate) mod reissue;
pub(crate) mod search;
pub(crate) mod show;
pub(crate) mod similar;
mod status;
pub(crate) mod sync;
pub(crate) mod translate;
pub(crate) mod trust;
pub(crate) mod vocabulary;
pub(crate) mod watch;

use diwan_api::error::Exit;

use crate::args::Command;
use crate::context::Context;
use crate::error::CliError;

/// Carries out a verb.
pub(crate) async fn run(command: Command, context: &Context) -> Result<Exit, CliError> {
    match command {
        Command::Status => status::run(context).await,
        Command::Card(verb) => card::run(verb, context).await,
        Command::Trust(verb) => trust::run(verb, context).await,
        Command::Group(verb) => group::run(verb, context).await,
        Command::New(args) => new::run(args, context).await,
        Command::Import(args) => import::run(args, context).await,
        Command::Export(args) => export::run(args, context).await,
        Command::Search(args) => search::run(args, context).await,
        Command::Similar(args) => similar::run(args, context).await,
        Command::Watch(args) => watch::run(args, context).await,
        Command::Show(args) => show::run(args, context).await,
        Command::List(args) => list::run(args, context).await,
        Command::Edit(args) => edit::run(args, context).await,
        Command::History(args) => history::run(args, context).await,
        Command::Translate(args) => translate::run(args, context).await,
        Command::Adopt(args) => translate::adopt(args, context).await,
        Command::Correct(args) => correct::run(args, context).await,
        Command::Accept(args) => correct::accept(args, context).await,
        Command::Decline(args) => correct::decline(args, context).await,
        Command::Publish(args) => publish::run(args, context).await,
        Command::Withdraw(args) => publish::withdraw(args, context).await,
        Command::Guard(verb) => guard::run(verb, context).await,
        Command::Officer(verb) => officer::run(verb, context).await,
        Command::Vocabulary(verb) => vocabulary::run(verb, context).await,
        Command::Exchange(verb) => exchange::run(verb, context).await,
        Command::Needs(args) => needs::run(args, context).await,
        Command::Diff(args) => diff::run(args, context).await,
        Command::Holders(args) => holders::run(args, context).await,
        Command::Comment(args) => annotate::run("comment", args, context).await,
        Command::Answer(args) => annotate::run("answer", args, context).await,
        Command::Endorse(args) => annotate::run("endorsement", args, context).await,
        Command::Quarantine(verb) => quarantine::run(verb, context).await,
        Command::Purge(args) => purge::run(args, context).await,
        Command::Reissue(args) => reissue::run(&args, context).await,
        Command::Node(verb) => node::run(verb, context).await,
        Command::Sync(args) => sync::run(args, context).await,
        Command::Completions(args) => completions::run(&args, context),
    }
}
