//! `translate`, `adopt`: a record's text in another language.

use diwan_api::error::Exit;
use diwan_api::types::{Decision, TranslateRequest, Translated};

use super::edit;
use super::publish::warnings;
use crate::context::Context;
use crate::error::CliError;
use crate::output::View;
use crate::values::text_of;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long = "lang", value_name = "LANG")]
    into_lang: String,
    #[arg(long, value_name = "LANG")]
    from_lang: Option<String>,
    #[arg(long, value_name = "VERSION")]
    of: Option<String>,
    #[arg(long = "title", value_name = "TEXT")]
    own_title: Option<String>,
    #[arg(
        long = "summary",
        value_name = "TEXT|@FILE|-",
        allow_hyphen_values = true
    )]
    own_summary: Option<String>,
    #[arg(long = "body", value_name = "TEXT|@FILE|-", allow_hyphen_values = true)]
    own_body: Option<String>,
    #[arg(long = "override", value_name = "REASON")]
    override_reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Adopt {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long = "override", value_name = "REASON")]
    override_reason: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let text = |value: Option<String>| value.as_deref().map(text_of).transpose();
    let request = TranslateRequest {
        lang: args.into_lang,
        from: args.from_lang,
        version: args.of,
        title: args.own_title,
        summary: text(args.own_summary)?,
        body: text(args.own_body)?,
        override_reason: args.override_reason,
    };
    let done = context.client().translate(&args.id, &request).await?;
    context
        .out()
        .result(&done, |view| render(view, &done))
        .await?;
    Ok(Exit::Done)
}

/// Takes another agency's translation into the own record.
pub(crate) async fn adopt(args: Adopt, context: &Context) -> Result<Exit, CliError> {
    let request = Decision {
        override_reason: args.override_reason,
        ..Decision::default()
    };
    let edited = context.client().adopt(&args.id, &request).await?;
    context
        .out()
        .result(&edited, |view| edit::render(view, &edited))
        .await?;
    Ok(Exit::Done)
}

fn render(view: &View, done: &Translated) -> String {
    let key = match done.in_record {
        true => "translated-in-record",
        false => "translated-apart",
    };
    let line = view.say(key, &[("record", view.id(&done.record).into())]) + "\n";
    line + &warnings(view, &done.guard)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    #[test]
    fn whether_it_is_in_the_record_is_told() {
        let done = |in_record| Translated {
            record: "0123456789abcdef".to_owned(),
            group: "aa".to_owned(),
            seq: 7,
            in_record,
            guard: Vec::new(),
        };
        insta::assert_snapshot!(render(&plain(), &done(true)), @"The record 0123456789ab has this translation.");
        insta::assert_snapshot!(render(&plain(), &done(false)), @"Written beside the record, as 0123456789ab: its origin may adopt it.");
    }
}
