//! Many things at once, with the results in order.

use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

/// How many things a thread takes at a time.
const BATCH: usize = 32;

/// How many batches a thread may be ahead of the first one that is not taken, on average.
const AHEAD: usize = 4;

/// More threads than this wait for each other more than they work.
const THREADS: usize = 16;

/// As deep as the main thread's, since what is read may be nested deeply.
const STACK: usize = 8 << 20;

/// Does `work` for each number below `count`, on all cores, and hands the results to `take` in the order of
/// the numbers, here. Only a limited number of results waits to be taken.
///
/// # Panics
/// If `work` does.
pub(super) fn in_order<R: Send>(
    count: usize,
    work: impl Fn(usize) -> R + Sync,
    mut take: impl FnMut(R),
) {
    let batches = count.div_ceil(BATCH);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(THREADS).min(batches);
    if threads < 2 {
        (0..count).map(work).for_each(take);
        return;
    }
    let desk = Desk::<R> {
        state: Mutex::default(),
        ready: Condvar::new(),
        room: Condvar::new(),
        batches,
        ahead: threads * AHEAD,
    };
    thread::scope(|scope| {
        let worker = || {
            let _watch = Watch(&desk);
            while let Some(batch) = desk.next() {
                let first = batch * BATCH;
                let last = count.min(first + BATCH);
                desk.put(batch, (first..last).map(&work).collect());
            }
        };
        let mut started = 0;
        for _ in 0..threads {
            let thread = thread::Builder::new().stack_size(STACK);
            started += usize::from(thread.spawn_scoped(scope, worker).is_ok());
        }
        if started == 0 {
            worker_here(&desk, count, &work, &mut take);
            return;
        }
        let _watch = Watch(&desk);
        while let Some(results) = desk.take() {
            results.into_iter().for_each(&mut take);
        }
    });
}

/// Where no thread can be had, everything is done by the one that there is.
fn worker_here<R>(desk: &Desk<R>, count: usize, work: impl Fn(usize) -> R, take: impl FnMut(R)) {
    desk.lock().closed = true;
    (0..count).map(work).for_each(take);
}

/// What the threads share.
struct Desk<R> {
    state: Mutex<State<R>>,
    /// The batch that is to be taken is there.
    ready: Condvar,
    /// There is room for more results.
    room: Condvar,
    batches: usize,
    ahead: usize,
}

struct State<R> {
    next: usize,
    taken: usize,
    done: BTreeMap<usize, Vec<R>>,
    /// Somebody has panicked, and nobody should wait for anything.
    closed: bool,
}

impl<R> Default for State<R> {
    fn default() -> Self {
        Self {
            next: 0,
            taken: 0,
            done: BTreeMap::new(),
            closed: false,
        }
    }
}

impl<R> Desk<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch to work on, when there is room for its results.
    fn next(&self) -> Option<usize> {
        let full = |state: &mut State<R>| {
            !state.closed && state.next < self.batches && state.next >= state.taken + self.ahead
        };
        let waited = self.room.wait_while(self.lock(), full);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let more = !state.closed && state.next < self.batches;
        more.then(|| {
            state.next += 1;
            state.next - 1
        })
    }

    fn put(&self, batch: usize, results: Vec<R>) {
        let mut state = self.lock();
        state.done.insert(batch, results);
        if batch == state.taken {
            self.ready.notify_one();
        }
    }

    /// The results of the first batch that was not taken yet.
    fn take(&self) -> Option<Vec<R>> {
        let open = |state: &mut State<R>| {
            !state.closed && state.taken < self.batches && !state.done.contains_key(&state.taken)
        };
        let waited = self.ready.wait_while(self.lock(), open);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let taken = state.taken;
        let results = state.done.remove(&taken)?;
        state.taken += 1;
        self.room.notify_all();
        Some(results)
    }
}

/// Sees to it that nobody waits for a thread that is no more.
struct Watch<'a, R>(&'a Desk<R>);

impl<R> Drop for Watch<'_, R> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().closed = true;
            self.0.ready.notify_all();
            self.0.room.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn results_come_in_order_and_do_not_pile_up() {
        for count in [0, 1, BATCH, BATCH + 1, 40 * BATCH + 7] {
            let (done, mut taken) = (AtomicUsize::new(0), Vec::new());
            let most = THREADS * (AHEAD + 1) * BATCH;
            in_order(
                count,
                |number| {
                    // Some take longer than others.
                    let turns = if number % 97 == 0 { 20_000 } else { 10 };
                    (0..turns).for_each(|_| std::hint::spin_loop());
                    done.fetch_add(1, Ordering::Relaxed);
                    number
                },
                |number| {
                    assert!(done.load(Ordering::Relaxed) <= number + 1 + most);
                    taken.push(number);
                },
            );
            assert_eq!(taken, (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_panic_is_passed_on_and_nobody_waits_for_ever() {
        let count = 100 * BATCH;
        let working = std::panic::catch_unwind(|| {
            in_order(count, |number| assert_ne!(number, 70), |()| {});
        });
        assert!(working.is_err());
        let taking = std::panic::catch_unwind(|| {
            in_order(count, |number| number, |number| assert_ne!(number, 70));
        });
        assert!(taking.is_err());
    }
}
