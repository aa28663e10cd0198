//! Go's `net.ParseCIDR`.
//!
//! An address, a slash, a prefix length. The address may have host bits (`198.51.100.17/24`), its
//! IPv4 octets no leading zeros, though the prefix length may have them (`10.0.0.0/024`). There is
//! no zone, no sign, no space and no dotted mask. Source: `src/net/ip.go` of Go 1.26.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network as Go reads it from `address/length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    /// The address as written, with its host bits. `::ffff:10.0.0.1` stays IPv6.
    pub address: IpAddr,
    /// The address with its host bits cleared.
    pub network: IpAddr,
    /// The prefix length: at most 32, or 128 for IPv6.
    pub prefix: u8,
}

impl Cidr {
    /// Whether every address of `other` is in this network. IPv4 and IPv6 networks never contain
    /// each other.
    pub fn contains(&self, other: &Self) -> bool {
        self.prefix <= other.prefix && masked(other.network, self.prefix) == self.network
    }

    /// Whether the two networks share an address.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other) || other.contains(self)
    }
}

/// Go can't read a text as a network. It displays as Go's own error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid CIDR address: {0}")]
pub struct CidrError(pub String);

/// Reads `address/length`.
///
/// # Errors
/// Whenever Go's `net.ParseCIDR` gives one.
pub fn parse(text: &str) -> Result<Cidr, CidrError> {
    let error = || CidrError(text.to_owned());
    let (address, length) = text.split_once('/').ok_or_else(error)?;
    // The standard library's parser is as strict as Go's, and knows no zones.
    let address: IpAddr = address.parse().map_err(|_| error())?;
    let prefix = prefix(length).ok_or_else(error)?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    if prefix > bits {
        return Err(error());
    }
    Ok(Cidr {
        address,
        network: masked(address, prefix),
        prefix,
    })
}

/// Decimal digits only, any number of leading zeros.
fn prefix(text: &str) -> Option<u8> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = text.trim_start_matches('0');
    if digits.is_empty() {
        Some(0)
    } else {
        digits.parse().ok()
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - prefix.min(32)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - prefix.min(128)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What Go 1.26 makes of each text: the network and the prefix length.
    const READ: &[(&str, &str, u8)] = &[
        ("10.0.0.0/8", "10.0.0.0", 8),
        ("198.51.100.17/24", "198.51.100.0", 24),
        ("10.0.0.0/024", "10.0.0.0", 24),
        ("10.0.0.0/0000000000000000000024", "10.0.0.0", 24),
        ("::ffff:10.0.0.1/120", "::ffff:10.0.0.0", 120),
        ("0.0.0.0/0", "0.0.0.0", 0),
        ("::/0", "::", 0),
        ("2001:db8::/32", "2001:db8::", 32),
        ("2001:db8::1/128", "2001:db8::1", 128),
        ("1:2:3:4:5:6:7:8/64", "1:2:3:4::", 64),
        ("1:2:3:4:5:6:7::/64", "1:2:3:4::", 64),
        ("::1.2.3.4/96", "::", 96),
        ("1:2:3:4:5:6:1.2.3.4/64", "1:2:3:4::", 64),
        ("0.0.0.0/32", "0.0.0.0", 32),
        ("255.255.255.255/31", "255.255.255.254", 31),
        ("FE80::A/10", "fe80::", 10),
    ];

    /// What Go 1.26 refuses.
    const REFUSED: &[&str] = &[
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/ 8",
        " 10.0.0.0/8",
        "10.0.0.0/8 ",
        "10.0.0.0/8\n",
        "010.0.0.0/8",
        "10.0.0/8",
        "10/8",
        "10.0.0.0",
        "10.0.0.0/",
        "/8",
        "",
        "10.0.0.0/255.0.0.0",
        "256.0.0.0/8",
        "2001:db8::1/129",
        "fe80::1%eth0/64",
        "1:2:3:4:5:6:7::8/64",
        "::1:2:3:4:5:6:7:8/64",
        "12345::/16",
        "1::2::3/64",
        "::ffff:010.0.0.1/120",
        "1.2.3.4::/64",
        "not-a-cidr",
        "10.0.0.0/8/8",
        "10.0.0.0/8x",
        "10.0.0.0/0x8",
        "10.0.0.0/16777216",
        "10.0.0.0/99999999999999999999999",
        "[::1]/64",
        "1.2.3.4./8",
        ":1/64",
        "1:/64",
        "0.0.0.00/8",
        "00000::/16",
        "\u{663}.0.0.0/8",
    ];

    #[test]
    fn reads_what_go_reads() {
        for (text, network, prefix) in READ {
            let read = parse(text).map(|cidr| (cidr.network.to_string(), cidr.prefix));
            assert_eq!(read, Ok(((*network).to_owned(), *prefix)), "{text:?}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in REFUSED {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert_eq!(
            parse("10.0.0.0").unwrap_err().to_string(),
            "invalid CIDR address: 10.0.0.0"
        );
    }

    #[test]
    fn compares_networks() {
        let cidr = |text| parse(text).unwrap();
        assert!(cidr("10.0.0.0/8").contains(&cidr("10.1.2.3/16")));
        assert!(!cidr("10.1.0.0/16").contains(&cidr("10.0.0.0/8")));
        assert!(cidr("10.1.0.0/16").overlaps(&cidr("10.0.0.0/8")));
        assert!(!cidr("10.1.0.0/16").overlaps(&cidr("10.2.0.0/16")));
        assert!(!cidr("0.0.0.0/0").overlaps(&cidr("::/0")));
        assert!(cidr("::/0").contains(&cidr("::ffff:10.0.0.1/120")));
    }

    proptest! {
        #[test]
        fn never_panics(text in ".*") {
            let _ = parse(&text);
        }

        #[test]
        fn the_network_contains_the_address(bits in any::<u32>(), prefix in 0_u8..=32) {
            let cidr = parse(&format!("{}/{prefix}", Ipv4Addr::from_bits(bits))).unwrap();
            prop_assert_eq!(cidr.address, IpAddr::V4(Ipv4Addr::from_bits(bits)));
            prop_assert_eq!(parse(&format!("{}/{prefix}", cidr.network)).unwrap().network, cidr.network);
        }
    }
}
