//! Names and words of organisations that do not exist, by category and language.

use ryggrad_norway::{Icnpo, KommuneNumber, Language};

use super::draw::Draw;

/// The middle of every place name is invented, so that no place of the country, and no organisation in it, is met.
const FIRST: [&str; 24] = [
    "Gran", "Bjørk", "Tveit", "Sol", "Myr", "Elv", "Hauk", "Ulv", "Rogn", "Stein", "Kvern", "Orre", "Alm", "Vinter",
    "Lang", "Bruk", "Fugl", "Hegg", "Kvit", "Lyng", "Mold", "Nord", "Rein", "Sjø",
];
const MIDDLE: [&str; 12] = [
    "alv", "orm", "unnil", "estra", "avik", "ymd", "oska", "ilun", "ervo", "anku", "umbre", "elgo",
];
const LAST: [&str; 16] = [
    "heim", "vang", "dal", "bygda", "nes", "vik", "berg", "moen", "lia", "sund", "stranda", "åsen", "haugen", "grend",
    "fjord", "holmen",
];

/// What organisations of a category call themselves, in Bokmål.
const KINDS: [(&str, &[&str]); 32] = [
    (
        "1100",
        &[
            "musikkforening",
            "skolekorps",
            "blandakor",
            "teaterlag",
            "historielag",
            "spelemannslag",
            "kunstforening",
        ],
    ),
    (
        "1200",
        &[
            "idrettslag",
            "fotballklubb",
            "skiklubb",
            "turnforening",
            "håndballklubb",
            "svømmeklubb",
            "orienteringslag",
        ],
    ),
    (
        "1300",
        &[
            "pensjonistforening",
            "hagelag",
            "jeger- og fiskerforening",
            "bygdelag",
            "båtforening",
            "motorklubb",
            "sjakklubb",
        ],
    ),
    ("2100", &["foreldreforening", "skoleforening"]),
    ("2200", &["studentforening", "studentsamfunn"]),
    ("2300", &["studiering", "folkeopplysningslag", "språkforening"]),
    ("2400", &["forskningsforening", "vitenskapslag"]),
    ("3100", &["rehabiliteringsforening"]),
    ("3200", &["venneforening for sykehjemmet"]),
    ("3300", &["forening for psykisk helse"]),
    ("3400", &["helselag", "blodgiverforening", "førstehjelpslag"]),
    ("4100", &["omsorgsforening", "besøksvennlag", "støttelag"]),
    ("4200", &["redningslag", "krisehjelpforening", "beredskapslag"]),
    ("4300", &["hjelpefond", "støtteforening"]),
    ("5100", &["naturvernlag", "miljøforening", "turvenner"]),
    ("5200", &["dyrevernforening", "fuglevernlag"]),
    ("6100", &["utviklingslag", "grendelag", "samfunnshuslag"]),
    ("6200", &["velforening", "huseierlag", "nærmiljølag"]),
    ("6300", &["arbeidstreningslag"]),
    ("7100", &["interesseforening", "brukerforening", "trafikantlag"]),
    ("7200", &["rettshjelpforening"]),
    ("7300", &["bygdeliste", "politiske forening"]),
    ("8100", &["legat", "gavefond"]),
    ("8200", &["frivilligsentral"]),
    ("9100", &["vennskapsforening", "utviklingsfond", "solidaritetslag"]),
    ("10100", &["menighet", "misjonsforening", "livssynslag"]),
    ("11100", &["næringsforening", "arbeidsgiverlag"]),
    ("11200", &["yrkesforening", "fagforum"]),
    ("11300", &["fagforening", "arbeiderlag"]),
    ("12100", &["forening", "lag"]),
    (
        "13100",
        &["ungdomslag", "barne- og ungdomslag", "juniorklubb", "speidergruppe"],
    ),
    ("14100", &["mangfoldslag", "inkluderingsforening", "møteplass"]),
];

/// From Bokmål to Nynorsk, as far as the names above need it.
const NYNORSK: [(&str, &str); 14] = [
    ("forening", "foreining"),
    ("skole", "skule"),
    ("håndball", "handball"),
    ("svømme", "symje"),
    ("forsknings", "forskings"),
    ("vitenskaps", "vitskaps"),
    ("sykehjemmet", "sjukeheimen"),
    ("besøks", "besøks"),
    ("mangfolds", "mangfalds"),
    ("menighet", "kyrkjelyd"),
    ("huseier", "huseigar"),
    ("brukar", "brukar"),
    ("arbeidsgiver", "arbeidsgivar"),
    ("blodgiver", "blodgivar"),
];

/// A place that does not exist.
pub(super) fn place(draw: &mut Draw) -> String {
    format!("{}{}{}", draw.pick(&FIRST), draw.pick(&MIDDLE), draw.pick(&LAST))
}

/// The name of an organisation, in capitals as the register writes it, and the place in it.
pub(super) fn organisation(category: Icnpo, form: &str, language: Language, draw: &mut Draw) -> (String, String) {
    let kinds = KINDS
        .iter()
        .find(|(code, _)| *code == category.code())
        .map_or(&["lag"][..], |(_, kinds)| kinds);
    let mut kind = (*draw.pick(kinds)).to_owned();
    if language == Language::Nn {
        for (bokmaal, nynorsk) in NYNORSK {
            kind = kind.replace(bokmaal, nynorsk);
        }
    }
    let place = place(draw);
    let name = match (form, language) {
        ("STI", Language::Nn) => format!("Stiftinga {place} {kind}"),
        ("STI", _) => format!("Stiftelsen {place} {kind}"),
        ("AS", _) => format!("{place} {kind} AS"),
        _ => format!("{place} {kind}"),
    };
    (name.to_uppercase(), place)
}

/// What it says that it does.
pub(super) fn activity(category: Icnpo, language: Language) -> String {
    let field = category.name(language);
    match language {
        Language::Nn => format!("{field}. Frivillig aktivitet for medlemer og lokalsamfunn."),
        Language::Nb | Language::En => format!("{field}. Frivillig aktivitet for medlemmer og lokalsamfunn."),
    }
}

/// What the bylaws say it is for.
pub(super) fn purpose(category: Icnpo, kommune: KommuneNumber, language: Language) -> String {
    let (field, place) = (category.name(language).to_lowercase(), kommune.name());
    match language {
        Language::Nn => format!("Føremålet er frivillig verksemd innan {field} i {place} kommune."),
        Language::Nb | Language::En => {
            format!("Formålet er frivillig virke innen {field} i {place} kommune.")
        }
    }
}
