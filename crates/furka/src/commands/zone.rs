//! `furka zone`: where an address is, and why the server believes it.

use std::{net::IpAddr, path::PathBuf};

use clap::Subcommand;
use journey::{
    Zones,
    zone::{Enrolment, SecondFactor},
};

use crate::{
    failure::{Doing, Exit, Failure, Outcome},
    installation::Installation,
    print::{self, Table},
};

/// What can be asked about zones.
#[derive(Subcommand)]
pub(crate) enum ZoneCommand {
    /// Says in which zone an address is, and why.
    #[command(after_help = "Example:\n  furka zone explain 198.51.100.7")]
    Explain {
        /// An IPv4 or IPv6 address.
        address: String,
        /// Asks this file instead of the database.
        #[arg(long, value_name = "FILE")]
        zones: Option<PathBuf>,
    },
    /// Lists the zones.
    List,
}

impl ZoneCommand {
    pub(crate) async fn run(
        self,
        open: impl AsyncFnOnce() -> Result<Installation, Failure>,
    ) -> Outcome {
        match self {
            Self::Explain {
                address,
                zones: None,
            } => {
                explain(&open().await?.zones().await?, &address);
            }
            Self::Explain {
                address,
                zones: Some(file),
            } => {
                let doing = || format!("reading `{}`", file.display());
                let text = std::fs::read_to_string(&file).doing(doing)?;
                explain(&Zones::parse(&text).doing(doing)?, &address);
            }
            Self::List => list(&open().await?.zones().await?),
        }
        Ok(Exit::Done)
    }
}

fn explain(zones: &Zones, text: &str) {
    let mut table = Table::default();
    // The server does not fail on such a text either: it is public.
    let Ok(address) = text.trim().parse::<IpAddr>() else {
        table.pair("address", format_args!("`{text}` is none"));
        table.pair("zone", "public");
        table.pair("why", "what cannot be read is public");
        return print::line(table);
    };
    let found = zones.explain(address);
    table.pair("address", found.address);
    if let Some(network) = found.network {
        table.pair("network", network);
    }
    match found.zone {
        None => table.pair("zone", "public"),
        Some(zone) => table.pair("zone", format_args!("{} ({})", zone.id, zone.name.en)),
    }
    let (second_factor, enrolment) = found
        .zone
        .map_or((SecondFactor::Asked, Enrolment::Allowed), |zone| {
            (zone.second_factor, zone.enrolment)
        });
    table.pair("second factor", say_second_factor(second_factor));
    table.pair("enrolment", say_enrolment(enrolment));
    table.pair("why", found.why);
    print::line(table);
}

fn list(zones: &Zones) {
    let mut table = Table::new([
        "zone",
        "second factor",
        "enrolment",
        "review by",
        "owner",
        "networks",
    ]);
    for zone in zones.iter() {
        table.row([
            zone.id.clone(),
            say_second_factor(zone.second_factor).to_owned(),
            say_enrolment(zone.enrolment).to_owned(),
            zone.review_by.to_string(),
            zone.owner.clone(),
            zone.networks.join(" "),
        ]);
    }
    print::line(table);
}

fn say_second_factor(second_factor: SecondFactor) -> &'static str {
    match second_factor {
        SecondFactor::Asked => "asked",
        SecondFactor::NotAsked => "not asked",
    }
}

fn say_enrolment(enrolment: Enrolment) -> &'static str {
    match enrolment {
        Enrolment::Allowed => "allowed",
        Enrolment::Refused => "refused",
    }
}
