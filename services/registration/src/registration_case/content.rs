//! What a notification has to say: checked piece by piece while it is drafted, and for completeness before anybody signs.

use std::collections::BTreeSet;

use ryggrad_decider::{Context, Refusal, rules};
use ryggrad_norway::{Icnpo, LegalForm, Nace, OrgNumber, VoluntaryEntry, YearEnd};
use ryggrad_proto::registration::v1 as pb;

use super::refusals;
use super::state::{Register, State};
use crate::form::{self, Form};
use crate::{address, input, time};

/// Reads registers, content and account of a draft. What is there has to be right; what is missing may come later, except where a
/// register would say no to all of it.
pub(super) fn read(
    codes: &[String],
    kind: pb::CaseKind,
    content: Option<&pb::RegistrationContent>,
    account: &str,
    ctx: &Context,
) -> Result<(BTreeSet<Register>, pb::RegistrationContent), Refusal> {
    let registers = registers(codes)?;
    let mut content = content.cloned().unwrap_or_default();
    let account = input::optional_id("kontonummer_token", Some(account))?;
    fields(&content, ctx)?;
    let legal: Option<LegalForm> = input::optional_coded("content.form", Some(&content.form))?;
    if let Some(legal) = legal.filter(|legal| legal.is_sub_unit()) {
        return Err(form::not_founded("content.form", legal));
    }
    number(&registers, kind, &content)?;
    of_form(legal, &registers, kind, &content)?;
    if let Some(voluntary) = &mut content.frivillig_organisasjon {
        voluntary.har_kontonummer = account.is_some();
    }
    match (registers.contains(&Register::Fr), kind) {
        (false, _) if content.frivillig_organisasjon.is_some() => return Err(refusals::not_for_fr()),
        (false, _) | (true, pb::CaseKind::Deletion) => {}
        (true, pb::CaseKind::New | pb::CaseKind::Change | pb::CaseKind::Unspecified) => {
            voluntary(kind, legal, &content)?;
        }
    }
    Ok((registers, content))
}

/// Whether everything is there that the registers need before anybody signs (R-2.03 to, form by form).
pub(super) fn complete(state: &State) -> Result<(), Refusal> {
    let content = &state.content;
    match state.kind {
        pb::CaseKind::New if state.registers.contains(&Register::Er) => {
            for (value, field) in [
                (&content.name, "content.name"),
                (&content.form, "content.form"),
                (&content.purpose, "content.purpose"),
                (&content.stiftelsesdato, "content.stiftelsesdato"),
            ] {
                if value.trim().is_empty() {
                    return Err(refusals::incomplete(field));
                }
            }
            if content
                .forretningsadresse
                .as_ref()
                .is_none_or(|address| address.kommunenummer.is_empty())
            {
                return Err(refusals::incomplete("content.forretningsadresse.kommunenummer"));
            }
            documents(state)?;
        }
        pb::CaseKind::New | pb::CaseKind::Change | pb::CaseKind::Deletion | pb::CaseKind::Unspecified => {
            let bylaws = content
                .frivillig_organisasjon
                .as_ref()
                .and_then(|voluntary| voluntary.vedtekter);
            let wanted =
                bylaws.is_some_and(|bylaws| bylaws.frivillig_registrerte_vedtekter || bylaws.skal_oppdatere_vedtekter);
            if wanted && !has(state, pb::DocumentKind::Vedtekter) {
                return Err(refusals::bylaws_missing(&rules::R_2_05));
            }
        }
    }
    if state.kind == pb::CaseKind::New {
        new_form(state)?;
    }
    if content.endrer_styret && state.board_election.is_none() {
        return Err(refusals::election_not_declared());
    }
    Ok(())
}

/// Auditor and capital of an organisation whose form a register hears of for the first time (the table of forms).
fn new_form(state: &State) -> Result<(), Refusal> {
    let content = &state.content;
    let form: Option<Form> = content.form.parse().ok().and_then(Form::of);
    if !state.registers.contains(&Register::Er) && !state.registers.contains(&Register::Sti) {
        return Ok(());
    }
    if form.is_some_and(Form::needs_auditor) && content.revisor_orgnr.is_empty() {
        return Err(refusals::needs_auditor());
    }
    form::enough_capital(
        "content.kapital",
        form,
        content.driver_naeringsvirksomhet,
        content.kapital,
    )
}

/// Whether the notification reports a board: a new unit's, or a new one.
pub(super) fn reports_board(state: &State) -> bool {
    state.content.endrer_styret || (state.kind == pb::CaseKind::New && state.registers.contains(&Register::Er))
}

/// Bylaws, and the founding document or what stands in for it. What bylaws have to be is law for
/// Frivillighetsregisteret only; that a founding document shows them is practice.
fn documents(state: &State) -> Result<(), Refusal> {
    if !has(state, pb::DocumentKind::Vedtekter) {
        let is_law = state.registers.contains(&Register::Fr);
        let rule = if is_law { &rules::R_2_05 } else { &rules::R_2_03 };
        return Err(refusals::bylaws_missing(rule));
    }
    if has(state, pb::DocumentKind::Stiftelsesdokument) {
        return Ok(());
    }
    match (
        has(state, pb::DocumentKind::Forklaring),
        has(state, pb::DocumentKind::Protokoll),
    ) {
        (true, true) => Ok(()),
        (true, false) => Err(refusals::minutes_missing()),
        (false, _) => Err(refusals::founding_document_missing()),
    }
}

fn has(state: &State, kind: pb::DocumentKind) -> bool {
    state.documents.contains_key(&i32::from(kind))
}

fn registers(codes: &[String]) -> Result<BTreeSet<Register>, Refusal> {
    input::count("registers", codes.len(), 1, 5)?;
    let mut registers = BTreeSet::new();
    for code in codes {
        match Register::parse(code) {
            Some(register) if registers.insert(register) => {}
            Some(_) | None => return Err(refusals::unknown_register(code)),
        }
    }
    Ok(registers)
}

/// Every field that is filled in has to be readable.
fn fields(content: &pb::RegistrationContent, ctx: &Context) -> Result<(), Refusal> {
    input::free("content.name", &content.name, input::NAME)?;
    input::free("content.purpose", &content.purpose, input::PROSE)?;
    for (field, day) in [
        ("content.stiftelsesdato", &content.stiftelsesdato),
        ("content.vedtektsdato", &content.vedtektsdato),
    ] {
        if !day.is_empty() && input::date(field, day)? > time::day(ctx.now) {
            return Err(refusals::in_the_future(field));
        }
    }
    form::not_negative("content.kapital", content.kapital)?;
    crate::board::read("content.board_size", content.board_size.as_ref())?;
    if let Some(address) = &content.forretningsadresse {
        address::check("content.forretningsadresse", address)?;
    }
    input::optional_coded::<OrgNumber>("content.organisasjonsnummer", Some(&content.organisasjonsnummer))?;
    input::optional_coded::<OrgNumber>("content.revisor_orgnr", Some(&content.revisor_orgnr))?;
    input::optional_coded::<OrgNumber>("content.regnskapsfoerer_orgnr", Some(&content.regnskapsfoerer_orgnr))?;
    input::optional_coded::<Nace>("content.naeringskode", Some(&content.naeringskode))?;
    let year_end = content
        .frivillig_organisasjon
        .as_ref()
        .and_then(|voluntary| voluntary.rapporteringsplikt_regnskap.as_ref());
    let year_end = year_end.and_then(|duty| duty.avslutningsdato_regnskapsperiode.as_deref());
    input::optional_coded::<YearEnd>(
        "content.frivillig_organisasjon.rapporteringsplikt_regnskap.avslutningsdato_regnskapsperiode",
        year_end,
    )?;
    Ok(())
}

/// Whoever is in Enhetsregisteret says its number, before it goes to any other register; whoever is to get one has none.
fn number(
    registers: &BTreeSet<Register>,
    kind: pb::CaseKind,
    content: &pb::RegistrationContent,
) -> Result<(), Refusal> {
    let (gets_one, has_one) = (
        registers.contains(&Register::Er),
        !content.organisasjonsnummer.is_empty(),
    );
    match (kind, gets_one, has_one) {
        (pb::CaseKind::New, true, true) => Err(refusals::has_a_number()),
        (pb::CaseKind::New, false, false) if registers.contains(&Register::Fr) => Err(refusals::needs_er()),
        (pb::CaseKind::New, false, false) | (pb::CaseKind::Change | pb::CaseKind::Deletion, _, false) => {
            Err(input::missing("content.organisasjonsnummer"))
        }
        (pb::CaseKind::New, true, false)
        | (pb::CaseKind::New | pb::CaseKind::Change | pb::CaseKind::Deletion, _, true)
        | (pb::CaseKind::Unspecified, _, _) => Ok(()),
    }
}

/// Registers that a legal form has to be in, or cannot be in (R-2.20 and the table of forms). One that has stopped its business may
/// leave them.
fn of_form(
    legal: Option<LegalForm>,
    registers: &BTreeSet<Register>,
    kind: pb::CaseKind,
    content: &pb::RegistrationContent,
) -> Result<(), Refusal> {
    if kind == pb::CaseKind::Deletion {
        return Ok(());
    }
    if legal.is_none() && registers.contains(&Register::Sti) {
        return Err(input::missing("content.form"));
    }
    let form = legal.and_then(Form::of);
    let company = matches!(form, Some(Form::Sa | Form::As));
    if registers.contains(&Register::For) && !content.driver_naeringsvirksomhet && !company {
        return Err(refusals::no_business());
    }
    if registers.contains(&Register::Sti) && form != Some(Form::Sti) {
        return Err(refusals::only_foundations());
    }
    let new = kind == pb::CaseKind::New && registers.contains(&Register::Er);
    match form {
        Some(Form::Sti) if new && !registers.contains(&Register::Sti) => Err(refusals::register_of_form("STI", "STI")),
        Some(form @ (Form::Sa | Form::As)) if new && !registers.contains(&Register::For) => {
            Err(refusals::register_of_form("FOR", form.code()))
        }
        Some(Form::Fli | Form::Sti | Form::Sa | Form::As) | None => Ok(()),
    }
}

/// Everything that decides whether Frivillighetsregisteret would take the organisation.
fn voluntary(kind: pb::CaseKind, legal: Option<LegalForm>, content: &pb::RegistrationContent) -> Result<(), Refusal> {
    let Some(voluntary) = &content.frivillig_organisasjon else {
        return Err(input::missing("content.frivillig_organisasjon"));
    };
    let new = kind == pb::CaseKind::New;
    match legal {
        Some(legal) if legal.voluntary_entry() == VoluntaryEntry::Refused => {
            return Err(refusals::not_eligible(legal.code()));
        }
        None if new => return Err(input::missing("content.form")),
        // A change need not say the form again; what does not hang on it is asked all the same.
        Some(_) | None => {}
    }
    match voluntary.registreringsrett {
        Some(answers) => right_to_register(legal, answers)?,
        None if new => return Err(refusals::unanswered("content.frivillig_organisasjon.registreringsrett")),
        None => {}
    }
    icnpo(&voluntary.icnpo, new)?;
    match voluntary.grasrotandel {
        Some(grasrot) if grasrot.deltar_i => grasrotandel(grasrot, voluntary.har_kontonummer),
        Some(_) | None => Ok(()),
    }
}

/// the answers that let an organisation in, or stay; what is asked of companies only is asked where the form is
/// said.
fn right_to_register(legal: Option<LegalForm>, answers: pb::Registreringsrett) -> Result<(), Refusal> {
    const PUBLIC: &str = "content.frivillig_organisasjon.registreringsrett.har_offentlig_flertall_i_styret";
    const SHARES: &str = "content.frivillig_organisasjon.registreringsrett.flertall_av_aksjer_eid_av_offentlig";
    const PERSONS: &str = "content.frivillig_organisasjon.registreringsrett.utdeling_til_fysiske_personer";
    const ANYTHING: &str = "content.frivillig_organisasjon.registreringsrett.har_utdelinger";
    const VOLUNTARY: &str = "content.frivillig_organisasjon.registreringsrett.utdeling_utelukkende_til_frivillige";

    let company = legal.and_then(Form::of) == Some(Form::As);
    if answers
        .har_offentlig_flertall_i_styret
        .ok_or_else(|| refusals::unanswered(PUBLIC))?
    {
        return Err(refusals::no_right(
            PUBLIC,
            "Det offentlige kan ikke ha flertall i styret i en organisasjon i Frivillighetsregisteret. Meldingen kan sendes utenom.",
            "Det offentlege kan ikkje ha fleirtal i styret i ein organisasjon i Frivilligregisteret. Meldinga kan sendast utanom.",
            "the public sector cannot have the majority in the board of an organisation in Frivillighetsregisteret; the notification can be sent elsewhere",
        ));
    }
    match answers.flertall_av_aksjer_eid_av_offentlig {
        Some(true) => {
            return Err(refusals::no_right(
                SHARES,
                "Det offentlige kan ikke eie flertallet av aksjene i et selskap i Frivillighetsregisteret. Meldingen kan sendes utenom.",
                "Det offentlege kan ikkje eige fleirtalet av aksjane i eit selskap i Frivilligregisteret. Meldinga kan sendast utanom.",
                "the public sector cannot own the majority of a company in Frivillighetsregisteret; the notification can be sent elsewhere",
            ));
        }
        None if company => return Err(refusals::unanswered(SHARES)),
        Some(false) | None => {}
    }
    if answers
        .utdeling_til_fysiske_personer
        .ok_or_else(|| refusals::unanswered(PERSONS))?
    {
        return Err(refusals::no_right(
            PERSONS,
            "Ingenting kan deles ut til fysiske personer. Meldingen kan sendes utenom hvis dere mener dette er feil.",
            "Ingenting kan delast ut til fysiske personar. Meldinga kan sendast utanom om de meiner dette er feil.",
            "nothing can be distributed to natural persons; the notification can be sent elsewhere if you think this is wrong",
        ));
    }
    let distributes = answers
        .har_utdelinger
        .unwrap_or(answers.utdeling_utelukkende_til_frivillige.is_some());
    match answers.utdeling_utelukkende_til_frivillige {
        Some(false) if company => Err(refusals::distributes_elsewhere(legal.map_or("", LegalForm::code))),
        Some(false) if distributes => Err(refusals::no_right(
            VOLUNTARY,
            "Alt som deles ut, må gå til frivillig virksomhet. Meldingen kan sendes utenom hvis dere mener dette er feil.",
            "Alt som blir delt ut, må gå til frivillig verksemd. Meldinga kan sendast utanom om de meiner dette er feil.",
            "whatever is distributed has to go to voluntary activity; the notification can be sent elsewhere if you think this is wrong",
        )),
        None if answers.har_utdelinger.is_none() && !company => Err(refusals::unanswered(ANYTHING)),
        None if distributes || company => Err(refusals::unanswered(VOLUNTARY)),
        Some(_) | None => Ok(()),
    }
}

/// one to three leaves, ranked by their order.
fn icnpo(codes: &[String], new: bool) -> Result<(), Refusal> {
    if codes.len() > 3 || (new && codes.is_empty()) {
        return Err(refusals::icnpo_count(codes.len()));
    }
    let mut seen = BTreeSet::new();
    for code in codes {
        let leaf = Icnpo::parse_leaf(code)
            .map_err(|invalid| input::refused("content.frivillig_organisasjon.icnpo", &invalid))?;
        if !seen.insert(leaf) {
            return Err(refusals::icnpo_twice(code));
        }
    }
    Ok(())
}

/// an account, local or regional activity, and an answer to every question.
fn grasrotandel(grasrot: pb::Grasrotandel, has_account: bool) -> Result<(), Refusal> {
    if !has_account {
        return Err(refusals::account_missing());
    }
    if grasrot.drives_all_aktivitet_lokalt_eller_regionalt != Some(true) {
        return Err(refusals::not_local());
    }
    for (answer, field) in [
        (
            grasrot.frivillig_arbeidsinnsats,
            "content.frivillig_organisasjon.grasrotandel.frivillig_arbeidsinnsats",
        ),
        (
            grasrot.utfoerer_oppgaver_for_det_offentlige,
            "content.frivillig_organisasjon.grasrotandel.utfoerer_oppgaver_for_det_offentlige",
        ),
        (
            grasrot.utfoerer_sykehuslignende_tjenester,
            "content.frivillig_organisasjon.grasrotandel.utfoerer_sykehuslignende_tjenester",
        ),
        (
            grasrot.er_ungdomsorganisasjon,
            "content.frivillig_organisasjon.grasrotandel.er_ungdomsorganisasjon",
        ),
        (
            grasrot.er_elev_eller_studentorganisasjon,
            "content.frivillig_organisasjon.grasrotandel.er_elev_eller_studentorganisasjon",
        ),
    ] {
        if answer.is_none() {
            return Err(refusals::grasrot_unanswered(field));
        }
    }
    Ok(())
}
