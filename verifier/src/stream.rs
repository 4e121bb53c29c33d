//! The entries of an export in order. What needs no order (reading, decoding, hashing, signatures) is done ahead for a
//! window of bundles on the workers of a pool; what needs it runs on the caller's thread as soon as the next bundle is
//! ready, so neither waits for the other longer than it must.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use ledger_core::ids::LogIndex;
use ledger_core::replay::Finding;
use ledger_merkle::tile::{WIDTH, entry_bundles_of_size};
use rayon::{Scope, ThreadPool};

use crate::bundle::{Ahead, Leaf, ReadBundle, Tree, read_bundle};
use crate::report::{Stop, about_file};
use crate::tiles::UpperTiles;

/// Bundles read ahead for each worker. A bundle has at most 256 entries of 32 KiB, 8 MiB, and what is decoded of them
/// takes at most 16 MiB; seldom more than 100 KiB and a few times that.
const AHEAD_PER_WORKER: usize = 4;

/// Where a run reads and on what.
pub(crate) struct Run<'a> {
    /// The export.
    pub(crate) tree: Tree<'a>,
    /// Workers for what needs no order.
    pub(crate) pool: &'a ThreadPool,
    /// Told after each bundle how many entries are done, of how many.
    pub(crate) progress: &'a mut dyn FnMut(u64, u64),
}

impl Run<'_> {
    /// Reads every entry with `read` on the workers, and passes it, with what its hash tile says against it, to `take`
    /// in the order of the log. Compares the tiles above as they fill.
    pub(crate) fn each<T: Leaf + Send>(
        self,
        read: impl Fn(&[u8]) -> T + Sync,
        mut take: impl FnMut(T, Option<Finding>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let Run { tree, pool, progress } = self;
        let stopped = AtomicBool::new(false);
        let ahead = AHEAD_PER_WORKER * (pool.current_num_threads() + 1);
        let mut bundles = entry_bundles_of_size(tree.size);
        let mut upper = UpperTiles::new(tree.folder, tree.size);
        let mut done = 0u64;
        pool.in_place_scope(|scope| {
            let mut waiting = VecDeque::with_capacity(ahead);
            loop {
                while waiting.len() < ahead
                    && let Some((index, width)) = bundles.next()
                {
                    waiting.push_back(start(scope, &tree, (index, width), &read, &stopped));
                }
                let Some(next) = waiting.pop_front() else { return Ok(()) };
                let bundle = next.recv().map_err(|_| lost(done))?;
                let outcome = take_all(bundle, &read, &mut take, &mut upper, &mut done);
                if outcome.is_err() {
                    stopped.store(true, Ordering::Relaxed);
                    return outcome;
                }
                progress(done, tree.size);
            }
        })
    }
}

/// Has a bundle read on a worker. After a finding, what still waits is not read any more.
fn start<'scope, T: Leaf + Send + 'scope>(
    scope: &Scope<'scope>,
    tree: &'scope Tree<'_>,
    (index, width): (u64, u16),
    read: &'scope (impl Fn(&[u8]) -> T + Sync),
    stopped: &'scope AtomicBool,
) -> Receiver<ReadBundle<T>> {
    let (sender, receiver) = sync_channel(1);
    scope.spawn(move |_| {
        if !stopped.load(Ordering::Relaxed) {
            // The receiver is gone when an earlier bundle ended the run.
            let _ = sender.send(read_bundle(tree, index, width, read));
        }
    });
    receiver
}

fn take_all<T>(
    bundle: ReadBundle<T>,
    read: &impl Fn(&[u8]) -> T,
    take: &mut impl FnMut(T, Option<Finding>) -> Result<(), Stop>,
    upper: &mut UpperTiles<'_>,
    done: &mut u64,
) -> Result<(), Stop> {
    for (entry, elsewhere) in bundle.entries {
        let entry = match entry {
            Ahead::Read(entry) => entry,
            Ahead::Raw(encoded) => read(&encoded),
        };
        take(entry, elsewhere)?;
        *done += 1;
    }
    if let Some(stop) = bundle.cut_short {
        return Err(stop);
    }
    bundle.root.map_or(Ok(()), |root| upper.push(root))
}

/// A worker died without an answer; nothing can be said from here on.
fn lost(done: u64) -> Stop {
    let index = done / u64::from(WIDTH);
    let mut finding = about_file(&format!("bundle {index}"), "worker", "an answer", "none");
    finding.log_index = Some(LogIndex(done));
    Stop::CouldNotCheck(Box::new(finding))
}
