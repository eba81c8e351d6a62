//! `completions`: what a shell needs to complete this program's words. Needs no node.

use clap_complete::Shell;
use diwan_api::error::Exit;
use diwan_api::message::Catalogue;

use crate::context::Context;
use crate::error::CliError;
use crate::help;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    let mut command = help::command(&Catalogue::for_language(None));
    clap_complete::generate(args.shell, &mut command, "diwan", &mut script);
    let out = context.out();
    if out.is_json() {
        let script = String::from_utf8_lossy(&script);
        let document = serde_json::json!({ "shell": args.shell.to_string(), "script": script });
        out.json_line(&document)?;
    } else {
        out.raw(&script)?;
    }
    Ok(Exit::Done)
}
