//! Names that look alike, dates, and bytes that are no certificate.

use data_encoding::BASE64;
use rcgen::{DnType, SanType};

use super::testing::{Authority, between, named, self_signed, subject};
use super::*;
use crate::testing::{NOW, Odd};

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

fn reads(shown: &Chain, check: impl FnOnce(&Certificate<'_>) -> bool) -> bool {
    check(&Certificate::read(shown.leaf()).unwrap())
}

/// A name is one of the other names as a whole: nothing stands for several, and one kind is not another.
#[test]
fn names_that_look_alike_are_others() {
    let ca = Authority::new("CA");
    let has = |name: SanType, expected: AltName<'_>| {
        reads(&ca.shows(&named(name)), |leaf| leaf.has(expected))
    };
    let host = AltName::Dns("sync.example.ch");
    assert!(has(dns("sync.example.ch"), host));
    assert!(has(dns("Sync.Example.CH"), host));
    for other in [
        "*.example.ch",
        "sync.example.ch.evil.example",
        "evil-sync.example.ch",
        "sync.example.c",
        "sync.example.ch.",
        "",
    ] {
        assert!(!has(dns(other), host), "{other}");
    }
    let text = || "sync.example.ch".try_into().unwrap();
    assert!(!has(SanType::URI(text()), host));
    assert!(!has(SanType::Rfc822Name(text()), host));
    assert!(has(SanType::URI(text()), AltName::Uri("sync.example.ch")));
    assert!(has(
        SanType::Rfc822Name(text()),
        AltName::Email("sync.example.ch")
    ));
    let ip = |text: &str| SanType::IpAddress(text.parse().unwrap());
    for (one, same) in [("192.0.2.7", "192.0.2.7"), ("2001:db8::7", "2001:db8:0::7")] {
        assert!(has(ip(one), AltName::Ip(same.parse().unwrap())));
    }
    for (one, other) in [
        ("192.0.2.7", "192.0.2.8"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
    ] {
        assert!(!has(ip(one), AltName::Ip(other.parse().unwrap())));
    }
    // What stands in the subject is no other name.
    let common = ca.shows(&subject(&[(DnType::CommonName, "sync.example.ch")]));
    assert!(!reads(&common, |leaf| leaf.has(host)));
}

#[test]
fn a_subject_is_compared_by_its_values_and_their_order() {
    let ca = Authority::new("CA");
    let parts = [
        (DnType::CountryName, "CH"),
        (DnType::OrganizationName, "Müller, Söhne + Co \"AG\""),
        (DnType::CommonName, " #sync=1\\ "),
    ];
    let shown = ca.shows(&subject(&parts));
    let is = |text: &str| {
        let name = DistinguishedName::parse(text).unwrap_or_else(|| panic!("{text}"));
        reads(&shown, |leaf| leaf.is_named(&name))
    };
    for same in [
        r#"CN=\ #sync\=1\\\ ,O=Müller\, Söhne \+ Co \"AG\",C=CH"#,
        r"cn=\20\23sync\3d1\5c\20, o=M\C3\BCller\2C S\c3\b6hne \2B Co \22AG\22, 2.5.4.6=CH",
        "CN=\\ #sync=1\\\\\\ ,O=#0c194dc3bc6c6c65722c2053c3b6686e65202b20436f2022414722,C=#13024348",
    ] {
        assert!(is(same), "{same}");
    }
    for other in [
        r#"C=CH,O=Müller\, Söhne \+ Co \"AG\",CN=\ #sync\=1\\\ "#,
        r#"CN=\ #sync\=1\\\ ,O=Müller\, Söhne \+ Co \"AG\""#,
        r#"CN=\ #sync\=1\\\ ,O=Müller,O=Söhne \+ Co \"AG\",C=CH"#,
        r#"CN=\ #sync\=1\\\ +O=Müller\, Söhne \+ Co \"AG\",C=CH"#,
        r#"CN=\ #Sync\=1\\\ ,O=Müller\, Söhne \+ Co \"AG\",C=CH"#,
        r#"CN=\ #sync\=1\\\00\ ,O=Müller\, Söhne \+ Co \"AG\",C=CH"#,
    ] {
        assert!(!is(other), "{other}");
    }
    let nobody = ca.shows(&subject(&[]));
    let name = DistinguishedName::parse("CN=").unwrap();
    assert!(!reads(&nobody, |leaf| leaf.is_named(&name)));
}

/// A name in a value opens no level: `CN=a,O=b` in one value is not two.
#[test]
fn a_value_that_looks_like_two_is_one() {
    let ca = Authority::new("CA");
    let evil = ca.shows(&subject(&[(DnType::CommonName, "sync,O=Canton")]));
    let canton = DistinguishedName::parse("CN=sync,O=Canton").unwrap();
    assert!(!reads(&evil, |leaf| leaf.is_named(&canton)));
    let said = DistinguishedName::parse(r"CN=sync\,O\=Canton").unwrap();
    assert!(reads(&evil, |leaf| leaf.is_named(&said)));
}

#[test]
fn what_is_no_name_is_refused() {
    let long = format!("CN={}", "a".repeat(1024));
    for bad in [
        "",
        "sync",
        "CN",
        "CN=a,",
        "CN=a+",
        ",CN=a",
        "=a",
        "CN= a",
        "CN=a ",
        "CN=a;O=b",
        "CN=\"a\"",
        "CN=<a>",
        "CN=a\\",
        "CN=a\\x",
        "CN=a\\4",
        "CN=\\ff",
        "CN=#",
        "CN=#zz",
        "CN=#0c0261",
        "CN=#0c016161",
        "XX=a",
        "3.1=a",
        "1.40=a",
        "2.=a",
        "OID.2.5.4.3=a",
        "CN=a\0",
        &long,
    ] {
        assert_eq!(DistinguishedName::parse(bad), None, "{bad:?}");
    }
}

/// [RFC 8705 §7.5] "implementors SHOULD use an established and well-tested X.509 library (such as one used by an established TLS library) for validation of X.509 certificate chains and SHOULD NOT attempt to write their own X.509 certificate validation procedures."
/// Who vouches, for how long and for what decides; the name is somebody else's question.
#[test]
fn an_authority_vouches_for_its_own_of_this_moment() {
    let (ca, other) = (Authority::new("CA"), Authority::new("CA"));
    let params = named(dns("sync.example.ch"));
    let vouched = |shown: &[CertificateDer<'_>], by: &Authority| {
        Chain::of(shown).unwrap().is_vouched_for(&[by.der()], NOW)
    };
    let leaf = ca.signs(&params);
    assert!(vouched(std::slice::from_ref(&leaf), &ca));
    assert!(
        !vouched(std::slice::from_ref(&leaf), &other),
        "the name of an authority is not its key"
    );
    for (from, until, good) in [(2020, 2026, false), (2028, 2040, false), (2020, 2040, true)] {
        let dated = ca.signs(&between(params.clone(), from, until));
        assert_eq!(vouched(&[dated], &ca), good, "{from} to {until}");
        let authority = Authority::between("CA", from, until);
        let theirs = authority.signs(&params);
        assert_eq!(vouched(&[theirs], &authority), good, "{from} to {until}");
    }
    let below = ca.below("Below");
    let chained = below.signs(&params);
    assert!(vouched(&[chained.clone(), below.der()], &ca));
    assert!(!vouched(&[chained], &ca), "without what leads to it");
    // Somebody who is no authority vouches for nobody.
    let forged = Authority::new("sync.example.ch").signs(&params);
    assert!(!vouched(&[forged, leaf], &ca));
    let mut server = params;
    server.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    assert!(!vouched(&[ca.signs(&server)], &ca), "for servers only");
    assert!(!Chain::of(&[ca.der()]).unwrap().is_vouched_for(&[], NOW));
}

#[test]
fn a_certificate_is_of_the_years_it_says() {
    for (from, until, good) in [
        (1975, 4096, true),
        (2026, 2049, true),
        (2026, 2050, true),
        (2020, 2027, false),
        (2028, 2060, false),
        (1950, 1999, false),
    ] {
        let (shown, _) = self_signed(&between(subject(&[]), from, until));
        assert_eq!(
            reads(&shown, |leaf| leaf.is_of(NOW)),
            good,
            "{from} to {until}"
        );
    }
}

/// [P07] Whatever stands where a certificate should, nothing worse than a refusal comes of it.
#[test]
fn no_bytes_make_the_reader_fall() {
    let ca = Authority::new("CA");
    let mut params = named(dns("sync.example.ch"));
    params.distinguished_name.push(DnType::CommonName, "sync");
    let good = ca.signs(&params);
    let mut odd = Odd(8705);
    for _ in 0..20_000 {
        let mut bytes = good.to_vec();
        for _ in 0..=odd.below(4) {
            let at = odd.below(bytes.len());
            bytes[at] = odd.next() as u8;
        }
        bytes.truncate(odd.below(bytes.len() + 1));
        if let Some(read) = Certificate::read(&bytes) {
            let _ = (read.is_of(NOW), read.has(AltName::Dns("a")));
            let _ = read.is_named(&DistinguishedName::parse("CN=sync").unwrap());
        }
        let text = odd.mutated(r"CN=a\2C\ b+OU=#0c0161,2.5.4.3=x");
        let _ = DistinguishedName::parse(&text);
    }
    assert!(Certificate::read(&[&good[..], b"x"].concat()).is_none());
}

#[test]
fn a_chain_has_bounds_and_its_first_certificate_a_name() {
    let ca = Authority::new("CA");
    let leaf = ca.signs(&subject(&[]));
    assert_eq!(Chain::of(&[]), None);
    assert_eq!(Chain::of(&vec![leaf.clone(); 11]), None);
    let huge = CertificateDer::from(vec![0x30; 16 * 1024 + 1]);
    assert_eq!(Chain::of(&[leaf.clone(), huge]), None);
    assert_eq!(Chain::of(&[CertificateDer::from(Vec::new())]), None);
    let shown = Chain::of(&[leaf.clone(), ca.der()]).unwrap();
    assert_eq!(shown.thumbprint(), Chain::of(&[leaf]).unwrap().thumbprint());
    assert_eq!(shown.thumbprint().len(), 43);
}

/// [RFC 9440 §2.2] What a proxy writes is read as it must be written, or not at all.
#[test]
fn a_header_holds_one_certificate_and_a_list_what_leads_on() {
    let ca = Authority::new("CA");
    let leaf = ca.signs(&subject(&[]));
    let field = |der: &[u8]| format!(":{}:", BASE64.encode(der));
    let (one, two) = (field(&leaf), field(&ca.der()));
    let both = Chain::of(&[leaf.clone(), ca.der(), ca.der()]);
    assert_eq!(Chain::of_headers(&one, &[]), Chain::of(&[leaf]));
    assert_eq!(Chain::of_headers(&one, &[&format!("{two} ,\t{two}")]), both);
    assert_eq!(Chain::of_headers(&format!(" {one} "), &[&two, &two]), both);
    let bare = one.trim_matches(':');
    for bad in [
        "",
        ":",
        "::",
        bare,
        &one[1..],
        &format!("{one}, {two}"),
        &format!("{one};a=1"),
        &format!("\"{bare}\""),
    ] {
        assert_eq!(Chain::of_headers(bad, &[]), None, "{bad}");
    }
    for bad in ["", ",", bare, &format!("{two},"), &format!("({two})")] {
        assert_eq!(Chain::of_headers(&one, &[bad]), None, "{bad}");
    }
    assert_eq!(Chain::of_headers(&one, &[two.as_str(); 10]), None);
}

#[test]
fn a_pem_text_holds_certificates_and_nothing_else() {
    let (_, pem) = self_signed(&subject(&[]));
    assert_eq!(of_pem(&pem).unwrap().len(), 1);
    assert_eq!(of_pem(&format!("a note\n{pem}{pem}")).unwrap().len(), 2);
    let key = pem.replace("CERTIFICATE", "PRIVATE KEY");
    let damaged = pem.replacen("MI", "AA", 1);
    for bad in [
        "",
        "a note",
        &key,
        &format!("{pem}{key}"),
        &damaged,
        &pem.repeat(11),
    ] {
        assert_eq!(of_pem(bad), None);
    }
}
