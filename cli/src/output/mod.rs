//! Where results go: one JSON document or text on stdout, messages and progress on stderr, colour,
//! pager and questions only where a person sits.

pub(crate) mod progress;
mod table;
mod text;
mod view;

use std::io::{self, IsTerminal, Write};
use std::process::Stdio;

use diwan_api::message::{Catalogue, Value, preferred_language};
use serde::Serialize;
use tokio::io::AsyncWriteExt;

use crate::error::CliError;
use crate::foreground;
pub(crate) use table::{Cell, Table};
pub(crate) use text::block;
pub(crate) use view::View;
#[cfg(test)]
pub(crate) use view::plain;

/// Lines that fit a small terminal; longer output goes through the pager.
const PAGE_LINES: usize = 24;

/// The program's output.
pub(crate) struct Output {
    view: View,
    json: bool,
    stdout_is_terminal: bool,
}

impl Output {
    /// For the interface language said, if one was.
    pub(crate) fn new(lang: Option<&str>, json: bool) -> Self {
        let stdout_is_terminal = io::stdout().is_terminal();
        let colour =
            stdout_is_terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self {
            view: View::new(
                Catalogue::for_language(lang),
                &preferred_language(lang),
                colour,
            ),
            json,
            stdout_is_terminal,
        }
    }

    /// How things look to this reader.
    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// Prints a result: the document with `--json`, else the text that `human` makes of it.
    pub(crate) async fn result<T: Serialize>(
        &self,
        document: &T,
        human: impl FnOnce(&View) -> String,
    ) -> Result<(), CliError> {
        if self.json {
            self.json_line(document)
        } else {
            self.page(&human(&self.view)).await
        }
    }

    /// Whether `--json` was said.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints one JSON document on a line of its own.
    #[expect(clippy::unused_self, reason = "all output passes through here")]
    pub(crate) fn json_line<T: Serialize>(&self, document: &T) -> Result<(), CliError> {
        let mut line = serde_json::to_vec(document).map_err(|e| CliError::Output(e.into()))?;
        line.push(b'\n');
        write_stdout(&line)
    }

    /// Prints bytes as they are.
    #[expect(clippy::unused_self, reason = "all output passes through here")]
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<(), CliError> {
        write_stdout(bytes)
    }

    /// A message beside the result, on stderr.
    pub(crate) fn note(&self, key: &str, values: &[(&str, Value<'_>)]) {
        // A message that nobody can receive is no reason to fail.
        let _ = writeln!(io::stderr(), "{}", self.view.say(key, values));
    }

    /// Shows a plan on stderr, before a question.
    #[expect(clippy::unused_self, reason = "all output passes through here")]
    pub(crate) fn plan(&self, text: &str) {
        let _ = write!(io::stderr(), "{text}");
    }

    /// Lets the user type `name` before what cannot be undone, unless `yes` was said.
    pub(crate) async fn confirm(&self, name: &str, yes: bool) -> Result<(), CliError> {
        if yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(CliError::NoTerminal);
        }
        let question = self.view.say("confirm-name", &[("name", name.into())]);
        let _ = write!(io::stderr(), "{question} ");
        // Apart, so that Ctrl-C is heard while nobody types.
        let typed = tokio::task::spawn_blocking(|| {
            let mut typed = String::new();
            io::stdin().read_line(&mut typed).map(|_| typed)
        })
        .await;
        match typed {
            Ok(Ok(typed)) if typed.trim() == name => Ok(()),
            _ => Err(CliError::NotConfirmed {
                name: name.to_owned(),
            }),
        }
    }

    /// Prints text; through the pager if it is long and goes to a terminal.
    async fn page(&self, text: &str) -> Result<(), CliError> {
        if self.stdout_is_terminal && text.lines().count() > PAGE_LINES && paged(text).await {
            return Ok(());
        }
        write_stdout(text.as_bytes())
    }
}

/// Whether a pager showed the text.
async fn paged(text: &str) -> bool {
    let pager = std::env::var("PAGER").unwrap_or_else(|_| "less -R".to_owned());
    if pager.trim().is_empty() || pager.trim() == "cat" {
        return false;
    }
    let mut command = tokio::process::Command::new("sh");
    command.arg("-c").arg(&pager).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        // Leave at once where all fits, keep colours, and leave the text on the screen.
        command.env("LESS", "FRX");
    }
    let _alone = foreground::hold();
    let Ok(mut child) = command.spawn() else {
        return false;
    };
    if let Some(mut stdin) = child.stdin.take() {
        // A reader who leaves early closes the pipe; that is no error.
        let _ = stdin.write_all(text.as_bytes()).await;
    }
    // 127: the shell found no such program.
    child
        .wait()
        .await
        .is_ok_and(|status| status.code() != Some(127))
}

fn write_stdout(bytes: &[u8]) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(CliError::Output)
}
