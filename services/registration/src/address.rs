//! An address in a command: everything that is filled in has to be readable, and nothing of it may lead to a person.

use ryggrad_decider::{Refusal, rules};
use ryggrad_norway::{KommuneNumber, PostalCode};
use ryggrad_proto::registration::v1::Address;

use crate::input::{self, Read};

/// Most lines that an address has.
const LINES: usize = 5;

/// Checks an address; refusals name the field under `field`.
pub(crate) fn check(field: &str, address: &Address) -> Read<()> {
    let part = |part: &str, read: Read<()>| read.map_err(|no| no.at(format!("{field}.{part}")));
    part(
        "kommunenummer",
        input::optional_coded::<KommuneNumber>("", Some(&address.kommunenummer)).map(drop),
    )?;
    part(
        "postnummer",
        input::optional_coded::<PostalCode>("", Some(&address.postnummer)).map(drop),
    )?;
    part("landkode", input::free("", &address.landkode, 2).map(drop))?;
    part("poststed", input::free("", &address.poststed, input::NAME).map(drop))?;
    part("land", input::free("", &address.land, input::NAME).map(drop))?;
    part("adresse", input::count("", address.adresse.len(), 0, LINES))?;
    for line in &address.adresse {
        part("adresse", input::text("", line, input::NAME).map(drop))?;
        if input::by_way_of_somebody(line) {
            return part("adresse", Err(by_way_of_somebody()));
        }
    }
    Ok(())
}

fn by_way_of_somebody() -> Refusal {
    input::refuse(
        &rules::R_0_05,
        "PersonalData",
        "Adressen går via noen (c/o, v/ eller att.). La linjene stå tomme, eller oppgi organisasjonens egen adresse.",
        "Adressa går via nokon (c/o, v/ eller att.). Lat linjene stå tomme, eller oppgi organisasjonen si eiga adresse.",
        "the address goes by way of somebody (c/o, v/ or att.): leave its lines empty, or give the organisation's own",
    )
}
