//! The story itself: Lillevik nabohage, from an evening at the kitchen table to Grasrotandelen.

/// Sends a command and tells what it led to.
macro_rules! send {
    ($story:ident, $rpc:ident, $command:expr) => {{
        let command = $command;
        let answer = $story.commands.$rpc(command).await;
        $story.accepted(answer).await.context(stringify!($rpc))?
    }};
}

mod founding;
mod idea;
mod registers;
mod stage;

use ryggrad_client::Connection;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_proto::registration::v1::registration_service_client::RegistrationServiceClient;
use uuid::Uuid;

use super::narrator::{Narrator, Voice};
use super::people::People;
use crate::print::{STRONG, styled};

const NAME: &str = "Lillevik nabohage";
const PURPOSE: &str = "Dyrke grønnsaker sammen og gi barn i nabolaget et sted å være.";
/// How many days the register authority may take before the story gives up.
const DAYS: usize = 200;
/// Arendal.
const KOMMUNE: &str = "4203";

/// The story on its way.
#[derive(Debug)]
pub(super) struct Story {
    commands: RegistrationServiceClient<Connection>,
    admin: AdminClient<Connection>,
    narrator: Narrator,
    journey: Uuid,
    people: People,
}

// === impl Story ===

impl Story {
    pub(super) async fn begin(app: Connection, operator: Connection, voice: Voice) -> anyhow::Result<Self> {
        let journey = fresh_id();
        let narrator = Narrator::follow(app.clone(), journey, voice).await?;
        Ok(Self {
            commands: RegistrationServiceClient::new(app),
            admin: AdminClient::new(operator),
            narrator,
            journey,
            people: People::of(journey),
        })
    }

    /// Tells it from beginning to end, and answers with the id of the organisation.
    pub(super) async fn tell(&mut self) -> anyhow::Result<String> {
        let started = std::time::Instant::now();
        self.chapter("Idé og utprøving", "An idea at the kitchen table");
        let initiative = self.idea().await?;
        self.chapter("Stiftelse", "Three neighbours found an association");
        let organisation = self.founding(&initiative).await?;
        self.chapter("Samordnet registermelding", "One notification for two registers");
        let case = self.notification(&organisation).await?;
        self.chapter("Registrene", "The register authority decides");
        self.registers(&case).await?;
        let told = self.narrator.told();
        let (done, seconds) = (styled(STRONG, "Done."), started.elapsed().as_secs_f64());
        self.narrator.say(format!(
            "\n{done} {told} facts, from idea to grassroots share, in {seconds:.1} s. The case was {case}."
        ));
        Ok(organisation)
    }
}

/// An id that the client of a command chooses.
#[expect(clippy::disallowed_methods, reason = "ids are made here, at the edge")]
fn fresh_id() -> Uuid {
    Uuid::now_v7()
}
