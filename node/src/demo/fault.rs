//! What can go wrong in a demonstration.

use std::path::{Path, PathBuf};

use diwan_api::client::import::ImportError;
use diwan_api::error::ApiError;

use super::tell::Teller;

/// Why a step did not reach what it was to show.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemoError {
    /// A node refused, or does not answer.
    #[error("{short}: {error}")]
    Node {
        /// Which.
        short: &'static str,
        /// What it answered.
        error: ApiError,
    },
    /// `diwan-node init` failed.
    #[error("{short} could not be made: {detail}")]
    Making {
        /// Which.
        short: &'static str,
        /// What it said.
        detail: String,
    },
    /// A node's process ended while it was needed.
    #[error("{short} ended: {status}")]
    Ended {
        /// Which.
        short: &'static str,
        /// How.
        status: String,
    },
    /// Something did not happen in time.
    #[error("waited {seconds} s for {awaited}")]
    TooLong {
        /// What was awaited, a key of the catalogue.
        awaited: &'static str,
        /// For how long nothing had moved.
        seconds: u64,
    },
    /// What was to be shown is not so.
    #[error("{short}: {law} does not hold")]
    Untrue {
        /// Where.
        short: &'static str,
        /// What should have been, a key of the catalogue.
        law: &'static str,
    },
    /// A file or a program of the demonstration's own cannot be used.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
}

impl DemoError {
    /// For `map_err` on what a node answered.
    pub(super) fn of(short: &'static str) -> impl Fn(ApiError) -> Self {
        move |error| Self::Node { short, error }
    }

    /// For `map_err` on what the operating system answered.
    pub(super) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// An import that broke off.
    pub(super) fn import(short: &'static str, error: ImportError) -> Self {
        match error {
            ImportError::Node(error) => Self::Node { short, error },
            ImportError::Scan(error) => Self::Node {
                short,
                error: super::documents::not_importable(&error),
            },
        }
    }

    /// What happened, in the reader's language.
    pub(super) fn words(&self, teller: &Teller<'_>) -> String {
        match self {
            Self::Node { short, error } => {
                let detail = teller.error_text(error);
                teller.text(
                    "demo-fault-node",
                    &[("node", (*short).into()), ("detail", detail.into())],
                )
            }
            Self::Making { short, detail } => teller.text(
                "demo-fault-making",
                &[
                    ("node", (*short).into()),
                    ("detail", detail.as_str().into()),
                ],
            ),
            Self::Ended { short, status } => teller.text(
                "demo-fault-ended",
                &[
                    ("node", (*short).into()),
                    ("status", status.as_str().into()),
                ],
            ),
            Self::TooLong { awaited, seconds } => {
                let awaited = teller.text(awaited, &[]);
                teller.text(
                    "demo-fault-too-long",
                    &[("awaited", awaited.into()), ("seconds", (*seconds).into())],
                )
            }
            Self::Untrue { short, law } => {
                let law = teller.text(law, &[]);
                teller.text(
                    "demo-fault-untrue",
                    &[("node", (*short).into()), ("law", law.into())],
                )
            }
            Self::File { path, source } => teller.text(
                "demo-fault-file",
                &[
                    ("path", path.display().to_string().into()),
                    ("detail", source.to_string().into()),
                ],
            ),
        }
    }
}
