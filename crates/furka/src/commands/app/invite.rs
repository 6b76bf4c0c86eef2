//! `furka app invite`, `invitations`, `uninvite` and `remove`: applications that register themselves, as far as
//! a technician has to do with them.

use clap::{Args, ValueEnum};
use data_encoding::HEXLOWER;
use store::NewInvitation;
use wire::{
    oauth::{
        client::{Assurance, new_secret},
        registration::{Bounds, Bundle},
    },
    oidc::Issuer,
    pseudonym::Salt,
};

use super::word;
use crate::{
    failure::{Doing, Exit, Failure, Outcome},
    installation::{Installation, draw},
    print::{self, Table},
};

/// A day, in seconds.
const DAY_S: i64 = 86_400;

/// What `furka app invite` is told.
#[derive(Args)]
#[command(after_help = "\
Prints the initial access token (RFC 7591) once; only its SHA-256 is kept. What
comes with it is never `trusted`: people are asked before it is told anything.
It speaks the authorization code flow, knows people by names that no other
invitation has, and has no other rights. `registration = true` in the first
lines of applications.toml switches the addresses on.

Examples:
  furka app invite
  furka app invite --uses 20 --days 2 --bundle profile
  furka app invite --bundle school --minimum strong --secret-days 180")]
pub(crate) struct Invite {
    /// How many applications may register with it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    uses: u32,
    /// For how many days.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=90))]
    days: u16,
    /// The most that they may be told of people, who are asked first.
    #[arg(long, value_enum, default_value = "pseudonym")]
    bundle: Told,
    /// The least that people must prove for them.
    #[arg(long, value_enum, default_value = "password")]
    minimum: Least,
    /// After so many days a secret is not good any more, and the application asks for another one.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650))]
    secret_days: Option<u16>,
}

/// What an application may be told.
#[derive(Clone, Copy, ValueEnum)]
enum Told {
    /// A name that no other application knows.
    Pseudonym,
    /// And what they are called.
    Profile,
    /// And their mail address.
    Mail,
    /// And role and school.
    School,
}

/// What people must prove.
#[derive(Clone, Copy, ValueEnum)]
enum Least {
    /// A password.
    Password,
    /// Two factors, wherever somebody is.
    Strong,
}

impl Invite {
    pub(super) async fn run(self, here: &Installation) -> Outcome {
        let origin = here.config.public_url.origin().ascii_serialization();
        let issuer = Issuer::parse(&origin).doing(|| "reading `public_url`".to_owned())?;
        let now = here.now();
        let token = new_secret(draw(&here.world));
        let bundle = match self.bundle {
            Told::Pseudonym => Bundle::Pseudonym,
            Told::Profile => Bundle::Profile,
            Told::Mail => Bundle::Mail,
            Told::School => Bundle::School,
        };
        let bounds = Bounds {
            minimum: match self.minimum {
                Least::Password => Assurance::Password,
                Least::Strong => Assurance::Strong,
            },
            salt: Salt::new(HEXLOWER.encode(&draw::<32>(&here.world))),
            scopes: bundle.scopes(),
            secret_days: self.secret_days,
        };
        let new = NewInvitation {
            bounds: bounds.document(),
            id: HEXLOWER.encode(&draw::<4>(&here.world)),
            token: sha256(token.expose()),
            until: now.plus(i64::from(self.days).saturating_mul(DAY_S)),
            uses: self.uses,
        };
        if !here.store.invite(&new, &here.by("app invite")).await? {
            return Err(
                Failure::new("another invitation has the name that was drawn")
                    .cure("run it again; nothing was written"),
            );
        }
        let mut table = Table::default();
        table.pair("invitation", &new.id);
        table.pair("token", String::from_utf8_lossy(token.expose()));
        table.pair("registration_endpoint", issuer.registration_endpoint());
        table.pair(
            "for",
            print::count(self.uses, "application", "applications"),
        );
        table.pair("until", new.until);
        print::line(table);
        print::line("\nthe token is shown once; only its SHA-256 is kept");
        if !here.applications().await?.registration {
            print::line(
                "note: nobody can register yet: write `registration = true` before the first table of \
                 applications.toml, then `furka apply`",
            );
        }
        Ok(Exit::Done)
    }
}

/// Lists the invitations.
pub(super) async fn list(here: &Installation) -> Outcome {
    let invitations = here.store.invitations().await?;
    let now = here.now();
    let mut table = Table::new([
        "invitation",
        "made",
        "until",
        "used",
        "state",
        "gets",
        "minimum",
    ]);
    for invitation in &invitations {
        let bounds = Bounds::read(&invitation.bounds).ok();
        let state = match (invitation.is_open(now), invitation.spent < invitation.uses) {
            (true, _) => "open",
            (false, false) => "used up",
            (false, true) => "over",
        };
        let scopes = bounds.iter().flat_map(|bounds| &bounds.scopes);
        table.row([
            invitation.id.clone(),
            invitation.at.to_string(),
            invitation.until.to_string(),
            format!("{} of {}", invitation.spent, invitation.uses),
            state.to_owned(),
            scopes.map(word).collect::<Vec<_>>().join(" "),
            bounds
                .as_ref()
                .map_or_else(String::new, |bounds| word(bounds.minimum)),
        ]);
    }
    print::line(table);
    Ok(Exit::Done)
}

/// An invitation lets nobody in any more.
pub(super) async fn end(here: &Installation, id: &str) -> Outcome {
    if !here.store.uninvite(id, &here.by("app uninvite")).await? {
        return Err(Failure::new(format!("no invitation `{id}` is open"))
            .cure("`furka app invitations` lists them"));
    }
    print::line(format_args!(
        "`{id}` lets nobody in any more; what came with it stays, and `furka app remove` removes it"
    ));
    Ok(Exit::Done)
}

/// An application that registered itself goes.
pub(super) async fn remove(here: &Installation, id: &str) -> Outcome {
    let by = here.by("app remove");
    if here.store.remove_registration(id, None, &by).await? {
        print::line(format_args!(
            "`{id}` is gone: its tokens renew nothing, and nobody's consent to it counts"
        ));
        return Ok(Exit::Done);
    }
    let file = here.applications().await?;
    let failure = Failure::new(format!("no application `{id}` has registered itself"));
    Err(match super::Application::find(&file, id) {
        Ok(_) => failure.cure("take it out of applications.toml, then `furka apply`"),
        Err(_) => failure.cure("`furka app list` names them"),
    })
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut hash = [0; 32];
    hash.iter_mut()
        .zip(digest.as_ref())
        .for_each(|(to, from)| *to = *from);
    hash
}
