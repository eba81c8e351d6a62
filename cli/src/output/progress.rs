//! The progress bar of long work: on stderr, and only where that is a terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::View;

/// How far long work is.
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// A bar over so many bytes, which shows the rate and what is left.
    pub(crate) fn bytes(view: &View, key: &str, total: u64) -> Self {
        let template = format!(
            "{}  {{bar:20}}  {{percent:>3}} %  {{bytes}}/{{total_bytes}}  {{bytes_per_sec}}  {}  {{msg}}",
            view.say(key, &[]),
            view.say("progress-left", &[("time", "{eta}".into())]),
        );
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// So many bytes are done, and what to say beside them.
    pub(crate) fn advance(&self, bytes: u64, message: String) {
        self.bar.set_position(bytes);
        self.bar.set_message(message);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
