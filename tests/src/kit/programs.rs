//! The programs under test, built once a test process.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The two programs.
#[derive(Debug)]
pub struct Programs {
    /// `diwan-node`.
    pub node: Program,
    /// `diwan`.
    pub cli: Program,
}

/// One program, held open: whoever builds beside a running test replaces the file of that name, not
/// the program that is tested.
#[derive(Debug)]
pub struct Program {
    name: &'static str,
    path: PathBuf,
    file: File,
}

impl Program {
    /// A command that runs the program, without what the tester's environment says about Diwan.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(format!("/proc/self/fd/{}", self.file.as_raw_fd()));
        command
            .arg0(self.name)
            .stdin(Stdio::null())
            .env("LC_ALL", "C.UTF-8")
            .env("NO_COLOR", "1")
            .env_remove("LANGUAGE")
            .env_remove("DIWAN_HOME")
            .env_remove("DIWAN_PASSPHRASE_FILE")
            .env_remove("NOTIFY_SOCKET")
            .env_remove("SSLKEYLOGFILE");
        command
    }

    /// Where cargo put it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The programs, built now if they are not up to date, in the profile and the target directory of
/// the tests themselves.
///
/// # Panics
/// If they do not build.
pub fn programs() -> &'static Programs {
    static PROGRAMS: OnceLock<Result<Programs, String>> = OnceLock::new();
    // A failure is kept too: the next test need not build in vain again.
    match PROGRAMS.get_or_init(prepare) {
        Ok(programs) => programs,
        Err(why) => panic!("the programs under test: {why}"),
    }
}

fn prepare() -> Result<Programs, String> {
    let built = build()?;
    let held = |name| {
        let path = executable(&built, name)?;
        let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok::<_, String>(Program { name, path, file })
    };
    Ok(Programs {
        node: held("diwan-node")?,
        cli: held("diwan")?,
    })
}

/// Builds, and returns cargo's messages.
fn build() -> Result<Vec<Value>, String> {
    let (target, profile) = layout();
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(["build", "-p", "diwan-node", "-p", "diwan-cli", "--bins"])
        .args(["--message-format=json-render-diagnostics", "--quiet"])
        .arg("--target-dir")
        .arg(target)
        .args(["--profile", &profile])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = cargo.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("cargo build: {}", output.status));
    }
    let lines = output.stdout.split(|byte| *byte == b'\n');
    let messages = lines.filter_map(|line| serde_json::from_slice(line).ok());
    Ok(messages.collect())
}

/// The target directory and the profile of this program: a test lies in `TARGET/PROFILE/deps`, a
/// program of the tests in `TARGET/PROFILE`.
fn layout() -> (PathBuf, String) {
    let test = std::env::current_exe().expect("this program has a path");
    let folder = test.parent().expect("a program lies in a folder");
    let is_test = folder.file_name().is_some_and(|name| name == "deps");
    let mut above = folder.ancestors().skip(usize::from(is_test));
    let (folder, target) = (above.next(), above.next());
    let (folder, target) = folder.zip(target).expect("a test lies three folders deep");
    let profile = match folder.file_name().unwrap_or_default().to_string_lossy() {
        name if name == "debug" => "dev".to_owned(),
        name => name.into_owned(),
    };
    (target.to_owned(), profile)
}

fn executable(messages: &[Value], name: &str) -> Result<PathBuf, String> {
    let found = messages.iter().find_map(|message| {
        let is_it = message["reason"] == "compiler-artifact" && message["target"]["name"] == name;
        message["executable"].as_str().filter(|_| is_it)
    });
    let path = found.ok_or_else(|| format!("cargo built no {name}"))?;
    Ok(path.into())
}
