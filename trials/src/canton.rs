//! An installation to be tried: made by the commands that an operator has, with people whose secrets
//! are known.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use cluster::{Installation, Nodes};
use data_encoding::{BASE64, HEXLOWER};
use driver::Application;
use tokio::time::{Instant, sleep};

use crate::{Trouble, post::Post};

/// The application that is content with a password inside.
pub(crate) const PORTAL: Application = Application {
    id: "portal",
    redirect: "https://portal.example/callback",
    secret: "a-secret-of-the-trials-that-protects-nothing-0123",
};
/// The application that asks for two factors everywhere.
pub(crate) const STRICT: Application = Application {
    id: "strict",
    ..PORTAL
};

/// The application that renews its tokens.
pub(crate) const RENEWING: Application = Application {
    id: "renewing",
    ..PORTAL
};

/// The first two, with what they demand.
pub(crate) const APPLICATIONS: [(Application, &str); 2] =
    [(PORTAL, "password"), (STRICT, "strong")];

/// The password of everybody who has one.
pub(crate) const PASSWORD: &str = "Simplon-1805-Galerie";
/// An address in the zone in which a password is enough.
pub(crate) const SCHOOL: &str = "198.51.100.7";
/// An address in no zone.
pub(crate) const HOME: &str = "203.0.113.9";

/// How long the first mail may take, and each one after it.
const MAIL_MAX: (Duration, Duration) = (Duration::from_secs(20), Duration::from_millis(500));

/// What somebody is there for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// Signs in with a password.
    Pupil,
    /// Holds a token that counts.
    Counter,
    /// Holds a token with a clock.
    Clock,
    /// Waits for their activation.
    Newcomer,
    /// Has a number and nothing bound.
    Unbound,
}

/// Everybody, by part.
pub(crate) const PARTS: [Part; 5] = [
    Part::Pupil,
    Part::Counter,
    Part::Clock,
    Part::Newcomer,
    Part::Unbound,
];

impl Part {
    const fn letter(self) -> char {
        match self {
            Self::Pupil => 'p',
            Self::Counter => 'h',
            Self::Clock => 't',
            Self::Newcomer => 'a',
            Self::Unbound => 'r',
        }
    }

    /// The user name of somebody.
    pub(crate) fn name(self, number: usize) -> String {
        format!("{}{number}", self.letter())
    }

    pub(crate) fn mail(self, number: usize) -> String {
        format!("{}@edu.example", self.name(number))
    }
}

/// Who lives there, and what was drawn for them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Canton {
    /// How many of each part there are.
    pub(crate) each: usize,
    /// Which parts there are.
    pub(crate) parts: &'static [Part],
    /// What the secrets of their tokens are drawn from.
    pub(crate) seed: u64,
}

impl Canton {
    /// The seed of somebody's token.
    pub(crate) fn token(self, part: Part, number: usize) -> [u8; 20] {
        let drawn = digest(
            &SHA256,
            format!("{}/{}", self.seed, part.name(number)).as_bytes(),
        );
        let mut seed = [0; 20];
        for (to, from) in seed.iter_mut().zip(drawn.as_ref()) {
            *to = *from;
        }
        seed
    }

    /// Brings everybody in.
    pub(crate) fn moves_in(self, installation: &Installation, post: &Post) -> Result<(), Trouble> {
        let home = installation.home();
        let resources = home.join("resources");
        fs::write(
            resources.join("applications.toml"),
            applications(&APPLICATIONS) + &renewing(),
        )?;
        let policy = fs::read_to_string(resources.join("policy.toml"))?;
        fs::write(resources.join("policy.toml"), with_recovery_codes(&policy)?)?;
        fs::write(resources.join("zones.toml"), ZONES)?;
        fs::write(resources.join("gateways.toml"), gateways(post))?;
        let import = |what: &str, file: &Path| {
            installation.furka(&[what, "import", &file.display().to_string()])
        };
        installation.furka(&["apply", "--yes", &resources.display().to_string()])?;
        let (tokens, people) = (home.join("tokens.csv"), home.join("people.csv"));
        fs::write(&tokens, self.tokens())?;
        fs::write(&people, self.people())?;
        if self.parts.contains(&Part::Counter) {
            import("token", &tokens)?;
        }
        import("person", &people)?;
        Ok(())
    }

    /// Sends the newcomers their codes, and waits for the mails, which leave while nodes run.
    pub(crate) async fn sends_codes(self, nodes: &Nodes, post: &Post) -> Result<(), Trouble> {
        nodes
            .installation()
            .furka(&["activation", "send", "--school", NEWCOMERS])?;
        let began = Instant::now();
        let people = u32::try_from(self.each)?;
        let (first, each) = MAIL_MAX;
        while post.addresses() < self.each {
            if began.elapsed() > first + each * people {
                let here = post.addresses();
                return Err(format!("of {people} mails, {here} came").into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    fn tokens(self) -> String {
        let mut text = "serial,seed,type,digits,period,counter,algorithm\n".to_owned();
        for (part, rest) in [(Part::Counter, "HOTP,6,,0"), (Part::Clock, "TOTP,6,30,")] {
            for number in 0..self.each {
                let seed = HEXLOWER.encode(&self.token(part, number));
                let _ = writeln!(text, "{},{seed},{rest},SHA1", serial(part, number));
            }
        }
        text
    }

    fn people(self) -> String {
        let mut text = "username,first_name,last_name,mail,role,school,phone,method,token_serial,\
                        password_hash\n"
            .to_owned();
        let hash = hash();
        for part in self.parts {
            for number in 0..self.each {
                let (name, mail) = (part.name(number), part.mail(number));
                let rest = match *part {
                    Part::Pupil => format!("Brig,,,,{hash}"),
                    Part::Counter | Part::Clock => {
                        format!("Brig,,token,{},{hash}", serial(*part, number))
                    }
                    Part::Newcomer => format!("{NEWCOMERS},,,,"),
                    Part::Unbound => format!("Brig,+4179{number:07},sms,,{hash}"),
                };
                let _ = writeln!(text, "{name},Anna,Rey,{mail},pupil,{rest}");
            }
        }
        text
    }
}

/// The school of those who wait for their activation.
const NEWCOMERS: &str = "Naters";

fn serial(part: Part, number: usize) -> String {
    format!("SN-{}-{number}", part.letter())
}

/// `{SSHA}`, which costs nothing to check; the provider replaces it at the first sign-in.
pub(crate) fn hash() -> String {
    let salt = b"12345678";
    let salted = [PASSWORD.as_bytes(), salt].concat();
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, &salted);
    format!(
        "{{SSHA}}{}",
        BASE64.encode(&[digest.as_ref(), salt].concat())
    )
}

pub(crate) const ZONES: &str = r#"
[[zone]]
id = "school"
kind = "school"
name = { fr = "École", de = "Schule", en = "School" }
networks = ["198.51.100.0/24", "2001:db8:1::/48"]
second_factor = "not-asked"
enrolment = "refused"
owner = "trials"
review_by = "2099-08-01"
"#;

/// The text of `applications.toml`.
pub(crate) fn applications(all: &[(Application, &str)]) -> String {
    let of = |(application, minimum): &(Application, &str)| {
        let Application {
            id,
            redirect,
            secret,
        } = application;
        let secret = HEXLOWER.encode(digest(&SHA256, secret.as_bytes()).as_ref());
        format!(
            "[[application]]\nid = \"{id}\"\nname = {{ fr = \"Portail\", de = \"Portal\", en = \"Portal\" }}\n\
             kind = \"confidential\"\nredirect_uris = [\"{redirect}\"]\nauth = \"basic\"\n\
             secret_sha256 = \"{secret}\"\nscopes = [\"openid\", \"profile\", \"email\"]\n\
             minimum = \"{minimum}\"\ntrusted = true\n"
        )
    };
    all.iter().map(of).collect()
}

/// The block of the application that renews.
fn renewing() -> String {
    let grants = "grants = [\"authorization_code\", \"refresh_token\"]\n";
    applications(&[(RENEWING, "password")]) + grants
}

/// A policy that offers recovery codes.
fn with_recovery_codes(policy: &str) -> Result<String, Trouble> {
    match policy.split_once("\n[password]") {
        Some((head, rest)) if !head.contains("recovery_codes") => Ok(format!(
            "{head}\nrecovery_codes = \"offered\"\n[password]{rest}"
        )),
        _ => Err("the policy has no place for recovery codes".into()),
    }
}

pub(crate) fn gateways(post: &Post) -> String {
    let (mail, sms) = (post.mail, post.sms);
    format!(
        "[[sms]]\nname = \"carrier\"\nurl = \"http://127.0.0.1:{sms}/\"\nmethod = \"POST\"\n\
         from = \"Furka\"\nnumber = \"+41\"\n[sms.body]\njson = '{{\"to\": \"{{to}}\", \"text\": \"{{text}}\"}}'\n\
         [mail]\nhost = \"127.0.0.1\"\nport = {mail}\ntls = \"none\"\nfrom = \"Furka <noreply@edu.example>\"\n"
    )
}
