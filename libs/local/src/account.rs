//! The system user that PostgreSQL runs as, which must not be root.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::{Error, Result};

/// A system user other than this process's own, by its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

// === impl Account ===

impl Account {
    /// The user to run PostgreSQL as: `None` (this process's own) unless that is root, else `postgres` or `nobody`.
    pub(crate) fn for_postgres() -> Result<Option<Self>> {
        if !is_root() {
            return Ok(None);
        }
        let passwd = Path::new("/etc/passwd");
        let users = std::fs::read_to_string(passwd).map_err(Error::at("read", passwd))?;
        Ok(Some(Self::pick(&users).unwrap_or(Self { uid: 65534, gid: 65534 })))
    }

    fn pick(users: &str) -> Option<Self> {
        ["postgres", "nobody"].into_iter().find_map(|name| {
            users.lines().find_map(|line| {
                let mut fields = line.split(':');
                (fields.next()? == name).then_some(())?;
                let uid = fields.nth(1)?.parse().ok()?;
                let gid = fields.next()?.parse().ok()?;
                Some(Self { uid, gid })
            })
        })
    }

    /// Makes `command` run as this user, without any of this process's groups.
    pub(crate) fn wear(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives one file or folder to this user.
    pub(crate) fn own(self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(Error::at("change the owner of", path))
    }

    /// Whether this user can reach into `folder`: every folder on the way lets it through.
    pub(crate) fn can_enter(self, folder: &Path) -> bool {
        folder.ancestors().filter(|ancestor| ancestor.exists()).all(|ancestor| {
            ancestor.metadata().is_ok_and(|metadata| {
                let mode = metadata.mode();
                let bits = if metadata.uid() == self.uid {
                    mode >> 6
                } else if metadata.gid() == self.gid {
                    mode >> 3
                } else {
                    mode
                };
                bits & 1 == 1
            })
        })
    }
}

/// Whether this process is root's, by the owner of its own entry in `/proc`.
pub(crate) fn is_root() -> bool {
    Path::new("/proc/self")
        .metadata()
        .is_ok_and(|metadata| metadata.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefers_the_user_postgres() {
        let users = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\npostgres:x:101:104::/:/bin/sh\n";
        assert_eq!(Account::pick(users), Some(Account { uid: 101, gid: 104 }));
        assert_eq!(
            Account::pick("nobody:x:65534:65533::/:/bin/false"),
            Some(Account { uid: 65534, gid: 65533 })
        );
        assert_eq!(Account::pick("root:x:0:0::/root:/bin/sh"), None);
    }

    #[test]
    fn sees_a_folder_that_shuts_others_out() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let stranger = Account {
            uid: 4_000_001,
            gid: 4_000_001,
        };
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        let open = folder.path().parent().is_some_and(|parent| stranger.can_enter(parent));
        assert_eq!(stranger.can_enter(folder.path()), open);
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!stranger.can_enter(folder.path()));
    }
}
