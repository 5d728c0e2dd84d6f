//! What `ryggrad up` says when everything is there, and writes down for tools.

use ryggrad_issuer::Issuer;
use ryggrad_local::postgres::OWNER;
use ryggrad_local::{Endpoints, StateFolder, nats};

use super::Args;
use crate::issuer::ISSUER;
use crate::print::{self, FAINT, STRONG, styled};
use crate::running::without_password;
use crate::servers::Addresses;

/// Every address, under its name.
pub(super) fn endpoints(http: &str, addresses: &Addresses, issuer: Option<&Issuer>) -> Endpoints {
    let mut others = addresses.named();
    for (name, path) in [
        ("metrics", "/metrics"),
        ("openapi", "/openapi.json"),
        ("ready", "/readyz"),
    ] {
        others.insert(name.to_owned(), format!("{http}{path}"));
    }
    if let Some(issuer) = issuer {
        others.insert(ISSUER.to_owned(), issuer.name().to_owned());
    }
    Endpoints {
        http: http.to_owned(),
        postgres: addresses.postgres(OWNER).to_owned(),
        nats: addresses.nats(nats::ADMIN).to_owned(),
        others,
    }
}

/// Takes the addresses back: nobody is there any more.
pub(super) fn forget(state: &StateFolder) {
    let _absent = std::fs::remove_file(state.path().join("endpoints.json"));
}

pub(super) fn print(endpoints: &Endpoints, args: &Args, state: &StateFolder) {
    let http = &endpoints.http;
    let clock = match args.clock {
        ryggrad_service::Clock::System => "the system's",
        ryggrad_service::Clock::Simulated => "simulated: `ryggrad clock advance 6w` moves it",
    };
    print::line(format!(
        "\n{} is running. Ctrl-C stops it.\n",
        styled(STRONG, "Ryggrad")
    ));
    for (name, what) in [
        ("gRPC and REST", http.clone()),
        ("OpenAPI", format!("{http}/openapi.json")),
        ("PostgreSQL", without_password(&endpoints.postgres)),
        ("NATS", without_password(&endpoints.nats)),
        ("addresses", state.path().join("endpoints.json").display().to_string()),
        ("clock", clock.to_owned()),
    ] {
        print::line(format!("  {name:<14} {what}"));
    }
    let demo = match args.clock {
        ryggrad_service::Clock::System => "a club's first months, on a private backbone whose clock can be moved",
        ryggrad_service::Clock::Simulated => "a club from idea to Frivillighetsregisteret",
    };
    let folder = if args.state.as_os_str() == ".ryggrad" {
        String::new()
    } else {
        format!(" --state {}", args.state.display())
    };
    print::line("\nTry in another terminal:\n");
    for (command, what) in [
        (format!("cargo run --release -- tail{folder}"), "follow what happens"),
        (format!("cargo run --release -- demo{folder}"), demo),
        (
            format!("curl -s '{http}/v1/directory?page_size=3'"),
            "look into the directory",
        ),
        (
            format!("cargo run --release -- token --as kommune:4203{folder}"),
            "a token, to see more than open data",
        ),
    ] {
        print::line(format!("  {command:<62} {}", styled(FAINT, what)));
    }
    print::line("");
}
