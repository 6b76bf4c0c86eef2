//! An application that is called back, over real TLS.

use std::{fs, process::Command, sync::Arc, time::Duration};

use peers::{Callback, Gateways, PeerError, PostForm, connect};

use crate::process::{Process, free_port};

/// Answers every GET with 200, behind a certificate for which nobody vouches, and says what it was asked.
const SERVER: &str = r#"
import http.server, ssl, sys
class Door(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, text, *what):
        print("asked", text % what, flush=True)
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Door)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print("up", flush=True)
server.serve_forever()
"#;

fn applications() -> Arc<dyn PostForm> {
    let clock = Arc::new(|| Duration::ZERO);
    connect(&Gateways::default(), clock).unwrap().2
}

async fn calls(url: &str) -> Result<(), PeerError> {
    let callback = Callback(url.to_owned());
    applications().call(&callback).await.map(|_| ())
}

fn serves(port: u16, files: &[std::path::PathBuf]) -> Process {
    let process = Process::start(
        Command::new("/usr/bin/python3")
            .args(["-c", SERVER, &port.to_string()])
            .args(files),
    );
    process.says("up");
    process
}

/// [CAS §2.5.4] "If the HTTP GET returns an HTTP status code of 200 (OK), CAS MUST respond"
#[tokio::test]
async fn an_application_that_answers_200_has_it() {
    let port = free_port();
    let server = serves(port, &[]);
    let url = format!("http://127.0.0.1:{port}/proxy?a=1&pgtId=PGT-A&pgtIou=PGTIOU-B");
    assert_eq!(calls(&url).await, Ok(()));
    server.says("GET /proxy?a=1&pgtId=PGT-A&pgtIou=PGTIOU-B HTTP/1.1");
    let callback = Callback(url);
    assert_eq!(format!("{callback:?}"), "Callback");
}

/// [C17] Behind a certificate for which nobody vouches, nobody is told anything.
#[tokio::test]
async fn a_certificate_that_is_not_good_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["server.pem", "server.key"].map(|name| folder.path().join(name));
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(&files[0], signed.cert.pem()).unwrap();
    fs::write(&files[1], signed.signing_key.serialize_pem()).unwrap();
    let port = free_port();
    let server = serves(port, &files);
    let failed = calls(&format!("https://localhost:{port}/?pgtId=PGT-SECRET")).await;
    let failed = failed.unwrap_err().to_string();
    assert!(failed.contains("certificate"), "{failed}");
    assert!(!failed.contains("PGT-SECRET"), "{failed}");
    drop(server);
}

/// [C17] Without TLS nothing leaves this machine.
#[tokio::test]
async fn what_is_not_over_tls_stays_on_this_machine() {
    for url in [
        "http://portal.example/?pgtId=PGT-A",
        "http://169.254.169.254/?pgtId=PGT-A",
        "https://a:b@portal.example/",
        "file:///etc/passwd",
        "",
    ] {
        let failed = calls(url).await.unwrap_err();
        assert!(!failed.is_temporary(), "{url} was tried");
    }
}
