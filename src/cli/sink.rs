//! Where log lines go: to standard error, on a thread of their own. A log that nobody takes (a full pipe, a
//! stopped collector) stops no request; lines that find no room are counted, and the count is a line itself
//! once there is room again. What must not get lost is in the audit, not here.

use std::{
    io::{self, Write, stderr},
    iter,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

/// Lines that wait for the log; more are dropped.
const QUEUE: usize = 4096;
/// How long lines wait for more of them.
const GATHER: Duration = Duration::from_millis(2);
/// How long the end of the program waits for lines that wait.
const PATIENCE: Duration = Duration::from_secs(1);

static QUEUED: OnceLock<SyncSender<Job>> = OnceLock::new();

enum Job {
    Line(Vec<u8>),
    /// Answered once everything before it is written.
    Flush(SyncSender<()>),
}

/// The writing end, for the logger.
pub struct Sink {
    queue: SyncSender<Job>,
    dropped: Arc<AtomicU64>,
}

impl Sink {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn start() -> io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let counted = dropped.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || write(&jobs, &counted))?;
        // The first one is the one that the logger keeps.
        let _ = QUEUED.set(queue.clone());
        Ok(Self { queue, dropped })
    }
}

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Job::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write(jobs: &Receiver<Job>, dropped: &AtomicU64) {
    let mut lines = Vec::new();
    while let Ok(first) = jobs.recv() {
        // Lines come in crowds: one wake-up and one write for all that came meanwhile.
        thread::sleep(GATHER);
        let mut flushed = Vec::new();
        for job in iter::once(first).chain(jobs.try_iter().take(QUEUE)) {
            match job {
                Job::Line(line) => lines.extend(line),
                Job::Flush(done) => flushed.push(done),
            }
        }
        // A log that is gone for good takes nothing, and there is nobody to tell.
        let _ = stderr().write_all(&lines);
        lines.clear();
        for done in flushed {
            let _ = done.try_send(());
        }
        // There is room again for a line about those for which there was none.
        match dropped.swap(0, Ordering::Relaxed) {
            0 => {}
            lines => log::warn!(lines = lines; "log lines were dropped, for want of room"),
        }
    }
}

/// Waits until the lines so far are written, but not for ever: for the end of the program.
pub fn flush() {
    let Some(queue) = QUEUED.get() else { return };
    let (done, written) = sync_channel(1);
    if queue.try_send(Job::Flush(done)).is_ok() {
        let _ = written.recv_timeout(PATIENCE);
    }
}
