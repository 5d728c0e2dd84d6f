//! Following the feeds, as those who mirror the registers do.

use super::*;

/// A mirror that has read a feed up to a number.
struct Mirror<'a> {
    world: &'a World,
    feed: String,
    list: &'static str,
    next: u64,
}

impl Mirror<'_> {
    /// Everything that is new, by the last `oppdateringsid` + 1, as the registers' documentation bids.
    async fn poll(&mut self, size: usize) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let path = format!("{}?oppdateringsid={}&size={size}", self.feed, self.next);
            let page = get(self.world.address, &path).await.json();
            let Some(entries) = page["_embedded"][self.list].as_array() else {
                assert_eq!(page.get("_embedded"), None);
                assert_eq!(page["page"]["totalElements"], 0);
                return all;
            };
            assert!(!entries.is_empty() && entries.len() <= size);
            for entry in entries {
                let id = entry["oppdateringsid"].as_u64().expect("a number");
                assert!(id >= self.next, "{id} was read before");
                self.next = id + 1;
            }
            all.extend(entries.iter().cloned());
        }
    }
}

fn told(entries: &[Value]) -> Vec<(u64, &str)> {
    entries
        .iter()
        .map(|entry| {
            let id = entry["oppdateringsid"].as_u64().expect("a number");
            (id, entry["endringstype"].as_str().expect("a text"))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_feeds_tell_every_change_once_and_in_order() {
    let world = World::begin().await;
    let [one, two] = [1, 2].map(Organisation::nth);
    world.register(&one).await; // 1, 2
    world.register(&two).await; // 3, 4
    more(&world, &one, 2, renamed("Nytt navn")).await; // 5
    more(&world, &two, 2, left("2026-02-01")).await; // 6
    more(&world, &one, 3, pb::RolesReported::default()).await; // 7: in no register's open record
    more(&world, &one, 4, deleted("2026-05-01", "fjernet")).await; // 8
    world.caught_up().await;
    for size in [1, 3, 1000] {
        let mut mirror = Mirror {
            world: &world,
            feed: format!("{ER}/oppdateringer/enheter"),
            list: "oppdaterteEnheter",
            next: 0,
        };
        let entries = mirror.poll(size).await;
        assert_eq!(
            told(&entries),
            [
                (1, "Ny"),
                (2, "Endring"),
                (3, "Ny"),
                (4, "Endring"),
                (5, "Endring"),
                (6, "Endring"),
                (8, "Fjernet")
            ]
        );
        let (removed, others) = entries.split_last().expect("entries");
        assert_eq!(removed.get("_links"), None);
        for entry in others {
            let link = entry["_links"]["enhet"]["href"].as_str().expect("a link");
            assert_ne!(get(world.address, link).await.status, 404);
        }
    }
    let mut mirror = Mirror {
        world: &world,
        feed: format!("{FR}/oppdateringer/frivillige-organisasjoner"),
        list: "oppdaterteFrivilligeOrganisasjoner",
        next: 0,
    };
    let entries = mirror.poll(2).await;
    assert_eq!(told(&entries), [(2, "Ny"), (4, "Ny"), (6, "Sletting"), (8, "Fjernet")]);
    let link = entries[2]["_links"]["frivilligOrganisasjon"]["href"]
        .as_str()
        .expect("a link");
    assert_eq!(
        get(world.address, link).await.json()["respons_klasse"],
        "FrivilligOrganisasjonSlettet"
    );
    // What comes later is all that comes.
    more(&world, &two, 3, deleted("2026-06-01", "")).await;
    world.caught_up().await;
    assert_eq!(told(&mirror.poll(2).await), []);
    mirror.feed = format!("{ER}/oppdateringer/enheter");
    mirror.list = "oppdaterteEnheter";
    assert_eq!(told(&mirror.poll(2).await), [(9, "Sletting")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_begins_at_an_instant_and_is_followed_by_its_links_or_its_pages() {
    let world = World::begin().await;
    for n in 0..5 {
        world.register(&Organisation::nth(n)).await;
    }
    world.caught_up().await;
    let feed = format!("{ER}/oppdateringer/enheter");
    let (mut ids, mut next) = (Vec::new(), format!("{feed}?dato=2020-01-01T00:00:00.000Z&size=4"));
    loop {
        let page = get(world.address, &next).await.json();
        let entries = page["_embedded"]["oppdaterteEnheter"]
            .as_array()
            .expect("entries")
            .clone();
        ids.extend(told(&entries).into_iter().map(|(id, _)| id));
        match page["_links"]["next"]["href"].as_str() {
            Some(link) => next = link.to_owned(),
            None => break,
        }
    }
    assert_eq!(ids, (1..=10).collect::<Vec<_>>());
    let mut paged = Vec::new();
    for page in 0..3 {
        let page = get(world.address, &format!("{feed}?oppdateringsid=1&size=4&page={page}"))
            .await
            .json();
        assert_eq!(page["page"]["totalPages"], 3);
        let entries = page["_embedded"]["oppdaterteEnheter"]
            .as_array()
            .expect("entries")
            .clone();
        paged.extend(told(&entries).into_iter().map(|(id, _)| id));
    }
    assert_eq!(paged, ids);
    // Offsets other than Z, and an empty page.
    let later = get(world.address, &format!("{feed}?dato=2999-01-01T00:00:00%2B01:00")).await;
    assert_eq!((later.status, later.header("ryggrad-as-of")), (200, "10"));
    assert_eq!(later.json().get("_embedded"), None);
    let one = get(
        world.address,
        &format!("{feed}?organisasjonsnummer={}", Organisation::nth(3).orgnr),
    )
    .await
    .json();
    assert_eq!(one["page"]["totalElements"], 2);
    let entry = &one["_embedded"]["oppdaterteEnheter"][0];
    let dato = entry["dato"].as_str().expect("an instant");
    assert!(
        dato.len() == "2026-09-14T04:05:11.193Z".len() && dato.ends_with('Z'),
        "{dato}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_read_backwards_and_up_to_an_instant() {
    let world = World::begin().await;
    for n in 0..3 {
        world.register(&Organisation::nth(n)).await;
    }
    world.caught_up().await;
    let feed = format!("{ER}/oppdateringer/enheter");
    let ids = async |query: &str| -> Vec<u64> {
        let page = get(world.address, &format!("{feed}?{query}")).await.json();
        let entries = page["_embedded"]["oppdaterteEnheter"].as_array().cloned();
        told(&entries.unwrap_or_default())
            .into_iter()
            .map(|(id, _)| id)
            .collect()
    };
    let upwards: Vec<u64> = (1..=6).collect();
    let downwards: Vec<u64> = (1..=6).rev().collect();
    for (query, expected) in [
        ("sort=id,ASC", &upwards),
        ("sort=ASC", &upwards),
        ("sort=oppdateringsid,asc", &upwards),
        ("sort=id", &upwards),
        ("sort=id,DESC", &downwards),
        ("sort=DESC", &downwards),
    ] {
        assert_eq!(&ids(query).await, expected, "{query}");
    }
    // Where the log ends is one question.
    assert_eq!(ids("sort=id,DESC&size=1").await, [6]);
    let (mut found, mut next) = (Vec::new(), format!("{feed}?sort=id,DESC&size=4"));
    loop {
        let page = get(world.address, &next).await.json();
        let links = &page["_links"];
        assert!(
            links["first"]["href"].is_string() && links["last"]["href"].is_string(),
            "{links}"
        );
        let entries = page["_embedded"]["oppdaterteEnheter"]
            .as_array()
            .expect("entries")
            .clone();
        found.extend(told(&entries).into_iter().map(|(id, _)| id));
        match links["next"]["href"].as_str() {
            Some(link) => next = link.to_owned(),
            None => break,
        }
    }
    assert_eq!(found, downwards);

    let page = get(world.address, &feed).await.json();
    let third = page["_embedded"]["oppdaterteEnheter"][2]["dato"]
        .as_str()
        .expect("an instant");
    let after: jiff::Timestamp = third.parse().expect("an instant");
    let before = after - jiff::SignedDuration::from_millis(1);
    let until = ids(&format!("updatedBefore={before}")).await;
    let from = ids(&format!("dato={after}")).await;
    assert!(
        until.iter().all(|id| *id < 3) && from.contains(&3),
        "{until:?} {from:?}"
    );
    assert_eq!(ids("updatedBefore=2999-01-01T00:00:00.000Z").await, upwards);
    assert_eq!(ids("updatedBefore=2020-01-01T00:00:00.000Z").await, [0; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_with_new_and_old_values() {
    let world = World::begin().await;
    let organisation = Organisation::nth(1);
    world.register(&organisation).await;
    more(&world, &organisation, 2, renamed("Nytt navn")).await;
    let icnpo = pb::ActivityCategoriesChanged {
        icnpo: vec!["1300".into()],
        ..pb::ActivityCategoriesChanged::default()
    };
    more(&world, &organisation, 3, icnpo).await;
    more(&world, &organisation, 4, deleted("2026-05-01", "")).await;
    world.caught_up().await;
    let feed = get(
        world.address,
        &format!("{ER}/oppdateringer/enheter?includeChanges=true"),
    )
    .await
    .json();
    let feed = feed["_embedded"]["oppdaterteEnheter"]
        .as_array()
        .expect("entries")
        .clone();
    let of = |id: u64| {
        let entry = feed
            .iter()
            .find(|entry| entry["oppdateringsid"] == id)
            .expect("an entry");
        entry["endringer"].clone()
    };
    let added = of(1);
    assert!(
        added
            .as_array()
            .expect("steps")
            .contains(&json!({"op": "add", "path": "/navn", "value": "Lag 1"})),
        "{added}"
    );
    assert_eq!(
        of(2),
        json!([{"op": "replace", "path": "/registrertIFrivillighetsregisteret", "value": true, "oldValue": false}])
    );
    assert_eq!(
        of(3),
        json!([
            {"op": "replace", "path": "/navn", "value": "Nytt navn", "oldValue": "Lag 1"},
            {"op": "add", "path": "/historiskeNavn", "value": [{"navn": "Lag 1"}]}
        ])
    );
    assert_eq!(
        of(5),
        json!([{"op": "add", "path": "/slettedato", "value": "2026-05-01"}])
    );
    let feed = get(
        world.address,
        &format!("{FR}/oppdateringer/frivillige-organisasjoner?includeChanges=true&oppdateringsid=4&size=1"),
    )
    .await
    .json();
    let entry = &feed["_embedded"]["oppdaterteFrivilligeOrganisasjoner"][0];
    assert_eq!(
        entry["endringer"],
        json!([{
            "op": "replace",
            "path": "/icnpoKategorier",
            "value": [{"icnpoNummer": "1300", "navn": null, "rekkefoelge": 1}],
            "oldValue": [{"kategori": "ICNPOKategori.idrett", "icnpoNummer": "1200", "navn": null, "rekkefoelge": 1}]
        }])
    );
}

/// The whole file, by organisation number.
async fn file(world: &World, path: &str) -> (u64, BTreeMap<String, Value>) {
    let answer = get(world.address, path).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.header("content-disposition").contains(".json.gz"), "{answer:?}");
    assert_eq!(answer.header("ryggrad-epoch").len(), 36);
    let list: Vec<Value> = serde_json::from_slice(&answer.unzipped()).expect("a JSON array");
    let number = |document: &Value| document["organisasjonsnummer"].as_str().expect("a number").to_owned();
    (
        answer.header("ryggrad-as-of").parse().expect("a position"),
        list.into_iter().map(|document| (number(&document), document)).collect(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_the_whole_file_and_follows_has_what_the_next_file_has() {
    let world = World::begin().await;
    assert_eq!(
        file(&world, &format!("{ER}/enheter/lastned")).await,
        (0, BTreeMap::new())
    );
    let organisations: Vec<_> = (0..600).map(Organisation::nth).collect();
    for organisation in &organisations[..590] {
        world.register(organisation).await;
    }
    world.caught_up().await;
    let er = (
        format!("{ER}/enheter/lastned"),
        format!("{ER}/oppdateringer/enheter"),
        "oppdaterteEnheter",
        "enhet",
    );
    let fr = (
        format!("{FR}/frivillige-organisasjoner/lastned"),
        format!("{FR}/oppdateringer/frivillige-organisasjoner"),
        "oppdaterteFrivilligeOrganisasjoner",
        "frivilligOrganisasjon",
    );
    let mut held = Vec::new();
    for (lastned, ..) in [&er, &fr] {
        let (as_of, units) = file(&world, lastned).await;
        assert_eq!((as_of, units.len()), (1180, 590));
        held.push((as_of, units));
    }
    for organisation in &organisations[590..] {
        world.register(organisation).await;
    }
    more(&world, &organisations[0], 2, renamed("Nytt navn")).await;
    more(&world, &organisations[1], 2, left("2026-02-01")).await;
    more(&world, &organisations[2], 2, deleted("2026-03-01", "")).await;
    more(&world, &organisations[3], 2, deleted("2026-03-01", "fjernet")).await;
    world.caught_up().await;
    for ((lastned, feed, list, link), (as_of, mut units)) in [er, fr].into_iter().zip(held) {
        let mut mirror = Mirror {
            world: &world,
            feed,
            list,
            next: as_of + 1,
        };
        for entry in mirror.poll(7).await {
            let orgnr = entry["organisasjonsnummer"].as_str().expect("a number").to_owned();
            let is_enhet = link == "enhet";
            match entry["endringstype"].as_str().expect("a text") {
                "Fjernet" => _ = units.remove(&orgnr),
                "Sletting" if is_enhet => _ = units.remove(&orgnr),
                _ => {
                    let href = entry["_links"][link]["href"].as_str().expect("a link");
                    let document = get(world.address, href).await.json();
                    if !is_enhet || document["respons_klasse"] == "Enhet" {
                        units.insert(orgnr, document);
                    }
                }
            }
        }
        let (_, now) = file(&world, &lastned).await;
        assert_eq!(units, now, "{lastned}");
    }
    // Deleted ones are in the file that the register does not have, and not in the one that it has.
    let (_, voluntary) = file(&world, &format!("{FR}/frivillige-organisasjoner/lastned")).await;
    assert_eq!(voluntary[&organisations[1].orgnr]["slettetDato"], "2026-02-01");
    let (_, units) = file(&world, &format!("{ER}/enheter/lastned")).await;
    assert!(!units.contains_key(&organisations[2].orgnr));
}
