//! What a program answered.

use std::process::Command;

use serde_json::Value;

use super::programs;

/// How a program ended and what it said.
#[derive(Clone, Debug)]
pub struct Output {
    /// Exit code; -1 where a signal ended it.
    pub code: i32,
    /// Bytes on stdout.
    pub stdout: Vec<u8>,
    /// Text on stderr.
    pub stderr: String,
    line: String,
}

/// Runs `diwan` with these arguments and nothing else.
#[track_caller]
pub fn cli(args: &[&str]) -> Output {
    run(programs().cli.command().args(args), args)
}

/// Runs `diwan-node` with these arguments until it ends.
#[track_caller]
pub fn node_program(args: &[&str]) -> Output {
    run(programs().node.command().args(args), args)
}

#[track_caller]
pub(super) fn run(command: &mut Command, args: &[&str]) -> Output {
    let output = command.output().expect("the program runs");
    Output::new(
        output.status.code(),
        output.stdout,
        &output.stderr,
        args.join(" "),
    )
}

impl Output {
    pub(super) fn new(code: Option<i32>, stdout: Vec<u8>, stderr: &[u8], line: String) -> Self {
        Self {
            code: code.unwrap_or(-1),
            stdout,
            stderr: String::from_utf8_lossy(stderr).into_owned(),
            line,
        }
    }

    /// The JSON document on stdout of a command that was done.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self}");
        serde_json::from_slice(&self.stdout).unwrap_or_else(|e| panic!("no JSON ({e}): {self}"))
    }

    /// The message of a refusal with this exit code and error code. It must come with a hint.
    #[track_caller]
    pub fn refusal(&self, exit: i32, code: &str) -> String {
        let error = self.error();
        assert_eq!(
            (self.code, error["code"].as_str()),
            (exit, Some(code)),
            "{self}"
        );
        let text = |field: &str| error[field].as_str().unwrap_or_default().trim().to_owned();
        assert!(!text("hint").is_empty(), "no hint: {self}");
        assert!(!text("message").is_empty(), "no message: {self}");
        // A message or a hint that the catalogue lacks shows its key, a missing value its name.
        for said in [text("message"), text("hint")] {
            assert!(!said.contains("error-") && !said.contains("{$"), "{said}");
        }
        text("message")
    }

    /// `error` of the JSON document on stderr, which a node's log may precede.
    #[track_caller]
    fn error(&self) -> Value {
        let lines = self.stderr.lines().rev();
        let document = lines
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|document| document["error"].is_object());
        document.unwrap_or_else(|| panic!("no error document: {self}"))["error"].take()
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stdout = String::from_utf8_lossy(&self.stdout);
        let shown: String = stdout.chars().take(2_000).collect();
        write!(
            f,
            "`{}` ended with {}\nstdout: {shown}\nstderr: {}",
            self.line, self.code, self.stderr
        )
    }
}
