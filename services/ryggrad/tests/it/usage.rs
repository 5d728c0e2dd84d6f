//! Help, wrong usage, and nobody there.

use crate::program::{complained, folder, ryggrad, said};

#[test]
fn help_is_there_with_examples_and_without_colour() {
    for arguments in [
        &["--help"][..],
        &["up", "--help"],
        &["serve", "relay", "--help"],
        &["import", "--help"],
        &["clock", "--help"],
        &["listen", "--help"],
        &["trigger", "--help"],
    ] {
        let output = ryggrad(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(
            !said(&output).contains('\u{1b}'),
            "{arguments:?} has colour without a terminal"
        );
    }
    assert!(said(&ryggrad(&["up", "--help"])).contains("Examples:"));
}

#[test]
fn wrong_usage_ends_with_two() {
    for arguments in [
        &["fly"][..],
        &["clock", "advance"],
        &["deadlines", "done"],
        &["import", "brreg"],
        &["up", "--listen", "here"],
        &["up", "--register-letters", "5"],
        &["up", "--register-days", "-1"],
        &["serve", "registration", "--register-refusals", "NaN"],
        &["token", "--as", "brreg", "--scope", "ryggrad:everything"],
        &["token", "--as", "brreg", "--for", "310028843"],
        &["serve", "gateway", "--audience", "x"],
        &["listen"],
        &["listen", "--forward-to", "ftp://127.0.0.1/"],
        &["listen", "--forward-to", "http://127.0.0.1:9", "--secret", "short"],
        &["trigger", "fly"],
        &["trigger", "deleted", "--kommune", "0000"],
    ] {
        assert_eq!(ryggrad(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn nobody_there_is_told_in_one_line_and_ends_with_three() {
    let empty = folder();
    let state = empty.path().to_str().expect("a plain path");
    for arguments in [
        &["clock"][..],
        &["tail", "--no-follow"],
        &["verify"],
        &["parked"],
        &["deadlines"],
        &["replay"],
        &["token", "--as", "brreg"],
        &["listen", "--forward-to", "http://127.0.0.1:9/hook"],
        &["trigger", "founded"],
        &["trigger", "deleted"],
    ] {
        let output = ryggrad(&[arguments, &["--state", state]].concat());
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {}", complained(&output));
        let text = complained(&output);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("no backbone is running"), "{text}");
    }
}

#[test]
fn nobody_at_an_address_is_told_of_the_address() {
    let empty = folder();
    let state = empty.path().to_str().expect("a plain path");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    drop(listener);
    for arguments in [&["clock"][..], &["tail", "--no-follow"], &["demo"]] {
        let output = ryggrad(&[arguments, &["--state", state, "--url", &url]].concat());
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {}", complained(&output));
        assert!(complained(&output).contains(&url), "{}", complained(&output));
    }
}

#[test]
fn what_can_be_triggered_is_listed_without_a_backbone() {
    let output = ryggrad(&["trigger", "list", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", complained(&output));
    let lines = said(&output);
    let names: Vec<_> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["scenario"].take())
        .collect();
    assert!(
        names.contains(&"deleted".into()) && names.contains(&"whole-life".into()),
        "{lines}"
    );
}

#[test]
fn an_address_that_others_could_reach_is_refused() {
    let state = folder();
    let output = ryggrad(&[
        "up",
        "--state",
        state.path().to_str().expect("a plain path"),
        "--listen",
        "0.0.0.0:0",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complained(&output).contains("--issuer"), "{}", complained(&output));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = ryggrad(&["import", "brreg", "nowhere.json"]);
    assert_eq!(output.status.code(), Some(1));
    let text = complained(&output);
    assert!(
        text.contains("cannot open nowhere.json") && text.contains("No such file"),
        "{text}"
    );
}

#[test]
fn a_population_is_written_the_same_for_the_same_seed() {
    let (one, two) = (folder(), folder());
    let files = [&one, &two].map(|folder| {
        let out = folder.path().to_str().expect("a plain path");
        let output = ryggrad(&[
            "simulate",
            "register",
            "--organisations",
            "20",
            "--seed",
            "9",
            "--out",
            out,
        ]);
        assert_eq!(output.status.code(), Some(0), "{}", complained(&output));
        let mut names: Vec<_> = said(&output).lines().map(str::to_owned).collect();
        names.sort();
        names
            .iter()
            .map(|name| std::fs::read(name).expect("written"))
            .collect::<Vec<_>>()
    });
    assert_eq!(files[0].len(), 2);
    assert!(files[0] == files[1], "the files differ");
}

#[test]
fn who_of_a_population_is_gone_a_year_later_is_told() {
    let folder = folder();
    let out = folder.path().to_str().expect("a plain path");
    let output = ryggrad(&[
        "simulate",
        "deletions",
        "--organisations",
        "3000",
        "--json",
        "--out",
        out,
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", complained(&output));
    let told: serde_json::Value = serde_json::from_str(&said(&output)).expect("JSON");
    let gone = |which: &str| told[which].as_u64().expect("a number");
    assert!(gone("deleted") > gone("removed") && gone("removed") > 0, "{told}");
    assert!(std::path::Path::new(told["units"].as_str().expect("a file")).exists());
}
