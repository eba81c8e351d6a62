//! `new`: writes a record, from flags or from an editor.

use diwan_api::error::{ApiError, Exit};
use diwan_api::types::{Draft, Editors, NewRecord, RecordLink, Texts, Written};

use super::publish::warnings;
use crate::context::Context;
use crate::editor::{self, EditedText};
use crate::error::CliError;
use crate::output::View;
use crate::template::{Fields, Unreadable};
use crate::values::{
    FieldArg, LangText, editors, field, fields, lang_text, link, texts, titles, tlp,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long, value_name = "GROUP")]
    group: String,
    #[arg(long, value_name = "KIND")]
    kind: String,
    #[arg(long, value_name = "[LANG=]TEXT", value_parser = lang_text)]
    title: Vec<LangText>,
    #[arg(long, value_name = "[LANG=]TEXT|@FILE|-", value_parser = lang_text, allow_hyphen_values = true)]
    summary: Vec<LangText>,
    #[arg(long, value_name = "[LANG=]TEXT|@FILE|-", value_parser = lang_text, allow_hyphen_values = true)]
    body: Vec<LangText>,
    #[arg(long, value_name = "THEME")]
    theme: Vec<String>,
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    #[arg(long, value_name = "LABEL", value_parser = tlp)]
    tlp: Option<String>,
    #[arg(long, value_name = "CODE")]
    hcode: Option<String>,
    #[arg(long, value_name = "NAME[.LANG]=VALUE", value_parser = field)]
    field: Vec<FieldArg>,
    #[arg(long, value_name = "REL=ID", value_parser = link)]
    link: Vec<RecordLink>,
    #[arg(long = "override", value_name = "REASON")]
    override_reason: Option<String>,
    #[arg(long, value_name = "WHO", value_parser = editors, default_value = "group")]
    editors: Editors,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let reader = context.out().view().reader();
    let mut draft = Draft {
        kind: Some(args.kind),
        title: titles(&args.title, reader)?,
        summary: texts(&args.summary, reader)?,
        body: texts(&args.body, reader)?,
        themes: args.theme,
        tags: args.tag,
        tlp: args.tlp,
        hcode: args.hcode,
        fields: fields(&args.field)?,
        links: args.link,
        override_reason: args.override_reason,
        ..Draft::default()
    };
    let edited = if draft.title.is_empty() {
        let edited =
            editor::edit(&form(&draft, context.out().view()).render(context.out().view())).await?;
        let written = parsed(&edited, context)?.into_draft();
        draft = Draft {
            hcode: draft.hcode,
            fields: draft.fields,
            links: draft.links,
            override_reason: draft.override_reason,
            ..written
        };
        Some(edited)
    } else {
        None
    };
    require_title(&draft.title)?;
    let request = NewRecord {
        group: args.group,
        draft,
        editors: args.editors,
    };
    let sent = context.client().new_record(&request).await;
    let written = editor::sent(sent, edited, context)?;
    context
        .out()
        .result(&written, |view| render(view, &written))
        .await?;
    Ok(Exit::Done)
}

/// An empty title and body in the reader's language beside what flags said.
fn form(draft: &Draft, view: &View) -> Fields {
    let with_reader = |texts: &Texts| {
        let mut texts = texts.clone();
        texts.entry(view.reader().to_owned()).or_default();
        texts
    };
    Fields {
        kind: draft.kind.clone(),
        title: with_reader(&draft.title),
        summary: with_reader(&draft.summary),
        body: with_reader(&draft.body),
        tlp: draft.tlp.clone().unwrap_or_default(),
        themes: draft.themes.clone(),
        tags: draft.tags.clone(),
    }
}

/// The fields that the editor left; where they cannot be read, the text is kept and named.
pub(crate) fn parsed(edited: &EditedText, context: &Context) -> Result<Fields, CliError> {
    Fields::parse(&edited.text).map_err(|Unreadable { key, line }| CliError::TemplateDamaged {
        detail: context.out().view().say(key, &[("line", line.into())]),
        path: edited.path.clone(),
    })
}

fn require_title(titles: &Texts) -> Result<(), CliError> {
    if titles.values().any(|title| !title.trim().is_empty()) {
        return Ok(());
    }
    Err(ApiError::invalid("title", "", "a title in at least one language").into())
}

/// Shared with `comment`: what was written, and how to see it.
pub(crate) fn render(view: &View, written: &Written) -> String {
    let line = view.say("written", &[("record", view.id(&written.record).into())]) + "\n";
    line + &warnings(view, &written.guard)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    #[test]
    fn the_form_of_a_new_record() {
        let draft = Draft {
            kind: Some("practice".into()),
            ..Draft::default()
        };
        insta::assert_snapshot!(form(&draft, &plain()).render(&plain()), @"
        ---
        # Write between the two lines of dashes, and below them. Lines that begin with # are not kept.
        # title.LANG holds the title in a language (fr, en, ar, …); add lines for more languages.
        # Texts stand below the lines that begin with <!-- diwan: and name their language; add such
        # lines for more languages. Leave without saving, and nothing is written.
        kind: practice
        title.fr:
        tlp:
        themes:
        tags:
        ---
        <!-- diwan: summary fr -->
        <!-- diwan: body fr -->
        ");
    }

    #[test]
    fn what_was_written_can_be_shown() {
        let written = Written {
            record: "0123456789abcdef".into(),
            group: "aa".into(),
            seq: 9,
            guard: Vec::new(),
        };
        insta::assert_snapshot!(render(&plain(), &written), @"Written: 0123456789ab");
    }

    #[test]
    fn a_record_needs_a_title() {
        assert!(require_title(&Texts::new()).is_err());
        assert!(require_title(&[("fr".into(), " ".into())].into()).is_err());
        assert!(require_title(&[("fr".into(), "a".into())].into()).is_ok());
    }
}
