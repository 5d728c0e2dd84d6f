//! The registers' code lists.

use axum::extract::Path;
use axum::response::Response;
use ryggrad_norway::{Icnpo, Language, LegalForm};
use serde::Serialize;

use super::document::Form;
use super::{Asked, Linked, PageInfo, Refused, answered};

#[derive(Serialize)]
struct Forms<'a> {
    #[serde(rename = "_embedded")]
    embedded: EmbeddedForms<'a>,
    #[serde(rename = "_links")]
    links: Links,
    page: PageInfo,
}

#[derive(Serialize)]
struct EmbeddedForms<'a> {
    organisasjonsformer: Vec<Form<'a>>,
}

#[derive(Serialize)]
struct Categories {
    #[serde(rename = "_embedded")]
    embedded: EmbeddedCategories,
    #[serde(rename = "_links")]
    links: Links,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EmbeddedCategories {
    icnpo_kategorier: Vec<Category>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Category {
    #[serde(skip_serializing_if = "Option::is_none")]
    kategori: Option<&'static str>,
    icnpo_nummer: &'static str,
    navn: &'static str,
    spraakkode: &'static str,
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    own: Linked,
}

/// Every legal form.
pub(super) async fn forms(asked: Asked) -> Response {
    answered(asked, async |asked: &Asked| {
        asked.params(&[]).check()?;
        let organisasjonsformer: Vec<_> = LegalForm::all()
            .map(|form| Form::new(form.code(), &asked.host))
            .collect();
        let number = organisasjonsformer.len() as u64;
        let list = Forms {
            embedded: EmbeddedForms { organisasjonsformer },
            links: Links { own: asked.link("") },
            page: PageInfo {
                size: number,
                total_elements: number,
                total_pages: 1,
                number: 0,
            },
        };
        asked.json(None, &list)
    })
    .await
}

/// One legal form.
pub(super) async fn form(Path(kode): Path<String>, asked: Asked) -> Response {
    answered(asked, async |asked: &Asked| {
        asked.params(&[]).check()?;
        let form = LegalForm::parse(&kode)
            .map_err(|_| Refused::Unknown(format!("Ingen organisasjonsform med kode {kode}")))?;
        asked.json(None, &Form::new(form.code(), &asked.host))
    })
    .await
}

/// Every category and group, in Bokmål or Nynorsk.
pub(super) async fn categories(asked: Asked) -> Response {
    answered(asked, async |asked: &Asked| {
        let mut params = asked.params(&["spraak"]);
        let spraak = params.language("spraak");
        params.check()?;
        let (spraakkode, language) = spraak.unwrap_or(("NOB", Language::Nb));
        let icnpo_kategorier = Icnpo::all()
            .map(|icnpo| Category {
                kategori: icnpo.api_key(),
                icnpo_nummer: icnpo.code(),
                navn: icnpo.name(language),
                spraakkode,
            })
            .collect();
        let list = Categories {
            embedded: EmbeddedCategories { icnpo_kategorier },
            links: Links {
                own: asked.link(&params.link(&[], &[])),
            },
        };
        asked.json(None, &list)
    })
    .await
}
