//! A real SMTP server, `smtp_server.py` on Python's aiosmtpd, with a certificate of its own.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::process::{Process, free_port};

/// The server and the authority that vouches for its certificate, which is for `localhost`.
pub(crate) struct Smtp {
    pub(crate) port: u16,
    process: Process,
    folder: TempDir,
}

impl Smtp {
    /// `starttls`, `implicit` or `plain`.
    pub(crate) fn start(mode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(file("server.pem"), signed.cert.pem()).unwrap();
        fs::write(file("server.key"), signed.signing_key.serialize_pem()).unwrap();
        let port = free_port();
        // Debian's own Python knows the packages of Debian.
        let process = Process::start(
            Command::new("/usr/bin/python3")
                .arg(concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/tests/it/smtp_server.py"
                ))
                .args([&port.to_string(), mode])
                .args([file("server.pem"), file("server.key")]),
        );
        process.says("up");
        Self {
            port,
            process,
            folder,
        }
    }

    /// The certificate to trust.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    /// The next mail the server takes.
    pub(crate) fn next_mail(&self) -> serde_json::Value {
        serde_json::from_str(&self.process.says("{")).unwrap()
    }
}
