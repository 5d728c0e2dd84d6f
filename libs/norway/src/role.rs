//! Roles: the codes of the registers, their groups, and the offices that exist only inside an organisation.

use crate::code_list::code_list;
use crate::{Problem, Subject};

code_list! {
    /// A role code of the registers, as `LEDE` or `FFØR`.
    Role, ROLES, RoleRow, Subject::Role
}

code_list! {
    /// A group of role codes, as `STYR`.
    RoleGroup, ROLE_GROUPS, RoleGroupRow, Subject::RoleGroup
}

code_list! {
    /// An office inside an organisation that the registers do not know, as `TREASURER`.
    InternalRole, INTERNAL_ROLES, InternalRoleRow, Subject::InternalRole
}

impl Role {
    /// The name in Bokmål.
    pub fn name(self) -> &'static str {
        self.row().nb
    }

    /// The name in English.
    pub fn name_en(self) -> &'static str {
        self.row().en
    }

    /// The group it belongs to; none for signature and procuration and where the list names none.
    pub fn group(self) -> Option<RoleGroup> {
        self.row().group.and_then(|group| RoleGroup::parse(group).ok())
    }

    /// Whether it is registered for the board of an association: chair, member and alternate. Every other office is
    /// registered as a member.
    pub fn is_board_of_association(self) -> bool {
        matches!(self.code(), "LEDE" | "MEDL" | "VARA")
    }

    /// Whether it answers for the organisation towards the register: one of `KONT`, `DAGL`, `FFØR` must be there.
    pub fn is_contact(self) -> bool {
        matches!(self.code(), "KONT" | "DAGL" | "FFØR")
    }

    /// Whether the holder must confirm the assignment: auditor and accountant.
    pub fn needs_confirmation(self) -> bool {
        matches!(self.code(), "REVI" | "REGN")
    }

    /// What the list says of its use for associations.
    pub fn use_for_association(self) -> &'static str {
        self.row().use_for_association
    }

    fn why_not(_: &str) -> Problem {
        Problem::Unknown
    }
}

impl RoleGroup {
    /// The name in Bokmål.
    pub fn name(self) -> &'static str {
        self.row().nb
    }

    /// The name in English.
    pub fn name_en(self) -> &'static str {
        self.row().en
    }

    fn why_not(_: &str) -> Problem {
        Problem::Unknown
    }
}

impl InternalRole {
    /// The name in Bokmål.
    pub fn name(self) -> &'static str {
        self.row().nb
    }

    /// The name in English.
    pub fn name_en(self) -> &'static str {
        self.row().en
    }

    fn why_not(_: &str) -> Problem {
        Problem::Unknown
    }
}
