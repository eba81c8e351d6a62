//! `diwan-node`: makes a node's home, runs it, checks its configuration, and shows what a
//! federation does.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use diwan_api::error::{ApiError, ErrorCode, Exit};
use diwan_api::message::{Catalogue, Value};
use diwan_node::boot::{self, Enrolled, NewAgency};
use diwan_node::config::{Address, Config};
use diwan_node::daemon::{self, Until};
use diwan_node::demo;
use diwan_node::keystore::{self, Passphrase, Protection};

/// A node that has taken in or indexed much gives the memory back: the system's allocator keeps most of
/// it. How soon is set where it is built, in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The program's arguments. Help texts are messages of the catalogue, `node-cmd-…`, `node-arg-…`.
#[derive(Debug, Parser)]
#[command(name = "diwan-node", version, disable_help_subcommand = true)]
struct Cli {
    #[arg(long, global = true)]
    json: bool,
    #[arg(long, global = true, value_name = "LANG")]
    lang: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(Init),
    Run(Run),
    CheckConfig(CheckConfig),
    Demo(Demo),
    Enroll(Enroll),
    RotateRoot(RotateRoot),
}

#[derive(Debug, Args)]
struct Init {
    #[arg(long, env = "DIWAN_HOME", value_name = "DIR")]
    home: PathBuf,
    #[arg(long, value_name = "XX")]
    country: String,
    #[arg(long, value_name = "NAME")]
    name: String,
    #[arg(long, value_name = "SHORT")]
    short: Option<String>,
    #[arg(long, value_name = "MULTIADDR")]
    listen: Vec<String>,
    #[arg(long, value_name = "FILE", conflicts_with = "no_passphrase")]
    passphrase_file: Option<PathBuf>,
    #[arg(long)]
    no_passphrase: bool,
}

#[derive(Debug, Args)]
struct Run {
    #[arg(long, env = "DIWAN_HOME", value_name = "DIR")]
    home: PathBuf,
    #[arg(long, env = "DIWAN_PASSPHRASE_FILE", value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
}

#[derive(Debug, Args)]
struct CheckConfig {
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Args)]
struct Demo {
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[arg(long, value_name = "PATH")]
    import: Option<PathBuf>,
    #[arg(long)]
    exit: bool,
}

#[derive(Debug, Args)]
struct Enroll {
    #[arg(long, env = "DIWAN_HOME", value_name = "DIR")]
    home: PathBuf,
    #[arg(long, value_name = "CARD")]
    card: PathBuf,
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    #[arg(long, value_name = "MULTIADDR")]
    listen: Vec<String>,
    #[arg(long, value_name = "FILE", conflicts_with = "no_passphrase")]
    passphrase_file: Option<PathBuf>,
    #[arg(long)]
    no_passphrase: bool,
}

#[derive(Debug, Args)]
struct RotateRoot {
    #[arg(long, env = "DIWAN_HOME", value_name = "DIR")]
    home: PathBuf,
    #[arg(long, env = "DIWAN_PASSPHRASE_FILE", value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

fn main() -> std::process::ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let said = words
        .iter()
        .position(|word| word == "--lang")
        .and_then(|at| words.get(at + 1));
    let catalogue = Catalogue::for_language(said.map(String::as_str));
    let parsed = worded(Cli::command(), "node-cmd", &catalogue).try_get_matches_from(&words);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            return not_understood(&error, words.iter().any(|w| w == "--json"), &catalogue);
        }
    };
    let exit = match perform(&cli, &catalogue) {
        Ok(exit) => exit,
        Err(error) => {
            report(&error, cli.json, &catalogue);
            error.code.exit()
        }
    };
    std::process::ExitCode::from(exit as u8)
}

/// The answer to a line that does not parse; help and version come this way too.
fn not_understood(
    error: &clap::Error,
    json: bool,
    catalogue: &Catalogue,
) -> std::process::ExitCode {
    use clap::error::ErrorKind;
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        error.exit();
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let detail = first.trim_start_matches("error: ").trim_end_matches(':');
    let missing = text.lines().skip(1).map_while(|line| {
        let line = line.strip_prefix("  ")?;
        (!line.starts_with(' ') && !line.starts_with("tip:")).then_some(line)
    });
    let missing: Vec<&str> = missing.collect();
    let detail = match missing.is_empty() {
        true => detail.to_owned(),
        false => format!("{detail}: {}", missing.join(", ")),
    };
    tell(
        "usage-node",
        &[("detail", Value::from(detail))],
        json,
        catalogue,
    );
    std::process::ExitCode::from(Exit::Usage as u8)
}

/// A command with the texts of it and of its flags.
fn worded(command: clap::Command, path: &str, catalogue: &Catalogue) -> clap::Command {
    let below: Vec<String> = command
        .get_subcommands()
        .map(|c| c.get_name().to_owned())
        .collect();
    let key = if path == "node-cmd" {
        "node-cmd-root"
    } else {
        path
    };
    let mut command = command.about(catalogue.text(key, &[])).mut_args(|arg| {
        let id = arg.get_id().as_str().replace('_', "-");
        match id.as_str() {
            "help" | "version" => arg,
            _ => arg.help(catalogue.text(&format!("node-arg-{id}"), &[])),
        }
    });
    for name in below {
        let path = format!("{path}-{name}");
        command = command.mut_subcommand(name, |below| worded(below, &path, catalogue));
    }
    command
}

fn report(error: &ApiError, json: bool, catalogue: &Catalogue) {
    let values: Vec<_> = error
        .args
        .iter()
        .map(|(name, value)| (name.as_str(), Value::from(value.as_str())))
        .collect();
    tell(error.code.name(), &values, json, catalogue);
}

/// Prints a failure by its name, as `diwan` does.
fn tell(name: &str, values: &[(&str, Value<'_>)], json: bool, catalogue: &Catalogue) {
    let text = if json {
        let (message, hint) = Catalogue::english().failure(name, values);
        let code = if name == "usage-node" { "usage" } else { name };
        let error = serde_json::json!({
            "error": { "code": code, "message": message, "hint": hint }
        });
        error.to_string()
    } else {
        let (message, hint) = catalogue.failure(name, values);
        format!(
            "{}: {message}\n{}: {hint}",
            catalogue.text("label-error", &[]),
            catalogue.text("label-hint", &[])
        )
    };
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn print(text: &str) -> Result<(), ApiError> {
    let written = writeln!(std::io::stdout(), "{text}");
    written.map_err(|error| ApiError::new(ErrorCode::Internal).with("detail", error))
}

fn perform(cli: &Cli, catalogue: &Catalogue) -> Result<Exit, ApiError> {
    match &cli.command {
        Command::Init(args) => init(args, cli.json, catalogue)?,
        Command::Run(args) => run(args, catalogue)?,
        Command::CheckConfig(args) => check_config(args, cli.json, catalogue)?,
        Command::Demo(args) => return show(args, cli.json, catalogue),
        Command::Enroll(args) => enroll(args, cli.json, catalogue)?,
        Command::RotateRoot(args) => rotate_root(args, cli.json, catalogue)?,
    }
    Ok(Exit::Done)
}

fn init(args: &Init, json: bool, catalogue: &Catalogue) -> Result<(), ApiError> {
    let config = config_listening(&args.listen)?;
    let agency = NewAgency {
        name: args.name.clone(),
        country: args.country.clone(),
        short: args
            .short
            .clone()
            .unwrap_or_else(|| args.country.to_lowercase()),
    };
    let sealing = (args.passphrase_file.as_deref(), args.no_passphrase);
    let passphrase = new_passphrase(sealing, &args.home, catalogue)?;
    let protection = passphrase
        .as_ref()
        .map_or(Protection::None, Protection::Passphrase);
    let made = boot::make(&args.home, agency, &config, protection, uid())?;
    if json {
        let text = serde_json::to_string(&made);
        return print(&text.map_err(|e| ApiError::new(ErrorCode::Internal).with("detail", e))?);
    }
    print(&catalogue.text(
        "node-init-done",
        &[
            ("short", Value::from(made.short)),
            ("home", Value::from(made.home)),
            ("fingerprint", Value::from(made.fingerprint)),
            ("peer", Value::from(made.peer_id)),
        ],
    ))
}

/// A configuration that listens there; the default one where nothing is said.
fn config_listening(listen: &[String]) -> Result<Config, ApiError> {
    let mut config = Config::default();
    if !listen.is_empty() {
        let addresses = listen.iter().map(|text| listen_address(text));
        config.listen = addresses.collect::<Result<_, _>>()?;
    }
    Ok(config)
}

/// What is to seal new keys: from the file said, nothing, or asked for.
fn new_passphrase(
    (file, none): (Option<&Path>, bool),
    home: &Path,
    catalogue: &Catalogue,
) -> Result<Option<Passphrase>, ApiError> {
    match (file, none) {
        (_, true) => Ok(None),
        (Some(file), _) => Passphrase::from_file(file)
            .map(Some)
            .map_err(|error| boot::key_error(file, &error)),
        (None, false) => {
            let prompt = catalogue.text("node-ask-new-passphrase", &[]);
            let again = catalogue.text("node-ask-passphrase-again", &[]);
            let asked = Passphrase::ask(&prompt, Some(&again));
            asked
                .map(Some)
                .map_err(|error| boot::key_error(home, &error))
        }
    }
}

fn enroll(args: &Enroll, json: bool, catalogue: &Catalogue) -> Result<(), ApiError> {
    let unknown = |path: &Path| ApiError::new(ErrorCode::UnknownPath).with("path", path.display());
    let card = std::fs::read_to_string(&args.card).map_err(|_| unknown(&args.card))?;
    let config = config_listening(&args.listen)?;
    let passphrase = match daemon::open_home(&args.home) {
        Ok(home) => passphrase_of(
            &home.keys_node(),
            args.passphrase_file.as_deref(),
            catalogue,
        )?,
        Err(_) => {
            let sealing = (args.passphrase_file.as_deref(), args.no_passphrase);
            new_passphrase(sealing, &args.home, catalogue)?
        }
    };
    let protection = passphrase
        .as_ref()
        .map_or(Protection::None, Protection::Passphrase);
    let home = args.home.display().to_string();
    match boot::enroll(&args.home, &card, &config, protection, uid())? {
        Enrolled::Done { peer_id } if json => {
            print(&serde_json::json!({ "peer_id": peer_id, "certified": true }).to_string())
        }
        Enrolled::Done { .. } => {
            print(&catalogue.text("node-enroll-done", &[("home", Value::from(home))]))
        }
        Enrolled::Asks { peer_id, request } => {
            if let Some(path) = &args.request {
                std::fs::write(path, &request).map_err(|error| {
                    ApiError::new(ErrorCode::HomeUnreadable)
                        .with("path", path.display())
                        .with("detail", error)
                })?;
            }
            if json {
                let answer = serde_json::json!({
                    "peer_id": peer_id, "certified": false, "request": request,
                });
                return print(&answer.to_string());
            }
            if args.request.is_none() {
                print(request.trim_end())?;
            }
            print(&catalogue.text("node-enroll-asks", &[("home", Value::from(home))]))
        }
    }
}

fn rotate_root(args: &RotateRoot, json: bool, catalogue: &Catalogue) -> Result<(), ApiError> {
    let home = daemon::open_home(&args.home)?;
    let locked = home.lock();
    let _lock = locked.map_err(|error| boot::home_error(home.dir(), &error))?;
    let file = args.passphrase_file.as_deref();
    let passphrase = passphrase_of(&home.keys_root(), file, catalogue)?;
    let root = boot::rotate_root(&home, passphrase.as_ref())?;
    match json {
        true => print(&serde_json::json!({ "root": root }).to_string()),
        false => {
            let key = home.keys_root().display().to_string();
            print(&catalogue.text("node-rotate-root-done", &[("key", Value::from(key))]))
        }
    }
}

fn listen_address(text: &str) -> Result<Address, ApiError> {
    Address::listen(text).map_err(|fault| {
        ApiError::new(ErrorCode::BadAddress)
            .with("field", "--listen")
            .with("address", text)
            .with("detail", fault)
    })
}

fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

fn run(args: &Run, catalogue: &Catalogue) -> Result<(), ApiError> {
    let home = daemon::open_home(&args.home)?;
    let passphrase = passphrase_of(
        &home.keys_node(),
        args.passphrase_file.as_deref(),
        catalogue,
    )?;
    let until = match args.until_stdin_closes {
        true => Until::StdinCloses,
        false => Until::Signalled,
    };
    daemon::run(&home, passphrase.as_ref(), args.port_file.as_deref(), until)
}

/// The passphrase of a key file, if it is sealed: from the file said, else asked for.
fn passphrase_of(
    key: &Path,
    file: Option<&Path>,
    catalogue: &Catalogue,
) -> Result<Option<Passphrase>, ApiError> {
    let sealed = keystore::is_encrypted(key).map_err(|error| boot::key_error(key, &error))?;
    if !sealed {
        return Ok(None);
    }
    let passphrase = match file {
        Some(file) => Passphrase::from_file(file).map_err(|error| boot::key_error(file, &error)),
        None => Passphrase::ask(&catalogue.text("node-ask-passphrase", &[]), None)
            .map_err(|error| boot::key_error(key, &error)),
    };
    passphrase.map(Some)
}

fn check_config(args: &CheckConfig, json: bool, catalogue: &Catalogue) -> Result<(), ApiError> {
    boot::load_config(&args.file)?;
    match json {
        true => print(r#"{"ok":true}"#),
        false => {
            let file = args.file.display().to_string();
            print(&catalogue.text("node-check-config-good", &[("file", Value::from(file))]))
        }
    }
}

fn show(args: &Demo, json: bool, catalogue: &Catalogue) -> Result<Exit, ApiError> {
    let request = demo::Request {
        dir: args.dir.clone(),
        import: args.import.clone(),
        exit: args.exit,
        json,
    };
    demo::run(&request, catalogue)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The keys that the texts of a command and of all below it come from.
    fn keys(command: &clap::Command, path: &str, into: &mut BTreeSet<String>) {
        into.insert(if path == "node-cmd" {
            "node-cmd-root".to_owned()
        } else {
            path.to_owned()
        });
        for arg in command.get_arguments() {
            into.insert(format!(
                "node-arg-{}",
                arg.get_id().as_str().replace('_', "-")
            ));
        }
        for sub in command.get_subcommands() {
            keys(sub, &format!("{path}-{}", sub.get_name()), into);
        }
    }

    #[test]
    fn every_command_and_flag_has_its_text_and_no_text_is_left_over() {
        let catalogue = Catalogue::english();
        let mut used = BTreeSet::new();
        keys(&Cli::command(), "node-cmd", &mut used);
        let missing: Vec<_> = used.iter().filter(|key| !catalogue.has(key)).collect();
        assert!(missing.is_empty(), "no text: {missing:?}");
        let of_ours = |key: &String| key.starts_with("node-cmd-") || key.starts_with("node-arg-");
        let unused: Vec<_> = diwan_api::message::keys("en")
            .into_iter()
            .filter(|key| of_ours(key) && !used.contains(key))
            .collect();
        assert!(unused.is_empty(), "no command or flag: {unused:?}");
    }

    #[test]
    fn the_command_line_is_well_formed() {
        worded(Cli::command(), "node-cmd", &Catalogue::english()).debug_assert();
    }

    /// Every command's help, as a page of the reference.
    fn reference(command: &clap::Command, name: &str, page: &mut String) {
        let mut shown = command.clone().term_width(90).bin_name(name);
        page.push_str(&format!("\n## {name}\n\n```\n"));
        for line in shown.render_help().to_string().trim_end().lines() {
            page.push_str(line.trim_end());
            page.push('\n');
        }
        page.push_str("```\n");
        for sub in command.get_subcommands() {
            reference(sub, &format!("{name} {}", sub.get_name()), page);
        }
    }

    #[test]
    fn the_reference_agrees_with_the_code() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/diwan-node.md");
        let mut page = String::from(
            "# diwan-node: every command\n\nMade from the code by `DIWAN_REGENERATE=1 cargo test -p \
             diwan-node --bin diwan-node`. Exit codes as of `diwan`.\n",
        );
        let mut root = worded(Cli::command(), "node-cmd", &Catalogue::english());
        root.build();
        reference(&root, "diwan-node", &mut page);
        if std::env::var_os("DIWAN_REGENERATE").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == page,
            "docs/reference/diwan-node.md is not what the code says"
        );
    }
}
