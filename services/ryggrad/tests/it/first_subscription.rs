//! "Your first subscription in five minutes": every command of the page is executed, and every answer compared.
//!
//! A block `console` has commands after `$ ` and what they answer; a block with `file=name` is that file. `…` stands for
//! anything in a line, and a line that is only `…` for any lines. All commands are typed into one shell, in order.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::program::{Up, folder, free_port};

/// How long a command may take, here where other tests run beside it: npm and pip install what the page says.
const PATIENCE: Duration = Duration::from_mins(4);
/// How long something that was just caused may take to be seen.
const SEEN: Duration = Duration::from_secs(30);
/// What a line begins with that says that a command has ended.
const ENDED: char = '\u{1e}';
/// The addresses of the page.
const GATEWAY: &str = "http://127.0.0.1:8080";
const RECEIVERS: [&str; 2] = ["9000", "9001"];
/// What the page starts everything with.
const UP: &str = "ryggrad up";

/// A piece of the page.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    File { name: String, content: String },
    Command { text: String, answer: Vec<String> },
}

/// Reads the page.
fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else { continue };
        let block: Vec<_> = lines
            .by_ref()
            .take_while(|line| *line != "```")
            .map(str::to_owned)
            .collect();
        if let Some((_, name)) = kind.split_once("file=") {
            let (name, content) = (name.to_owned(), block.join("\n") + "\n");
            steps.push(Step::File { name, content });
        } else if kind == "console" {
            for line in block {
                match (line.strip_prefix("$ "), steps.last_mut()) {
                    (Some(text), _) => steps.push(Step::Command {
                        text: text.to_owned(),
                        answer: Vec::new(),
                    }),
                    (None, Some(Step::Command { answer, .. })) => answer.push(line),
                    (None, _) => panic!("{line:?} is the answer of no command"),
                }
            }
        } else {
            panic!("the block ```{kind} is neither executed nor a file");
        }
    }
    steps
}

/// Whether lines are what the page says.
fn fits(wanted: &[String], lines: &[&str]) -> bool {
    match wanted.split_first() {
        None => lines.is_empty(),
        Some((any, rest)) if any == "…" => (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..])),
        Some((first, rest)) => {
            let Some((line, others)) = lines.split_first() else {
                return false;
            };
            line_fits(first, line) && fits(rest, others)
        }
    }
}

fn line_fits(wanted: &str, line: &str) -> bool {
    let pieces: Vec<_> = wanted.split('…').collect();
    let [first, middle @ .., last] = &pieces[..] else {
        return wanted == line;
    };
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    for piece in middle {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

/// A shell into which commands are typed.
struct Shell {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    complaints: PathBuf,
}

// === impl Shell ===

impl Shell {
    #[expect(
        clippy::disallowed_methods,
        reason = "the shell finds its programs where the test's own process does"
    )]
    fn open(home: &Path, state: &Path) -> Self {
        let complaints = home.join("complaints.txt");
        let mut child = Command::new("bash")
            .current_dir(home)
            .env(
                "PATH",
                format!(
                    "{}:{}",
                    home.join("bin").display(),
                    std::env::var("PATH").unwrap_or_default()
                ),
            )
            .env("RYGGRAD_STATE", state)
            .env_remove("RYGGRAD_URL")
            .env_remove("RYGGRAD_TOKEN")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&complaints).expect("a file"))
            .spawn()
            .expect("bash is there");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            output
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        Self {
            child,
            input,
            lines,
            complaints,
        }
    }

    /// Types a command; its output and its status.
    fn run(&mut self, command: &str) -> (String, String) {
        writeln!(self.input, "{command}\nprintf '\\n\\036%s\\n' $?").expect("the shell listens");
        let begun = Instant::now();
        let mut said = Vec::new();
        loop {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("{command} does not end: {said:?}\n{}", self.complaints()));
            if let Some(status) = line.strip_prefix(ENDED) {
                // The line end before the mark is ours; what ended without one has none.
                if said.last().is_some_and(String::is_empty) {
                    said.pop();
                }
                return (said.join("\n"), status.to_owned());
            }
            said.push(line);
        }
    }

    fn complaints(&self) -> String {
        std::fs::read_to_string(&self.complaints).unwrap_or_default()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _gone = writeln!(self.input, "kill $(jobs -p); wait; exit");
        let _ended = self.child.wait();
    }
}

/// A folder with what the page presupposes: the program, and the repository's contracts and clients.
fn home() -> tempfile::TempDir {
    let home = folder();
    std::fs::create_dir(home.path().join("bin")).expect("a folder");
    let program = home.path().join("bin/ryggrad");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ryggrad"), program).expect("a link");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    ryggrad_testkit::copy_clients(&root, home.path()).expect("the clients are copied");
    home
}

#[tokio::test]
async fn every_command_of_the_page_answers_what_it_says() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/first-subscription.md"));
    let steps = steps(&page.expect("the page is there"));
    let state = folder();
    let begun = steps.iter().find_map(|step| match step {
        Step::Command { text, .. } => text.strip_prefix(UP),
        Step::File { .. } => None,
    });
    let options: Vec<_> = begun.expect("the page starts it").split_whitespace().collect();
    let up = Up::start(state.path(), &options).await;
    let ports = RECEIVERS.map(|port| (port, another_port()));
    let here = |text: &str| {
        let changed = |text: String, (port, free): &(&str, String)| text.replace(port, free);
        let text = ports.iter().fold(text.to_owned(), changed);
        text.replace(GATEWAY, &up.endpoints.http)
    };
    let page = |text: &str| {
        let text = text.replace(&up.endpoints.http, GATEWAY);
        ports.iter().fold(text, |text, (port, free)| text.replace(free, port))
    };
    let home = home();
    let mut shell = Shell::open(home.path(), state.path());

    let mut executed = 0;
    for step in &steps {
        match step {
            Step::File { name, content } => std::fs::write(home.path().join(name), here(content)).expect("written"),
            Step::Command { text, answer } if text.starts_with(UP) => {
                // It runs already: the test needs to know its port.
                let said = std::fs::read_to_string(state.path().join("up.log")).expect("it says something");
                let said = page(&said);
                assert!(fits(answer, &said.lines().collect::<Vec<_>>()), "$ {text}\n{said}");
            }
            Step::Command { text, answer } => {
                let begun = Instant::now();
                loop {
                    let (said, status) = shell.run(&here(text));
                    let said = page(&said);
                    let as_told = status == "0" && fits(answer, &said.lines().collect::<Vec<_>>());
                    if as_told {
                        break;
                    }
                    // What only looks may look again: views and receivers come a moment after the fact.
                    let only_looks = text.starts_with("curl ") || text.starts_with("cat ");
                    assert!(
                        only_looks && begun.elapsed() < SEEN,
                        "$ {text}\nended with {status} and said\n{said}\ninstead of\n{}\n{}",
                        answer.join("\n"),
                        shell.complaints()
                    );
                }
                executed += 1;
            }
        }
    }
    assert!(executed > 15, "{executed} commands");
    drop(shell);
    assert_eq!(up.end("TERM"), Some(0));
}

/// A free port whose number has none of the page's in it.
fn another_port() -> String {
    let mut free = std::iter::repeat_with(|| free_port().to_string());
    free.find(|port| RECEIVERS.iter().all(|known| !port.contains(known)))
        .expect("there are many")
}

#[test]
fn an_answer_fits_when_only_what_was_left_open_differs() {
    let fits = |wanted: &[&str], lines: &[&str]| {
        let wanted: Vec<_> = wanted.iter().map(|line| (*line).to_owned()).collect();
        fits(&wanted, lines)
    };
    assert!(fits(&["a … c", "…", "z"], &["a b c", "x", "y", "z"]));
    assert!(fits(&["…", "z"], &["z"]) && fits(&[], &[]));
    assert!(!fits(&["a … c"], &["a b d"]) && !fits(&["a"], &["a", "b"]) && !fits(&["a", "b"], &["a"]));
    assert!(!fits(&[], &["something"]));
}

#[test]
fn the_page_is_read_as_it_is_written() {
    let page = "# A\n```console\n$ ls\na\n$ pwd\n```\n```python file=b.py\nprint()\n```\n";
    let command = |text: &str, answer: &[&str]| Step::Command {
        text: text.to_owned(),
        answer: answer.iter().map(|line| (*line).to_owned()).collect(),
    };
    let file = Step::File {
        name: "b.py".to_owned(),
        content: "print()\n".to_owned(),
    };
    assert_eq!(steps(page), [command("ls", &["a"]), command("pwd", &[]), file]);
}
