//! `comment`, `answer`, `endorse`: says something about a record.

use diwan_api::error::Exit;
use diwan_api::types::{Draft, Texts};

use super::new;
use crate::context::Context;
use crate::editor;
use crate::error::CliError;
use crate::values::{FieldArg, LangText, field, fields, lang_text, texts};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(value_name = "TEXT", conflicts_with = "body")]
    text: Option<String>,
    #[arg(long, value_name = "[LANG=]TEXT|@FILE|-", value_parser = lang_text, allow_hyphen_values = true)]
    body: Vec<LangText>,
    #[arg(long, value_name = "NAME[.LANG]=VALUE", value_parser = field)]
    field: Vec<FieldArg>,
    #[arg(long = "override", value_name = "REASON")]
    override_reason: Option<String>,
}

/// Writes an annotation of a kind.
pub(crate) async fn run(kind: &str, args: Args, context: &Context) -> Result<Exit, CliError> {
    let reader = context.out().view().reader();
    let mut body = texts(&args.body, reader)?;
    if let Some(text) = args.text {
        body.insert(reader.to_owned(), text);
    }
    let edited = if body.is_empty() {
        // It is one text: the editor starts empty and needs no form.
        let edited = editor::edit("").await?;
        body = Texts::from([(reader.to_owned(), edited.text.clone())]);
        Some(edited)
    } else {
        None
    };
    let draft = Draft {
        body,
        fields: fields(&args.field)?,
        override_reason: args.override_reason,
        ..Draft::default()
    };
    let sent = context.client().annotate(&args.id, kind, &draft).await;
    let written = editor::sent(sent, edited, context)?;
    context
        .out()
        .result(&written, |view| new::render(view, &written))
        .await?;
    Ok(Exit::Done)
}
