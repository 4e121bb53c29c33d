//! Which crate may depend on which, read from `cargo metadata`.
//!
//! The same check runs on stored metadata with one wrong arrow each, so that it is known to find them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Edition, Metadata, MetadataCommand, PackageId};

/// What each package of the workspace may link of the others.
const ARROWS: &[(&str, &[&str])] = &[
    ("ledger-crypto", &[]),
    ("ledger-merkle", &["ledger-crypto"]),
    ("ledger-core", &["ledger-crypto", "ledger-merkle"]),
    ("ledger-proto", &[]),
    ("ledger-engine", &["ledger-core", "ledger-crypto", "ledger-merkle"]),
    ("ledger-client", &["ledger-core", "ledger-crypto", "ledger-merkle", "ledger-proto"]),
    ("ledger-server", &["ledger-core", "ledger-crypto", "ledger-engine", "ledger-merkle", "ledger-proto"]),
    (
        "ledger",
        &["ledger-client", "ledger-core", "ledger-crypto", "ledger-engine", "ledger-merkle", "ledger-proto"],
    ),
    ("ledger-verify", &["ledger-core", "ledger-crypto", "ledger-merkle"]),
    (
        PROPERTY_TESTS,
        &[
            "ledger",
            "ledger-client",
            "ledger-core",
            "ledger-crypto",
            "ledger-engine",
            "ledger-merkle",
            "ledger-proto",
            "ledger-server",
            "ledger-verify",
        ],
    ),
];

/// Depended on by nothing, not even for tests.
const PROPERTY_TESTS: &str = "ledger-property-tests";

/// Packages that a crate must not reach, however far away, other than for its tests.
const UNREACHABLE: &[(&str, &[&str])] = &[
    ("ledger-crypto", &["tokio", "tonic", "prost", "rocksdb"]),
    ("ledger-merkle", &["tokio", "tonic", "prost", "rocksdb"]),
    ("ledger-core", &["tokio", "tonic", "prost", "rocksdb"]),
    ("ledger-proto", &["rocksdb"]),
    ("ledger-engine", &["tonic", "prost"]),
    ("ledger-client", &["rocksdb"]),
    ("ledger-verify", &["tokio", "tonic", "prost", "rocksdb"]),
];

/// Dependencies that one crate owns: the others use what it makes of them.
const OWNED: &[(&str, &str)] = &[
    ("ed25519-dalek", "ledger-crypto"),
    ("rs_merkle", "ledger-merkle"),
    ("rust_decimal", "ledger-core"),
    ("rocksdb", "ledger-engine"),
];

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Violation {
    /// A package of the workspace that `ARROWS` does not know.
    Unlisted {
        package: String,
    },
    /// A package with the name of Rust's own crate, which it would shadow.
    ShadowsCore,
    WrongArrow {
        from: String,
        to: String,
    },
    Reaches {
        from: String,
        to: String,
    },
    NotOwner {
        from: String,
        dependency: String,
    },
}

#[test]
fn arrows_of_the_workspace_point_the_right_way() {
    assert_eq!(violations(&workspace_metadata()), []);
}

#[test]
fn stored_metadata_without_a_wrong_arrow_passes() {
    assert_eq!(violations(&stored("right")), []);
}

#[test]
fn each_wrong_arrow_in_stored_metadata_is_found() {
    let arrow = |from: &str, to: &str| Violation::WrongArrow { from: from.into(), to: to.into() };
    let reaches = |from: &str, to: &str| Violation::Reaches { from: from.into(), to: to.into() };
    let not_owner = |from: &str, dependency: &str| Violation::NotOwner {
        from: from.into(),
        dependency: dependency.into(),
    };
    let expected = [
        ("client-engine", vec![arrow("ledger-client", "ledger-engine"), reaches("ledger-client", "rocksdb")]),
        (
            "core-engine-back",
            vec![
                arrow("ledger-core", "ledger-engine"),
                reaches("ledger-core", "rocksdb"),
                reaches("ledger-core", "tokio"),
                reaches("ledger-client", "rocksdb"),
                reaches("ledger-verify", "rocksdb"),
                reaches("ledger-verify", "tokio"),
            ],
        ),
        ("core-tokio-indirect", vec![reaches("ledger-core", "tokio"), reaches("ledger-verify", "tokio")]),
        (
            "core-prost-build",
            vec![
                reaches("ledger-core", "prost"),
                reaches("ledger-engine", "prost"),
                reaches("ledger-verify", "prost"),
            ],
        ),
        ("crypto-merkle", vec![arrow("ledger-crypto", "ledger-merkle")]),
        (
            "engine-proto",
            vec![
                arrow("ledger-engine", "ledger-proto"),
                reaches("ledger-engine", "prost"),
                reaches("ledger-engine", "tonic"),
            ],
        ),
        ("merkle-core", vec![arrow("ledger-merkle", "ledger-core")]),
        ("proto-core", vec![arrow("ledger-proto", "ledger-core")]),
        (
            "verify-proto",
            vec![
                arrow("ledger-verify", "ledger-proto"),
                reaches("ledger-verify", "prost"),
                reaches("ledger-verify", "tokio"),
                reaches("ledger-verify", "tonic"),
            ],
        ),
        ("verify-tokio", vec![reaches("ledger-verify", "tokio")]),
        ("server-client", vec![arrow("ledger-server", "ledger-client")]),
        ("cli-server", vec![arrow("ledger", "ledger-server")]),
        ("cli-rocksdb", vec![not_owner("ledger", "rocksdb")]),
        ("engine-rust-decimal", vec![not_owner("ledger-engine", "rust_decimal")]),
        ("core-rs-merkle", vec![not_owner("ledger-core", "rs_merkle")]),
        ("verify-dalek", vec![not_owner("ledger-verify", "ed25519-dalek")]),
        ("server-property-tests-dev", vec![arrow("ledger-server", PROPERTY_TESTS)]),
        ("unlisted", vec![Violation::Unlisted { package: "ledger-extra".into() }]),
        ("named-core", vec![Violation::ShadowsCore, Violation::Unlisted { package: "core".into() }]),
    ];
    for (name, wanted) in expected {
        let found: BTreeSet<_> = violations(&stored(name)).into_iter().collect();
        assert_eq!(found, wanted.into_iter().collect(), "{name}.json");
    }
}

#[test]
fn every_package_forbids_unsafe_code_and_has_one_edition_and_licence() {
    let workspace = manifest(&root().join("Cargo.toml"));
    let level = workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str();
    assert_eq!(level, Some("forbid"), "unsafe_code in the lints of the workspace");
    let metadata = workspace_metadata();
    for package in metadata.workspace_packages() {
        assert_eq!(package.edition, Edition::E2024, "{}", package.name);
        assert_eq!(package.license.as_deref(), Some("Apache-2.0"), "{}", package.name);
        let manifest = manifest(package.manifest_path.as_std_path());
        let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        assert_eq!(inherits, Some(&toml::Value::Boolean(true)), "[lints] of {}", package.name);
    }
}

#[test]
fn rules_and_bytes_carry_the_strict_lints() {
    const STRICT: [&str; 6] = [
        "float_arithmetic",
        "unwrap_used",
        "expect_used",
        "indexing_slicing",
        "iter_over_hash_type",
        "disallowed_methods",
    ];
    for folder in ["core", "crypto", "merkle"] {
        let text = std::fs::read_to_string(root().join(folder).join("src/lib.rs")).unwrap();
        let (_, rest) = text.split_once("#![deny(").unwrap_or_else(|| panic!("{folder}: no #![deny(…)]"));
        let (denied, _) = rest.split_once(")]").unwrap();
        let denied: BTreeSet<&str> = denied.split(',').map(str::trim).collect();
        for lint in STRICT {
            assert!(denied.contains(format!("clippy::{lint}").as_str()), "{folder}: {lint} is not denied");
        }
    }
    let clippy = std::fs::read_to_string(root().join("clippy.toml")).unwrap();
    for clock in ["std::time::SystemTime::now", "std::time::Instant::now"] {
        assert!(clippy.contains(clock), "clippy.toml does not disallow {clock}");
    }
}

fn violations(metadata: &Metadata) -> Vec<Violation> {
    let graph = Graph::new(metadata);
    let mut found = Vec::new();
    for package in metadata.workspace_packages() {
        if package.name.as_str() == "core" {
            found.push(Violation::ShadowsCore);
        }
        if allowed(&package.name).is_none() {
            found.push(Violation::Unlisted { package: package.name.to_string() });
        }
    }
    for package in metadata.workspace_packages() {
        found.extend(wrong_arrows(&graph, &package.id));
        found.extend(unreachable_reached(&graph, &package.id));
        found.extend(owned_used(&graph, &package.id));
    }
    found
}

fn wrong_arrows(graph: &Graph<'_>, from: &PackageId) -> Vec<Violation> {
    let name = graph.names[from];
    let Some(allowed) = allowed(name) else { return Vec::new() };
    graph
        .edges(from)
        .filter(|edge| graph.members.contains(edge.to) && edge.to != from)
        .filter(|edge| {
            let to = graph.names[edge.to];
            to == PROPERTY_TESTS || (edge.linked && !allowed.contains(&to))
        })
        .map(|edge| Violation::WrongArrow { from: name.into(), to: graph.names[edge.to].into() })
        .collect()
}

fn unreachable_reached(graph: &Graph<'_>, from: &PackageId) -> Vec<Violation> {
    let name = graph.names[from];
    let forbidden = UNREACHABLE.iter().filter(|(package, _)| *package == name).flat_map(|(_, list)| *list);
    let reached = graph.reached(from);
    forbidden
        .filter(|package| reached.contains(*package))
        .map(|package| Violation::Reaches { from: name.into(), to: (*package).into() })
        .collect()
}

fn owned_used(graph: &Graph<'_>, from: &PackageId) -> Vec<Violation> {
    let name = graph.names[from];
    if name == PROPERTY_TESTS {
        return Vec::new();
    }
    graph
        .edges(from)
        .filter(|edge| edge.linked)
        .filter(|edge| OWNED.iter().any(|(owned, owner)| *owned == graph.names[edge.to] && *owner != name))
        .map(|edge| Violation::NotOwner { from: name.into(), dependency: graph.names[edge.to].into() })
        .collect()
}

fn allowed(package: &str) -> Option<&'static [&'static str]> {
    ARROWS.iter().find(|(name, _)| *name == package).map(|(_, list)| *list)
}

struct Graph<'a> {
    names: BTreeMap<&'a PackageId, &'a str>,
    members: BTreeSet<&'a PackageId>,
    edges: BTreeMap<&'a PackageId, Vec<Edge<'a>>>,
}

struct Edge<'a> {
    to: &'a PackageId,
    /// Linked or run at build time, not only there for tests.
    linked: bool,
}

impl<'a> Graph<'a> {
    fn new(metadata: &'a Metadata) -> Self {
        let names = metadata.packages.iter().map(|package| (&package.id, package.name.as_str())).collect();
        let members = metadata.workspace_members.iter().collect();
        let nodes = &metadata.resolve.as_ref().expect("metadata with its dependency graph").nodes;
        let edges = nodes
            .iter()
            .map(|node| {
                let edges = node.deps.iter().map(|dep| Edge {
                    to: &dep.pkg,
                    linked: dep.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development),
                });
                (&node.id, edges.collect())
            })
            .collect();
        Self { names, members, edges }
    }

    fn edges(&self, from: &PackageId) -> impl Iterator<Item = &Edge<'a>> {
        self.edges[from].iter()
    }

    /// Names of all packages that `from` links, directly or through others.
    fn reached(&self, from: &PackageId) -> BTreeSet<&'a str> {
        let mut seen: BTreeSet<&PackageId> = BTreeSet::new();
        let mut open: Vec<&PackageId> = vec![from];
        while let Some(package) = open.pop() {
            for edge in self.edges(package).filter(|edge| edge.linked) {
                if seen.insert(edge.to) {
                    open.push(edge.to);
                }
            }
        }
        seen.into_iter().map(|package| self.names[package]).collect()
    }
}

fn workspace_metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(
            ["--locked", "--offline", "--filter-platform", "x86_64-unknown-linux-gnu"].map(String::from),
        )
        .exec()
        .expect("cargo metadata runs")
}

fn stored(name: &str) -> Metadata {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/arrows/{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    MetadataCommand::parse(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifest(path: &Path) -> toml::Table {
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
