//! Token files in PSKC: every seed is fit for use, none comes out of what was altered, and each is the same
//! when it is written and read again.

use std::sync::LazyLock;

use data_encoding::{BASE64, HEXLOWER};
use wire::Secret;
use wire::token_file::pskc::{Unlock, read};
use wire::token_file::{Kind, TokenSeed};

use super::{Target, choice, seed, token_seeds};

pub(super) const TARGET: Target = Target {
    name: "pskc",
    bytes_max: 32 * 1024,
    dictionary: "pskc",
    seeds,
    accepts,
};

/// With what the samples are locked.
static KEYS: LazyLock<[Unlock; 2]> = LazyLock::new(|| {
    let key = |hex: &str| {
        Unlock::Key(Secret::new(
            HEXLOWER.decode(hex.as_bytes()).unwrap_or_default(),
        ))
    };
    let short = "12345678901234567890123456789012";
    [key(short), key(&short.repeat(2))]
});

/// The first byte chooses the key; the rest is a file. Passwords are left out: their rounds are bounded by
/// two millions, and each would take as long as a thousand other inputs.
fn accepts(input: &[u8]) -> bool {
    let Some((chosen, rest)) = choice(input) else {
        return false;
    };
    let [short, long] = &*KEYS;
    let unlock = match chosen % 3 {
        0 => &Unlock::Nothing,
        1 => short,
        _ => long,
    };
    let Ok(file) = read(rest, unlock) else {
        return false;
    };
    token_seeds::hold(&file);
    let text = String::from_utf8_lossy(rest);
    assert!(file.seeds.len() + file.refused.len() <= text.matches("KeyPackage").count());
    if file.seeds.is_empty() {
        return false;
    }
    let written: String = file.seeds.iter().map(package).collect();
    let again = format!(
        "<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\">{written}</KeyContainer>"
    );
    let again = read(again.as_bytes(), &Unlock::Nothing);
    assert!(again.is_ok_and(|again| token_seeds::are_all_same(&file.seeds, &again.seeds)));
    true
}

/// A seed as a package in clear.
fn package(seed: &TokenSeed) -> String {
    let (name, factor) = match seed.kind {
        Kind::Totp { period_s } => (
            "totp",
            format!("<TimeInterval><PlainValue>{period_s}</PlainValue></TimeInterval>"),
        ),
        Kind::Hotp { counter } => (
            "hotp",
            format!("<Counter><PlainValue>{counter}</PlainValue></Counter>"),
        ),
    };
    format!(
        r#"<KeyPackage><DeviceInfo><SerialNo>{}</SerialNo></DeviceInfo><Key Id="k" Algorithm="{name}"><AlgorithmParameters><Suite>{}</Suite><ResponseFormat Length="{}" Encoding="DECIMAL"/></AlgorithmParameters><Data><Secret><PlainValue>{}</PlainValue></Secret>{factor}</Data></Key></KeyPackage>"#,
        seed.serial,
        token_seeds::name(seed.algorithm),
        seed.digits,
        BASE64.encode(seed.secret.expose()),
    )
}

fn seeds() -> Vec<Vec<u8>> {
    vec![
        seed(
            0,
            include_bytes!("../../../crates/wire/samples/plain.pskcxml"),
        ),
        seed(
            1,
            include_bytes!("../../../crates/wire/samples/preshared-aes128.pskcxml"),
        ),
        seed(
            2,
            include_bytes!("../../../crates/wire/samples/preshared-aes256.pskcxml"),
        ),
        seed(
            0,
            include_bytes!("../../../crates/wire/samples/password.pskcxml"),
        ),
    ]
}
