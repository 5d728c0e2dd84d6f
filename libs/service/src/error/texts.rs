//! What to tell a person about an error of the edge, in the three languages. A refusal of the domain has texts of its own.

use ryggrad_decider::Text;

use super::ApiError;

impl ApiError {
    /// What to do; none for a refusal, which says it itself.
    pub(crate) fn texts(&self) -> Option<Text> {
        let text = |nb: String, nn: String, en: String| {
            Some(Text {
                nb: nb.into(),
                nn: nn.into(),
                en: en.into(),
            })
        };
        let fixed = |nb: &'static str, nn: &'static str, en: &'static str| Some(Text::new(nb, nn, en));
        match self {
            Self::Refused(_) => None,
            Self::With { error, .. } => error.texts(),
            Self::Invalid { field, .. } => text(
                format!("Verdien i feltet «{field}» kan ikke brukes."),
                format!("Verdien i feltet «{field}» kan ikkje brukast."),
                format!("The value of the field \"{field}\" cannot be used."),
            ),
            Self::Conflict { .. } => fixed(
                "Noen andre har endret dette i mellomtiden. Hent det på nytt og prøv igjen.",
                "Nokon andre har endra dette i mellomtida. Hent det på nytt og prøv igjen.",
                "Somebody else has changed this in the meantime. Fetch it again and retry.",
            ),
            Self::NotFound { .. } => fixed("Dette finnes ikke.", "Dette finst ikkje.", "This does not exist."),
            Self::OutOfRange { .. } => fixed(
                "Posisjonen ligger utenfor loggen. Les hvor loggen slutter, og fortsett derfra.",
                "Posisjonen ligg utanfor loggen. Les kvar loggen sluttar, og hald fram derifrå.",
                "The position is outside the log. Read where the log ends, and go on from there.",
            ),
            Self::Precondition {
                reason: "OTHER_EPOCH", ..
            } => fixed(
                "Loggen er gjenopprettet fra en sikkerhetskopi. Avstem det du har lest, før du fortsetter.",
                "Loggen er gjenoppretta frå ein tryggingskopi. Avstem det du har lese, før du held fram.",
                "The log was restored from a backup. Reconcile what you have read before going on.",
            ),
            Self::Precondition { .. } => fixed(
                "Dette kan ikke gjøres slik det står til nå.",
                "Dette kan ikkje gjerast slik det står til no.",
                "This cannot be done as things stand.",
            ),
            Self::Aborted { .. } => fixed(
                "Noen andre har overtatt dette.",
                "Nokon andre har teke over dette.",
                "Somebody else has taken this over.",
            ),
            Self::Unauthenticated { .. } => fixed(
                "Dette krever et gyldig tilgangstoken.",
                "Dette krev eit gyldig tilgangstoken.",
                "This needs a valid access token.",
            ),
            Self::Denied { .. } | Self::ScopeMissing(_) => fixed(
                "Tilgangstokenet gir ikke rett til dette.",
                "Tilgangstokenet gjev ikkje rett til dette.",
                "The access token does not allow this.",
            ),
            Self::TooLarge { limit } => text(
                format!("Forespørselen er større enn {limit} byte. Del den opp."),
                format!("Førespurnaden er større enn {limit} byte. Del han opp."),
                format!("The request is larger than {limit} bytes. Split it."),
            ),
            Self::NotJson => fixed(
                "Innholdet må være JSON (application/json).",
                "Innhaldet må vere JSON (application/json).",
                "The body must be JSON (application/json).",
            ),
            Self::NoRoute => fixed(
                "Det er ingenting på denne adressen.",
                "Det er ingenting på denne adressa.",
                "There is nothing at this address.",
            ),
            Self::Method { allowed } => text(
                format!("Denne adressen svarer bare på {allowed}."),
                format!("Denne adressa svarar berre på {allowed}."),
                format!("This address answers {allowed} only."),
            ),
            Self::Unavailable { .. } => fixed(
                "Tjenesten er ikke tilgjengelig akkurat nå. Prøv igjen om litt.",
                "Tenesta er ikkje tilgjengeleg akkurat no. Prøv igjen om litt.",
                "The service is not available right now. Try again shortly.",
            ),
            Self::Deadline => fixed(
                "Det tok for lang tid. Prøv igjen.",
                "Det tok for lang tid. Prøv igjen.",
                "It took too long. Try again.",
            ),
            Self::Internal(_) => fixed(
                "Noe gikk galt hos oss. Prøv igjen, og si fra om det fortsetter.",
                "Noko gjekk gale hos oss. Prøv igjen, og sei frå om det held fram.",
                "Something went wrong on our side. Try again, and tell us if it goes on.",
            ),
        }
    }
}
