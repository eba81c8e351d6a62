//! The user's own editor on a text.

use std::io::IsTerminal;
use std::path::PathBuf;

use diwan_api::error::ApiError;
use tokio::process::Command;

use crate::context::Context;
use crate::error::CliError;
use crate::foreground;
use crate::values::read_text;

/// A text that went through the editor, in a file that stays until [`EditedText::discard`]: what a
/// person typed is never lost because the node refuses it.
pub(crate) struct EditedText {
    /// What the editor left.
    pub(crate) text: String,
    /// Where it is kept.
    pub(crate) path: PathBuf,
}

impl EditedText {
    /// The text reached the node; the file may go.
    pub(crate) fn discard(self) {
        let _ = std::fs::remove_file(self.path);
    }
}

/// Lets the user edit `text` in `$VISUAL`, `$EDITOR` or `vi`. Only the user can read the file.
///
/// Without a terminal there is nobody to edit; a text that was not changed means "no".
pub(crate) async fn edit(text: &str) -> Result<EditedText, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::NoContent);
    }
    let file = tempfile::Builder::new()
        .prefix("diwan-")
        .suffix(".md")
        .tempfile()
        .map_err(|e| CliError::write(&std::env::temp_dir(), e))?;
    std::fs::write(file.path(), text).map_err(|e| CliError::write(file.path(), e))?;

    let editor = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|name| {
            std::env::var(name)
                .ok()
                .filter(|value| !value.trim().is_empty())
        })
        .unwrap_or_else(|| "vi".to_owned());
    let failure = |detail: String| CliError::Editor {
        editor: editor.clone(),
        detail,
    };
    // Through the shell, as the variable may hold flags.
    let status = {
        let _alone = foreground::hold();
        Command::new("sh")
            .arg("-c")
            .arg(format!("{editor} \"$1\""))
            .arg(&editor)
            .arg(file.path())
            .status()
            .await
            .map_err(|error| failure(error.to_string()))?
    };
    if !status.success() {
        return Err(failure(status.to_string()));
    }
    let edited = read_text(file.path())?;
    if edited == text {
        return Err(CliError::TemplateUnchanged);
    }
    let path = file.path().to_owned();
    let path = file.keep().map_or(path, |(_, kept)| kept);
    Ok(EditedText { text: edited, path })
}

/// What the node made of an edited text: its file goes once the node has it, and is named on stderr
/// while it has not.
pub(crate) fn sent<T>(
    answer: Result<T, ApiError>,
    edited: Option<EditedText>,
    context: &Context,
) -> Result<T, CliError> {
    if let Some(edited) = edited {
        if answer.is_ok() {
            edited.discard();
        } else {
            let path = edited.path.display().to_string();
            context.out().note("text-kept", &[("path", path.into())]);
        }
    }
    Ok(answer?)
}
