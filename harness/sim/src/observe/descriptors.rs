//! The descriptors of Temporal's messages.
use prost_reflect::DescriptorPool;
use std::sync::LazyLock;

pub(super) static DESCRIPTORS: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(include_bytes!(env!("TEMPORAL_DESCRIPTORS")).as_slice())
        .expect("the descriptors that the messages were generated from are well formed")
});
