//! A run of events without a hole, encoded once in each format that somebody asks for, from which any number of subscribers
//! are served.

use std::sync::OnceLock;

use bytes::Bytes;
use prost::Message as _;
use ryggrad_access::Key;
use ryggrad_eventlog::Recorded;
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::events::v1::EventBatch;
use ryggrad_proto::options::v1::PrivacyClass;

use crate::envelope::Fields;
use crate::format::{Format, Writer};
use crate::frame::Batch;
use crate::sieve::Sieve;

/// How many bytes of events go into one block, unless a single event has more.
const BLOCK_BYTES: usize = 64 << 10;

/// A run of events without a hole.
#[derive(Debug)]
pub(crate) struct Block {
    first: u64,
    keys: Vec<Key>,
    /// By format; all but the envelopes are made when they are asked for the first time.
    forms: [OnceLock<Form>; Format::COUNT],
    /// Whether all of it is open data.
    open: bool,
    /// Whether somebody with a token began something in it.
    begun: bool,
}

/// The events in one format.
#[derive(Debug)]
struct Form {
    bytes: Bytes,
    /// Where each event ends.
    ends: Vec<u32>,
}

// === impl Block ===

impl Block {
    /// Blocks of events whose positions follow each other.
    pub(crate) fn build(events: &[Recorded]) -> Vec<Self> {
        let mut blocks = Vec::new();
        let mut writer = Writer::new(Format::Envelope);
        let (mut keys, mut ends) = (Vec::new(), Vec::new());
        for event in events {
            let fields = Fields::of(event);
            writer.push(&fields);
            keys.push(fields.key());
            ends.push(end(&writer));
            if writer.len() >= BLOCK_BYTES {
                blocks.push(Self::new(event.position, &mut keys, &mut ends, &mut writer));
            }
        }
        if let Some(last) = events.last().filter(|_| !keys.is_empty()) {
            blocks.push(Self::new(last.position, &mut keys, &mut ends, &mut writer));
        }
        blocks
    }

    fn new(last: u64, keys: &mut Vec<Key>, ends: &mut Vec<u32>, writer: &mut Writer) -> Self {
        // They stay in memory for long, without the room for more.
        let (mut keys, mut ends) = (std::mem::take(keys), std::mem::take(ends));
        keys.shrink_to_fit();
        ends.shrink_to_fit();
        let form = Form {
            bytes: writer.take(),
            ends,
        };
        let mut forms = [const { OnceLock::new() }; Format::COUNT];
        forms[Format::Envelope.index()] = OnceLock::from(form);
        Self {
            first: last + 1 - keys.len() as u64,
            open: keys.iter().all(|key| key.class == PrivacyClass::Public as u8),
            begun: keys.iter().any(|key| key.actor != 0 && key.orgnr == 0),
            keys,
            forms,
        }
    }

    /// Position of its first event.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Position of its last event.
    pub(crate) fn last(&self) -> u64 {
        self.first + self.keys.len() as u64 - 1
    }

    /// Number of its events.
    pub(crate) fn count(&self) -> usize {
        self.keys.len()
    }

    /// What it takes in memory as envelopes, near enough.
    pub(crate) fn size(&self) -> usize {
        self.form(Format::Envelope).bytes.len() + self.keys.len() * (size_of::<Key>() + size_of::<u32>())
    }

    /// Adds events after a position that pass to a batch, until it has `most` events. Neighbours are added in one piece.
    /// Answers the position up to which was looked.
    pub(crate) fn select(&self, format: Format, after: u64, sieve: &mut Sieve, most: usize, batch: &mut Batch) -> u64 {
        let skip = usize::try_from((after + 1).saturating_sub(self.first))
            .unwrap_or(usize::MAX)
            .min(self.keys.len());
        if self.begun && sieve.is_known() {
            self.keys[skip..].iter().for_each(|key| sieve.notice(key));
        }
        let form = self.form(format);
        let everything = self.open && sieve.wants_everything();
        let mut run = skip..skip;
        let mut room = most.saturating_sub(batch.events());
        for (index, key) in self.keys.iter().enumerate().skip(skip) {
            if room == 0 {
                break;
            }
            if everything {
                let taken = room.min(self.keys.len() - index);
                run = index..index + taken;
                break;
            }
            if sieve.passes(self.first + index as u64, key) {
                room -= 1;
                run.end = index + 1;
                continue;
            }
            form.push(run.clone(), batch);
            run = index + 1..index + 1;
        }
        let full = batch.events() + run.len() >= most;
        let through = if full {
            self.first + run.end as u64 - 1
        } else {
            self.last()
        };
        form.push(run, batch);
        through
    }

    fn form(&self, format: Format) -> &Form {
        self.forms[format.index()].get_or_init(|| {
            // Only the other formats come here: envelopes are there from the beginning.
            Form::rewritten(self.form(Format::Envelope), format)
        })
    }
}

// === impl Form ===

impl Form {
    /// The same events in another format.
    fn rewritten(envelopes: &Self, format: Format) -> Self {
        let batch = EventBatch::decode(envelopes.bytes.clone()).unwrap_or_default();
        let mut writer = Writer::new(format);
        let (nobody, mut related) = (Actor::default(), Vec::new());
        let mut ends = Vec::with_capacity(batch.events.len());
        for envelope in &batch.events {
            if let Some(fields) = Fields::of_envelope(envelope, &nobody, &mut related) {
                writer.push(&fields);
            }
            ends.push(end(&writer));
        }
        debug_assert_eq!(ends.len(), envelopes.ends.len(), "envelopes that we wrote can be read");
        Self {
            bytes: writer.take(),
            ends,
        }
    }

    fn push(&self, run: std::ops::Range<usize>, batch: &mut Batch) {
        if run.is_empty() {
            return;
        }
        let start = run.start.checked_sub(1).map_or(0, |before| self.ends[before]);
        let bytes = self.bytes.slice(start as usize..self.ends[run.end - 1] as usize);
        batch.push(bytes, run.len());
    }
}

fn end(writer: &Writer) -> u32 {
    u32::try_from(writer.len()).expect("a block ends with the event that makes it larger than 64 KiB")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::tests::full;

    fn block(classes: &[PrivacyClass]) -> Block {
        let events: Vec<_> = classes
            .iter()
            .zip(11..)
            .map(|(class, position)| Recorded {
                position,
                class: *class,
                ..full()
            })
            .collect();
        let mut blocks = Block::build(&events);
        assert_eq!(blocks.len(), 1);
        blocks.remove(0)
    }

    fn selected(block: &Block, after: u64, most: usize) -> (Vec<u64>, u64) {
        let mut batch = Batch::default();
        let through = block.select(Format::Envelope, after, &mut Sieve::default(), most, &mut batch);
        let count = batch.events();
        let mut events = EventBatch::default();
        batch
            .pieces()
            .into_iter()
            .for_each(|piece| events.merge(piece).unwrap());
        assert_eq!(events.events.len(), count);
        (events.events.iter().map(|event| event.position).collect(), through)
    }

    #[test]
    fn what_is_not_open_data_passes_nobody_without_a_token() {
        use PrivacyClass::{Conf, Org, Pers, Public};
        let block = block(&[Public, Org, Public, Public, Pers, Conf]);
        assert_eq!(selected(&block, 10, usize::MAX), (vec![11, 13, 14], 16));
        assert_eq!(selected(&block, 13, usize::MAX), (vec![14], 16));
        assert_eq!(
            selected(&block, 10, 2),
            (vec![11, 13], 13),
            "the rest was not looked at"
        );
        assert_eq!(selected(&block, 14, 5), (vec![], 16));
    }

    #[test]
    fn a_block_of_open_data_is_taken_in_one_piece() {
        let block = block(&[PrivacyClass::Public; 6]);
        assert_eq!(selected(&block, 12, usize::MAX), (vec![13, 14, 15, 16], 16));
        assert_eq!(selected(&block, 12, 2), (vec![13, 14], 14));
        let mut batch = Batch::default();
        block.select(Format::Json, 10, &mut Sieve::default(), usize::MAX, &mut batch);
        let pieces = batch.pieces();
        assert_eq!(pieces.len(), 1);
        let text = format!("[{}]", std::str::from_utf8(&pieces[0]).unwrap().trim_end_matches(','));
        let events: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(events.len(), 6);
        assert_eq!(events[5]["position"], "16");
    }

    #[test]
    fn every_format_is_the_same_from_memory_as_from_the_log() {
        let event = Recorded {
            position: 11,
            class: PrivacyClass::Public,
            ..full()
        };
        let block = &Block::build(std::slice::from_ref(&event))[0];
        for format in [Format::Envelope, Format::CloudEvents, Format::Json, Format::ServerSent] {
            let mut batch = Batch::default();
            block.select(format, 0, &mut Sieve::default(), usize::MAX, &mut batch);
            let mut writer = Writer::new(format);
            writer.push(&Fields::of(&event));
            let (from_memory, from_the_log) = (batch.pieces().remove(0), writer.take());
            if format == Format::CloudEvents {
                let read = |bytes: Bytes| ryggrad_proto::cloudevents::v1::CloudEventBatch::decode(bytes).unwrap();
                assert_eq!(read(from_memory), read(from_the_log), "a map has no order");
            } else {
                assert_eq!(from_memory, from_the_log, "{format:?}");
            }
        }
    }
}
