//! Generates the gRPC server traits and clients from the descriptor set that `temporalio-protos` publishes, so that no
//! `protoc` and no copy of Temporal's protos is needed. Messages are not generated again: `extern_path` points at theirs.
use prost::Message;
use prost_types::ServiceDescriptorProto;
use std::fmt::Write;
use std::path::Path;

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
    let out = std::env::var("OUT_DIR").expect("cargo sets it");
    std::fs::write(Path::new(&out).join("rpcs.rs"), rpcs(&descriptors)).expect("the output directory is writable");
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

/// Temporal's services as types: one module per service, one type per RPC.
fn rpcs(descriptors: &prost_types::FileDescriptorSet) -> String {
    let mut code = String::new();
    for file in descriptors.file.iter().filter(|file| file.package().starts_with("temporal.")) {
        for service in &file.service {
            write_service(&mut code, service);
        }
    }
    code
}

fn write_service(code: &mut String, service: &ServiceDescriptorProto) {
    let module = snake(service.name());
    let mut methods = String::new();
    let mut names = String::new();
    writeln!(code, "/// The RPCs of {}.\npub mod {module} {{", service.name()).expect("a string grows");
    for rpc in &service.method {
        let (name, request, response) = (rpc.name(), path_of(rpc.input_type()), path_of(rpc.output_type()));
        writeln!(
            code,
            "    pub struct {name};\n    impl super::Rpc for {name} {{\n        const NAME: &'static str = {name:?};\n        \
             type Request = {request};\n        type Response = {response};\n    }}",
        )
        .expect("a string grows");
        write!(methods, "{name} {}; ", snake(name)).expect("a string grows");
        write!(names, "{name:?}, ").expect("a string grows");
    }
    writeln!(
        code,
        "    /// As the descriptor lists them.\n    pub const NAMES: &[&str] = &[{names}];\n}}\n\
         /// Hands each RPC of {} to a macro, as `Rpc method;`.\n\
         #[macro_export]\nmacro_rules! {module}_methods {{\n    ($with:ident) => {{ $with! {{ {methods} }} }};\n}}",
        service.name(),
    )
    .expect("a string grows");
}

fn path_of(message: &str) -> String {
    format!("::temporalio_protos{}", message.replace('.', "::"))
}

/// As tonic names methods.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}
