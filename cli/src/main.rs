//! `diwan`: what officers and admins type. A thin client of the node's local API; it never opens the
//! node's database.

mod args;
mod commands;
mod context;
mod editor;
mod error;
mod foreground;
mod help;
mod output;
mod template;
mod usage;
mod values;
#[cfg(test)]
mod words;

use std::ffi::OsString;
use std::io::{self, Write as _};

use diwan_api::error::Exit;
use tokio::signal;

use crate::context::Context;
use crate::error::CliError;
use crate::help::Parsed;
use crate::output::Output;

fn main() {
    let words: Vec<OsString> = std::env::args_os().collect();
    let exit = match help::parse(&words) {
        Ok(parsed) => run(parsed),
        Err(error) => not_understood(&error, &words),
    };
    // At once: a thread that waits for the keyboard must not keep the program alive.
    std::process::exit(exit as i32);
}

fn run(parsed: Parsed) -> Exit {
    let output = Output::new(parsed.lang.as_deref(), parsed.cli.common.json);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(&CliError::Output(error), &output),
    };
    let context = Context::new(parsed.cli.common.socket(), output);
    let done = runtime.block_on(async {
        let verb = commands::run(parsed.cli.command, &context);
        tokio::select! {
            done = verb => done,
            () = interrupted() => Err(CliError::Interrupted),
        }
    });
    // A thread that waits for the keyboard would be waited for.
    runtime.shutdown_background();
    match done {
        Ok(exit) => exit,
        Err(error) => failed(&error, context.out()),
    }
}

/// Returns when the user pressed Ctrl-C, and meant this program.
async fn interrupted() {
    loop {
        if signal::ctrl_c().await.is_err() {
            return std::future::pending().await;
        }
        if !foreground::is_held() {
            return;
        }
    }
}

fn failed(error: &CliError, output: &Output) -> Exit {
    let report = error.report(output.view(), output.is_json());
    let _ = io::stderr().write_all(report.as_bytes());
    error.exit()
}

fn not_understood(error: &clap::Error, words: &[OsString]) -> Exit {
    let json = words.iter().any(|word| word == "--json");
    let output = Output::new(help::said_language(words).as_deref(), json);
    let answer = usage::answer(error, output.view(), json);
    let _ = if answer.to_stdout {
        io::stdout().write_all(answer.text.as_bytes())
    } else {
        io::stderr().write_all(answer.text.as_bytes())
    };
    answer.exit
}
