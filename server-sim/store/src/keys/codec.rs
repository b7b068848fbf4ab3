//! Building blocks of keys: each field's bytes sort as the field does and end by themselves.

/// The bytes are not a whole key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored key is damaged: {0}")]
pub struct KeyError(pub &'static str);

impl From<KeyError> for crate::StoreError {
    fn from(error: KeyError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// A zero byte inside a string; sorts after the terminator, so that a prefix sorts before what it begins.
const ZERO_ESCAPED: [u8; 2] = [0, 0xff];
const TERMINATOR: [u8; 2] = [0, 0];

/// Room for two UUIDs, a name and a number: most keys are made by one allocation.
const USUAL_BYTES: usize = 128;

/// Appends fields in key order.
pub struct Encoder(Vec<u8>);

impl Default for Encoder {
    fn default() -> Self {
        Self(Vec::with_capacity(USUAL_BYTES))
    }
}

impl Encoder {
    pub fn string(mut self, value: &str) -> Self {
        for (index, part) in value.as_bytes().split(|byte| *byte == 0).enumerate() {
            if index > 0 {
                self.0.extend(ZERO_ESCAPED);
            }
            self.0.extend_from_slice(part);
        }
        self.0.extend(TERMINATOR);
        self
    }

    pub fn byte(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    /// Flips the sign bit, so that negative numbers sort first.
    pub fn i64(mut self, value: i64) -> Self {
        self.0.extend((value ^ i64::MIN).to_be_bytes());
        self
    }

    pub fn done(self) -> Vec<u8> {
        self.0
    }
}

/// Reads fields back in the same order.
pub struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn string(&mut self) -> Result<String, KeyError> {
        let mut text = Vec::new();
        loop {
            let part = self.0.iter().position(|byte| *byte == 0).ok_or(KeyError("text has no end"))?;
            text.extend_from_slice(&self.0[..part]);
            match self.0[part..] {
                [0, 0xff, ref rest @ ..] => {
                    text.push(0);
                    self.0 = rest;
                }
                [0, 0, ref rest @ ..] => {
                    self.0 = rest;
                    return String::from_utf8(text).map_err(|_| KeyError("text is not UTF-8"));
                }
                _ => return Err(KeyError("a zero byte is neither escaped nor the end")),
            }
        }
    }

    pub fn byte(&mut self) -> Result<u8, KeyError> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u32(&mut self) -> Result<u32, KeyError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub fn i64(&mut self) -> Result<i64, KeyError> {
        Ok(i64::from_be_bytes(self.array()?) ^ i64::MIN)
    }

    /// Nothing may be left over.
    pub fn end(self) -> Result<(), KeyError> {
        if self.0.is_empty() { Ok(()) } else { Err(KeyError("bytes are left over")) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], KeyError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(KeyError("a number is cut off"))?;
        self.0 = rest;
        Ok(*head)
    }
}
