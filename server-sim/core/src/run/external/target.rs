//! How a command names the run that it means.

/// Empty, or a UUID in its usual form.
pub(crate) fn is_run_id(text: &str) -> bool {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    const LENGTH: usize = 36;
    let fits = |(at, byte): (usize, u8)| if DASHES.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() };
    text.is_empty() || (text.len() == LENGTH && text.bytes().enumerate().all(fits))
}
