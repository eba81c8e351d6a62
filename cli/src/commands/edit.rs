//! `edit`: changes a record, by flags or in an editor.

use diwan_api::error::Exit;
use diwan_api::types::{EditRequest, Edited, Record, RecordLink};

use super::new::parsed;
use crate::context::Context;
use crate::editor;
use crate::error::CliError;
use crate::output::View;
use crate::template::Fields;
use crate::values::{
    FieldArg, LangText, field, fields as field_values, lang_text, link, texts, titles, tlp,
};

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
    #[arg(long, value_name = "VERSION")]
    base: Option<String>,
    #[arg(long = "override", value_name = "REASON")]
    override_reason: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let request = by_flags(&args, context.out().view())?;
    let edited = if request == EditRequest::default() {
        in_editor(&args.id, context).await?
    } else {
        let request = EditRequest {
            base_version: args.base,
            ..request
        };
        context.client().edit(&args.id, &request).await?
    };
    context
        .out()
        .result(&edited, |view| render(view, &edited))
        .await?;
    Ok(Exit::Done)
}

fn by_flags(args: &Args, view: &View) -> Result<EditRequest, CliError> {
    Ok(EditRequest {
        title: titles(&args.title, view.reader())?,
        summary: texts(&args.summary, view.reader())?,
        body: texts(&args.body, view.reader())?,
        base_version: None,
        themes: whole_set(&args.theme),
        tags: whole_set(&args.tag),
        tlp: args.tlp.clone(),
        hcode: args.hcode.clone(),
        fields: field_values(&args.field)?,
        links: (!args.link.is_empty()).then(|| args.link.clone()),
        override_reason: args.override_reason.clone(),
    })
}

/// The new set; `--theme ""` alone empties it.
fn whole_set(values: &[String]) -> Option<Vec<String>> {
    let named = values.iter().filter(|value| !value.is_empty()).cloned();
    (!values.is_empty()).then(|| named.collect())
}

/// Shows the record in the editor and sends what was changed, as a change of the version shown:
/// what others wrote meanwhile stays.
async fn in_editor(id: &str, context: &Context) -> Result<Edited, CliError> {
    let record = context.client().show(id, None).await?;
    let text = fields(&record).render(context.out().view());
    let edited = editor::edit(&text).await?;
    let after = parsed(&edited, context)?;
    // As the template shows it: a form cannot hold every detail, and what it leaves out is no change.
    let before = Fields::parse(&text).unwrap_or_default();
    let Some(mut request) = before.changes(&after, &record.version) else {
        edited.discard();
        return Err(CliError::TemplateUnchanged);
    };
    for (lang, body) in &mut request.body {
        if let Some(original) = record.body.get(lang) {
            *body = ended_like(body, original);
        }
    }
    let sent = context.client().edit(&record.record, &request).await;
    editor::sent(sent, Some(edited), context)
}

fn fields(record: &Record) -> Fields {
    Fields {
        kind: None,
        title: record.title.clone(),
        summary: record.summary.clone(),
        body: record.body.clone(),
        tlp: record.tlp.clone(),
        themes: record.themes.clone(),
        tags: record.tags.clone(),
    }
}

/// The text with the original's line ends at its end: the editor's last line end is not the
/// author's change, and two of them would merge into two.
fn ended_like(text: &str, original: &str) -> String {
    let end = original.len() - original.trim_end_matches('\n').len();
    if text.is_empty() {
        return String::new();
    }
    text.trim_end_matches('\n').to_owned() + &"\n".repeat(end)
}

/// Shared with `adopt`: the version after an edit.
pub(crate) fn render(view: &View, edited: &Edited) -> String {
    let values = [
        ("record", view.id(&edited.record).into()),
        ("version", view.id(&edited.version).into()),
    ];
    view.say("edited", &values) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    #[test]
    fn the_end_of_a_text_is_not_the_editors_business() {
        assert_eq!(ended_like("a\nb\n", "a"), "a\nb");
        assert_eq!(ended_like("a\nb", "a\n\n"), "a\nb\n\n");
        assert_eq!(ended_like("", "a\n"), "");
    }

    #[test]
    fn a_set_is_replaced_or_emptied_or_left() {
        assert_eq!(whole_set(&[]), None);
        assert_eq!(whole_set(&[String::new()]), Some(Vec::new()));
        assert_eq!(whole_set(&["a".into()]), Some(vec!["a".into()]));
    }

    #[test]
    fn the_answer_names_the_new_version() {
        let edited = Edited {
            record: "0123456789abcdef".into(),
            version: "fedcba98".into(),
            seq: 4,
            guard: Vec::new(),
        };
        insta::assert_snapshot!(render(&plain(), &edited), @"0123456789ab is now at version fedcba98");
    }
}
