//! What one can try while the three nodes stay up.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::find::short_id;
use super::node::Trio;
use super::report::Verified;
use super::share::GROUP;
use super::tell::Teller;

/// The officers' program.
const DIWAN: &str = "diwan";

/// Where the officers' program is.
#[derive(Debug, PartialEq, Eq)]
enum Installed {
    /// The shell finds it.
    OnPath,
    /// Beside this program, in this directory.
    Beside(PathBuf),
    /// Not built yet.
    Missing,
}

/// Prints commands to try.
pub(super) fn invite(teller: &Teller<'_>, trio: Trio<'_>, verified: &Verified) {
    teller.space();
    teller.plain("demo-try", &[]);
    let own = std::env::current_exe().ok();
    let beside = own.as_deref().and_then(Path::parent);
    match installed(std::env::var_os("PATH").as_deref(), beside) {
        Installed::OnPath => {}
        Installed::Beside(dir) => {
            teller.say("demo-try-beside", &[]);
            let path = format!("export PATH=\"{}:$PATH\"", dir.display());
            teller.verbatim(&path);
        }
        Installed::Missing => {
            teller.say("demo-try-build", &[]);
            let home = trio.ma.home().display().to_string();
            teller.command(&[
                "cargo",
                "run",
                "--release",
                "-p",
                "diwan-cli",
                "--",
                "--home",
                &home,
                "status",
            ]);
            teller.say("demo-try-then", &[]);
        }
    }
    teller.diwan(trio.ma, &["status"]);
    teller.diwan(trio.fr, &["sync"]);
    teller.diwan(trio.tn, &["list", "--group", GROUP]);
    for found in verified.found() {
        teller.diwan(trio.ma, &["search", &found.query, "--lang", &found.lang]);
    }
    if let Some(found) = verified.found().first() {
        let id = short_id(&found.record);
        teller.diwan(trio.ma, &["show", &id]);
        teller.diwan(
            trio.ma,
            &["comment", &id, &teller.text("demo-try-comment", &[])],
        );
    }
    teller.diwan(trio.tn, &["trust", "list"]);
    teller.space();
    teller.plain("demo-up", &[]);
}

fn installed(path: Option<&OsStr>, beside: Option<&Path>) -> Installed {
    let mut on_path = path.into_iter().flat_map(std::env::split_paths);
    if on_path.any(|dir| dir.join(DIWAN).is_file()) {
        return Installed::OnPath;
    }
    match beside {
        Some(dir) if dir.join(DIWAN).is_file() => Installed::Beside(dir.to_owned()),
        _ => Installed::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_officers_program_is_looked_for_where_a_shell_would() {
        let with = tempfile::tempdir().unwrap();
        let without = tempfile::tempdir().unwrap();
        std::fs::write(with.path().join(DIWAN), "").unwrap();
        let path = std::env::join_paths([without.path(), with.path()]).unwrap();
        assert_eq!(installed(Some(&path), None), Installed::OnPath);
        assert_eq!(
            installed(Some(without.path().as_os_str()), Some(with.path())),
            Installed::Beside(with.path().to_owned())
        );
        assert_eq!(installed(None, Some(without.path())), Installed::Missing);
        assert_eq!(installed(None, None), Installed::Missing);
    }
}
