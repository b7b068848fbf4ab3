//! `#[serde(with = "crate::wire")]` for Temporal's messages inside our records: they are stored as the bytes that
//! protobuf gives them, so that a stored record ages as well as the wire does.
use prost::Message;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("protobuf bytes")
            }
            fn visit_bytes<E: Error>(self, v: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(v.to_vec()))
            }
            fn visit_byte_buf<E: Error>(self, v: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(v))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Bytes, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

pub fn serialize<M: Message, S: Serializer>(message: &M, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(&message.encode_to_vec())
}

pub fn deserialize<'de, M: Message + Default, D: Deserializer<'de>>(deserializer: D) -> Result<M, D::Error> {
    M::decode(Bytes::deserialize(deserializer)?.0.as_slice()).map_err(D::Error::custom)
}

/// The same for `Option<Message>`; absent and empty stay apart.
pub mod option {
    use super::Bytes;
    use prost::Message;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    struct Raw<'a>(&'a [u8]);
    impl serde::Serialize for Raw<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0)
        }
    }

    pub fn serialize<M: Message, S: Serializer>(message: &Option<M>, serializer: S) -> Result<S::Ok, S::Error> {
        match message {
            Some(message) => serializer.serialize_some(&Raw(&message.encode_to_vec())),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, M: Message + Default, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<M>, D::Error> {
        Option::<Bytes>::deserialize(deserializer)?
            .map(|bytes| M::decode(bytes.0.as_slice()).map_err(D::Error::custom))
            .transpose()
    }
}

/// The same for `Vec<Message>`.
pub mod list {
    use super::Bytes;
    use prost::Message;
    use serde::{Deserialize, Deserializer, Serializer, de::Error, ser::SerializeSeq};

    pub fn serialize<M: Message, S: Serializer>(messages: &[M], serializer: S) -> Result<S::Ok, S::Error> {
        struct Raw(Vec<u8>);
        impl serde::Serialize for Raw {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&self.0)
            }
        }
        let mut seq = serializer.serialize_seq(Some(messages.len()))?;
        for message in messages {
            seq.serialize_element(&Raw(message.encode_to_vec()))?;
        }
        seq.end()
    }

    pub fn deserialize<'de, M: Message + Default, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<M>, D::Error> {
        Vec::<Bytes>::deserialize(deserializer)?
            .into_iter()
            .map(|bytes| M::decode(bytes.0.as_slice()).map_err(D::Error::custom))
            .collect()
    }
}

/// The same for `Arc<Message>`: large attributes are shared between copies of a state.
pub mod shared {
    use crate::CopyOnWrite;
    use prost::Message;
    use serde::{Deserializer, Serializer};
    use std::sync::Arc;

    pub fn serialize<M: Message, S: Serializer>(message: &Arc<M>, serializer: S) -> Result<S::Ok, S::Error> {
        super::serialize(message.as_ref(), serializer)
    }

    pub fn deserialize<'de, M: Message + Default, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<M>, D::Error> {
        super::deserialize(deserializer).map(Arc::new)
    }

    macro_rules! copy_on_write {
        ($module:ident, $value:ty) => {
            /// The same for what copies of a state share.
            pub mod $module {
                use super::*;

                pub fn serialize<M: Message, S: Serializer>(
                    value: &CopyOnWrite<$value>,
                    serializer: S,
                ) -> Result<S::Ok, S::Error> {
                    crate::wire::$module::serialize(value, serializer)
                }

                pub fn deserialize<'de, M: Message + Default, D: Deserializer<'de>>(
                    deserializer: D,
                ) -> Result<CopyOnWrite<$value>, D::Error> {
                    crate::wire::$module::deserialize(deserializer).map(CopyOnWrite::from)
                }
            }
        };
    }
    copy_on_write!(option, Option<M>);
    copy_on_write!(map, std::collections::BTreeMap<String, M>);
}

/// The same for `BTreeMap<String, Message>`.
pub mod map {
    use super::Bytes;
    use prost::Message;
    use serde::{Deserialize, Deserializer, Serializer, de::Error, ser::SerializeMap};
    use std::collections::BTreeMap;

    pub fn serialize<M: Message, S: Serializer>(
        messages: &BTreeMap<String, M>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        struct Raw(Vec<u8>);
        impl serde::Serialize for Raw {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&self.0)
            }
        }
        let mut map = serializer.serialize_map(Some(messages.len()))?;
        for (key, message) in messages {
            map.serialize_entry(key, &Raw(message.encode_to_vec()))?;
        }
        map.end()
    }

    pub fn deserialize<'de, M: Message + Default, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, M>, D::Error> {
        BTreeMap::<String, Bytes>::deserialize(deserializer)?
            .into_iter()
            .map(|(key, bytes)| Ok((key, M::decode(bytes.0.as_slice()).map_err(D::Error::custom)?)))
            .collect()
    }
}

/// Temporal's enums as the numbers they are on the wire.
pub mod number {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub fn serialize<T: Into<i32> + Copy, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        (*value).into().serialize(serializer)
    }

    pub fn deserialize<'de, T: TryFrom<i32>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let number = i32::deserialize(deserializer)?;
        T::try_from(number).map_err(|_| D::Error::custom(format!("{number} is no value of this enum")))
    }
}
