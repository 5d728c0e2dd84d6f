//! What a server refused, as one readable line.

use prost::Message as _;
use ryggrad_proto::common::v1::Refusal;
use tonic::Status;
use tonic_types::pb;

/// The status as an error that names the rule and says what to do, when the server told.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn spoken(status: Status) -> anyhow::Error {
    match refusal(&status) {
        Some(refusal) => anyhow::anyhow!("refused by {} ({}): {}", refusal.rule, refusal.nature, refusal.text_en),
        None => anyhow::anyhow!("{} ({:?})", status.message(), status.code()),
    }
}

/// The refusal among the details of a status.
pub(crate) fn refusal(status: &Status) -> Option<Refusal> {
    let details = pb::Status::decode(status.details()).ok()?.details;
    let own = details
        .iter()
        .find(|detail| detail.type_url.ends_with("/ryggrad.common.v1.Refusal"))?;
    Refusal::decode(&*own.value).ok()
}

#[cfg(test)]
mod tests {
    use ryggrad_decider::{Text, rules};
    use ryggrad_service::ApiError;

    use super::*;

    #[test]
    fn names_the_rule_of_a_refusal() {
        let text = Text::new(
            "En signatur mangler.",
            "Ein signatur manglar.",
            "A signature is missing.",
        );
        let status = Status::from(ApiError::from(ryggrad_decider::Refusal::new(
            &rules::R_2_10,
            "SignaturesMissing",
            text,
        )));
        assert_eq!(
            spoken(status).to_string(),
            "refused by R-2.10 (practice): A signature is missing."
        );
    }

    #[test]
    fn tells_what_else_went_wrong_with_its_code() {
        assert_eq!(
            spoken(Status::not_found("no such view")).to_string(),
            "no such view (NotFound)"
        );
    }
}
