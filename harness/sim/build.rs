//! Hands the descriptors of Temporal's messages on, for their JSON.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let path = std::env::var("DEP_TEMPORALIO_PROTOS_DESCRIPTOR_PATH")
        .expect("temporalio-protos, a direct dependency, tells where its descriptors are");
    println!("cargo:rustc-env=TEMPORAL_DESCRIPTORS={path}");
    println!("cargo:rerun-if-changed={path}");
}
