//! `correct`, `accept`, `decline`: another wording is proposed, and the origin decides.

use diwan_api::error::Exit;
use diwan_api::types::{Decision, Draft, FieldValue};

use super::{edit, new};
use crate::context::Context;
use crate::error::CliError;
use crate::values::{LangText, lang_text, texts, titles};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long, value_name = "[LANG=]TEXT", value_parser = lang_text)]
    title: Vec<LangText>,
    #[arg(long, value_name = "[LANG=]TEXT|@FILE|-", value_parser = lang_text, allow_hyphen_values = true)]
    summary: Vec<LangText>,
    #[arg(long, value_name = "[LANG=]TEXT|@FILE|-", value_parser = lang_text, allow_hyphen_values = true)]
    body: Vec<LangText>,
    #[arg(long = "reason", value_name = "[LANG=]TEXT", value_parser = lang_text)]
    correction_reason: Vec<LangText>,
    #[arg(long = "of", value_name = "VERSION")]
    correction_of: Option<String>,
    #[arg(long = "override", value_name = "REASON")]
    override_reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Accept {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long = "override", value_name = "REASON")]
    override_reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Decline {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long = "reason", value_name = "TEXT", default_value = "")]
    decline_reason: String,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let reader = context.out().view().reader();
    let mut draft = Draft {
        title: titles(&args.title, reader)?,
        summary: texts(&args.summary, reader)?,
        body: texts(&args.body, reader)?,
        override_reason: args.override_reason,
        ..Draft::default()
    };
    let reason = texts(&args.correction_reason, reader)?;
    if !reason.is_empty() {
        draft
            .fields
            .insert("reason".to_owned(), FieldValue::Texts(reason));
    }
    if let Some(version) = args.correction_of {
        draft
            .fields
            .insert("version".to_owned(), FieldValue::Line(version));
    }
    let client = context.client();
    let written = client.annotate(&args.id, "correction", &draft).await?;
    context
        .out()
        .result(&written, |view| new::render(view, &written))
        .await?;
    Ok(Exit::Done)
}

/// Takes an answer, a correction or a translation.
pub(crate) async fn accept(args: Accept, context: &Context) -> Result<Exit, CliError> {
    let decision = Decision {
        override_reason: args.override_reason,
        ..Decision::default()
    };
    let edited = context.client().accept(&args.id, &decision).await?;
    context
        .out()
        .result(&edited, |view| edit::render(view, &edited))
        .await?;
    Ok(Exit::Done)
}

/// Does not take a correction.
pub(crate) async fn decline(args: Decline, context: &Context) -> Result<Exit, CliError> {
    let decision = Decision {
        reason: args.decline_reason,
        lang: Some(context.out().view().reader().to_owned()),
        override_reason: None,
    };
    let edited = context.client().decline(&args.id, &decision).await?;
    context
        .out()
        .result(&edited, |view| edit::render(view, &edited))
        .await?;
    Ok(Exit::Done)
}
