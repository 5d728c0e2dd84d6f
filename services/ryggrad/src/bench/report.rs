//! The figures beside their targets.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::print;

/// Figures in the order in which they were measured.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<(String, f64)>);

/// Which way a figure should go.
#[derive(Debug, Clone, Copy)]
enum Target {
    AtLeast(f64),
    AtMost(f64),
}

/// What the figures are aimed at, on two cores.
const TARGETS: &[(&str, Target)] = &[
    ("append_ratio_32", Target::AtLeast(3.0)),
    ("append_ratio_1024", Target::AtLeast(10.0)),
    ("execute_ratio_32", Target::AtLeast(2.5)),
    ("execute_ratio_1024", Target::AtLeast(6.0)),
    ("hot_ratio", Target::AtLeast(20.0)),
    ("relay_per_s", Target::AtLeast(60_000.0)),
    ("commit_to_stream_p99_ms", Target::AtMost(5.0)),
    ("commit_to_subscriber_p99_ms", Target::AtMost(10.0)),
    ("commit_to_view_p99_ms", Target::AtMost(40.0)),
    ("rebuild_per_s", Target::AtLeast(100_000.0)),
    ("rebuild_timeline_per_s", Target::AtLeast(30_000.0)),
    ("subscribe_per_s", Target::AtLeast(150_000.0)),
    ("fanout_events_per_s", Target::AtLeast(1_000_000.0)),
    ("fanout_p99_ms", Target::AtMost(100.0)),
    ("fanout_slow_ratio", Target::AtMost(1.1)),
    ("idle_subscriber_mb_per_1000", Target::AtMost(1.0)),
    ("import_per_s", Target::AtLeast(5_000.0)),
    ("rss_mb", Target::AtMost(150.0)),
];

// === impl Report ===

impl Report {
    /// Adds a figure, and says it at once to whoever waits at the terminal.
    pub(super) fn add(&mut self, key: &str, value: f64) {
        print::note(format!("{key} {}", rounded(value)));
        self.0.push((key.to_owned(), value));
    }

    /// Writes the figures as one JSON object; where only a part was measured, those of an earlier run stay beside them.
    pub(super) fn write(&self, path: impl AsRef<Path>, is_part: bool) -> anyhow::Result<()> {
        let path = path.as_ref();
        let mut figures = serde_json::Map::new();
        if is_part && let Ok(earlier) = std::fs::read(path) {
            figures = serde_json::from_slice(&earlier).with_context(|| format!("read {}", path.display()))?;
        }
        figures.extend(self.figures());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("make the folder {}", folder.display()))?;
        }
        let json = serde_json::to_string_pretty(&figures)? + "\n";
        std::fs::write(path, json).with_context(|| format!("write {}", path.display()))
    }

    /// Prints the figures.
    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            return print::json(&self.figures());
        }
        print::line(self.table().trim_end());
        Ok(())
    }

    fn figures(&self) -> serde_json::Map<String, serde_json::Value> {
        self.0
            .iter()
            .map(|(key, value)| (key.clone(), rounded(*value).into()))
            .collect()
    }

    fn table(&self) -> String {
        let mut table = format!("{:<30} {:>12}  {:<12} {}\n", "figure", "measured", "target", "");
        for (key, value) in &self.0 {
            let (target, verdict) = match TARGETS.iter().find(|(name, _)| name == key) {
                Some((_, Target::AtLeast(least))) => {
                    (format!("≥ {least}"), if value >= least { "met" } else { "missed" })
                }
                Some((_, Target::AtMost(most))) => (format!("≤ {most}"), if value <= most { "met" } else { "missed" }),
                None => (String::new(), ""),
            };
            let _ = writeln!(table, "{key:<30} {:>12}  {target:<12} {verdict}", rounded(*value));
        }
        table
    }
}

/// Three digits after the point for small figures, none for large ones.
fn rounded(value: f64) -> f64 {
    if value.abs() >= 1_000.0 {
        value.round()
    } else {
        (value * 1_000.0).round() / 1_000.0
    }
}
