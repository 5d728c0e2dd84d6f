//! Queries of the directory.

use ryggrad_proto::registration::v1::OrganisationDeleted;
use ryggrad_proto::registration::v1::organisation_event::Event;
use ryggrad_proto::views::v1::{GetDirectoryEntryRequest, ListMunicipalityDirectoryRequest as Request};
use tonic::Code;

use crate::world::{Organisation, World, field, fresh};

/// Five organisations; the last one is deleted.
async fn world() -> (World, Vec<Organisation>, Request) {
    let world = World::begin().await;
    let made = [
        ("Ås IL", "3218", "FLI", vec!["1200"]),
        ("Aker kor", "0301", "FLI", vec!["1100", "4100"]),
        ("ÆRLIG TALT", "0301", "STI", vec!["5100"]),
        ("aktiv ungdom", "0301", "FLI", vec![]),
        ("Borte", "0301", "FLI", vec!["1200"]),
    ];
    let organisation = |(n, (name, kommunenummer, form, icnpo)): (u32, (&str, _, _, _))| Organisation {
        name: name.to_owned(),
        kommunenummer,
        form,
        icnpo,
        ..Organisation::nth(n)
    };
    let organisations: Vec<_> = (0..).zip(made).map(organisation).collect();
    for organisation in &organisations {
        world.register(organisation).await;
    }
    let deleted = Event::from(OrganisationDeleted {
        slettedato: "2026-04-01".into(),
        ..Default::default()
    });
    let at_least = world
        .append(
            "Organisation",
            organisations[4].id,
            2,
            &organisations[4].about(),
            &[deleted],
        )
        .await;
    (
        world,
        organisations,
        Request {
            at_least,
            ..Request::default()
        },
    )
}

async fn names(world: &mut World, request: Request) -> Vec<String> {
    let answer = world
        .client
        .list_municipality_directory(request)
        .await
        .expect("an answer")
        .into_inner();
    answer.entries.into_iter().map(|entry| entry.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn names_come_in_the_order_of_the_alphabet_without_the_deleted() {
    let (mut world, _, all) = world().await;
    assert_eq!(
        names(&mut world, all).await,
        ["Aker kor", "aktiv ungdom", "ÆRLIG TALT", "Ås IL"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_filters() {
    let (mut world, _, all) = world().await;
    for (request, expected) in [
        (
            Request {
                kommunenummer: "3218".into(),
                ..all.clone()
            },
            vec!["Ås IL"],
        ),
        (
            Request {
                fylkesnummer: "03".into(),
                ..all.clone()
            },
            vec!["Aker kor", "aktiv ungdom", "ÆRLIG TALT"],
        ),
        (
            Request {
                icnpo: "4100".into(),
                ..all.clone()
            },
            vec!["Aker kor"],
        ),
        (
            Request {
                icnpo: "1".into(),
                ..all.clone()
            },
            vec!["Aker kor", "Ås IL"],
        ),
        (
            Request {
                form: "STI".into(),
                ..all.clone()
            },
            vec!["ÆRLIG TALT"],
        ),
        (
            Request {
                name_prefix: "AK".into(),
                ..all.clone()
            },
            vec!["Aker kor", "aktiv ungdom"],
        ),
        (
            Request {
                name_prefix: "å".into(),
                ..all.clone()
            },
            vec!["Ås IL"],
        ),
        (
            Request {
                statuses: vec!["deleted".into()],
                ..all.clone()
            },
            vec!["Borte"],
        ),
        (
            Request {
                statuses: vec!["registered".into()],
                ..all.clone()
            },
            vec!["aktiv ungdom"],
        ),
        (
            Request {
                in_voluntary_register: Some(false),
                ..all.clone()
            },
            vec!["aktiv ungdom"],
        ),
        (
            Request {
                fylkesnummer: "03".into(),
                icnpo: "1".into(),
                in_voluntary_register: Some(true),
                ..all.clone()
            },
            vec!["Aker kor"],
        ),
    ] {
        assert_eq!(names(&mut world, request.clone()).await, expected, "{request:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_also_between_equal_names() {
    let mut world = World::begin().await;
    let mut at_least = 0;
    for n in 0..7 {
        at_least = world
            .register(&Organisation {
                name: "Likt navn".into(),
                ..Organisation::nth(n)
            })
            .await;
    }
    let mut request = Request {
        page_size: 3,
        at_least,
        ..Request::default()
    };
    let mut numbers = Vec::new();
    loop {
        let answer = world
            .client
            .list_municipality_directory(request.clone())
            .await
            .expect("a page")
            .into_inner();
        assert!(answer.entries.len() <= 3);
        numbers.extend(answer.entries.into_iter().map(|entry| entry.orgnr));
        if answer.next_page_token.is_empty() {
            break;
        }
        request.page_token = answer.next_page_token;
    }
    let unique: std::collections::BTreeSet<_> = numbers.iter().collect();
    assert_eq!((numbers.len(), unique.len()), (7, 7));
    // A token leads on in its own list only.
    let other = Request {
        form: "FLI".into(),
        ..request
    };
    assert_eq!(
        field(
            &world
                .client
                .list_municipality_directory(other)
                .await
                .expect_err("refused")
        ),
        "page_token"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_read_by_id_or_number_and_explained_by_the_code_lists() {
    let (mut world, organisations, Request { at_least, .. }) = world().await;
    for organisation in [organisations[1].id.to_string(), organisations[1].orgnr.clone()] {
        let entry = world
            .client
            .get_directory_entry(GetDirectoryEntryRequest { organisation, at_least })
            .await
            .expect("the entry")
            .into_inner()
            .entry
            .expect("it");
        assert_eq!(
            (entry.name.as_str(), entry.kommune.as_str(), entry.fylkesnummer.as_str()),
            ("Aker kor", "Oslo", "03")
        );
        let category = &entry.icnpo[0];
        assert_eq!(
            (
                category.code.as_str(),
                category.group.as_str(),
                category.name_nb.as_str(),
                category.name_en.as_str()
            ),
            ("1100", "1", "Kunst og kultur", "Culture and arts")
        );
    }
    let deleted = GetDirectoryEntryRequest {
        organisation: organisations[4].orgnr.clone(),
        at_least,
    };
    let tombstone = world
        .client
        .get_directory_entry(deleted)
        .await
        .expect("a tombstone")
        .into_inner()
        .entry
        .expect("it");
    assert_eq!(
        (tombstone.status.as_str(), tombstone.slettedato.as_str()),
        ("deleted", "2026-04-01")
    );
    let unknown = GetDirectoryEntryRequest {
        organisation: fresh().to_string(),
        at_least,
    };
    assert_eq!(
        world
            .client
            .get_directory_entry(unknown)
            .await
            .expect_err("nobody")
            .code(),
        Code::NotFound
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_refused_by_their_field() {
    let mut world = World::begin().await;
    let none = Request::default();
    for (request, expected) in [
        (
            Request {
                kommunenummer: "9999".into(),
                ..none.clone()
            },
            "kommunenummer",
        ),
        (
            Request {
                fylkesnummer: "30".into(),
                ..none.clone()
            },
            "fylkesnummer",
        ),
        (
            Request {
                icnpo: "1201".into(),
                ..none.clone()
            },
            "icnpo",
        ),
        (
            Request {
                form: "XYZ".into(),
                ..none.clone()
            },
            "form",
        ),
        (
            Request {
                name_prefix: "x".repeat(101),
                ..none.clone()
            },
            "name_prefix",
        ),
        (
            Request {
                name_prefix: "a\0".into(),
                ..none.clone()
            },
            "name_prefix",
        ),
        (
            Request {
                statuses: vec!["gone".into()],
                ..none.clone()
            },
            "statuses[0]",
        ),
        (
            Request {
                page_size: u32::MAX,
                ..none.clone()
            },
            "page_size",
        ),
        (
            Request {
                page_token: "zz".into(),
                ..none.clone()
            },
            "page_token",
        ),
    ] {
        let refused = world
            .client
            .list_municipality_directory(request)
            .await
            .expect_err("refused");
        assert_eq!(field(&refused), expected);
    }
}
