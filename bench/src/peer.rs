//! npm's `oidc-provider`, with everything in memory: what others measure themselves by, in the same run and with
//! the same driver. It is one process with one thread for everything but cryptography.

use std::{
    fs,
    io::{BufRead as _, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use driver::{Application, Site};
use serde_json::Value;

use crate::{
    Trouble,
    process::{Process, free},
    registered::{APPLICATION, SCOPE},
};

/// Its folder below the one with what was built.
const FOLDER: &str = "oidc-provider";
/// What npm installs, by a list with a hash for each package, and what starts it.
const FILES: [(&str, &str); 3] = [
    ("package.json", include_str!("../peer/package.json")),
    (
        "package-lock.json",
        include_str!("../peer/package-lock.json"),
    ),
    (
        "oidc_provider.mjs",
        include_str!("../peer/oidc_provider.mjs"),
    ),
];

/// A running `oidc-provider`.
pub(crate) struct Peer {
    child: Child,
    /// What it goes on to say, which nobody reads; it would end if there were nobody.
    _said: Lines<BufReader<ChildStdout>>,
    pub(crate) site: Site,
    /// The access token of somebody.
    pub(crate) token: String,
    /// The versions of it and of what runs it.
    pub(crate) version: String,
}

impl Peer {
    /// Installs what is missing and starts it.
    pub(crate) fn start(furka: &Path) -> Result<Self, Trouble> {
        let folder = install(furka)?;
        let address = free()?;
        let origin = format!("http://127.0.0.1:{}", address.port());
        let Application { id, secret, .. } = APPLICATION;
        let mut child = Command::new("node")
            .arg("oidc_provider.mjs")
            .args([&origin, id, secret, SCOPE])
            .current_dir(folder)
            .env("NODE_ENV", "production")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let said = child.stdout.take().ok_or("`oidc-provider` says nothing")?;
        let mut said = BufReader::new(said).lines();
        let line = said.find(|line| line.as_ref().is_ok_and(|line| line.starts_with('{')));
        let mut peer = Self {
            child,
            _said: said,
            site: Site {
                address,
                application: APPLICATION,
                origin,
            },
            token: String::new(),
            version: String::new(),
        };
        let line = line.ok_or("`oidc-provider` did not start: is `node` there, 20 or newer?")??;
        let said: Value = serde_json::from_str(&line)?;
        let says = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
        peer.token = says("token").ok_or("`oidc-provider` gave no token")?;
        peer.version = says("version").unwrap_or_default();
        Ok(peer)
    }

    /// What is watched of it.
    pub(crate) fn process(&self) -> Process {
        Process(self.child.id())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Whatever is lost by that, nobody waits for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder with it, beside what cargo builds.
fn install(furka: &Path) -> Result<PathBuf, Trouble> {
    let built = furka.parent().and_then(Path::parent);
    let folder = built.unwrap_or(Path::new(".")).join(FOLDER);
    fs::create_dir_all(&folder)?;
    let mut is_new = !folder.join("node_modules/oidc-provider").exists();
    for (name, wanted) in FILES {
        let file = folder.join(name);
        let same = fs::read_to_string(&file).is_ok_and(|there| there == wanted);
        is_new |= !same && name.ends_with(".json");
        if !same {
            fs::write(file, wanted)?;
        }
    }
    if is_new {
        let quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
        let mut npm = Command::new("npm");
        npm.arg("ci").args(quietly).current_dir(&folder);
        let done = npm.stdin(Stdio::null()).status()?;
        if !done.success() {
            return Err(
                "`npm ci` could not install `oidc-provider`: is npm there, and a network?".into(),
            );
        }
    }
    Ok(folder)
}
