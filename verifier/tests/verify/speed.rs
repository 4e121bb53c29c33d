//! How fast an export is checked, and how much of that is signatures. Run by hand:
//! `cargo test -p ledger-verify --test verify speed -- --ignored --nocapture`.

use std::fs;
use std::time::Instant;

use ledger_core::entry::{Content, Entry};
use ledger_crypto::{PublicKey, dsse};
use ledger_verify::{Checks, Verdict, check_archive};
use rayon::ThreadPoolBuilder;

use crate::forge::{Forge, write};
use crate::logs::transfers;

/// Transfers of the measured log.
const TRANSFERS: u64 = 120_000;
/// Entries of a block.
const BLOCK: u64 = 10_000;

#[test]
#[ignore = "a measurement of minutes, not a check"]
fn entries_per_second() {
    let mut forge = Forge::with_accounts();
    for _ in 0..TRANSFERS / BLOCK {
        transfers(&mut forge, BLOCK);
        forge.seal();
    }
    let dir = tempfile::tempdir().unwrap();
    write(&forge.files(), dir.path());
    let entries = forge.entries.len();
    let signatures = time_of_signatures(&forge.entries);
    println!("{entries} entries; their signatures take {signatures:.2} s of a core");
    for (checks, threads) in
        [(Checks::Full, 1), (Checks::Full, 2), (Checks::HashesOnly, 1), (Checks::HashesOnly, 2)]
    {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (start, cpu) = (Instant::now(), cpu_seconds());
        let report = check_archive(dir.path(), &forge.trust(), checks, &pool, &mut |_, _| {});
        let (took, cpu) = (start.elapsed(), cpu_seconds() - cpu);
        assert_eq!(report.verdict, Verdict::Valid, "{report}");
        let rate = entries as f64 / took.as_secs_f64();
        let of_core = entries as f64 / cpu;
        println!(
            "{checks:?}, {threads} workers: {took:.2?}, {rate:.0} entries/s; {cpu:.2} s of a core, {of_core:.0} entries/s of \
             it, signatures {:.0} %",
            if checks == Checks::Full { 100.0 * signatures / cpu } else { 0.0 }
        );
    }
}

fn time_of_signatures(entries: &[Vec<u8>]) -> f64 {
    let start = cpu_seconds();
    let mut keys = std::collections::BTreeMap::new();
    for entry in entries {
        let Content::Event { signatures, payload_type, payload } = Entry::decode(entry).unwrap().content
        else {
            continue;
        };
        let message = dsse::message(&payload_type, &payload);
        for line in signatures {
            let key = keys.entry(line.key).or_insert_with(|| PublicKey::from_bytes(&line.key).unwrap());
            key.verify(&message, &line.signature).unwrap();
        }
    }
    cpu_seconds() - start
}

/// Processor time of this process so far, user and system: what other programs on the machine do not change. Linux
/// counts it in ticks of 10 ms (proc_pid_stat(5), fields 14 and 15).
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let behind_name = stat.rsplit(") ").next().unwrap();
    let ticks: Vec<f64> =
        behind_name.split(' ').skip(11).take(2).map(|field| field.parse().unwrap()).collect();
    (ticks[0] + ticks[1]) / 100.0
}
