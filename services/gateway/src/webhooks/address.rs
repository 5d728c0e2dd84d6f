//! Which addresses are called: those of the public internet, and private ones only when the operator says so.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An address that is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{address} is not called: {why}")]
pub(crate) struct Refused {
    /// The address.
    pub(crate) address: IpAddr,
    /// What it is.
    pub(crate) why: &'static str,
}

/// A block of addresses that is not the public internet.
struct Block {
    /// Its first address, as IPv6; IPv4 is mapped.
    first: u128,
    /// Bits that its addresses have in common.
    bits: u32,
    what: &'static str,
    /// Whether an operator can open it.
    private: bool,
}

/// First bits of an IPv4 address that is written as IPv6.
const MAPPED: u128 = 0xffff_0000_0000;

const fn v4(octets: [u8; 4], bits: u32, what: &'static str, private: bool) -> Block {
    Block {
        first: MAPPED | u32::from_be_bytes(octets) as u128,
        bits: 96 + bits,
        what,
        private,
    }
}

const fn v6(segments: [u16; 3], bits: u32, what: &'static str, private: bool) -> Block {
    let [a, b, c] = segments;
    Block {
        first: (a as u128) << 112 | (b as u128) << 96 | (c as u128) << 80,
        bits,
        what,
        private,
    }
}

/// IANA's special-purpose registries (RFC 6890 and its successors), and where clouds keep their machines' secrets. The
/// first block that has an address says what it is.
const BLOCKS: &[Block] = &[
    v4([169, 254, 0, 0], 16, "link-local, where cloud metadata is", false),
    v4([168, 63, 129, 16], 32, "cloud metadata", false),
    v4([100, 100, 100, 200], 32, "cloud metadata", false),
    v6([0xfd00, 0x0ec2, 0], 96, "cloud metadata", false),
    v4([0, 0, 0, 0], 8, "this network", false),
    v4([127, 0, 0, 0], 8, "loopback", true),
    v4([10, 0, 0, 0], 8, "a private network", true),
    v4([172, 16, 0, 0], 12, "a private network", true),
    v4([192, 168, 0, 0], 16, "a private network", true),
    v4([100, 64, 0, 0], 10, "a carrier's private network", true),
    v4([192, 0, 0, 0], 24, "for protocols", false),
    v4([192, 0, 2, 0], 24, "for documentation", false),
    v4([192, 88, 99, 0], 24, "for relays", false),
    v4([198, 18, 0, 0], 15, "for measurements", false),
    v4([198, 51, 100, 0], 24, "for documentation", false),
    v4([203, 0, 113, 0], 24, "for documentation", false),
    v4([224, 0, 0, 0], 4, "multicast", false),
    v4([240, 0, 0, 0], 4, "reserved or broadcast", false),
    v6([0xfe80, 0, 0], 10, "link-local", false),
    v6([0xfec0, 0, 0], 10, "site-local", false),
    v6([0xfc00, 0, 0], 7, "a private network", true),
    v6([0xff00, 0, 0], 8, "multicast", false),
    v6([0x2001, 0, 0], 23, "for protocols", false),
    v6([0x2001, 0x0db8, 0], 32, "for documentation", false),
    v6([0x3fff, 0, 0], 20, "for documentation", false),
    v6([0x5f00, 0, 0], 16, "for segment routing", false),
    v6([0x0100, 0, 0], 64, "for discarding", false),
    v6([0x0064, 0xff9b, 1], 48, "a private translation", false),
    // ::ffff:0:0:0/96 (RFC 2765): what a stateless translator of one's own network makes of it is anybody's guess.
    Block {
        first: 0xffff_0000_0000_0000,
        bits: 96,
        what: "a private translation",
        private: false,
    },
];

/// Refuses an address that is not to be called.
pub(crate) fn check(address: IpAddr, allow_private: bool) -> Result<(), Refused> {
    let number = u128::from(as_v6(address));
    let refused = |why| Err(Refused { address, why });
    for block in BLOCKS {
        if (number ^ block.first) >> (128 - block.bits) == 0 {
            return if allow_private && block.private {
                Ok(())
            } else {
                refused(block.what)
            };
        }
    }
    let IpAddr::V6(v6) = address else { return Ok(()) };
    // What stands for an IPv4 address is as good as that address.
    match embedded(v6) {
        Some(v4) => check(IpAddr::V4(v4), allow_private).map_err(|Refused { why, .. }| Refused { address, why }),
        None if v6.is_loopback() && allow_private => Ok(()),
        None if v6.is_loopback() => refused("loopback"),
        // ::/96 has nothing else that anybody could be at.
        None if number >> 32 == 0 => refused("reserved"),
        None => Ok(()),
    }
}

/// The addresses of a name, when all of them may be called: one that may not is reason to distrust the others.
pub(crate) fn check_all(addresses: &[SocketAddr], allow_private: bool) -> Result<(), Refused> {
    addresses
        .iter()
        .try_for_each(|address| check(address.ip(), allow_private))
}

fn as_v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

/// The IPv4 address in one that translates (64:ff9b::/96) or tunnels (2002::/16) to it.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = u128::from(address);
    let low = |bits: u128| u32::try_from(bits & 0xffff_ffff).ok().map(Ipv4Addr::from);
    match address.segments() {
        [0x0064, 0xff9b, 0, 0, 0, 0, ..] => low(bits),
        [0x2002, ..] => low(bits >> 80),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(address: &str, allow_private: bool) -> bool {
        check(address.parse().expect(address), allow_private).is_ok()
    }

    #[test]
    fn the_public_internet_is_called() {
        for address in [
            "8.8.8.8",
            "193.75.75.75",
            "2a02:c0::1",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(allowed(address, false), "{address}");
        }
    }

    #[test]
    fn what_is_private_is_called_only_when_the_operator_says_so() {
        let private = [
            "127.0.0.1",
            "127.255.0.9",
            "::1",
            "::ffff:127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "fd12:3456::1",
            "::ffff:10.1.2.3",
            "64:ff9b::a00:1",
        ];
        for address in private {
            assert!(!allowed(address, false), "{address}");
            assert!(allowed(address, true), "{address}");
        }
    }

    #[test]
    fn some_addresses_are_never_called() {
        let never = [
            "0.0.0.0",
            "::",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "198.18.0.1",
            "203.0.113.7",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "100::1",
            "::7f00:1",
            "64:ff9b:1::1",
            "::ffff:0:7f00:1",
            "::ffff:0:808:808",
        ];
        for address in never {
            assert!(!allowed(address, false), "{address}");
            assert!(!allowed(address, true), "{address}");
        }
    }

    #[test]
    fn one_bad_address_spoils_the_name() {
        let addresses = ["8.8.8.8:443", "10.0.0.1:443"].map(|address| address.parse().expect("an address"));
        assert!(check_all(&addresses, false).is_err());
        assert!(check_all(&addresses[..1], false).is_ok());
    }
}
