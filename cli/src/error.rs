//! Failures of a command: the node's, and those of this side of the socket.

use std::io;
use std::path::{Path, PathBuf};

use diwan_api::client::import::ImportError;
use diwan_api::document::{ExportError, ScanError};
use diwan_api::error::{ApiError, ErrorCode, Exit};
use diwan_api::message::{Catalogue, Value};
use serde_json::json;

use crate::output::View;

/// Why a command failed. Words are in the catalogue, `error-<code>`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The node's refusal, or its absence.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The name typed was another one.
    #[error("not confirmed")]
    NotConfirmed {
        /// What had to be typed.
        name: String,
    },
    /// A confirmation was needed, and nobody could be asked.
    #[error("no terminal")]
    NoTerminal,
    /// Neither content nor a terminal for an editor.
    #[error("no content")]
    NoContent,
    /// The editor did not run or did not end well.
    #[error("{editor}: {detail}")]
    Editor {
        /// Its command.
        editor: String,
        /// What happened.
        detail: String,
    },
    /// The editor left the text as it was.
    #[error("template unchanged")]
    TemplateUnchanged,
    /// The text from the editor does not parse.
    #[error("template damaged: {detail}")]
    TemplateDamaged {
        /// What is wrong.
        detail: String,
        /// Where the text is kept.
        path: PathBuf,
    },
    /// A folder holds no document.
    #[error("{path}: no document")]
    NothingFound {
        /// The folder.
        path: String,
    },
    /// Every document was skipped.
    #[error("nothing imported")]
    NothingImported,
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// Stdout cannot be written.
    #[error("output: {0}")]
    Output(io::Error),
}

impl CliError {
    /// A file that cannot be read; one that is not there is `unknown-path`.
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::NotFound {
            let code = ErrorCode::UnknownPath;
            return ApiError::new(code).with("path", path.display()).into();
        }
        Self::Read {
            path: path.to_owned(),
            source,
        }
    }

    /// A file that cannot be written.
    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            source,
        }
    }

    /// The program's exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Api(error) => error.code.exit(),
            Self::NoTerminal | Self::NoContent | Self::TemplateDamaged { .. } => Exit::Usage,
            Self::Interrupted => Exit::Interrupted,
            // `diwan list | head` is no failure.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Read { .. }
            | Self::Write { .. }
            | Self::NotConfirmed { .. }
            | Self::Editor { .. }
            | Self::TemplateUnchanged
            | Self::NothingFound { .. }
            | Self::NothingImported
            | Self::Output(_) => Exit::Failed,
        }
    }

    /// The stable name.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Api(error) => error.code.name(),
            Self::Read { .. } => "unreadable-file",
            Self::Write { .. } => "unwritable-file",
            Self::NotConfirmed { .. } => "not-confirmed",
            Self::NoTerminal => "no-terminal",
            Self::NoContent => "no-content",
            Self::Editor { .. } => "editor-failed",
            Self::TemplateUnchanged => "template-unchanged",
            Self::TemplateDamaged { .. } => "template-damaged",
            Self::NothingFound { .. } => "nothing-found",
            Self::NothingImported => "nothing-imported",
            Self::Interrupted => "interrupted",
            Self::Output(_) => "output",
        }
    }

    /// The values of its message.
    fn values(&self) -> Vec<(&str, Value<'static>)> {
        match self {
            Self::Api(error) => {
                let args = error.args.iter();
                args.map(|(name, value)| (name.as_str(), value.clone().into()))
                    .collect()
            }
            Self::Read { path, source } | Self::Write { path, source } => vec![
                ("path", path.display().to_string().into()),
                ("detail", source.to_string().into()),
            ],
            Self::NotConfirmed { name } => vec![("name", name.clone().into())],
            Self::Editor { editor, detail } => vec![
                ("editor", editor.clone().into()),
                ("detail", detail.clone().into()),
            ],
            Self::TemplateDamaged { detail, path } => vec![
                ("detail", detail.clone().into()),
                ("path", path.display().to_string().into()),
            ],
            Self::NothingFound { path } => vec![("path", path.clone().into())],
            Self::Output(error) => vec![("detail", error.to_string().into())],
            Self::NoTerminal
            | Self::NoContent
            | Self::TemplateUnchanged
            | Self::NothingImported
            | Self::Interrupted => Vec::new(),
        }
    }

    /// What a person reads on stderr, or the JSON document in English.
    pub(crate) fn report(&self, view: &View, json: bool) -> String {
        if matches!(self.exit(), Exit::Done) {
            return String::new();
        }
        if json {
            let english = View::new(Catalogue::english(), "en", false);
            let (message, hint) = english.failure(self.code(), &self.values());
            document(self.code(), &message, &hint)
        } else {
            let (message, hint) = view.failure(self.code(), &self.values());
            lines(view, &message, &hint)
        }
    }
}

impl From<ImportError> for CliError {
    fn from(error: ImportError) -> Self {
        let scan = match error {
            ImportError::Node(error) => return error.into(),
            ImportError::Scan(error) => error,
        };
        match scan {
            ScanError::Missing { path } => ApiError::new(ErrorCode::UnknownPath)
                .with("path", path)
                .into(),
            ScanError::NothingFound { path } => Self::NothingFound { path },
            ScanError::Unreadable { path, detail } => Self::Read {
                path: path.into(),
                source: io::Error::other(detail),
            },
            ScanError::BadLanguage { value } => {
                ApiError::invalid("--lang", value, "a language tag such as fr").into()
            }
            ScanError::TooManyFiles { limit } => {
                let expected = format!("folders with at most {limit} files in all");
                ApiError::invalid("PATH", format_args!("more than {limit} files"), &expected).into()
            }
        }
    }
}

impl From<ExportError> for CliError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Write { path, source } => Self::Write { path, source },
            ExportError::NotAFolder { path } => Self::Write {
                path,
                source: io::ErrorKind::NotADirectory.into(),
            },
            ExportError::Read { source } => Self::Output(source),
            ExportError::Yaml { .. } => ApiError::new(ErrorCode::Internal)
                .with("detail", error)
                .into(),
        }
    }
}

/// `{"error":{"code","message","hint"}}`.
pub(crate) fn document(code: &str, message: &str, hint: &str) -> String {
    let error = json!({ "error": { "code": code, "message": message, "hint": hint } });
    format!("{error}\n")
}

/// The message, and the hint on a line of its own.
pub(crate) fn lines(view: &View, message: &str, hint: &str) -> String {
    let error = view.say("label-error", &[]);
    let advice = view.say("label-hint", &[]);
    if hint.is_empty() {
        format!("{error}: {message}\n")
    } else {
        format!("{error}: {message}\n{advice}: {hint}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    /// One of each failure of this side.
    fn local() -> Vec<CliError> {
        let broken = || io::Error::other("broken");
        vec![
            CliError::read(Path::new("f"), broken()),
            CliError::write(Path::new("f"), broken()),
            CliError::NotConfirmed { name: "tn".into() },
            CliError::NoTerminal,
            CliError::NoContent,
            CliError::Editor {
                editor: "vi".into(),
                detail: "no".into(),
            },
            CliError::TemplateUnchanged,
            CliError::TemplateDamaged {
                detail: "no".into(),
                path: "f".into(),
            },
            CliError::NothingFound { path: "f".into() },
            CliError::NothingImported,
            CliError::Interrupted,
            CliError::Output(broken()),
        ]
    }

    #[test]
    fn every_local_failure_has_its_words_with_all_values_filled() {
        for error in local() {
            let text = error.report(&plain(), false);
            assert!(
                text.starts_with("error: ") && text.contains("\nhint: "),
                "{text}"
            );
            assert!(!text.contains("{$") && !text.contains("error-"), "{text}");
        }
    }

    #[test]
    fn the_json_of_an_error_is_english_and_complete() {
        let error = CliError::from(ApiError::new(ErrorCode::UnknownGroup).with("name", "cyber"));
        let json: serde_json::Value = serde_json::from_str(&error.report(&plain(), true)).unwrap();
        assert_eq!(json["error"]["code"], "unknown-group");
        assert!(json["error"]["message"].as_str().unwrap().contains("cyber"));
        assert!(
            json["error"]["hint"]
                .as_str()
                .unwrap()
                .contains("diwan group list")
        );
        assert_eq!(error.exit(), Exit::NotFound);
    }

    #[test]
    fn a_closed_pipe_is_no_failure_and_a_missing_file_is_not_found() {
        let closed = CliError::Output(io::ErrorKind::BrokenPipe.into());
        assert_eq!(
            (closed.exit(), closed.report(&plain(), false)),
            (Exit::Done, String::new())
        );
        let missing = CliError::read(Path::new("f"), io::ErrorKind::NotFound.into());
        assert_eq!(missing.exit(), Exit::NotFound);
    }
}
