//! HTTP/2 by the byte, as no honest client would send it.

/// A frame.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame's length");
    let mut bytes = length.to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// What a client begins with, and its settings.
pub(super) fn preface(settings: &[u8]) -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, settings));
    bytes
}

/// The head of a GET, compressed by nothing but the static table.
pub(super) fn head(path: &[u8]) -> Vec<u8> {
    // :method GET, :scheme http, :authority test, :path …
    let mut bytes = vec![0x82, 0x86, 0x01, 4];
    bytes.extend(b"test");
    bytes.extend([0x04, u8::try_from(path.len()).expect("a short path")]);
    bytes.extend(path);
    bytes
}

/// A whole GET.
pub(super) fn get(bytes: &mut Vec<u8>, stream: u32, path: &[u8]) {
    bytes.extend(frame(1, 5, stream, &head(path)));
}

/// What the server says: streams that it refuses, and whether it has had enough.
#[derive(Debug, Default)]
pub(super) struct Frames {
    rest: Vec<u8>,
    pub(super) refused: usize,
    pub(super) goaway: bool,
}

// === impl Frames ===

impl Frames {
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.rest.extend(bytes);
        while let Some(&[a, b, c, kind, ..]) = self.rest.get(..9) {
            let whole = 9 + u32::from_be_bytes([0, a, b, c]) as usize;
            if self.rest.len() < whole {
                return;
            }
            self.refused += usize::from(kind == 3);
            self.goaway |= kind == 7;
            self.rest.drain(..whole);
        }
    }
}
