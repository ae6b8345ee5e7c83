//! Who else can touch the ledgers: names of hosts and texts of errors are in them,
//! and whoever writes them changes counts.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::process::getegid;

use super::disk::ENDING;

/// The bits of a mode by which others and a group may write to a folder.
const WRITE: u32 = 0o022;

/// The bits by which they may read a file or write to it.
const ANY: u32 = 0o066;

/// What others than the exporter can touch, and how it should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exposure {
    pub(super) path: PathBuf,
    pub(super) mode: u32,
    pub(super) wanted: u32,
}

/// The folder, if others can write to it, and the ledgers in it that they can read or write.
pub(super) fn exposures(folder: &Path) -> io::Result<Vec<Exposure>> {
    let mut found = Vec::new();
    found.extend(exposure(folder, &fs::metadata(folder)?, WRITE, 0o700));
    for entry in fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending == ENDING)
            && let Ok(metadata) = fs::metadata(&path)
        {
            found.extend(exposure(&path, &metadata, ANY, 0o600));
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// The group that the exporter itself is of is not another: Kubernetes shares volumes with it.
fn exposure(path: &Path, metadata: &Metadata, bits: u32, wanted: u32) -> Option<Exposure> {
    let mode = metadata.permissions().mode() & 0o7777;
    let own = metadata.gid() == getegid().as_raw();
    let judged = if own { bits & 0o007 } else { bits };
    (mode & judged != 0).then(|| Exposure {
        path: path.to_owned(),
        mode,
        wanted,
    })
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_others_can_touch_is_found_and_nothing_else() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path();
        let ledger = folder.join("a.redb");
        fs::write(&ledger, "").unwrap();
        fs::write(folder.join("notes"), "").unwrap();
        set(&folder.join("notes"), 0o666);
        for (folder_mode, mode) in [(0o700, 0o600), (0o755, 0o600), (0o770, 0o660)] {
            set(folder, folder_mode);
            set(&ledger, mode);
            assert_eq!(exposures(folder).unwrap(), []);
        }
        set(folder, 0o1777);
        set(&ledger, 0o644);
        let expected = |path: &Path, mode, wanted| Exposure {
            path: path.to_owned(),
            mode,
            wanted,
        };
        assert_eq!(
            exposures(folder).unwrap(),
            [
                expected(folder, 0o1777, 0o700),
                expected(&ledger, 0o644, 0o600)
            ]
        );
    }
}
