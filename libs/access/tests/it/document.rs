//! `docs/access.md` says what the matrix says. `UPDATE=1 cargo test -p ryggrad-access` writes it.

use std::fmt::Write as _;
use std::path::Path;

use ryggrad_access::{MATRIX, Scope, View};
use ryggrad_proto::options::v1::PrivacyClass;

const CLASSES: [PrivacyClass; 4] = [
    PrivacyClass::Public,
    PrivacyClass::Org,
    PrivacyClass::Pers,
    PrivacyClass::Conf,
];

#[test]
fn the_page_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/access.md");
    let page = page();
    #[expect(
        clippy::disallowed_methods,
        reason = "how a developer asks for the page to be written"
    )]
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).expect("docs/access.md can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = page.lines().zip(committed.lines()).find(|(fresh, old)| fresh != old);
    assert!(
        committed == page,
        "docs/access.md is stale: run `UPDATE=1 cargo test -p ryggrad-access` and commit it; first difference: {differs:?}"
    );
}

fn name(class: PrivacyClass) -> &'static str {
    class.as_str_name().trim_start_matches("PRIVACY_CLASS_")
}

fn page() -> String {
    let mut page = String::from(
        "<!-- Generated from libs/access/data and the contracts; run `UPDATE=1 cargo test -p ryggrad-access` to write it anew. -->\n\
         # Who may see what\n\n\
         Denied is what nothing allows. One piece of code (`libs/access`, `Gate`) answers for the stream, for every view and for\n\
         webhooks, from the tables below.\n\n\
         1. **Open data** (class PUBLIC, which carries no person) is open to everybody, with or without a token.\n\
         2. **One's own.** An organisation sees every fact about itself, with a token whose scopes cover the facts' classes, and so does\n   \
            its system user; before it has a number, so does the one who began for it. What others were shown of it is in its\n   \
            `access_log`.\n\
         3. **A mandate.** A platform, or somebody who is on no list, sees the facts of those whose mandate to it is in force, but those\n   \
            of class CONF. Any other stakeholder has its own row, and a mandate takes it no further than that: it only says whom a row\n   \
            that reaches by mandate is about.\n\
         4. **A subscription.** A stakeholder sees, of whom it reaches, the event types that the catalogue lists for it, in the classes\n   \
            that it may see at all, as far as an approved subscription that is in force covers them. Its filter binds the stream, and by\n   \
            organisations and municipalities the rows of views. The approval names the legal basis, is a fact, and is public:\n   \
            `GET /v1/subscriptions`.\n\n\
         Persons appear as `person_ref` only. What others than the organisation itself are shown is written to its access log before it\n\
         is shown; so is what an authority looks up of open data in a view. For whom, by which mandate and through which supplier\n\
         somebody acted is not told with open data.\n\n",
    );
    page.push_str("## Scopes\n\n| scope | allows |\n|---|---|\n");
    for scope in Scope::all() {
        let _ = writeln!(page, "| `{}` | {} |", scope.name(), scope.what());
    }
    page.push_str("\n## Stakeholders\n\n| code | who | classes | of whom | views beside the open ones | legal bases | must not see |\n|---|---|---|---|---|---|---|\n");
    for grant in MATRIX {
        let classes = CLASSES
            .into_iter()
            .filter(|class| grant.allows(*class))
            .map(name)
            .collect::<Vec<_>>();
        let views = grant
            .views
            .iter()
            .map(|view| format!("`{}`", view.name()))
            .collect::<Vec<_>>();
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} | {} |",
            grant.code,
            grant.name,
            classes.join(", "),
            grant.reach.words(),
            views.join(", "),
            grant.legal_bases.join("; "),
            grant.must_not_see
        );
    }
    page.push_str("\n## Views\n\n| view | class | what it tells |\n|---|---|---|\n");
    for view in View::all() {
        let class = match (view, view.is_open()) {
            (View::OrgTimeline, _) => "by event",
            (_, true) => "PUBLIC",
            (_, false) => "ORG",
        };
        let _ = writeln!(page, "| `{}` | {class} | {} |", view.name(), view.what());
    }
    page.push_str("\n## Event types that are not open data\n\n| event | class | for |\n|---|---|---|\n");
    for event in ryggrad_proto::catalogue()
        .iter()
        .filter(|event| event.class != PrivacyClass::Public)
    {
        let reaches: Vec<_> = MATRIX
            .iter()
            .filter(|grant| {
                grant.code == "ORG"
                    || (grant.can_subscribe()
                        && grant.allows(event.class)
                        && event.views.iter().any(|view| view == grant.code))
            })
            .map(|grant| grant.code)
            .collect();
        let _ = writeln!(
            page,
            "| [{0}](events.md#{1}) | {2} | {3} |",
            event.name,
            event.name.to_lowercase(),
            name(event.class),
            reaches.join(", ")
        );
    }
    page
}
