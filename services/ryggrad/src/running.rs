//! The backbone that a command talks to: the one of a state folder, or one at given addresses.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ryggrad_client::{Bearer, Connection};
use ryggrad_eventlog::stream::{Credentials, Settings};
use ryggrad_local::Endpoints;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, PgConnection, PgPool};
use tonic::transport::{Channel, Endpoint};

use crate::exit::NotRunning;
use crate::issuer;

/// Who operates, as the development issuer knows it.
const OPERATOR: &str = "orch";

/// Where the backbone is.
#[derive(Debug, Clone, clap::Args)]
pub struct Running {
    /// State folder of the backbone that `ryggrad up` runs.
    #[arg(
        long,
        global = true,
        env = "RYGGRAD_STATE",
        default_value = ".ryggrad",
        value_name = "DIR"
    )]
    pub state: PathBuf,

    /// Address of gRPC and REST, instead of the state folder's: http://127.0.0.1:8080.
    #[arg(long, global = true, env = "RYGGRAD_URL", value_name = "URL")]
    pub url: Option<String>,

    /// Token to send. When it is not given, one of the state folder's development issuer is.
    #[arg(
        long,
        global = true,
        env = "RYGGRAD_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub token: Option<String>,
}

/// The stores of the backbone, for the commands that read or write them directly.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Stores {
    /// PostgreSQL, instead of the state folder's: postgres://user:password@host:port/database.
    #[arg(long, env = "RYGGRAD_POSTGRES_URL", hide_env_values = true, value_name = "URL")]
    pub postgres_url: Option<String>,

    /// NATS, instead of the state folder's: nats://user:password@host:port, several with commas.
    #[arg(long, env = "RYGGRAD_NATS_URL", hide_env_values = true, value_name = "URL")]
    pub nats_url: Option<String>,
}

// === impl Running ===

impl Running {
    /// The addresses in the state folder.
    ///
    /// # Errors
    /// [`NotRunning`] when there are none.
    pub fn endpoints(&self) -> anyhow::Result<Endpoints> {
        let place = || NotRunning {
            place: self.state.display().to_string(),
        };
        Endpoints::read(&self.state).map_err(|error| anyhow::Error::from(place()).context(error.to_string()))
    }

    /// The address of gRPC and REST.
    ///
    /// # Errors
    /// [`NotRunning`] when none is known.
    pub fn http(&self) -> anyhow::Result<String> {
        match &self.url {
            Some(url) => Ok(url.clone()),
            None => Ok(self.endpoints()?.http),
        }
    }

    /// The token of each call: the one that was given, or one of the development issuer for a party as [`party`] names it,
    /// renewed in good time. None when there is neither.
    ///
    /// # Errors
    /// When the issuer's key cannot be read.
    ///
    /// [`party`]: ryggrad_issuer::party
    pub fn bearer(&self, party: &str) -> anyhow::Result<Bearer> {
        if let Some(token) = &self.token {
            return Ok(token.clone().into());
        }
        match issuer::running(&self.state)? {
            Some(issuer) => issuer::bearer(issuer, party),
            None => Ok(Bearer::default()),
        }
    }

    /// A connection for gRPC, as an operator.
    ///
    /// # Errors
    /// [`NotRunning`] when nobody answers.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        self.connect_as(OPERATOR).await
    }

    /// A connection for gRPC, as a party that the development issuer knows, if there is no other token.
    ///
    /// # Errors
    /// [`NotRunning`] when nobody answers.
    pub async fn connect_as(&self, party: &str) -> anyhow::Result<Connection> {
        Ok(Connection::new(self.channel().await?, self.bearer(party)?))
    }

    /// A connection for gRPC without a token.
    ///
    /// # Errors
    /// [`NotRunning`] when nobody answers.
    pub async fn channel(&self) -> anyhow::Result<Channel> {
        let url = self.http()?;
        let endpoint = Endpoint::from_shared(url.clone()).with_context(|| format!("{url:?} is not an address"))?;
        endpoint
            .tcp_nodelay(true)
            .connect()
            .await
            .map_err(|_| NotRunning { place: url }.into())
    }

    /// Connections to the database as a role of the state folder, or at the address given.
    ///
    /// # Errors
    /// [`NotRunning`] when nobody answers.
    pub async fn postgres(&self, stores: &Stores, role: &str, connections: u32) -> anyhow::Result<PgPool> {
        let url = self.reachable(stores, role).await?;
        PgPoolOptions::new()
            .max_connections(connections)
            .connect(&url)
            .await
            .with_context(|| format!("cannot log in at {}", without_password(&url)))
    }

    /// The address of the database as a role, once it has answered there. A pool would ask again for half a minute before it
    /// says that nobody does.
    ///
    /// # Errors
    /// [`NotRunning`] when nobody answers.
    pub async fn reachable(&self, stores: &Stores, role: &str) -> anyhow::Result<String> {
        let url = self.postgres_url(stores, role)?;
        let told = without_password(&url);
        match PgConnection::connect(&url).await {
            Ok(connection) => connection.close().await?,
            Err(sqlx::Error::Io(_)) => return Err(NotRunning { place: told }.into()),
            Err(error) => return Err(anyhow::Error::from(error).context(format!("cannot log in at {told}"))),
        }
        Ok(url)
    }

    /// The address of the database as a role, `ryggrad` (its owner) or `ryggrad_registration`.
    ///
    /// # Errors
    /// [`NotRunning`] when none is known.
    pub fn postgres_url(&self, stores: &Stores, role: &str) -> anyhow::Result<String> {
        if let Some(url) = &stores.postgres_url {
            return Ok(url.clone());
        }
        let endpoints = self.endpoints()?;
        Ok(endpoints
            .others
            .get(&postgres_key(role))
            .cloned()
            .unwrap_or(endpoints.postgres))
    }

    /// The address of NATS as a user.
    ///
    /// # Errors
    /// [`NotRunning`] when none is known.
    pub fn nats_url(&self, stores: &Stores, user: &str) -> anyhow::Result<String> {
        if let Some(url) = &stores.nats_url {
            return Ok(url.clone());
        }
        let endpoints = self.endpoints()?;
        Ok(endpoints.others.get(&nats_key(user)).cloned().unwrap_or(endpoints.nats))
    }
}

/// How to connect to NATS at addresses that are separated by commas. The first, any or each of them may hold user and password,
/// the same for all servers: they are one cluster.
///
/// # Errors
/// When the addresses hold different users or passwords.
pub fn nats(urls: &str, credentials: Option<&Path>, name: &str) -> anyhow::Result<Settings> {
    let (mut servers, mut user) = (Vec::new(), None);
    for url in urls.split(',').map(str::trim) {
        let (server, who) = without_user(url);
        anyhow::ensure!(
            who.is_none() || user.is_none() || who == user,
            "the addresses of NATS have different users or passwords; all servers are reached with the same"
        );
        servers.push(server);
        user = user.or(who);
    }
    let credentials = match (user, credentials) {
        (Some((user, password)), _) => Credentials::User { user, password },
        (None, Some(file)) => Credentials::File(file.to_owned()),
        (None, None) => Credentials::None,
    };
    Ok(Settings {
        servers,
        credentials,
        name: name.to_owned(),
    })
}

/// An address of NATS, and the user and password in it.
fn without_user(url: &str) -> (String, Option<(String, String)>) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("nats", url));
    match rest.rsplit_once('@') {
        Some((who, place)) => {
            let (user, password) = who.split_once(':').unwrap_or((who, ""));
            (
                format!("{scheme}://{place}"),
                Some((user.to_owned(), password.to_owned())),
            )
        }
        None => (format!("{scheme}://{rest}"), None),
    }
}

/// The name under which `endpoints.json` has the database's address for a role.
pub fn postgres_key(role: &str) -> String {
    format!("postgres_{}", role.strip_prefix("ryggrad_").unwrap_or(role))
}

/// The name under which `endpoints.json` has the stream's address for a user.
pub fn nats_key(user: &str) -> String {
    format!("nats_{user}")
}

/// An address without its password, for messages.
pub fn without_password(url: &str) -> String {
    match url
        .split_once("://")
        .and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)))
    {
        Some((scheme, (who, place))) => format!("{scheme}://{}@{place}", who.split(':').next().unwrap_or_default()),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ryggrad_eventlog::stream;

    use super::*;

    #[test]
    fn takes_user_and_password_out_of_the_addresses_of_nats() {
        for urls in [
            "nats://views:geheim@a:4222, nats://views:geheim@b:4222",
            "nats://views:geheim@a:4222,b:4222",
            "a:4222,nats://views:geheim@b:4222",
        ] {
            let settings = nats(urls, None, "test").expect("one user");
            assert_eq!(settings.servers, ["nats://a:4222", "nats://b:4222"], "{urls}");
            assert!(
                matches!(settings.credentials, Credentials::User { user, password } if user == "views" && password == "geheim"),
                "{urls}"
            );
        }
        let bare = nats("tls://127.0.0.1:4222", None, "test").expect("no user");
        assert_eq!(bare.servers, ["tls://127.0.0.1:4222"]);
        assert!(matches!(bare.credentials, Credentials::None));
    }

    #[test]
    fn servers_with_users_of_their_own_are_no_cluster() {
        let refused = nats("nats://views:geheim@a:4222,nats://relay:heimlich@b:4222", None, "test");
        let said = refused.expect_err("two users").to_string();
        assert!(said.contains("different users") && !said.contains("heim"), "{said}");
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_passed_over() {
        let server = ryggrad_testkit::nats().await;
        let password = server.password_of("views");
        let place = server.address().replace("nats://", "");
        // Bound and not listening: nobody else gets the port, and a connection is refused.
        let away = tokio::net::TcpSocket::new_v4().expect("a socket");
        away.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let away_at = away.local_addr().expect("bound");
        for second in [format!("nats://views:{password}@{place}"), place] {
            let settings =
                nats(&format!("nats://views:{password}@{away_at},{second}"), None, "test").expect("one user");
            let client = stream::connect(&settings).await.expect("addresses");
            let answer = tokio::time::timeout(Duration::from_secs(20), client.flush()).await;
            answer.expect("in time").expect("it answers");
        }
    }

    #[test]
    fn tells_an_address_without_its_password() {
        assert_eq!(
            without_password("postgres://ryggrad:geheim@127.0.0.1:5432/ryggrad"),
            "postgres://ryggrad@127.0.0.1:5432/ryggrad"
        );
        assert_eq!(without_password("nats://127.0.0.1:4222"), "nats://127.0.0.1:4222");
    }
}
