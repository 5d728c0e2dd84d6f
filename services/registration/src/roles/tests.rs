//! Roles that an organisation reports.

use ryggrad_decider::scenario::given;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::role_holder::Holder;

use crate::organisation::Organisation;

const KARI: &str = "00000000-0000-4000-8000-0000000000b1";
const OLA: &str = "00000000-0000-4000-8000-0000000000b2";

fn role(code: &str, holder: Holder) -> pb::RoleHolder {
    pb::RoleHolder {
        role_code: code.into(),
        holder: Some(holder),
        ..Default::default()
    }
}

fn report(more: Option<pb::RoleHolder>) -> pb::ReportRoles {
    let person = |code: &str, who: &str| role(code, Holder::PersonRef(who.into()));
    let mut roles = vec![person("LEDE", KARI), person("MEDL", OLA), person("KONT", KARI)];
    roles.extend(more);
    pb::ReportRoles {
        roles,
        ..Default::default()
    }
}

#[test]
fn an_auditor_is_not_reported_where_it_cannot_confirm() {
    let registered = || {
        given::<Organisation>([pb::OrganisationRegistered {
            orgnr: "245915101".into(),
            ..Default::default()
        }
        .into()])
    };
    for code in ["REVI", "REGN"] {
        for holder in [Holder::Orgnr("225522952".into()), Holder::PersonRef(OLA.into())] {
            let refusal = registered()
                .when(report(Some(role(code, holder))))
                .then_refused("R-2.11", "AuditorNotNamed");
            assert_eq!(refusal.field.as_deref(), Some("roles.orgnr"));
        }
    }
    let manager = role("FFØR", Holder::Orgnr("225522952".into()));
    registered().when(report(Some(manager))).then_names(&["RolesReported"]);
}
