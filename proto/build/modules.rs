//! The tree of Rust modules, one for each proto package.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use heck::ToSnakeCase;
use prost_reflect::{DescriptorPool, ServiceDescriptor};

#[derive(Default)]
struct Node {
    children: BTreeMap<String, Node>,
    package: Option<String>,
}

/// First segments of the packages that become modules: ours, and that of the CloudEvents format.
const ROOTS: [&str; 2] = ["ryggrad.", "io."];

/// Writes `pub mod <context> { pub mod v1 { … } }` for every package of ours, and `cloudevents`.
pub(crate) fn generate(pool: &DescriptorPool) -> String {
    let mut root = Node::default();
    let ours = |package: &str| ROOTS.iter().any(|root| package.starts_with(root));
    for file in pool.files().filter(|file| ours(file.package_name())) {
        let mut node = &mut root;
        for segment in file.package_name().split('.').skip(1) {
            node = node.children.entry(segment.to_owned()).or_default();
        }
        node.package = Some(file.package_name().to_owned());
    }
    let mut code = String::new();
    for (name, node) in &root.children {
        module(&mut code, pool, name, node);
    }
    code
}

fn module(code: &mut String, pool: &DescriptorPool, name: &str, node: &Node) {
    match &node.package {
        Some(package) => writeln!(code, "/// The package `{package}`.\n#[allow(missing_docs, unreachable_pub, unused_imports, clippy::all, clippy::pedantic, rustdoc::all)]"),
        None => writeln!(code, "/// The contracts of the context `{name}`."),
    }
    .expect("writing to a string cannot fail");
    push(code, &format!("pub mod {name} {{"));
    if let Some(package) = &node.package {
        include(code, &format!("{package}.rs"));
        include(code, &format!("{package}.serde.rs"));
        for service in pool
            .services()
            .filter(|service| service.package_name() == package && annotated(service))
        {
            rest(code, &service);
        }
    }
    for (name, node) in &node.children {
        module(code, pool, name, node);
    }
    push(code, "}");
}

/// The REST side of one service, in a module of its own beside tonic's `…_server`.
fn rest(code: &mut String, service: &ServiceDescriptor) {
    let (package, name) = (service.package_name(), service.name());
    let (stem, snake) = (format!("{package}.{name}"), name.to_snake_case());
    include(code, &format!("{stem}.rest.rs"));
    let bridge = format!("super::__rest_over_grpc_bridge_{name}::{name}RestBridge");
    push(
        code,
        &format!("/// REST routes of the service `{stem}`.\npub mod {snake}_rest {{"),
    );
    push(code, "#[allow(unused_imports)]\nuse crate as ryggrad;");
    include(code, &format!("{stem}.transcoder.rs"));
    push(code, "/// OpenAPI 3.1 document of the routes.");
    push(
        code,
        &format!("pub const OPENAPI: &str = include_str!(concat!(env!(\"OUT_DIR\"), \"/{stem}.openapi.json\"));"),
    );
    push(
        code,
        "/// Serves the routes by the gRPC implementation; who may call is decided before both.",
    );
    push(
        code,
        &format!(
            "pub fn routes<T: super::{snake}_server::{name}>(service: T) -> crate::rest::Routes {{\n\
             fn open(_: &::tonic::metadata::MetadataMap) -> ::core::result::Result<(), ::tonic::Status> {{ Ok(()) }}\n\
             let transcoder = Transcoder::new({bridge}::with_guard(service, open));\n\
             crate::rest::Routes::new(transcoder, |method, path| Route::resolve(method, path).is_some(), OPENAPI)\n}}\n}}"
        ),
    );
}

fn annotated(service: &ServiceDescriptor) -> bool {
    service.methods().any(|method| {
        method
            .options()
            .extensions()
            .any(|(extension, _)| extension.full_name() == "google.api.http")
    })
}

fn include(code: &mut String, file: &str) {
    push(code, &format!("include!(concat!(env!(\"OUT_DIR\"), \"/{file}\"));"));
}

fn push(code: &mut String, line: &str) {
    code.push_str(line);
    code.push('\n');
}
