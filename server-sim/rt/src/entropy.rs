//! Randomness: the operating system's, which a simulation seeds.

/// A random UUID (version 4) in its usual text form.
#[allow(clippy::disallowed_methods)] // this is the door
pub fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A uniformly random number.
#[allow(clippy::disallowed_methods)] // this is the door
pub fn u64() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0 ^ uuid::Uuid::new_v4().as_u64_pair().1.rotate_left(17)
}
