//! `furka token`: hardware tokens, from the vendor's file to somebody's key ring.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use journey::{
    Algorithm, Carrier, Checked, FactorId, Otp, OtpKind, PersonId, Secret, Timestamp, Typed,
    limit::SECOND_FACTOR,
};
use store::{AssignToken, Cohort, ImportError, LaneKey, NewToken, TokenRecord};
use wire::token_file::{self, FILE_BYTES_MAX, TokenFile, TokenSeed, oath_csv, pskc};
use zeroize::Zeroizing;

use crate::{
    failure::{Doing, Exit, Failure, Outcome},
    installation::{Installation, draw},
    print::{self, Table},
};

/// How many refused lines are shown.
const SHOWN_MAX: usize = 50;
/// How many people are read at once.
const PAGE: u32 = 500;

/// What can be done with hardware tokens.
#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Takes in a vendor's file: all of it, or nothing.
    Import(Import),
    /// Gives a token to somebody.
    #[command(after_help = "Example:\n  furka token assign 2600123456 anna.rey --code 492039")]
    Assign {
        /// The number on its back.
        serial: String,
        /// Whose it becomes.
        name: String,
        /// The code it shows, to be sure that it is the one, and that it is in step.
        #[arg(long)]
        code: Option<String>,
    },
    /// Brings a token back into step, by two codes it showed one after the other.
    Resync {
        /// The number on its back.
        serial: String,
        /// The first code.
        code: String,
        /// The code after it.
        next_code: String,
    },
    /// Lists the tokens that somebody has.
    List,
}

/// What `furka token import` is told.
#[derive(Args)]
#[command(after_help = "\
A CSV file has serial and seed, and where they differ from TOTP, 6 digits, 30 s
and SHA1: type, digits, period or counter, algorithm. A first line may name the
columns. A PSKC file (RFC 6030) may be encrypted.

Examples:
  furka token import tokens.csv
  furka token import tokens.pskcxml --key-file transport.key
  furka token import tokens.pskcxml --password-file password.txt

Delete the file afterwards: the seeds are sealed in the database.")]
pub(crate) struct Import {
    /// The vendor's file.
    file: PathBuf,
    /// What it is.
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,
    /// A file with the key of an encrypted PSKC file: hexadecimal, base64, or the bare bytes.
    #[arg(long, value_name = "FILE", conflicts_with = "password_file")]
    key_file: Option<PathBuf>,
    /// A file with the password of an encrypted PSKC file in its first line.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// How a file of tokens is written.
#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
enum Format {
    /// As it looks.
    Auto,
    /// A line a token.
    Csv,
    /// XML, RFC 6030.
    Pskc,
}

impl TokenCommand {
    pub(crate) async fn run(self, here: &Installation) -> Outcome {
        match self {
            Self::Import(import) => import.run(here).await,
            Self::Assign { serial, name, code } => assign(here, &serial, &name, code).await,
            Self::Resync {
                serial,
                code,
                next_code,
            } => resync(here, &serial, [&code, &next_code]).await,
            Self::List => list(here).await,
        }
    }
}

impl Import {
    async fn run(self, here: &Installation) -> Outcome {
        let file = self.read()?;
        if !file.refused.is_empty() {
            for refused in file.refused.iter().take(SHOWN_MAX) {
                eprintln!("error: {refused}");
            }
            let more = file.refused.len().saturating_sub(SHOWN_MAX);
            if more > 0 {
                eprintln!("error: and {more} more");
            }
            eprintln!("nothing was imported");
            return Ok(Exit::Problems);
        }
        let tokens: Vec<NewToken> = file
            .seeds
            .iter()
            .map(|seed| NewToken {
                otp: otp(seed, FactorId(draw(&here.world))),
                serial: seed.serial.clone(),
            })
            .collect();
        match here
            .store
            .import_tokens(&tokens, &here.by("token import"))
            .await
        {
            Ok(new) => {
                let known = (tokens.len() as u64).saturating_sub(u64::from(new));
                print::line(format_args!(
                    "{} imported, {known} known already; delete `{}` now: seeds do not belong in files",
                    print::count(new, "token", "tokens"),
                    self.file.display()
                ));
                Ok(Exit::Done)
            }
            Err(ImportError::Store(error)) => Err(error.into()),
            Err(ImportError::Conflicts(conflicts)) => {
                for (_, conflict) in conflicts.iter().take(SHOWN_MAX) {
                    eprintln!("error: {conflict}");
                }
                eprintln!("nothing was imported");
                Ok(Exit::Problems)
            }
        }
    }

    fn read(&self) -> Result<TokenFile, Failure> {
        let bytes = bounded(&self.file)?;
        let first = bytes
            .iter()
            .find(|byte| !byte.is_ascii_whitespace() && byte.is_ascii());
        let is_xml =
            self.format == Format::Pskc || self.format == Format::Auto && first == Some(&b'<');
        let doing = || format!("reading `{}`", self.file.display());
        if !is_xml {
            return oath_csv::read(&bytes).doing(doing);
        }
        let unlock = match (&self.key_file, &self.password_file) {
            (Some(file), _) => pskc::Unlock::Key(key(&bounded(file)?)),
            (None, Some(file)) => pskc::Unlock::Password(first_line(&bounded(file)?)),
            (None, None) => pskc::Unlock::Nothing,
        };
        pskc::read(&bytes, &unlock).doing(doing)
    }
}

fn bounded(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let doing = || format!("reading `{}`", path.display());
    if fs::metadata(path).doing(doing)?.len() > FILE_BYTES_MAX as u64 {
        return Err(
            Failure::new(format!("`{}` is longer than 8 MiB", path.display())).cure("split it"),
        );
    }
    fs::read(path).doing(doing).map(Zeroizing::new)
}

/// The bytes that the text stands for, or the bytes themselves.
fn key(bytes: &[u8]) -> wire::Secret {
    let text = bytes.trim_ascii();
    let decoded = HEXLOWER_PERMISSIVE
        .decode(text)
        .or_else(|_| BASE64.decode(text));
    let key = decoded.ok().filter(|key| matches!(key.len(), 16 | 32));
    wire::Secret::new(key.unwrap_or_else(|| bytes.to_vec()))
}

fn first_line(bytes: &[u8]) -> wire::Secret {
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    wire::Secret::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}

/// The token of a file as journeys know it.
fn otp(seed: &TokenSeed, id: FactorId) -> Otp {
    let (kind, last_counter) = match seed.kind {
        token_file::Kind::Totp { period_s } => (OtpKind::Totp { period_s }, None),
        token_file::Kind::Hotp { counter } => (OtpKind::Hotp, counter.checked_sub(1)),
    };
    Otp {
        algorithm: match seed.algorithm {
            token_file::Algorithm::Sha1 => Algorithm::Sha1,
            token_file::Algorithm::Sha256 => Algorithm::Sha256,
            token_file::Algorithm::Sha512 => Algorithm::Sha512,
        },
        carrier: Carrier::Token,
        digits: seed.digits,
        drift: 0,
        id,
        kind,
        last_counter,
        secret: Secret::new(seed.secret.expose().to_vec()),
    }
}

async fn assign(here: &Installation, serial: &str, name: &str, code: Option<String>) -> Outcome {
    let token = token(here, serial).await?;
    if token.assigned_to.is_some() {
        return Err(
            Failure::new(format!("the token `{serial}` is somebody's already"))
                .cure("`furka token list` says whose"),
        );
    }
    let account = here.account(name).await?;
    if let Some(other) = &account.person.token_serial {
        return Err(Failure::new(format!(
            "`{}` has the token `{other}`",
            account.person.username
        )));
    }
    if let Some(method @ (journey::Method::App | journey::Method::Sms)) = account.person.method {
        let sentence = format!(
            "`{}` chose another method ({method:?}): the token would never be asked for",
            account.person.username
        );
        return Err(Failure::new(sentence.to_lowercase())
            .cure("assign tokens to people who are not activated yet, or who have chosen Token"));
    }
    let counter = match code {
        None => None,
        Some(code) => Some(right(token.otp.check(&typed(&code)?, here.now()), serial)?),
    };
    let assign = AssignToken {
        counter,
        person: account.person.id,
        serial: serial.to_owned(),
    };
    let by = store::By {
        person: Some(account.person.id),
        ..here.by("token assign")
    };
    if !here.store.assign_token(&assign, &by).await? {
        return Err(Failure::new(format!(
            "the token `{serial}` was given to somebody meanwhile"
        )));
    }
    print::line(format_args!(
        "`{serial}` is the token of {}",
        account.person.username
    ));
    Ok(Exit::Done)
}

async fn resync(here: &Installation, serial: &str, codes: [&str; 2]) -> Outcome {
    let token = token(here, serial).await?;
    let [first, second] = codes.map(typed);
    let (first, second) = (first?, second?);
    if let Some(person) = token.assigned_to {
        spend(here, person, here.now()).await?;
    }
    let checked = token.otp.resynchronise(&first, &second, here.now());
    let (counter, drift) = right(checked, serial)?;
    let by = store::By {
        person: token.assigned_to,
        ..here.by("token resync")
    };
    if !here.store.resync_token(serial, counter, drift, &by).await? {
        return Err(
            Failure::new(format!("the token `{serial}` was used meanwhile"))
                .cure("take its next two codes"),
        );
    }
    if let Some(person) = token.assigned_to {
        here.store
            .refund_try(&LaneKey::SecondFactor(person))
            .await?;
    }
    print::line(format_args!("`{serial}` is in step again"));
    Ok(Exit::Done)
}

/// [O10] Every try counts, wherever it is made.
async fn spend(here: &Installation, person: PersonId, now: Timestamp) -> Result<(), Failure> {
    let lane = LaneKey::SecondFactor(person);
    match here.store.spend_try(&lane, &SECOND_FACTOR, now).await? {
        Ok(_) => Ok(()),
        Err(wait) => {
            let hours = wait.seconds / 3600 + 1;
            Err(
                Failure::new("too many wrong codes were tried for this person in the last weeks")
                    .cure(format!("try again in {hours} hours")),
            )
        }
    }
}

async fn token(here: &Installation, serial: &str) -> Result<TokenRecord, Failure> {
    here.store.token(serial).await?.ok_or_else(|| {
        Failure::new(format!(
            "no token with the serial number `{serial}` is known"
        ))
        .cure("look at its back again, or import its file first: `furka token import FILE`")
    })
}

fn typed(code: &str) -> Result<Typed, Failure> {
    Typed::parse(code).doing(|| "reading a code".to_owned())
}

fn right(checked: Checked, serial: &str) -> Result<(u64, i64), Failure> {
    match checked {
        Checked::Right { counter, drift } => Ok((counter, drift)),
        Checked::Replayed => Err(Failure::new(format!(
            "the token `{serial}` was used with this code before"
        ))
        .cure("wait for its next code")),
        Checked::Wrong {
            clock_ahead_s: Some(seconds),
        } => Err(Failure::new(format!(
            "the clock of the token `{serial}` is off by {seconds} s"
        ))
        .cure("`furka token resync SERIAL CODE NEXT_CODE` brings it back into step")),
        Checked::Wrong {
            clock_ahead_s: None,
        } => Err(
            Failure::new(format!("the token `{serial}` does not show this code"))
                .cure("compare the serial number, and this machine's clock with a watch"),
        ),
    }
}

async fn list(here: &Installation) -> Outcome {
    let mut table = Table::new(["serial", "person", "kind", "drift"]);
    let mut after: Option<String> = None;
    let mut assigned = 0_u64;
    loop {
        let people = here
            .store
            .people(Cohort::All, after.as_deref(), PAGE)
            .await?;
        let Some(last) = people.last() else { break };
        after = Some(last.person.username.clone());
        for person in people.into_iter().map(|account| account.person) {
            if let (Some(serial), Some(token)) = (person.token_serial, person.token) {
                assigned += 1;
                table.row([
                    serial,
                    person.username,
                    kind(&token),
                    format!("{} steps", token.drift),
                ]);
            }
        }
    }
    print::line(table);
    let free = here
        .store
        .counts(here.now())
        .await?
        .tokens
        .saturating_sub(assigned);
    print::line(format_args!(
        "{} free",
        print::count(free, "token is", "tokens are")
    ));
    Ok(Exit::Done)
}

fn kind(token: &Otp) -> String {
    let kind = match token.kind {
        OtpKind::Hotp => "HOTP".to_owned(),
        OtpKind::Totp { period_s } => format!("TOTP {period_s} s"),
    };
    format!("{kind}, {:?}, {} digits", token.algorithm, token.digits)
}
