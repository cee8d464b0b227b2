//! Names of a check's own: a subject that is started with them resolves these, and no others, without any network.
//!
//! It sees other files in the place of `/etc/hosts` (hosts(5)) and of what else decides how names are resolved.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Context, Folder, Judged,
    view::{Mount, View},
};

/// Host names with their addresses.
#[derive(Debug)]
pub struct Names {
    view: Arc<View>,
    /// Holds the files.
    _folder: Folder,
}

impl Context {
    /// These names, each of which may stand with several addresses.
    ///
    /// # Errors
    /// Skip where user namespaces or mounting in them are not allowed.
    pub fn names(&self, names: &[(&str, IpAddr)]) -> Judged<Arc<Names>> {
        Ok(Arc::new(Names::in_folder(self.workspace(), names)?))
    }
}

impl Names {
    /// The same, with its files in a folder below `workspace`.
    pub(super) fn in_folder(workspace: &Path, names: &[(&str, IpAddr)]) -> Judged<Self> {
        let folder = Folder::create_in(workspace, "names-")?;
        let hosts: String = names.iter().map(|(name, address)| format!("{address} {name}\n")).collect();
        let files = [
            ("hosts", hosts.as_str()),
            // All addresses of a name, not only those of the first line (host.conf(5)).
            ("host.conf", "multi on\n"),
            // No other source, so that an unknown name is known to be one at once (nsswitch.conf(5)).
            ("nsswitch.conf", "hosts: files\n"),
            ("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"),
        ];
        let mut mounts = Vec::new();
        for (name, text) in files {
            let (own, place) = (folder.path().join(name), Path::new("/etc").join(name));
            fs::write(&own, text)?;
            // Not every system has all of them; the first is needed.
            if place.exists() || name == "hosts" {
                mounts.push(Mount::instead(&place, &own)?);
            }
        }
        Ok(Self { view: View::open(&mounts)?, _folder: folder })
    }

    /// The view that a subject needs to know them.
    pub(super) fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Where the suite sees the subject's `/etc/hosts`.
    pub(super) fn hosts_from_outside(&self) -> PathBuf {
        self.view.outside(Path::new("/etc/hosts"))
    }
}
