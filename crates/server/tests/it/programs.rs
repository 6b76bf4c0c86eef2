//! Other people's programs: a browser without a screen (curl), and servers that a test starts, waits for
//! and ends.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use scraper::{Html, Selector};
use server::{
    Forwarding, Provider, for_applications,
    listen::{Certificates, Limits, Listen, serve},
};
use tempfile::TempDir;
use testkit::memory::Canton;
use tokio::runtime::Runtime;
use url::{Url, form_urlencoded::byte_serialize};

/// Longest wait for a program to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked at.
const PULSE: Duration = Duration::from_millis(20);
/// From here a browser is in a school: the address belongs to a zone and to no proxy.
pub(crate) const SCHOOL: &str = "127.0.0.2";
/// The zone of [`SCHOOL`].
pub(crate) const ZONE: &str = r#"
[[zone]]
id = "loopback-school"
kind = "school"
name = { fr = "École", de = "Schule", en = "School" }
networks = ["127.0.0.2/32", "2001:db8:99::/48"]
second_factor = "not-asked"
enrolment = "refused"
owner = "ICT-VS"
review_by = "2027-08-01"
"#;

/// A node of the provider on a real socket. Ends with the value.
pub(crate) struct Serving {
    node: Provider,
    pub(crate) origin: String,
    runtime: Runtime,
}

impl Serving {
    /// What the public URL of a canton at this port will be.
    pub(crate) fn origin_at(port: u16) -> String {
        format!("http://localhost:{port}")
    }

    /// Serves a canton at a port of its own.
    pub(crate) fn start(canton: &Canton, port: u16) -> Self {
        let origin = Self::origin_at(port);
        let node = canton.node_at(&origin);
        let runtime = Runtime::new().unwrap();
        let proxies = vec!["127.0.0.1/32".parse().unwrap()];
        let how = Listen {
            forwarding: Forwarding::XForwardedFor,
            asks_for_certificates: false,
            limits: Limits::default(),
            tls: None,
            trusted_proxies: proxies,
        };
        let address = format!("127.0.0.1:{port}");
        let listener = runtime.block_on(tokio::net::TcpListener::bind(address));
        let served = serve(
            listener.unwrap(),
            node.router(),
            how,
            std::future::pending(),
        );
        drop(runtime.spawn(served));
        Self {
            node,
            origin,
            runtime,
        }
    }

    /// Opens a second door, which asks for certificates; its port.
    pub(crate) fn asks_for_certificates(&self, tls: Certificates) -> u16 {
        let how = Listen {
            forwarding: Forwarding::XForwardedFor,
            asks_for_certificates: true,
            limits: Limits::default(),
            tls: Some(Arc::new(tls)),
            trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = self.runtime.block_on(listener).unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = for_applications(self.node.router());
        drop(
            self.runtime
                .spawn(serve(listener, router, how, std::future::pending())),
        );
        port
    }

    /// What is to be told to applications is told.
    pub(crate) fn delivers(&self) {
        while self.runtime.block_on(self.node.deliver_messages()) > 0 {}
    }
}

/// A running program in a process group of its own; ended with all its children when dropped.
pub(crate) struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts it and waits until it answers at a port. It writes into `log` in its folder.
    pub(crate) fn start(command: &mut Command, folder: &Path, port: u16) -> Self {
        let program = command.get_program().to_string_lossy().into_owned();
        let packages: Vec<_> = include_str!("../packages.txt").split_whitespace().collect();
        assert!(
            Path::new(&program).exists(),
            "`{program}` is missing: apt-get install --no-install-recommends {}",
            packages.join(" ")
        );
        let log = folder.join("log");
        let written = File::create(&log).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(written.try_clone().unwrap())
            .stderr(written);
        let child = command.process_group(0).spawn().unwrap();
        let mut started = Self { child, log };
        let mut left = PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = started.child.try_wait().unwrap();
            assert!(
                ended.is_none() && !left.is_zero(),
                "{program} does not answer at {port}:\n{}",
                started.said()
            );
            thread::sleep(PULSE);
            left = left.saturating_sub(PULSE);
        }
        started
    }

    /// All that it said.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The child leads its group: the group's id is its process id.
        let group = format!("-{}", self.child.id());
        let _killed = Command::new("/bin/kill")
            .args(["-KILL", "--", &group])
            .status();
        let _reaped = self.child.wait();
    }
}

/// A port of this machine that is free at the moment.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The first code block of a language in a page of the documentation, with its words replaced.
pub(crate) fn snippet(page: &str, language: &str, words: &[(&str, &str)]) -> String {
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    words.iter().fold(block.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "`{from}` is not in the snippet");
        text.replace(from, to)
    })
}

/// A page as curl got it.
pub(crate) struct Page {
    pub(crate) body: String,
    pub(crate) status: u16,
    pub(crate) url: String,
}

/// A browser without a screen, with a jar of cookies.
pub(crate) struct Curl {
    folder: TempDir,
    /// The address it calls from.
    from: String,
}

impl Curl {
    /// A new one, at an address of this machine.
    pub(crate) fn new(from: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            from: from.to_owned(),
        }
    }

    /// Goes there, with further headers, and follows redirects.
    pub(crate) fn opens(&self, url: &str, headers: &[&str]) -> Page {
        let headers = headers.iter().flat_map(|header| ["--header", header]);
        self.runs(
            headers
                .chain(["--location", url])
                .map(str::to_owned)
                .collect(),
        )
    }

    /// Goes there and no further.
    pub(crate) fn asks(&self, url: &str, headers: &[&str]) -> Page {
        let headers = headers.iter().flat_map(|header| ["--header", header]);
        self.runs(headers.chain([url]).map(str::to_owned).collect())
    }

    /// Sends a form and goes no further.
    pub(crate) fn posts(&self, url: &str, form: &str) -> Page {
        self.runs(["--include", "--data", form, url].map(str::to_owned).into())
    }

    /// Goes there and asks for another address, in the absolute form [RFC 9112 §3.2.2].
    pub(crate) fn asks_for(&self, url: &str, target: &str) -> Page {
        self.runs(["--request-target", target, url].map(str::to_owned).into())
    }

    /// Goes there and no further; what comes has its headers before it.
    pub(crate) fn sees_headers(&self, url: &str) -> String {
        self.runs(["--include", url].map(str::to_owned).into()).body
    }

    /// All cookies, as they are kept.
    pub(crate) fn jar(&self) -> String {
        fs::read_to_string(self.folder.path().join("jar")).unwrap_or_default()
    }

    /// Has these cookies and no others.
    pub(crate) fn takes(&self, jar: &str) {
        fs::write(self.folder.path().join("jar"), jar).unwrap();
    }

    /// Fills in the main form of a page and sends it.
    pub(crate) fn fills(&self, page: &Page, typed: &[(&str, &str)]) -> Page {
        let html = Html::parse_document(&page.body);
        let selector = |text| Selector::parse(text).unwrap();
        let form = html.select(&selector("form.primary, form")).next();
        let form = form.unwrap_or_else(|| panic!("no form at {}:\n{}", page.url, page.body));
        let mut fields: Vec<(String, String)> = typed
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        for input in form.select(&selector("input[type=hidden]")) {
            let name = input.attr("name").unwrap_or_default();
            if !typed.iter().any(|(other, _)| *other == name) {
                fields.push((
                    name.to_owned(),
                    input.attr("value").unwrap_or_default().to_owned(),
                ));
            }
        }
        let here = Url::parse(&page.url).unwrap();
        let to = here.join(form.attr("action").unwrap_or_default()).unwrap();
        let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let pairs = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let origin = format!("Origin: {}", to.origin().ascii_serialization());
        let arguments = [
            "--location",
            "--header",
            &origin,
            "--data-raw",
            &body,
            to.as_str(),
        ];
        self.runs(arguments.map(str::to_owned).into())
    }

    fn runs(&self, arguments: Vec<String>) -> Page {
        let jar = self.folder.path().join("jar");
        let output = Command::new("/usr/bin/curl")
            .args([
                "--silent",
                "--show-error",
                "--ipv4",
                "--path-as-is",
                "--noproxy",
                "*",
                "--max-time",
                "30",
            ])
            .args(["--max-redirs", "20", "--interface", &self.from])
            .args(["--write-out", "\n%{http_code} %{url_effective}"])
            .arg("--cookie")
            .arg(&jar)
            .arg("--cookie-jar")
            .arg(&jar)
            .args(arguments)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let problem = String::from_utf8_lossy(&output.stderr).into_owned();
        let (body, last) = text
            .rsplit_once('\n')
            .unwrap_or_else(|| panic!("curl: {problem}"));
        let (status, url) = last.split_once(' ').unwrap();
        assert!(output.status.success(), "curl at {url}: {problem}");
        Page {
            body: body.to_owned(),
            status: status.parse().unwrap(),
            url: url.to_owned(),
        }
    }
}
