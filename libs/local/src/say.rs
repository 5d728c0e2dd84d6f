//! How this crate tells the user what it is doing.

use std::sync::Arc;

/// A listener for short sentences about what is being done ("fetching nats-server 2.15.1 …").
///
/// The default logs them at level `info`.
#[derive(Clone)]
pub struct Say(Arc<dyn Fn(&str) + Send + Sync>);

// === impl Say ===

impl Say {
    /// Hands every sentence to `listener`.
    pub fn new(listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    pub(crate) fn say(&self, sentence: impl AsRef<str>) {
        (self.0)(sentence.as_ref());
    }
}

impl Default for Say {
    fn default() -> Self {
        Self::new(|sentence| tracing::info!(doing = sentence, "local servers"))
    }
}

impl std::fmt::Debug for Say {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Say")
    }
}
