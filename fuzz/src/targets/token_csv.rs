//! Token files in CSV: every seed is fit for use, and is the same when it is written and read again.

use data_encoding::HEXLOWER;
use wire::token_file::{Kind, oath_csv};

use super::{Target, token_seeds};

pub(super) const TARGET: Target = Target {
    name: "token_csv",
    bytes_max: 16 * 1024,
    dictionary: "tokens",
    seeds,
    accepts,
};

fn accepts(input: &[u8]) -> bool {
    let Ok(file) = oath_csv::read(input) else {
        return false;
    };
    token_seeds::hold(&file);
    // A line holds one token at most.
    let lines = input.split(|byte| matches!(byte, b'\n' | b'\r')).count();
    assert!(file.seeds.len() + file.refused.len() <= lines);
    if file.seeds.is_empty() {
        return false;
    }
    let mut text = String::from("serial;seed;type;digits;period;counter;hash\n");
    for seed in &file.seeds {
        let (kind, period, counter) = match seed.kind {
            Kind::Totp { period_s } => ("TOTP", period_s.to_string(), String::new()),
            Kind::Hotp { counter } => ("HOTP", String::new(), counter.to_string()),
        };
        let secret = HEXLOWER.encode(seed.secret.expose());
        let (serial, digits) = (&seed.serial, seed.digits);
        let hash = token_seeds::name(seed.algorithm);
        text.push_str(&format!(
            "{serial};{secret};{kind};{digits};{period};{counter};{hash}\n"
        ));
    }
    let again = oath_csv::read(text.as_bytes());
    assert!(again.is_ok_and(|again| token_seeds::are_all_same(&file.seeds, &again.seeds)));
    true
}

fn seeds() -> Vec<Vec<u8>> {
    vec![
        include_bytes!("../../../crates/wire/samples/tokens.csv").to_vec(),
        b"A-1,GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n# x\n\"A.2\"\t31323334353637383930313233343536373839 30,time,8,60,sha-512".to_vec(),
        b"\xef\xbb\xbfsn\tsecret key\tvendor\n1\t31:32:33:34:35:36:37:38:39:30:31:32:33:34:35:36\tFeitian\n".to_vec(),
    ]
}
