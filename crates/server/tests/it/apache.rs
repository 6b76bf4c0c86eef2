//! An Apache around a site that a page of the documentation configures.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    process::Command,
};

use tempfile::TempDir;

use crate::programs::{Program, free_port};

/// What every one of them needs beside the module that is tried.
const MODULES: [&str; 5] = [
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "headers",
];

/// A folder and a port for an Apache that does not run yet: its site may have to know both.
pub(crate) struct Place {
    folder: TempDir,
    port: u16,
}

/// A running one. Ends with the value.
pub(crate) struct Apache {
    program: Program,
    _folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
        }
    }

    /// Where its site will be.
    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A folder of its own, which ends with a slash.
    pub(crate) fn folder(&self, name: &str) -> String {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        // Apache's children become another user if it is started by root.
        fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
        format!("{}/", folder.display())
    }

    /// A page of the site.
    pub(crate) fn page(&self, name: &str, text: &str) {
        let file = self.folder.path().join("pages").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Starts it with a module of its own. Every answer repeats the user and the values of `told`, each a
    /// header as the answer has it and the request header it comes from.
    pub(crate) fn starts(self, module: &str, site: &str, told: &[(&str, &str)]) -> Apache {
        let path = self.folder.path().display();
        let modules = MODULES.iter().chain([&module]);
        let modules: String = modules
            .map(|name| format!("LoadModule {name}_module modules/mod_{name}.so\n"))
            .collect();
        let told: String = told
            .iter()
            .map(|(name, from)| format!("Header set {name} expr=%{{HTTP:{from}}}\n"))
            .collect();
        let text = format!(
            "ServerRoot /usr/lib/apache2\nServerName 127.0.0.1\nPidFile {path}/pid\nErrorLog /dev/stderr\n\
             DefaultRuntimeDir {path}\nMutex file:{path}\nListen 127.0.0.1:{}\n{modules}\
             DocumentRoot {path}/pages\n{site}\n\
             Header always set X-Remote-User expr=%{{REMOTE_USER}}\n{told}",
            self.port
        );
        let file = self.folder.path().join("apache.conf");
        fs::write(&file, text).unwrap();
        fs::set_permissions(self.folder.path(), Permissions::from_mode(0o777)).unwrap();
        let mut command = Command::new("/usr/sbin/apache2");
        command.args(["-D", "FOREGROUND", "-f"]).arg(&file);
        Apache {
            program: Program::start(&mut command, self.folder.path(), self.port),
            _folder: self.folder,
        }
    }
}

impl Apache {
    /// All that it said.
    pub(crate) fn said(&self) -> String {
        self.program.said()
    }
}
