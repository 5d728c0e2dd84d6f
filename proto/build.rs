//! Generates messages, services, REST routes and event payloads from the contracts under `ryggrad/`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost_reflect::DescriptorPool;
use prost_reflect::prost_types::FileDescriptorSet;
use rest_over_grpc::build::{DescriptorOptions, Generator, OpenApiInfo, ServiceDefinition};

#[path = "build/modules.rs"]
mod modules;
#[path = "build/payloads.rs"]
mod payloads;

/// Where the well-known types live that the contracts use.
const WELL_KNOWN: (&str, &str) = (".google.protobuf", "crate::wkt");
/// Where the CloudEvents format lives: outside of our own packages, whose first segment is no module.
const CLOUDEVENTS: (&str, &str) = (".io.cloudevents.v1", "crate::cloudevents::v1");

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script where to write by environment variables"
)]
fn main() -> Result<(), Box<dyn Error>> {
    for path in ["ryggrad", "google", "io", "build", "build.rs"] {
        println!("cargo:rerun-if-changed={path}");
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(contracts(Path::new("ryggrad"))?)?;
    let descriptors = compiler.encode_file_descriptor_set();
    fs::write(out.join("descriptors.bin"), &descriptors)?;
    let pool = DescriptorPool::decode(descriptors.as_slice())?;

    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names().bytes([".ryggrad.common.v1.Envelope.data"]);
    tonic_prost_build::configure()
        .compile_well_known_types(true)
        .codec_path("crate::codec::Codec")
        .extern_path(WELL_KNOWN.0, WELL_KNOWN.1)
        .extern_path(CLOUDEVENTS.0, CLOUDEVENTS.1)
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;
    cloudevents(compiler.file_descriptor_set())?;

    pbjson_build::Builder::new()
        .register_descriptors(&descriptors)?
        .extern_path(WELL_KNOWN.0, WELL_KNOWN.1)
        .extern_path(CLOUDEVENTS.0, CLOUDEVENTS.1)
        .build(&[".ryggrad", CLOUDEVENTS.0])?;

    let options = DescriptorOptions::new()
        .package(".ryggrad")
        .extern_path(WELL_KNOWN.0, WELL_KNOWN.1);
    for service in ServiceDefinition::from_fds(&descriptors, &options)? {
        rest(&out, service)?;
    }

    fs::write(out.join("payloads.rs"), payloads::generate(&pool))?;
    fs::write(out.join("modules.rs"), modules::generate(&pool))?;
    Ok(())
}

/// Writes the messages of the CloudEvents format by themselves: what is extern to a run is not written by it.
fn cloudevents(mut files: FileDescriptorSet) -> Result<(), Box<dyn Error>> {
    files.file.retain(|file| !file.package().starts_with("ryggrad"));
    let mut config = tonic_prost_build::Config::new();
    config
        .enable_type_names()
        .compile_well_known_types()
        .extern_path(WELL_KNOWN.0, WELL_KNOWN.1)
        .bytes([CLOUDEVENTS.0]);
    config.compile_fds(files)?;
    Ok(())
}

/// Every `.proto` file under a folder, sorted so that the output does not depend on the file system.
fn contracts(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(contracts(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Writes one service's REST trait, transcoder and OpenAPI document; a role mounts only those that it serves.
fn rest(out: &Path, service: ServiceDefinition) -> Result<(), Box<dyn Error>> {
    let stem = format!("{}.{}", service.module_name(), service.trait_name());
    let mut generator = Generator::builder()
        .emit_openapi_spec(Some(OpenApiInfo::new("Ryggrad", "v1")))
        .build();
    generator.add(service);
    let (transcoder, outputs) = generator.generate()?;
    for output in outputs {
        let bridge = output.tonic_bridge().map(ToString::to_string).unwrap_or_default();
        fs::write(
            out.join(format!("{stem}.rest.rs")),
            format!("{}\n{bridge}", output.service_trait()),
        )?;
        fs::write(
            out.join(format!("{stem}.openapi.json")),
            output.openapi_spec().unwrap_or("{}"),
        )?;
    }
    fs::write(out.join(format!("{stem}.transcoder.rs")), transcoder.to_string())?;
    Ok(())
}
