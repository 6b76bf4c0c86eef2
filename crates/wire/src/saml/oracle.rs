//! libxmlsec1 is the oracle: what we sign, it believes; what it signs, we believe; and on changed
//! documents the verdicts agree, or ours is stricter for a reason that has a name.
//!
//! `FURKA_ORACLE_DOCUMENTS=100000 cargo test -p wire oracle` makes a longer run.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use data_encoding::BASE64;

use super::samples::{THEIRS, filled_with, theirs, verifying};
use super::xml::{Bounds, SignatureError, Signed, Tree};
use crate::testing::Odd;

/// What a private key is called in PEM.
const LABEL: &str = "PRIVATE KEY";

/// The other implementation, asked line by line.
pub(super) struct Oracle {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The key file; deleted with the oracle.
    key: std::path::PathBuf,
}

impl Oracle {
    /// Starts it with the application's private key.
    pub(super) fn start(name: &str) -> Self {
        let folder = std::env::temp_dir();
        let key = folder.join(format!("furka-oracle-{}-{name}.pem", std::process::id()));
        let der = THEIRS.to_pkcs8().unwrap();
        let lines = BASE64.encode(der.expose());
        let lines: Vec<&str> = lines
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let pem = format!(
            "-----BEGIN {LABEL}-----\n{}\n-----END {LABEL}-----\n",
            lines.join("\n")
        );
        std::fs::write(&key, pem).unwrap();
        Self::with_key(key)
    }

    /// Starts it with the private key of a file.
    fn with_key(key: std::path::PathBuf) -> Self {
        let mut child = Command::new("/usr/bin/python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle.py"))
            .arg(&key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is missing: apt-get install python3 python3-xmlsec");
        let questions = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            questions,
            answers,
            key,
        }
    }

    /// Asks one question.
    pub(super) fn ask(&mut self, question: &str, document: &str) -> String {
        writeln!(
            self.questions,
            "{question} {}",
            BASE64.encode(document.as_bytes())
        )
        .unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert!(
            !answer.is_empty(),
            "the oracle is gone: apt-get install python3 python3-xmlsec"
        );
        answer.trim().to_owned()
    }

    /// A question whose answer is a document.
    pub(super) fn document(&mut self, question: &str, document: &str) -> Option<String> {
        let answer = self.ask(question, document);
        let bytes = BASE64.decode(answer.as_bytes()).ok()?;
        Some(String::from_utf8(bytes).unwrap())
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
        let _deleted = std::fs::remove_file(&self.key);
    }
}

fn ours(text: &str) -> Result<(), SignatureError> {
    let tree = Tree::read(text, &Bounds::METADATA)?;
    Signed::enveloped(tree.root(), &[verifying(&theirs())]).map(|_| ())
}

/// How many documents to compare.
fn documents(ordinary: usize) -> usize {
    std::env::var("FURKA_ORACLE_DOCUMENTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(ordinary)
}

const PREFIXES: [&str; 5] = ["", "a", "b", "saml", "xs"];
const LISTS: [&[&str]; 4] = [&[], &["xs"], &["", "a"], &["b", "saml", "nowhere"]];

/// A document with all that canonicalisation is about, and a signature template in its root.
fn random_document(odd: &mut Odd) -> (String, &'static [&'static str]) {
    let list = LISTS[odd.below(LISTS.len())];
    let spaces = "xmlns='urn:default' xmlns:a='urn:a' xmlns:b=\"urn:b\" xmlns:saml='urn:saml' xmlns:xs='urn:xs'";
    let mut text = match odd.below(3) {
        0 => "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
        1 => "<!-- first -->".to_owned(),
        _ => String::new(),
    };
    let root = name(odd);
    text.push_str(&format!(
        "<{root}\n {spaces}  ID=\"_root\"{}>",
        attributes(odd)
    ));
    text.push_str(&content(odd, 0));
    text.push_str(&signature(odd, list));
    text.push_str(&content(odd, 0));
    text.push_str(&format!("</{root}  >"));
    (text, list)
}

fn name(odd: &mut Odd) -> String {
    let local = ["x", "y", "Issuer", "z.1-2_3", "\u{e9}cole"][odd.below(5)];
    match PREFIXES[odd.below(PREFIXES.len())] {
        "" => local.to_owned(),
        prefix => format!("{prefix}:{local}"),
    }
}

fn attributes(odd: &mut Odd) -> String {
    let all = [
        " z='1'",
        " A=\"2\"",
        "\n\tb:q='3'",
        " a:q = '4'",
        " xml:lang='fr'",
        " xs:type=\"b:string\"",
        " e='&lt;&amp;&quot;&apos;>&#9;&#xA;&#13;'",
        " w=' a  b\tc\nd '",
        " u='\u{e9}\u{1f600}\u{a0}'",
        " xml:space='preserve'",
        " empty=''",
        " q='5'",
    ];
    let mut chosen = String::new();
    for one in all {
        if odd.below(4) == 0 {
            chosen.push_str(one);
        }
    }
    chosen
}

fn declarations(odd: &mut Odd) -> &'static str {
    [
        "",
        "",
        "",
        " xmlns=''",
        " xmlns='urn:other'",
        " xmlns:a='urn:other'",
        " xmlns:b='urn:b'",
        " xmlns:c='urn:unused' xmlns='urn:default'",
        " xmlns:xs='urn:xs2' xmlns:saml='urn:a'",
    ][odd.below(9)]
}

fn content(odd: &mut Odd, depth: usize) -> String {
    let mut text = String::new();
    for _ in 0..odd.below(4) {
        match odd.below(if depth < 5 { 9 } else { 6 }) {
            0 => text.push_str("text \u{e9}\u{df} &lt;&amp;&gt;&quot;&apos; \" ' ]] >"),
            1 => text.push_str("<!-- comment <a> & -->"),
            2 => text.push_str("<![CDATA[ <b> & ]] > ]]>"),
            3 => text.push_str("\r\n \t\n"),
            4 => text.push_str("&#13;&#x9;&#xe9;&#128512;"),
            5 => text.push_str("\u{1f600}\u{a0}\u{2028}"),
            _ => {
                let (name, declared, attributes) = (name(odd), declarations(odd), attributes(odd));
                if odd.below(3) == 0 {
                    text.push_str(&format!("<{name}{declared}{attributes}/>"));
                } else {
                    let inside = content(odd, depth + 1);
                    text.push_str(&format!("<{name}{attributes}{declared} >{inside}</{name}>"));
                }
            }
        }
    }
    text
}

fn signature(odd: &mut Odd, list: &[&str]) -> String {
    let text = super::samples::template("_root");
    let names: Vec<&str> = list
        .iter()
        .map(|one| if one.is_empty() { "#default" } else { one })
        .collect();
    let inclusive = format!(
        "xml-exc-c14n#\"><ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"{}\"/>",
        names.join(" ")
    );
    let text = match list {
        [] => text,
        _ => text
            .replace(
                "xml-exc-c14n#\"/></ds:Transforms>",
                &format!("{inclusive}</ds:Transform></ds:Transforms>"),
            )
            .replace(
                "xml-exc-c14n#\"/><ds:SignatureMethod",
                &format!("{inclusive}</ds:CanonicalizationMethod><ds:SignatureMethod"),
            ),
    };
    match odd.below(3) {
        0 => text
            .replace("ds:", "")
            .replace("xmlns:ds", "xmlns")
            .replace(":ds=", "="),
        1 => text
            .replace("<ds:", "<dsig:")
            .replace("</ds:", "</dsig:")
            .replace("xmlns:ds=", "xmlns:dsig="),
        _ => text,
    }
}

/// A small change anywhere.
fn changed(odd: &mut Odd, text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let at = odd.below(letters.len());
    let tricks = [
        " ",
        "\n",
        "<!--x-->",
        "<x/>",
        "&amp;",
        "&#32;",
        "a",
        "'",
        "\"",
        "<",
        ">",
        " a='b'",
        " xmlns:new='urn:n'",
        "<![CDATA[]]>",
        "\t",
        "\u{e9}",
    ];
    let mut out: String = letters[..at].iter().collect();
    let mut skip = 0;
    match odd.below(4) {
        0 => skip = 1,
        1 => {
            skip = 1;
            out.push_str(tricks[odd.below(tricks.len())]);
        }
        _ => out.push_str(tricks[odd.below(tricks.len())]),
    }
    out.extend(letters.iter().skip(at + skip));
    out
}

/// [X01] Two implementations, one verdict: on documents that we signed, on documents that libxmlsec1
/// signed, and on both after a change. Where libxmlsec1 believes more, our refusal is of form.
#[test]
fn our_verdicts_are_those_of_xmlsec() {
    let mut oracle = Oracle::start("verdicts");
    let mut odd = Odd(2026);
    let (mut believed, mut refused, mut stricter) = (0, 0, 0);
    for number in 0..documents(1500) {
        let (template, list) = random_document(&mut odd);
        let signed = if number % 4 == 0 {
            let theirs = oracle.document("sign", &template);
            theirs.unwrap_or_else(|| panic!("not signed: {template}"))
        } else {
            let ours = filled_with(&template, "_root", &THEIRS, list);
            assert_eq!(
                oracle.ask("verify", &ours),
                "yes",
                "document {number}: {ours}"
            );
            ours
        };
        assert_eq!(ours(&signed), Ok(()), "document {number}: {signed}");
        let text = changed(&mut odd, &signed);
        match (ours(&text), oracle.ask("verify", &text).as_str()) {
            (Ok(()), "yes") => believed += 1,
            (Err(_), "no") => refused += 1,
            (
                Err(
                    SignatureError::Form(_)
                    | SignatureError::Algorithm
                    | SignatureError::Elsewhere
                    | SignatureError::Absent,
                ),
                "yes",
            ) => stricter += 1,
            (mine, other) => {
                panic!("document {number}: we say {mine:?}, xmlsec says {other}: {text}")
            }
        }
    }
    println!(
        "{believed} changed documents believed by both, {refused} refused by both, {stricter} by us only"
    );
    assert!(believed > 0 && refused > 0);
}

/// [X05] Elliptic curves and longer digests, signed by libxmlsec1 with keys that OpenSSL made: each is
/// believed with its own key, and by no other curve or digest.
#[test]
fn signatures_of_other_keys_and_digests_are_believed() {
    use super::key::VerifyingKey;
    let curve = |name: &str| format!("ec_paramgen_curve:{name}");
    let kinds = [
        ("ec", curve("P-256"), "ecdsa-sha256", "xmlenc#sha256"),
        ("ec", curve("P-384"), "ecdsa-sha384", "xmldsig-more#sha384"),
        ("ec", curve("P-521"), "ecdsa-sha512", "xmlenc#sha512"),
        (
            "rsa",
            "rsa_keygen_bits:3072".to_owned(),
            "rsa-sha384",
            "xmlenc#sha512",
        ),
        (
            "rsa",
            "rsa_keygen_bits:2048".to_owned(),
            "rsa-sha512",
            "xmldsig-more#sha384",
        ),
    ];
    let mut made: Vec<(VerifyingKey, String)> = Vec::new();
    for (number, (kind, option, method, digest)) in kinds.into_iter().enumerate() {
        let path = |end: &str| {
            let name = format!("furka-oracle-{}-kind-{number}.{end}", std::process::id());
            std::env::temp_dir().join(name)
        };
        let (key, certificate) = (path("pem"), path("crt"));
        let openssl = Command::new("/usr/bin/openssl")
            .args([
                "req", "-x509", "-nodes", "-subj", "/CN=sp", "-outform", "DER", "-newkey", kind,
            ])
            .args(["-pkeyopt", &option, "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .stderr(Stdio::null())
            .status();
        assert!(openssl.unwrap().success(), "apt-get install openssl");
        let der = std::fs::read(&certificate).unwrap();
        std::fs::remove_file(&certificate).unwrap();
        let template = super::samples::template("_message")
            .replace("rsa-sha256", method)
            .replace("xmlenc#sha256", digest);
        let document = super::samples::message("AuthnRequest", "", &template);
        let mut oracle = Oracle::with_key(key);
        let signed = oracle.document("sign", &document);
        let signed = signed.unwrap_or_else(|| panic!("{method} was not signed"));
        assert_eq!(oracle.ask("verify", &signed), "yes");
        made.push((VerifyingKey::of_certificate(&der).unwrap(), signed));
    }
    for (mine, (_, text)) in made.iter().enumerate() {
        let tree = Tree::read(text, &Bounds::MESSAGE).unwrap();
        for (other, (key, _)) in made.iter().enumerate() {
            let verdict = Signed::enveloped(tree.root(), std::slice::from_ref(key));
            assert_eq!(
                verdict.is_ok(),
                mine == other,
                "{mine} {other}: {verdict:?}"
            );
        }
    }
}
