//! The data folder of a private PostgreSQL: made, protected, and taken over from a run that crashed.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Durability, OWNER, Options, PROGRAM, password, processes, secret_name};
use crate::account::Account;
use crate::programs::PostgresPrograms;
use crate::state::write_private;
use crate::watchdog::{Spec, Watched};
use crate::{Error, Result, Say, StateFolder, orphans};

/// A unix socket's path has at most 107 bytes.
const LONGEST_SOCKET: usize = 107;

/// Where the files are when the server's user cannot reach into the state folder.
const ELSEWHERE: &str = "/var/lib/ryggrad";

/// Where one server's files are. For an ordinary user all of it is `<state>/postgres`.
#[derive(Debug)]
pub(super) struct Cluster {
    root: PathBuf,
    log: PathBuf,
    sockets: PathBuf,
    account: Option<Account>,
}

// === impl Cluster ===

impl Cluster {
    /// The folders of this state folder's server; makes those around the data.
    ///
    /// When this is root's process, PostgreSQL runs as another user. If that user cannot reach into the state folder (below
    /// `/root`, say), the files are in a folder of their own in `/var/lib/ryggrad`, and `<state>/postgres` is a link to it: who
    /// removes the state folder begins anew, with another one.
    pub(super) fn at(state: &StateFolder) -> Result<Self> {
        let account = Account::for_postgres()?;
        let named = state.path().join("postgres");
        let root = match account {
            Some(account) if !account.can_enter(state.path()) => linked(&named, Path::new(ELSEWHERE))?,
            _ => named,
        };
        make(&root, 0o755)?;
        let mut sockets = root.join("run");
        if sockets.as_os_str().len() + "/.s.PGSQL.65535.lock".len() > LONGEST_SOCKET {
            sockets = std::env::temp_dir().join(format!("ryggrad-{:016x}", fingerprint(state.path())));
        }
        make(&sockets, 0o755)?;
        for folder in [&root, &sockets] {
            account.map_or(Ok(()), |account| account.own(folder))?;
        }
        Ok(Self {
            root,
            log: state.path().join("postgres.log"),
            sockets,
            account,
        })
    }

    /// Lets the watchdog, which runs as the server's user, remove the state folder in the end.
    pub(super) fn give_up(&self, state: &StateFolder) -> Result<()> {
        self.account.map_or(Ok(()), |account| account.own(state.path()))
    }

    pub(super) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub(super) fn port_file(&self) -> PathBuf {
        self.root.join("port")
    }

    pub(super) fn sockets(&self) -> &Path {
        &self.sockets
    }

    pub(super) fn log(&self) -> PathBuf {
        self.log.clone()
    }

    pub(super) fn account(&self) -> Option<Account> {
        self.account
    }

    /// The major version that wrote the data, when there is any.
    pub(super) fn version(&self) -> Result<Option<u32>> {
        let file = self.data().join("PG_VERSION");
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::at("read", &file)(error)),
        }
    }

    /// Makes the data folder unless it is there; answers whether it did.
    ///
    /// It is made aside and renamed, so one that is there is whole.
    pub(super) async fn ensure(
        &self,
        state: &StateFolder,
        programs: &PostgresPrograms,
        options: &Options,
    ) -> Result<bool> {
        match self.version()? {
            Some(version) if version == programs.version.0 && state.has_secret(&secret_name(OWNER)) => {
                return Ok(false);
            }
            Some(version) if version == programs.version.0 => return Err(Error::NoPassword(self.data())),
            Some(found) => {
                let here = vec![programs.version.0.to_string()];
                return Err(Error::WrongVersion {
                    folder: self.data(),
                    found,
                    here,
                });
            }
            None => {}
        }
        options.say.say(format!(
            "making a data folder with {}",
            programs.bin.join("initdb").display()
        ));
        let aside = self.root.join("data.new");
        remove(&aside)?;
        let secret = self.root.join("initdb.secret");
        write_private(&secret, &password(state, OWNER)?)?;
        self.account.map_or(Ok(()), |account| account.own(&secret))?;
        let mut made = self.initdb(programs, options, &aside, &secret, "C.UTF-8").await;
        if made.is_err() {
            // Not every system has the locale: plain C differs in upper and lower case of letters outside ASCII only.
            remove(&aside)?;
            made = self.initdb(programs, options, &aside, &secret, "C").await;
        }
        std::fs::remove_file(&secret).map_err(Error::at("remove", &secret))?;
        made?;
        remove(&self.data())?;
        std::fs::rename(&aside, self.data()).map_err(Error::at("make", &self.data()))?;
        Ok(true)
    }

    async fn initdb(
        &self,
        programs: &PostgresPrograms,
        options: &Options,
        aside: &Path,
        secret: &Path,
        locale: &str,
    ) -> Result<()> {
        let mut command = vec![
            programs.bin.join("initdb").into(),
            "-D".into(),
            aside.into(),
            "--pwfile".into(),
            secret.into(),
        ];
        let fixed = [
            "-U",
            OWNER,
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-instructions",
            "--locale",
            locale,
        ];
        command.extend(fixed.map(Into::into));
        if options.durability != Durability::Full {
            command.push("--no-sync".into());
        }
        let initdb = Watched::spawn(Spec {
            program: "initdb",
            command,
            environment: Vec::new(),
            account: self.account,
            log: self.log(),
            stop: "TERM",
            shared: None,
            remove: None,
        })?;
        match initdb.exited().await {
            0 => Ok(()),
            code => Err(Error::server(
                "initdb",
                format!("failed with exit code {code}"),
                &self.log,
            )),
        }
    }

    /// Makes the data safe to start on: stops a server that a crashed run left, and removes its mark when nobody is left.
    pub(super) async fn recover(&self, say: &Say) -> Result<()> {
        let data = self.data();
        let mark = data.join("postmaster.pid");
        if !mark.exists() {
            return Ok(());
        }
        if orphans::dismiss(PROGRAM, super::FAST, || processes(&data)).await? {
            say.say("stopped a PostgreSQL that an earlier run left behind");
        }
        // With the process id in the mark given to another program by now, PostgreSQL would refuse to start. Nobody works in
        // the folder and nobody else can begin to: it is locked.
        match std::fs::remove_file(&mark) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::at("remove", &mark)(error)),
            _ => Ok(()),
        }
    }

    /// Waits until the sessions of a killed server have noticed and gone.
    pub(super) async fn wait_until_deserted(&self) -> Result<()> {
        let begun = Instant::now();
        while !processes(&self.data()).is_empty() {
            if begun.elapsed() > Duration::from_secs(10) {
                return Err(Error::server(
                    PROGRAM,
                    "was killed and left processes behind",
                    &self.log,
                ));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

/// Makes a folder with this mode, whatever the umask; leaves one that is there as it is.
fn make(folder: &Path, mode: u32) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(folder)
        .map_err(Error::at("make the folder", folder))?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode))
        .map_err(Error::at("set the mode of", folder))
}

/// The folder that `link` leads to; a new one in `parent`, which nobody has had before, when there is no such link.
fn linked(link: &Path, parent: &Path) -> Result<PathBuf> {
    match std::fs::read_link(link) {
        Ok(folder) => return Ok(folder),
        // A folder of an earlier run by another user is as good; it was reachable then.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => return Ok(link.to_path_buf()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Error::at("read the link", link)(error)),
    }
    make(parent, 0o755)?;
    let folder = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o755))
        .prefix("")
        .rand_bytes(16)
        .tempdir_in(parent)
        .map_err(Error::at("make a folder in", parent))?;
    symlink(folder.path(), link).map_err(Error::at("link", link))?;
    Ok(folder.keep())
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::at("remove", folder)(error)),
        _ => Ok(()),
    }
}

/// A short name for a long path.
fn fingerprint(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_folder_that_is_made_anew_gets_another_data_folder() {
        let outer = tempfile::tempdir().unwrap();
        let (state, elsewhere) = (outer.path().join("state"), outer.path().join("elsewhere"));
        let begin = || {
            std::fs::create_dir(&state).unwrap();
            linked(&state.join("postgres"), &elsewhere).unwrap()
        };
        let first = begin();
        assert!(first.is_dir());
        assert_eq!(
            linked(&state.join("postgres"), &elsewhere).unwrap(),
            first,
            "the same one again"
        );
        std::fs::remove_dir_all(&state).unwrap();
        let second = begin();
        assert_ne!(first, second);
        assert!(first.is_dir(), "what an operator may want back is not removed");
    }
}
