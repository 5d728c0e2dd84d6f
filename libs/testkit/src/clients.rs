//! The clients in other languages, installed as their users install them: once for all tests, until their locks change.
//!
//! Everything is in `clients` of the target folder. `python-…` is a virtual environment with what `requirements.lock` pins,
//! `node-…` has what `package-lock.json` pins; both are named after the lock, and those of other locks are taken away.
//! `source` is a copy of the contracts and the clients, so that nothing is written into the repository.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What is copied, beside the contracts.
const CLIENTS: &str = "libs/clients";
/// What is written by building and checking, and never copied.
const MADE: [&str; 9] = [
    "node_modules",
    "contracts",
    "build",
    "dist",
    "__pycache__",
    ".venv",
    ".mypy_cache",
    ".ruff_cache",
    "target",
];

/// The clients, ready to be run.
#[derive(Debug)]
pub struct Clients {
    python: PathBuf,
    source: PathBuf,
}

/// The clients of this repository, installed and built. The first call of all tests takes as long as pip, npm and the
/// compilers do; other processes wait for it.
///
/// # Panics
/// When Python 3.11 with pip or Node 20 with npm is not there, or something cannot be installed or built.
pub fn clients() -> &'static Clients {
    static CLIENTS: OnceLock<Clients> = OnceLock::new();
    CLIENTS
        .get_or_init(|| Clients::install().unwrap_or_else(|error| panic!("the clients cannot be installed: {error}")))
}

/// Copies the contracts and the clients, as somebody who has just fetched the repository has them.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy_clients(root: &Path, target: &Path) -> io::Result<()> {
    copy(root, target, &files(root, &["proto", CLIENTS])?)
}

// === impl Clients ===

impl Clients {
    /// The interpreter that has the package `ryggrad` and everything that it is checked with.
    pub fn python(&self) -> PathBuf {
        self.python.join("bin/python")
    }

    /// The folder of the Python client: a copy.
    pub fn python_source(&self) -> PathBuf {
        self.source.join(CLIENTS).join("python")
    }

    /// The folder of the TypeScript client, built: a copy, with its packages.
    pub fn typescript(&self) -> PathBuf {
        self.source.join(CLIENTS).join("typescript")
    }

    fn install() -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        let folder = target()?.join("clients");
        fs::create_dir_all(&folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.lock()?;

        let clients = root.join(CLIENTS);
        let python = named(&folder, "python", &[clients.join("python/requirements.lock")])?;
        once(&python, "installed", "", || {
            install_python(&python, &clients.join("python"))
        })?;
        let node = named(&folder, "node", &[clients.join("typescript/package-lock.json")])?;
        once(&node, "installed", "", || {
            install_node(&node, &clients.join("typescript"))
        })?;

        let source = folder.join("source");
        let files = files(&root, &["proto", CLIENTS])?;
        let content = hash(files.iter().map(|file| root.join(file)))?;
        once(&source, "built", &format!("{content} {}", python.display()), || {
            copy(&root, &source, &files)?;
            build(&source, &python, &node)
        })?;
        Ok(Self { python, source })
    }
}

fn install_python(folder: &Path, client: &Path) -> io::Result<()> {
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    run(Command::new(folder.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(client.join("requirements.lock")))
}

fn install_node(folder: &Path, client: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(client.join(file), folder.join(file))?;
    }
    run(npm().args(["ci", "--silent"]).current_dir(folder))
}

/// Packs and installs the one client, compiles the other.
fn build(source: &Path, python: &Path, node: &Path) -> io::Result<()> {
    let clients = source.join(CLIENTS);
    run(Command::new(python.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--no-build-isolation", "--force-reinstall"])
        .arg(clients.join("python")))?;
    let typescript = clients.join("typescript");
    let modules = typescript.join("node_modules");
    std::os::unix::fs::symlink(node.join("node_modules"), &modules)?;
    run(npm().args(["run", "--silent", "build"]).current_dir(&typescript))?;
    run(Command::new(modules.join(".bin/tsc")).current_dir(&typescript))
}

/// npm, telling nothing to anybody and asking nothing.
fn npm() -> Command {
    let mut npm = Command::new("npm");
    npm.env("npm_config_update_notifier", "false");
    npm
}

/// Does something unless a mark says that it was done with this content; what was left half-done is done anew.
fn once(folder: &Path, mark: &str, content: &str, work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let mark = folder.join(format!(".{mark}"));
    if fs::read_to_string(&mark).is_ok_and(|found| found == content) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    work()?;
    fs::write(mark, content)
}

/// A folder named after what some files say; others of its kind are taken away.
fn named(folder: &Path, kind: &str, content: &[PathBuf]) -> io::Result<PathBuf> {
    let name = format!("{kind}-{}", hash(content.iter().cloned())?);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let other = entry.file_name();
        if other.to_string_lossy().starts_with(&format!("{kind}-")) && other != OsStr::new(&name) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(folder.join(name))
}

/// A name for the content of files and their names.
fn hash(files: impl Iterator<Item = PathBuf>) -> io::Result<String> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        fs::read(file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Every file of some folders that somebody wrote, relative to the root, in order.
fn files(root: &Path, folders: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut left: Vec<_> = folders.iter().map(PathBuf::from).collect();
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                if !MADE.contains(&entry.file_name().to_string_lossy().as_ref()) {
                    left.push(path);
                }
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn copy(root: &Path, target: &Path, files: &[PathBuf]) -> io::Result<()> {
    for file in files {
        let copy = target.join(file);
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(root.join(file), copy)?;
    }
    Ok(())
}

/// The target folder that this test was built into.
fn target() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    // <target>/debug/deps/it-…
    let folder = program.ancestors().nth(3).map(Path::to_path_buf);
    folder.ok_or_else(|| io::Error::other(format!("{} is in no target folder", program.display())))
}

/// Runs a program to its end; what it said is in the error when it failed.
fn run(command: &mut Command) -> io::Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| io::Error::other(format!("{}: {error}", command.get_program().display())))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(io::Error::other(format!(
        "{:?} ended with {}\n{}",
        command,
        output.status,
        String::from_utf8_lossy(&said)
    )))
}
