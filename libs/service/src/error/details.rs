//! What an error says beside its code, as the standard details of `google.rpc` and our own.

use std::collections::BTreeMap;

use prost::{Message, Name};
use prost_types::Any;
use ryggrad_decider::{Refusal, Text};
use ryggrad_proto::common::v1 as common;
use tonic_types::pb;

use super::{ApiError, DOMAIN};

impl ApiError {
    /// The error as `google.rpc.Status`, with everything that a client may act on as details.
    pub fn rpc_status(&self) -> pb::Status {
        let mut details = vec![any("google.rpc.ErrorInfo", &self.info())];
        match self.bare() {
            Self::Refused(refusal) => details.extend(refused(refusal)),
            Self::Invalid { field, reason } => {
                details.push(violation(field, reason, self.reason()));
            }
            Self::Unavailable { retry_after, .. } => {
                let retry_delay = prost_types::Duration::try_from(*retry_after).ok();
                details.push(any("google.rpc.RetryInfo", &pb::RetryInfo { retry_delay }));
            }
            _ => {}
        }
        if let Some(texts) = self.bare().texts() {
            details.extend(localized(&texts));
        }
        pb::Status {
            code: self.code() as i32,
            message: self.to_string(),
            details,
        }
    }

    fn info(&self) -> pb::ErrorInfo {
        let mut metadata = BTreeMap::new();
        if let Self::With { metadata: values, .. } = self {
            metadata.extend(values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        }
        match self.bare() {
            Self::Refused(refusal) => {
                metadata.insert("rule".to_owned(), refusal.rule.id.to_owned());
                metadata.insert("nature".to_owned(), refusal.rule.nature.as_str().to_owned());
            }
            Self::Conflict { aggregate_id, version } => {
                metadata.insert("aggregate_id".to_owned(), aggregate_id.to_string());
                metadata.insert("version".to_owned(), version.to_string());
            }
            Self::ScopeMissing(scope) => {
                metadata.insert("scope".to_owned(), scope.name().to_owned());
            }
            _ => {}
        }
        pb::ErrorInfo {
            reason: self.reason().to_owned(),
            domain: DOMAIN.to_owned(),
            metadata: metadata.into_iter().collect(),
        }
    }
}

/// What a refusal says beside its code: the field, the three texts and the rule.
fn refused(refusal: &Refusal) -> Vec<Any> {
    let mut details = Vec::with_capacity(5);
    if let Some(field) = &refusal.field {
        details.push(violation(field, &refusal.text.en, refusal.code));
    }
    details.extend(localized(&refusal.text));
    let own = common::Refusal {
        rule: refusal.rule.id.to_owned(),
        code: refusal.code.to_owned(),
        nature: refusal.rule.nature.as_str().to_owned(),
        field: refusal.field.as_deref().unwrap_or_default().to_owned(),
        text_nb: refusal.text.nb.to_string(),
        text_nn: refusal.text.nn.to_string(),
        text_en: refusal.text.en.to_string(),
        params: refusal
            .params
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        sources: refusal.rule.sources.iter().map(|source| (*source).to_owned()).collect(),
        legal_reference: refusal.legal_reference.unwrap_or_default().to_owned(),
    };
    details.push(any(&common::Refusal::full_name(), &own));
    details
}

/// What to do, in the three languages.
fn localized(text: &Text) -> [Any; 3] {
    [("nb", &text.nb), ("nn", &text.nn), ("en", &text.en)].map(|(locale, text)| {
        let message = pb::LocalizedMessage {
            locale: locale.to_owned(),
            message: text.to_string(),
        };
        any("google.rpc.LocalizedMessage", &message)
    })
}

fn violation(field: &str, description: &str, reason: &str) -> Any {
    let violation = pb::bad_request::FieldViolation {
        field: field.to_owned(),
        description: description.to_owned(),
        reason: reason.to_owned(),
        localized_message: None,
    };
    any(
        "google.rpc.BadRequest",
        &pb::BadRequest {
            field_violations: vec![violation],
        },
    )
}

fn any(name: &str, message: &impl Message) -> Any {
    Any {
        type_url: format!("type.googleapis.com/{name}"),
        value: message.encode_to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use ryggrad_decider::rules;
    use tonic::{Code, Status};
    use uuid::Uuid;

    use super::*;

    fn refusal() -> Refusal {
        Refusal::new(
            &rules::STATE,
            "SignaturesMissing",
            Text::new(
                "En underskrift mangler.",
                "Ei underskrift manglar.",
                "A signature is missing.",
            ),
        )
        .with("n", 1)
    }

    #[test]
    fn a_refusal_carries_rule_nature_and_three_languages() {
        let status = Status::from(ApiError::from(refusal()));
        assert_eq!(status.code(), Code::FailedPrecondition);
        let decoded = pb::Status::decode(status.details()).expect("google.rpc.Status");
        let names: Vec<_> = decoded
            .details
            .iter()
            .filter_map(|any| any.type_url.rsplit('.').next())
            .collect();
        assert_eq!(
            names,
            [
                "ErrorInfo",
                "LocalizedMessage",
                "LocalizedMessage",
                "LocalizedMessage",
                "Refusal"
            ]
        );
        let own = common::Refusal::decode(&*decoded.details[4].value).expect("our own detail");
        assert_eq!(
            (own.rule.as_str(), own.nature.as_str(), own.params["n"].as_str()),
            ("R-0.99", "design", "1")
        );
        assert_eq!(own.legal_reference, "");
    }

    #[test]
    fn a_refusal_by_law_names_the_section_in_both_protocols() {
        let text = Text::new("Feil.", "Feil.", "Wrong.");
        let refusal = Refusal::new(&rules::R_2_15, "NoRightToRegister", text).by_law_of(&rules::R_2_14);
        let error = ApiError::from(refusal);
        let details = error.rpc_status().details;
        let own = common::Refusal::decode(&*details.last().expect("a detail").value).expect("our own detail");
        assert_eq!(own.legal_reference, "frivillighetsregisterloven §§ 3-4");
        let json = error.json();
        let own = json["details"].as_array().and_then(|details| details.last());
        assert_eq!(
            own.expect("our own detail")["legalReference"],
            "frivillighetsregisterloven §§ 3-4"
        );
    }

    #[test]
    fn a_refused_form_is_an_invalid_argument_that_names_its_field() {
        let refusal = Refusal::invalid("orgnr", Text::new("Feil.", "Feil.", "Wrong."));
        let error = ApiError::from(refusal);
        assert_eq!(error.code(), Code::InvalidArgument);
        let bad = pb::BadRequest::decode(&*error.rpc_status().details[1].value).expect("a violation");
        assert_eq!(bad.field_violations[0].field, "orgnr");
    }

    #[test]
    fn a_fault_does_not_tell_its_cause() {
        let status = Status::from(ApiError::internal("password is hunter2"));
        assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"));
        assert!(!String::from_utf8_lossy(status.details()).contains("hunter2"));
    }

    #[test]
    fn a_conflict_tells_the_version() {
        let error = ApiError::Conflict {
            aggregate_id: Uuid::nil(),
            version: 7,
        };
        assert_eq!(error.info().metadata["version"], "7");
    }

    #[test]
    fn whatever_went_wrong_is_said_in_three_languages() {
        let errors = [
            ApiError::invalid("after", "not a number"),
            ApiError::token_missing(),
            ApiError::scope_missing(ryggrad_access::Scope::SubscriptionsWrite),
            ApiError::NoRoute,
            ApiError::Deadline,
            ApiError::internal("x"),
            ApiError::Precondition {
                reason: "OTHER_EPOCH",
                message: "the log is another one".to_owned(),
            }
            .with("epoch", &"e"),
        ];
        for error in errors {
            let languages: Vec<_> = error
                .rpc_status()
                .details
                .iter()
                .filter(|any| any.type_url.ends_with("LocalizedMessage"))
                .map(|any| pb::LocalizedMessage::decode(&*any.value).expect("a text"))
                .map(|said| (said.locale, said.message.is_empty()))
                .collect();
            let expected = ["nb", "nn", "en"].map(|locale| (locale.to_owned(), false));
            assert_eq!(languages, expected, "{error}");
        }
    }

    #[test]
    fn values_are_metadata_of_the_error_they_belong_to() {
        let error = ApiError::OutOfRange {
            reason: "CURSOR_BEYOND_HEAD",
            message: "too far".to_owned(),
        };
        let error = error.with("head", &3).with("after", &4);
        assert_eq!((error.code(), error.reason()), (Code::OutOfRange, "CURSOR_BEYOND_HEAD"));
        let metadata = error.info().metadata;
        assert_eq!((metadata["head"].as_str(), metadata["after"].as_str()), ("3", "4"));
    }
}
