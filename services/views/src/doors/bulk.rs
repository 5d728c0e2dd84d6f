//! Whole files: a JSON array, compressed, of everything at one position.

use std::io::Write;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use ryggrad_eventlog::projection::decode;
use ryggrad_proto::views::v1::RegisterUnit;
use ryggrad_service::caller;

use super::{AS_OF, Answer, Asked, EPOCH, Refused, answered, document, open, unreadable};
use crate::api::Api;
use crate::download::{self, Encoder, Piece};

/// One of the two files.
#[derive(Debug, Clone, Copy)]
enum File {
    Enheter,
    Frivillige,
}

/// Units that are not deleted, as the register's own file has them.
pub(super) async fn units(State(api): State<Api>, asked: Asked) -> Response {
    answered(asked, async |asked: &Asked| file(&api, asked, File::Enheter).await).await
}

/// Everything that has ever been in the register: of those that were deleted, that they were.
pub(super) async fn voluntary(State(api): State<Api>, asked: Asked) -> Response {
    answered(asked, async |asked: &Asked| file(&api, asked, File::Frivillige).await).await
}

/// No trace is left of it: a whole file says nothing about whom the reader is interested in.
async fn file(api: &Api, asked: &Asked, file: File) -> Answer {
    asked.params(&[]).check()?;
    let place = api.places.take(&caller()).map_err(Refused::from)?;
    let mut snapshot = open(&api.register_units).await?;
    let epoch = snapshot.epoch().await.map_err(unreadable)?.to_string();
    let as_of = snapshot.as_of();
    let sql = format!(
        "select row from {} where {} order by orgnr",
        snapshot.table(),
        file.condition()
    );
    let pieces = download::rows(place, snapshot, sql, |row| decode::<RegisterUnit>(row).map(Some))
        .await
        .map_err(unreadable)?;
    let (host, mut is_first) = (asked.host.clone(), true);
    let body = download::body(Encoder::new(true), pieces, move |out, piece| match piece {
        Piece::Rows(units) => {
            for unit in &units {
                out.write_all(if std::mem::take(&mut is_first) { b"[" } else { b",\n" })?;
                file.write(out, unit, &host)?;
            }
            Ok(())
        }
        Piece::End(_) => out.write_all(if is_first { b"[]" } else { b"]" }),
    });
    let attachment = format!("attachment; filename=\"{}\"", file.name());
    let text = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
    let headers = [
        (
            header::CONTENT_TYPE.as_str(),
            HeaderValue::from_static(file.media_type()),
        ),
        (header::CONTENT_DISPOSITION.as_str(), text(&attachment)),
        (EPOCH, text(&epoch)),
        (AS_OF, HeaderValue::from(as_of)),
    ];
    Ok((headers, body).into_response())
}

// === impl File ===

impl File {
    const fn condition(self) -> &'static str {
        match self {
            Self::Enheter => "er = 'there'",
            Self::Frivillige => "fr in ('there', 'deleted')",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Enheter => "enheter_alle.json.gz",
            Self::Frivillige => "frivillige_organisasjoner_alle.json.gz",
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Enheter => "application/vnd.brreg.enhetsregisteret.enhet.v2+gzip;charset=UTF-8",
            Self::Frivillige => "application/gzip",
        }
    }

    fn write(self, out: &mut dyn Write, unit: &RegisterUnit, host: &str) -> std::io::Result<()> {
        let written = match self {
            Self::Enheter => serde_json::to_writer(out, &document::enhet(unit, host)),
            Self::Frivillige => serde_json::to_writer(out, &document::frivillig(unit, None)),
        };
        written.map_err(Into::into)
    }
}
