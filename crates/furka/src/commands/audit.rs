//! `furka audit`: whether the record is whole, and what a support code stands for.

use clap::Subcommand;
use data_encoding::HEXLOWER;
use store::audit::Checked;

use crate::{
    failure::{Doing, Exit, Failure, Outcome},
    installation::Installation,
    print,
};

const PAGE: u32 = 1000;

/// What can be done with the audit.
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Proves that no entry was changed, left out or put in.
    Verify,
    /// Shows what happened under the support code that stood on somebody's page.
    Show {
        /// Such as `7KQ4-M2XP`; lower case and spaces are understood, too.
        code: String,
    },
}

impl AuditCommand {
    pub(crate) async fn run(self, here: &Installation) -> Outcome {
        match self {
            Self::Verify => verify(here).await,
            Self::Show { code } => show(here, &code).await,
        }
    }
}

async fn verify(here: &Installation) -> Outcome {
    let strands = here.store.audit_strands().await?;
    // Before the first entry there is one strand with nothing in it.
    let strands = if strands.is_empty() { vec![0] } else { strands };
    for strand in strands {
        let checked = verify_strand(here, strand).await?;
        let entries = print::count(checked.sequence, "entry", "entries");
        let of = match strand {
            0 => String::new(),
            _ => format!(" of strand {strand}"),
        };
        print::line(format_args!(
            "the audit holds: {entries}{of}, head {}",
            HEXLOWER.encode(&checked.head)
        ));
    }
    Ok(Exit::Done)
}

async fn verify_strand(here: &Installation, strand: u16) -> Result<Checked, Failure> {
    let mut checked = Checked::of(strand);
    loop {
        let next = checked.sequence.saturating_add(1);
        let entries = here.store.audit_from(strand, next, PAGE).await?;
        if entries.is_empty() {
            return Ok(checked);
        }
        checked = checked
            .go_on(&entries)
            .doing(|| "proving the audit".to_owned())
            .map_err(|broken| {
                broken.cure("keep the database as it is, and find out who could write to its file")
            })?;
    }
}

async fn show(here: &Installation, code: &str) -> Outcome {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_uppercase();
    let (front, back) = plain.split_at_checked(4).unwrap_or((&plain, ""));
    let entries = here
        .store
        .audit_by_support(&format!("{front}-{back}"))
        .await?;
    if entries.is_empty() {
        return Err(
            Failure::new(format!("nothing happened under the support code `{code}`"))
                .cure("ask for the code again: it has eight letters and digits"),
        );
    }
    for entry in &entries {
        print::line(entry);
    }
    let mut people: Vec<_> = entries.iter().filter_map(|entry| entry.person).collect();
    people.sort();
    people.dedup();
    for id in people {
        if let Some(account) = here.store.person(id).await? {
            print::line(format_args!("{id} is {}", account.person.username));
        }
    }
    Ok(Exit::Done)
}
