//! What an address looks like.

/// Whether `address` is `host:port`, with brackets around an IPv6 host. Whether there is such a host is not asked.
///
/// # Errors
/// What is wrong with it, to follow the name of the field that has it: `address is ...`.
pub fn check_address(address: &str) -> Result<(), BadAddress> {
    let bad = |problem: &str| Err(BadAddress::new(address, problem));
    let (host, port) = match address.rsplit_once(':') {
        Some(parts) if !address.ends_with(']') => parts,
        _ => return bad("has no port"),
    };
    if address.contains('/') {
        return bad("is a URL or a path");
    }
    if host.is_empty() {
        return bad("has no host");
    }
    if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) {
        return bad("has an IPv6 host without brackets");
    }
    match port.parse::<u16>() {
        Ok(_) => Ok(()),
        Err(_) => bad("has a port that is no number from 0 to 65535"),
    }
}

/// What is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address:?}, which {problem}: write HOST:PORT, like 127.0.0.1:7233")]
pub struct BadAddress {
    address: String,
    problem: String,
}

impl BadAddress {
    pub(super) fn new(address: &str, problem: impl Into<String>) -> Self {
        Self { address: address.to_owned(), problem: problem.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for good in ["127.0.0.1:7233", "localhost:0", "server-1.internal:65535", "[::1]:7233"] {
            assert_eq!(check_address(good), Ok(()), "{good}");
        }
        for (wrong, problem) in [
            ("", "has no port"),
            ("localhost", "has no port"),
            ("[::1]", "has no port"),
            (":7233", "has no host"),
            ("::1:7233", "has an IPv6 host without brackets"),
            ("localhost:grpc", "has a port that is no number from 0 to 65535"),
            ("localhost:65536", "has a port that is no number from 0 to 65535"),
            ("http://localhost:7233", "is a URL or a path"),
        ] {
            let said = check_address(wrong).err().map(|error| error.to_string());
            let fix = format!("{wrong:?}, which {problem}: write HOST:PORT, like 127.0.0.1:7233");
            assert_eq!(said, Some(fix));
        }
    }
}
