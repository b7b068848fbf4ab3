//! Generates the gRPC server traits and clients from the descriptor set that `temporalio-protos` publishes, so that no
//! `protoc` and no copy of Temporal's protos is needed. Messages are not generated again: `extern_path` points at theirs.
use prost::Message;

/// Services we serve. Everything else in the descriptor set (cloud, test server, core bindings) stays out of the build.
const PACKAGES_SERVED: [&str; 3] =
    ["temporal.api.workflowservice.v1", "temporal.api.operatorservice.v1", "grpc.health.v1"];

fn main() {
    let path = std::env::var("DEP_TEMPORALIO_PROTOS_DESCRIPTOR_PATH")
        .expect("temporalio-protos publishes its descriptor set with feature vendored-protox");
    println!("cargo:rerun-if-changed={path}");
    let bytes = std::fs::read(&path).expect("the descriptor set is readable");
    let mut descriptors = prost_types::FileDescriptorSet::decode(&bytes[..]).expect("the descriptor set decodes");
    for file in &mut descriptors.file {
        if !PACKAGES_SERVED.contains(&file.package()) {
            file.service.clear();
        }
        file.source_code_info = None;
    }
    tonic_prost_build::configure()
        .build_transport(false)
        .generate_default_stubs(true)
        .extern_path(".temporal", "::temporalio_protos::temporal")
        .extern_path(".coresdk", "::temporalio_protos::coresdk")
        .extern_path(".grpc", "::temporalio_protos::grpc")
        .extern_path(".google.rpc", "::temporalio_protos::google::rpc")
        .compile_fds(descriptors)
        .expect("the services generate");
}
