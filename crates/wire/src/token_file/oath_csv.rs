//! CSV as token vendors write it: `serial, seed, [type], [digits], [period or counter], [algorithm]`.
//!
//! Separator `,`, `;` or tab; lines that begin with `#` are comments. If the first line names the
//! columns (`serial`, `seed`, …) they may come in any order. A seed is hexadecimal if it consists of
//! at least 16 hexadecimal digits in pairs; otherwise it is base32. (A base32 seed of 160 bit that
//! happens to look hexadecimal is rarer than one in a hundred thousand million.)

use data_encoding::{BASE32_NOPAD, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use super::{Algorithm, FILE_BYTES_MAX, Kind, Place, Reason, TokenFile, TokenSeed};
use crate::Secret;

/// A file that cannot be read at all.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CsvError {
    /// Larger than [`FILE_BYTES_MAX`].
    #[error("reading a token file: it is larger than 8 MiB; split it")]
    TooLarge,
    /// Nothing in it but comments.
    #[error("reading a token file: there is no line in it")]
    Empty,
}

/// Reads a file.
///
/// # Errors
/// [`CsvError`] for the file as a whole; lines are refused one by one.
pub fn read(file: &[u8]) -> Result<TokenFile, CsvError> {
    if file.len() > FILE_BYTES_MAX {
        return Err(CsvError::TooLarge);
    }
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(file))
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(file);
    let mut columns = Columns::default();
    let mut found = Vec::new();
    let mut first = true;
    for record in reader.records() {
        let line = |position: Option<&csv::Position>| position.map_or(0, |at| line_of(file, at));
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                found.push((Place::Line(line(error.position())), Err(Reason::Columns)));
                first = false;
                continue;
            }
        };
        if record.iter().all(str::is_empty) {
            continue;
        }
        match Columns::named(&record) {
            Some(named) if first => columns = named,
            _ => found.push((Place::Line(line(record.position())), columns.seed(&record))),
        }
        first = false;
    }
    if found.is_empty() {
        Err(CsvError::Empty)
    } else {
        Ok(TokenFile::collect(found))
    }
}

/// Which column holds what.
struct Columns {
    serial: Option<usize>,
    seed: Option<usize>,
    kind: Option<usize>,
    digits: Option<usize>,
    period: Option<usize>,
    counter: Option<usize>,
    algorithm: Option<usize>,
    vendor: Option<usize>,
    model: Option<usize>,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            serial: Some(0),
            seed: Some(1),
            kind: Some(2),
            digits: Some(3),
            period: Some(4),
            counter: Some(4),
            algorithm: Some(5),
            vendor: None,
            model: None,
        }
    }
}

impl Columns {
    /// The columns that a first line names; none if it does not name a serial and a seed.
    fn named(record: &csv::StringRecord) -> Option<Self> {
        let at = |names: &[&str]| {
            record.iter().position(|cell| {
                let cell = cell.to_lowercase().replace([' ', '-', '_'], "");
                names.contains(&cell.as_str())
            })
        };
        let serial = at(&["serial", "serialno", "serialnumber", "sn"])?;
        let seed = at(&["seed", "secret", "key", "secretkey", "otpkey"])?;
        Some(Self {
            serial: Some(serial),
            seed: Some(seed),
            kind: at(&["type", "kind"]),
            digits: at(&["digits", "otplength", "length"]),
            period: at(&["period", "timestep", "timeinterval", "interval", "step"]),
            counter: at(&["counter", "movingfactor"]),
            algorithm: at(&["algorithm", "hash", "hashalgorithm", "hashlib"]),
            vendor: at(&["vendor", "manufacturer"]),
            model: at(&["model"]),
        })
    }

    fn seed(&self, record: &csv::StringRecord) -> Result<TokenSeed, Reason> {
        let cell = |column: Option<usize>| {
            column
                .and_then(|at| record.get(at))
                .filter(|text| !text.is_empty())
        };
        if record.len() < 2 {
            return Err(Reason::Columns);
        }
        let kind = match cell(self.kind)
            .unwrap_or("TOTP")
            .to_ascii_uppercase()
            .as_str()
        {
            "TOTP" | "TIME" => {
                let period_s = cell(self.period).unwrap_or("30").parse();
                Kind::Totp {
                    period_s: period_s.map_err(|_| Reason::Period)?,
                }
            }
            "HOTP" | "EVENT" => {
                let counter = cell(self.counter).unwrap_or("0").parse();
                Kind::Hotp {
                    counter: counter.map_err(|_| Reason::Counter)?,
                }
            }
            _ => return Err(Reason::Type),
        };
        Ok(TokenSeed {
            serial: cell(self.serial).ok_or(Reason::Serial)?.to_owned(),
            vendor: cell(self.vendor).map(str::to_owned),
            model: cell(self.model).map(str::to_owned),
            kind,
            algorithm: Algorithm::read(cell(self.algorithm).unwrap_or("SHA1"))?,
            digits: cell(self.digits)
                .unwrap_or("6")
                .parse()
                .map_err(|_| Reason::Digits)?,
            secret: secret(cell(self.seed).ok_or(Reason::Seed)?)?,
        })
    }
}

fn secret(text: &str) -> Result<Secret, Reason> {
    if text.len() > 512 {
        return Err(Reason::SeedLong);
    }
    let plain: Zeroizing<String> = Zeroizing::new(
        text.chars()
            .filter(|c| !matches!(c, ' ' | '-' | ':'))
            .collect(),
    );
    let pairs = plain.len().is_multiple_of(2) && plain.len() >= 16;
    let bytes = if pairs && plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        HEXLOWER_PERMISSIVE.decode(plain.as_bytes())
    } else {
        let upper = Zeroizing::new(plain.trim_end_matches('=').to_ascii_uppercase());
        BASE32_NOPAD.decode(upper.as_bytes())
    };
    bytes.map(Secret::new).map_err(|_| Reason::Seed)
}

/// The line on which a record stands: the reader counts blank and comment lines before it as its own.
fn line_of(file: &[u8], position: &csv::Position) -> u64 {
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let skipped = file
        .get(start..)
        .unwrap_or_default()
        .split(|byte| *byte == b'\n')
        .take_while(|line| line.trim_ascii().is_empty() || line.starts_with(b"#"))
        .count();
    position
        .line()
        .saturating_add(u64::try_from(skipped).unwrap_or(0))
}

/// The separator of the first line that is neither empty nor a comment.
fn separator(file: &[u8]) -> u8 {
    let line = file
        .split(|byte| *byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#"))
        .unwrap_or_default();
    [b';', b'\t']
        .into_iter()
        .find(|separator| line.contains(separator))
        .unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Odd;

    const HEX: &str = "3132333435363738393031323334353637383930";
    const BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn the_sample_file_is_read() {
        let file = read(include_bytes!("../../samples/tokens.csv")).unwrap();
        let kinds: Vec<_> = file
            .seeds
            .iter()
            .map(|s| (s.serial.as_str(), s.kind, s.digits, s.algorithm))
            .collect();
        assert_eq!(
            kinds,
            [
                (
                    "2600124811001",
                    Kind::Totp { period_s: 30 },
                    6,
                    Algorithm::Sha1
                ),
                (
                    "2600124811002",
                    Kind::Totp { period_s: 60 },
                    8,
                    Algorithm::Sha256
                ),
                (
                    "2600124811003",
                    Kind::Hotp { counter: 42 },
                    6,
                    Algorithm::Sha1
                ),
            ]
        );
        assert!(
            file.seeds
                .iter()
                .all(|seed| seed.secret.expose().starts_with(b"12345678901234567890"))
        );
        let refused: Vec<_> = file.refused.iter().map(ToString::to_string).collect();
        assert_eq!(
            refused,
            [
                "line 7: the seed is shorter than 128 bit and could be guessed; ask the vendor for other tokens"
            ]
        );
    }

    #[test]
    fn separators_headers_comments_and_encodings_vary() {
        for text in [
            format!("A1,{HEX}"),
            format!("A1;{HEX};TOTP;6;30;SHA1\r\n"),
            format!("# tokens\n\nA1\t{BASE32}\ttotp\t6\t30\thmac-sha1\n"),
            format!(
                "\u{feff}Serial Number;Secret Key\nA1;{}\n",
                HEX.to_uppercase()
            ),
            format!("seed,serial\n\"{BASE32}\",\"A1\""),
            format!(
                "key,model,serial\n{},C200,A1",
                "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".to_lowercase()
            ),
        ] {
            let file = read(text.as_bytes()).unwrap();
            assert_eq!(file.refused, [], "{text}");
            let [seed] = file.seeds.as_slice() else {
                panic!("one token: {text}")
            };
            assert_eq!(
                (seed.serial.as_str(), seed.kind),
                ("A1", Kind::Totp { period_s: 30 })
            );
            assert_eq!(seed.secret.expose(), b"12345678901234567890");
        }
    }

    /// [O06] Seeds below 128 bit are refused with the reason; every other mistake has its own.
    #[test]
    fn each_bad_line_is_refused_with_its_number_and_reason() {
        for (line, reason) in [
            ("A1", Reason::Columns),
            (",31323334353637383930313233343536", Reason::Serial),
            ("A 1,31323334353637383930313233343536", Reason::Serial),
            ("A1,", Reason::Seed),
            ("A1,!!!", Reason::Seed),
            ("A1,313233343536373839303132333435", Reason::SeedShort),
            ("A1,GEZDGNBVGY3TQOJQ", Reason::SeedShort),
            ("A1,31323334353637383930313233343536,OCRA", Reason::Type),
            ("A1,31323334353637383930313233343536,TOTP,7", Reason::Digits),
            ("A1,31323334353637383930313233343536,TOTP,x", Reason::Digits),
            (
                "A1,31323334353637383930313233343536,TOTP,6,45",
                Reason::Period,
            ),
            (
                "A1,31323334353637383930313233343536,HOTP,6,-1",
                Reason::Counter,
            ),
            (
                "A1,31323334353637383930313233343536,TOTP,6,30,MD5",
                Reason::Algorithm,
            ),
            ("GOOD,31323334353637383930313233343536", Reason::SerialTwice),
        ] {
            let text = format!("GOOD,{HEX}\n# a comment\n\n{line}\n");
            let file = read(text.as_bytes()).unwrap();
            assert_eq!(file.seeds.len(), 1, "{line}");
            assert_eq!(file.refused.len(), 1, "{line}");
            assert_eq!(file.refused[0].reason, reason, "{line}");
            assert_eq!(file.refused[0].place, Place::Line(4), "{line}");
        }
        let long = format!("A1,{}", "31".repeat(65));
        assert_eq!(
            read(long.as_bytes()).unwrap().refused[0].reason,
            Reason::SeedLong
        );
    }

    #[test]
    fn empty_and_enormous_files_are_refused() {
        assert_eq!(read(b"").unwrap_err(), CsvError::Empty);
        assert_eq!(read(b"# nothing\n\n").unwrap_err(), CsvError::Empty);
        assert_eq!(
            read(&vec![b'a'; FILE_BYTES_MAX + 1]).unwrap_err(),
            CsvError::TooLarge
        );
    }

    #[test]
    fn a_seed_prints_no_secret() {
        let file = read(format!("A1,{HEX}").as_bytes()).unwrap();
        let printed = format!("{:?}", file.seeds);
        assert!(printed.contains("A1") && !printed.contains("49, 50") && !printed.contains("3132"));
    }

    /// [P07] No bytes make the reader panic.
    #[test]
    fn odd_bytes_do_no_harm() {
        let mut odd = Odd(5);
        for _ in 0..5_000 {
            let bytes = odd.bytes(200, b"A1,;\t\"\n\r#3132serialseed,TOTP");
            if let Ok(file) = read(&bytes) {
                assert!(file.seeds.iter().all(|seed| seed.secret.len() >= 16));
            }
        }
    }
}
