//! The rows of the matrix as those who ask, and what it lets them see, worked out from the rows by itself: what tests of
//! every door and every view compare with.

use std::sync::LazyLock;

use ryggrad_access::{Grant, MATRIX, Parties, Party, Reach, Scope, Stakeholder, View};
use ryggrad_proto::EventType;
use ryggrad_proto::ecosystem::v1::{MandateGranted, SubscriptionApproved};

static PARTIES: LazyLock<Parties> = LazyLock::new(Parties::development);

/// How an organisation stands to whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// In a municipality, and nothing else.
    In(&'static str),
    /// Affiliated to every party.
    Affiliate,
    /// Has given every party a mandate.
    Mandator,
    /// A party itself.
    Itself(&'static str),
}

/// Who asks: a row of the matrix, and as whom.
#[derive(Debug, Clone, Copy)]
pub struct Role {
    /// The row.
    pub grant: &'static Grant,
    /// Its organisation number; without one nobody in particular asks.
    pub orgnr: Option<&'static str>,
    party: Option<&'static Party>,
}

// === impl Whose ===

impl Whose {
    /// One near to the municipalities of the list, one far from most, and those that are near by something else.
    pub const OTHERS: [Self; 4] = [Self::In("4203"), Self::In("0301"), Self::Affiliate, Self::Mandator];

    /// Its organisation number.
    pub fn orgnr(self) -> &'static str {
        match self {
            Self::In("4203") => "310000027",
            Self::In(_) => "310000035",
            Self::Affiliate => "310000043",
            Self::Mandator => "310000051",
            Self::Itself(orgnr) => orgnr,
        }
    }

    /// Its municipality. Those that are near by something else are in one that no role is of.
    pub fn kommune(self) -> &'static str {
        match self {
            Self::In(kommune) => kommune,
            Self::Affiliate | Self::Mandator | Self::Itself(_) => "1103",
        }
    }
}

// === impl Role ===

impl Role {
    /// Every row of the matrix, as the first of its parties. Who is on no list is an organisation, or nobody in particular.
    pub fn all() -> Vec<Self> {
        let role = |grant: &'static Grant| {
            let party = PARTIES.who_is(grant.stakeholder).first().copied();
            let unlisted = (grant.reach == Reach::Own).then_some("310000019");
            let orgnr = party.map(|party| party.orgnr.as_str()).or(unlisted);
            Self { grant, orgnr, party }
        };
        MATRIX.iter().map(role).collect()
    }

    /// That it is approved for every view, more than its row has; none for nobody in particular.
    pub fn approved(&self, subscription_id: &str) -> Option<SubscriptionApproved> {
        Some(SubscriptionApproved {
            subscription_id: subscription_id.to_owned(),
            subscriber: self.orgnr?.to_owned(),
            stakeholder: self.grant.code.to_owned(),
            views: View::all().map(|view| view.name().to_owned()).collect(),
            first_position: 1,
            ..SubscriptionApproved::default()
        })
    }

    /// That [`Whose::Mandator`] has given it a mandate; none for nobody in particular.
    pub fn mandated(&self, mandate_id: &str) -> Option<MandateGranted> {
        Some(MandateGranted {
            mandate_id: mandate_id.to_owned(),
            from_orgnr: Whose::Mandator.orgnr().to_owned(),
            to_orgnr: self.orgnr?.to_owned(),
            ..MandateGranted::default()
        })
    }

    /// Whether an organisation is itself.
    pub fn is(&self, whose: Whose) -> bool {
        matches!(whose, Whose::Itself(orgnr) if self.orgnr == Some(orgnr))
    }

    /// Whether it sees an event of a type about an organisation with these scopes, when everything that can be approved for
    /// it is.
    pub fn sees(&self, scopes: &[Scope], event: &EventType, whose: Whose) -> bool {
        let Some(scope) = Scope::of_class(event.class) else {
            return true;
        };
        let listed = event.views.iter().any(|view| view == self.grant.code);
        let row = self.grant.allows(event.class) && listed;
        let mandate = self.by_mandate().is_some_and(|grant| grant.allows(event.class));
        self.orgnr.is_some() && scopes.contains(&scope) && self.has(whose, row, mandate)
    }

    /// The same with an entry of a view whose entries are events.
    pub fn is_told(&self, scopes: &[Scope], view: View, event: &EventType, whose: Whose) -> bool {
        let mandate = self.by_mandate().is_some_and(|grant| grant.views.contains(&view));
        let covered = self.has(whose, self.grant.views.contains(&view), mandate);
        self.sees(scopes, event, whose) && (covered || Scope::of_class(event.class).is_none())
    }

    /// Whether it is shown a view of an organisation.
    pub fn is_shown(&self, scopes: &[Scope], view: View, whose: Whose) -> bool {
        let row = self.grant.views.contains(&view);
        let mandate = self.by_mandate().is_some_and(|grant| grant.views.contains(&view));
        let known = self.orgnr.is_some() && scopes.contains(&Scope::ViewsRead);
        view.is_open() || (known && self.has(whose, row, mandate))
    }

    /// The row by which a mandate opens something to it without an approval: a platform's, for platforms and for those who
    /// are on no list. All others have their own row, and nothing past it.
    fn by_mandate(&self) -> Option<&'static Grant> {
        let is_platform = self.party.is_none() || self.grant.stakeholder == Stakeholder::Platform;
        is_platform.then(|| Stakeholder::Platform.grant())
    }

    /// Whether it has what is about an organisation: its own, by a mandate, or where its row reaches.
    fn has(&self, whose: Whose, row: bool, mandate: bool) -> bool {
        self.is(whose) || (whose == Whose::Mandator && mandate) || (row && self.reaches(whose))
    }

    fn reaches(&self, whose: Whose) -> bool {
        let kommune = self.party.and_then(|party| party.kommune);
        match self.grant.reach {
            Reach::Everywhere => true,
            Reach::Kommune => kommune.is_some_and(|kommune| kommune.code() == whose.kommune()),
            Reach::Affiliates => whose == Whose::Affiliate,
            Reach::Mandated => whose == Whose::Mandator,
            Reach::Nowhere | Reach::Own => false,
        }
    }
}
