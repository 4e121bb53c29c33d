//! The proof vectors of transparency-dev/merkle. They give leaf hashes, which is why they run here
//! and not through the public functions.

use base64::engine::{Engine, general_purpose::STANDARD};
use serde_json::Value;

use super::*;

#[test]
fn the_inclusion_vectors_have_the_stated_verdicts() {
    let Some(vectors) = vectors("inclusion.jsonl") else {
        return;
    };
    assert_eq!(vectors.len(), 98);
    for v in vectors {
        let (index, size) = (number(&v["leafIdx"]), number(&v["treeSize"]));
        let given = (hash(&v["leafHash"]), path(&v["proof"]), hash(&v["root"]));
        let (Some(leaf), Some(path), Some(root)) = given else {
            assert!(must_fail(&v), "{}", v["name"]);
            continue;
        };
        let found = root_of_leaf_hash(leaf, index, size, &path);
        let verdict = found.and_then(|found| expect_root(&root, found));
        assert_eq!(verdict.is_err(), must_fail(&v), "{}", v["name"]);
    }
}

#[test]
fn the_consistency_vectors_have_the_stated_verdicts() {
    let Some(vectors) = vectors("consistency.jsonl") else {
        return;
    };
    assert_eq!(vectors.len(), 98);
    for v in vectors {
        let (old, new) = (number(&v["size1"]), number(&v["size2"]));
        let given = (hash(&v["root1"]), hash(&v["root2"]), path(&v["proof"]));
        let (Some(old_root), Some(new_root), Some(path)) = given else {
            assert!(must_fail(&v), "{}", v["name"]);
            continue;
        };
        let verdict = consistency(old, new, &old_root, &new_root, &path);
        assert_eq!(verdict.is_err(), must_fail(&v), "{}", v["name"]);
    }
}

/// The vectors of a file, one JSON object a line; `None` where the data is not there.
fn vectors(name: &str) -> Option<Vec<Value>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/rfc6962-proofs/");
    match std::fs::read_to_string(format!("{folder}{name}")) {
        Ok(text) => Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()),
        Err(error) if std::env::var_os("CI").is_some() => panic!("{name}: {error}"),
        Err(error) => {
            println!("skipped: {name}: {error}");
            None
        }
    }
}

fn must_fail(vector: &Value) -> bool {
    vector["wantErr"].as_bool().unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn path(value: &Value) -> Option<Vec<Hash>> {
    value.as_array().into_iter().flatten().map(hash).collect()
}

/// Some vectors have a word instead of a hash: it is filled with zeros. `None` for nothing at all,
/// which our types cannot even express.
fn hash(value: &Value) -> Option<Hash> {
    let bytes = STANDARD.decode(value.as_str()?).unwrap();
    let mut hash = [0; 32];
    hash[..bytes.len()].copy_from_slice(&bytes);
    (!bytes.is_empty()).then_some(hash)
}
