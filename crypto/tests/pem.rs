//! Key files, as openssl makes and reads them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use ledger_crypto::keyfile::{self, KeyFileError};
use ledger_crypto::{PemError, PublicKey, SigningKey};
use proptest::prelude::*;

/// RFC 8410, section 10.3 and 10.1.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
    -----END PRIVATE KEY-----\n";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
    MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
    -----END PUBLIC KEY-----\n";

/// Runs openssl in `folder`; `None` where it is not installed, which `CI` does not accept.
fn openssl(folder: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let run = Command::new("openssl").args(arguments).current_dir(folder).output();
    match run {
        Ok(output) => {
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "openssl {arguments:?}: {error}");
            Some(output.stdout)
        }
        Err(error) if std::env::var_os("CI").is_some() => panic!("openssl: {error}"),
        Err(error) => {
            println!("skipped: openssl: {error}");
            None
        }
    }
}

#[test]
fn the_files_of_rfc_8410_are_read_and_written() {
    let key = SigningKey::from_pkcs8_pem(PRIVATE).unwrap();
    assert_eq!(key.to_pkcs8_pem().as_str(), PRIVATE);
    assert_eq!(key.public().to_spki_pem(), PUBLIC);
    assert_eq!(PublicKey::from_spki_pem(PUBLIC), Ok(key.public()));
    assert_eq!(PublicKey::from_spki_pem(&PUBLIC.replace('\n', "\r\n")), Ok(key.public()));
    assert_eq!(PublicKey::from_spki_pem(PUBLIC.trim_end()), Ok(key.public()));
}

#[test]
fn other_files_are_refused() {
    let private = |text: &str| SigningKey::from_pkcs8_pem(text).unwrap_err();
    let armor = PemError::Armor { label: "PRIVATE KEY" };
    let surrounded = [format!("x\n{PRIVATE}"), format!("{PRIVATE}\n"), format!("{PRIVATE}x")];
    for text in surrounded.iter().map(String::as_str).chain(["", "\n", PUBLIC]) {
        assert_eq!(private(text), armor, "{text:?}");
    }
    assert_eq!(private(&PRIVATE.replace("PRIVATE", "EC PRIVATE")), armor);
    let base64 = PemError::Base64 { label: "PRIVATE KEY" };
    assert_eq!(private(&PRIVATE.replace("MC4C", "MC4*")), base64);
    assert_eq!(private(&PRIVATE.replace("VhC\n", "Vh\n")), base64);
    let der = |length| PemError::Der { label: "PRIVATE KEY", length };
    assert_eq!(private(&PRIVATE.replace("K2Vw", "K2Vu")), der(48));
    assert_eq!(private(&PRIVATE.replace("VhC\n", "VhCAAAA\n")), der(51));
    assert_eq!(private(&PRIVATE.replace("dVhC\n", "\n")), der(45));

    let weak = PUBLIC.replace("Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=", &"A".repeat(43));
    let weak = PublicKey::from_spki_pem(&weak.replace("A\n", "A=\n"));
    assert!(matches!(weak, Err(PemError::Key(_))), "{weak:?}");
}

#[test]
fn openssl_keys_are_read_and_written_back_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let generate = ["genpkey", "-algorithm", "ed25519", "-out", "a.key"];
    if openssl(folder, &generate).is_none() {
        return;
    }
    openssl(folder, &["pkey", "-in", "a.key", "-pubout", "-out", "a.pub"]);
    let (private, public) = (folder.join("a.key"), folder.join("a.pub"));
    let key = keyfile::load(&private).unwrap();
    assert_eq!(key.to_pkcs8_pem().as_bytes(), fs::read(&private).unwrap());
    assert_eq!(key.public().to_spki_pem().as_bytes(), fs::read(&public).unwrap());
    assert_eq!(keyfile::load_public(&public).unwrap(), key.public());

    fs::write(folder.join("message"), b"message").unwrap();
    let input = ["-rawin", "-in", "message", "-inkey", "a.key"];
    let signature = openssl(folder, &[["pkeyutl", "-sign"].as_slice(), &input].concat());
    let signature: [u8; 64] = signature.unwrap().try_into().unwrap();
    assert_eq!(key.public().verify(b"message", &signature), Ok(()));
    assert_eq!(key.sign(b"message"), signature);
}

#[test]
fn our_keys_and_signatures_are_read_by_openssl() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let key = SigningKey::generate().unwrap();
    keyfile::create(&folder.join("b.key"), &key).unwrap();
    keyfile::create_public(&folder.join("b.pub"), &key.public()).unwrap();
    let Some(rewritten) = openssl(folder, &["pkey", "-in", "b.key"]) else {
        return;
    };
    assert_eq!(rewritten, key.to_pkcs8_pem().as_bytes());
    let public = openssl(folder, &["pkey", "-in", "b.key", "-pubout"]);
    assert_eq!(public.unwrap(), key.public().to_spki_pem().as_bytes());

    fs::write(folder.join("message"), b"message").unwrap();
    fs::write(folder.join("signature"), key.sign(b"message")).unwrap();
    let verify = ["pkeyutl", "-verify", "-pubin", "-inkey", "b.pub", "-rawin", "-in", "message"];
    openssl(folder, &[verify.as_slice(), &["-sigfile", "signature"]].concat());
}

#[test]
fn key_files_are_private_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (private, public) = (folder.path().join("c.key"), folder.path().join("c.pub"));
    let [key, other] = [1, 2].map(|seed| SigningKey::from_seed([seed; 32]));
    keyfile::create(&private, &key).unwrap();
    keyfile::create_public(&public, &key.public()).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&private), 0o600);
    assert_eq!(mode(&public) & 0o600, 0o600);

    let exists = |result| match result {
        Err(KeyFileError::Io { source, .. }) => source.kind() == std::io::ErrorKind::AlreadyExists,
        _ => false,
    };
    assert!(exists(keyfile::create(&private, &other)));
    assert!(exists(keyfile::create_public(&public, &other.public())));
    assert_eq!(keyfile::load(&private).unwrap().public(), key.public());
    assert_eq!(keyfile::load_public(&public).unwrap(), key.public());

    for bits in [0o640, 0o604, 0o660, 0o610, 0o601, 0o777] {
        fs::set_permissions(&private, fs::Permissions::from_mode(bits)).unwrap();
        let refused = keyfile::load(&private);
        let named = |mode| mode == bits;
        assert!(matches!(refused, Err(KeyFileError::OpenToOthers { mode, .. }) if named(mode)));
    }
    fs::set_permissions(&private, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(keyfile::load(&private).is_ok());
}

#[test]
fn what_is_no_key_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.pub");
    let refused = |path: &Path| keyfile::load_public(path).unwrap_err();
    let missing = refused(&path);
    assert!(matches!(missing, KeyFileError::Io { .. }), "{missing}");
    assert!(missing.to_string().contains("d.pub"), "{missing}");
    let folder = refused(folder.path());
    assert!(matches!(folder, KeyFileError::NotAFile { .. }), "{folder}");
    fs::write(&path, vec![b'-'; 5000]).unwrap();
    let long = refused(&path);
    assert!(matches!(long, KeyFileError::TooLong { limit: 4096, .. }), "{long}");
    fs::write(&path, PRIVATE).unwrap();
    let other = refused(&path);
    assert!(matches!(other, KeyFileError::Content { .. }), "{other}");
    assert!(!other.to_string().contains("MC4C"), "{other}");
}

proptest! {
    #[test]
    fn no_text_causes_a_panic(text in "(-----BEGIN P(RIVATE|UBLIC) KEY-----\n)?\\PC*(\n-----END P(RIVATE|UBLIC) KEY-----)?") {
        let _ = (SigningKey::from_pkcs8_pem(&text), PublicKey::from_spki_pem(&text));
    }
}
