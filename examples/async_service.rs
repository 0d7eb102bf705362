//! A service on tokio: many tasks that write and read customers in one store, and a graceful stop.

mod csv_support;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use custom_attributes::{AsyncAttributes, Attributes, DefinitionSpec, SqliteStore, attr};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;
use tokio::task::JoinSet;

use csv_support::{Result, finish, note};

/// Runs tasks that write and read customers in one store, all at once, and says how much was done and how fast.
///
/// Every write is durable when its task goes on. It stops after the time that is given, or at ctrl-c: what was begun is finished,
/// and what the store holds then is counted.
#[derive(Parser)]
#[command(name = "async_service", version)]
struct Args {
    /// The store; it is made if it is not there.
    #[arg(long, value_name = "PATH")]
    db: PathBuf,
    /// How many tasks write.
    #[arg(long, value_name = "N", default_value = "64", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    writers: u32,
    /// How many tasks read.
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    readers: u32,
    /// For how long, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

/// What was done so far.
#[derive(Default)]
struct Done {
    written: AtomicU64,
    read: AtomicU64,
}

type Service = AsyncAttributes<SqliteStore>;

fn main() -> ExitCode {
    finish(run(&Args::parse()))
}

fn run(args: &Args) -> Result<()> {
    // The store is opened before there is a runtime, and so blocks no task of it.
    let attributes = Attributes::new(SqliteStore::open(&args.db)?);
    attributes.of("customer")?.ensure([DefinitionSpec::integer("visits").minimum(0), DefinitionSpec::string("seen_by")])?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(serve(args, AsyncAttributes::new(attributes)))
}

async fn serve(args: &Args, service: Service) -> Result<()> {
    let (stop, stopped) = watch::channel(false);
    let (done, began) = (Arc::new(Done::default()), Instant::now());
    let (mut writers, mut readers) = (JoinSet::new(), JoinSet::new());
    for task in 0..args.writers {
        writers.spawn(write(service.clone(), i64::from(task), Arc::clone(&done), stopped.clone()));
    }
    for task in 0..args.readers {
        readers.spawn(read(service.clone(), i64::from(task % args.writers), Arc::clone(&done), stopped.clone()));
    }

    let bar = ProgressBar::new(args.seconds);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} s  {msg}")?);
    let mut every = tokio::time::interval(Duration::from_millis(200));
    let end = tokio::time::sleep(Duration::from_secs(args.seconds));
    // One for the whole loop: a signal that comes while nobody waits for it is lost.
    let asked = tokio::signal::ctrl_c();
    tokio::pin!(end, asked);
    // A task that fails ends all: without it nobody would know before the time is over.
    let mut failed = None;
    loop {
        tokio::select! {
            () = &mut end => break,
            signal = &mut asked => {
                signal?;
                note("stopping: what was begun is finished");
                break;
            }
            Some(ended) = writers.join_next() => {
                failed = ended?.err();
                break;
            }
            _ = every.tick() => {
                bar.set_position(began.elapsed().as_secs());
                bar.set_message(format!("{} written, {} read", done.written.load(Ordering::Relaxed), done.read.load(Ordering::Relaxed)));
            }
        }
    }
    stop.send_replace(true);
    for tasks in [&mut writers, &mut readers] {
        while let Some(ended) = tasks.join_next().await {
            failed = failed.or(ended?.err());
        }
    }
    bar.finish_and_clear();
    let seconds = began.elapsed().as_secs_f64();
    if let Some(error) = failed {
        return Err(error.into());
    }

    let (written, read) = (done.written.load(Ordering::Relaxed), done.read.load(Ordering::Relaxed));
    println!("{written} writes, {:.0} a second, each durable when its task went on", written as f64 / seconds);
    println!("{read} reads, {:.0} a second", read as f64 / seconds);
    let held = service.with(|attributes| attributes.of("customer")?.facets(Some(&attr("visits").ge(0)), "visits")?.sum()).await?;
    println!("{} visits are held by {} customers", held.unwrap_or_default(), args.writers);
    service.close().await?;
    Ok(())
}

/// Counts the visits of one customer, one durable write after the other, until it is told to stop.
async fn write(
    service: Service,
    customer: i64,
    done: Arc<Done>,
    stopped: watch::Receiver<bool>,
) -> custom_attributes::Result<()> {
    let mut visits = service.get::<i64>(("customer", customer), "visits").await?.unwrap_or_default();
    while !*stopped.borrow() {
        visits += 1;
        let batch = service.batch().by("async_service").set(("customer", customer), "visits", visits);
        service.commit(batch.set(("customer", customer), "seen_by", format!("visit {visits}"))).await?;
        done.written.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

async fn read(service: Service, customer: i64, done: Arc<Done>, stopped: watch::Receiver<bool>) -> custom_attributes::Result<()> {
    while !*stopped.borrow() {
        service.get::<i64>(("customer", customer), "visits").await?;
        done.read.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
