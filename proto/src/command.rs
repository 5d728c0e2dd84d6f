//! What the generated command oneofs have in common.

use crate::common::v1::CommandMeta;

/// The commands of one aggregate: the generated oneof `<aggregate>_command::Command`.
pub trait CommandPayload: Sized + Clone + Send + Sync + 'static {
    /// Names of all commands of the aggregate, in the order of the contract.
    const NAMES: &'static [&'static str];

    /// Name of the command's message, for example `SketchInitiative`.
    fn name(&self) -> &'static str;

    /// What the client said beside the content.
    fn meta(&self) -> Option<&CommandMeta>;

    /// The same for changing, made when absent.
    fn meta_mut(&mut self) -> &mut CommandMeta;

    /// Id of the aggregate as the client sent it; empty when the server is to make one.
    fn aggregate_id(&self) -> &str;

    /// Name of the field that the id of the aggregate is in, for example `initiative_id`.
    fn aggregate_field(&self) -> &'static str;

    /// Sets the id of the aggregate.
    fn set_aggregate_id(&mut self, id: String);

    /// Whose command it is.
    fn party(&self) -> Party<'_>;

    /// The scope that its sender's token needs.
    fn scope(&self) -> &'static str;

    /// Path of the field with the number of the organisation that it says it is about, and the number; none where it says none.
    fn orgnr(&self) -> Option<(&'static str, &str)>;

    /// Fields with the ids of other aggregates that it builds on, and the ids; empty where none is named.
    fn references(&self) -> Vec<(&'static str, &str)>;
}

/// Whose command something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party<'a> {
    /// The one to whom the aggregate belongs.
    Owner,
    /// Anybody who can be held to it.
    Anybody,
    /// The organisation with the number in this field.
    Organisation(&'static str, &'a str),
    /// The authority that the decision belongs to.
    Authority,
    /// Nobody outside the service.
    Nobody,
}
