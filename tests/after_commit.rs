//! What was committed is answered, whatever happens to the storage, or is done by others, right after the commit.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use custom_attributes::store::{AttributeStore, Batch, Change, Decide, Find, OnProgress, Receipt, Snapshot};
use custom_attributes::{
    Attributes, AttributesOf, Catalog, Clock, CommitId, DataType, DefinitionSpec, EntityKey, EntityRecord, Error, ManualClock,
    MemoryStore, Offending, Outcome, Prune, Result, Retention, Value,
};

/// What happens right after a commit, before its caller is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    /// From here on nothing can be read.
    ReadsFail,
    /// Another process deletes every definition.
    AllIsDeleted,
}

#[derive(Debug)]
struct Interrupted<S> {
    inner: S,
    then: Mutex<Then>,
    is_broken: AtomicBool,
}

impl<S: AttributeStore> Interrupted<S> {
    fn check(&self) -> Result<()> {
        if self.is_broken.load(Ordering::SeqCst) { Err(Error::backend("reading", "the disk is gone")) } else { Ok(()) }
    }

    fn delete_all(&self) -> Result<()> {
        let catalog = self.inner.catalog()?;
        let mut batch = Batch::new(&catalog, custom_attributes::SystemClock.now());
        for definition in catalog.iter() {
            batch.push(Change::Undefine { definition: definition.id(), with_values: true });
        }
        self.inner.commit(&batch).map(drop)
    }
}

impl<S: AttributeStore> AttributeStore for Interrupted<S> {
    fn write(&self, decide: &mut Decide<'_>, progress: &mut OnProgress<'_>) -> Result<Receipt> {
        let receipt = self.inner.write(decide, progress)?;
        if receipt.commit.is_some() {
            match *self.then.lock().unwrap() {
                Then::Nothing => {}
                Then::ReadsFail => self.is_broken.store(true, Ordering::SeqCst),
                Then::AllIsDeleted => self.delete_all().expect("the other process deletes"),
            }
        }
        Ok(receipt)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        self.check()?;
        self.inner.snapshot()
    }

    fn catalog(&self) -> Result<Arc<Catalog>> {
        self.check()?;
        self.inner.catalog()
    }

    fn read_entity(&self, entity: &EntityKey) -> Result<(Arc<Catalog>, Option<Arc<EntityRecord>>)> {
        self.check()?;
        self.inner.read_entity(entity)
    }

    fn read_value(&self, entity: &EntityKey, find: &mut Find<'_>) -> Result<Option<Value>> {
        self.check()?;
        self.inner.read_value(entity, find)
    }

    fn purge(&self) -> Result<()> {
        self.inner.purge()
    }

    fn rebuild_index(&self, progress: &mut OnProgress<'_>) -> Result<()> {
        self.inner.rebuild_index(progress)
    }
}

type Host<S> = Attributes<Interrupted<S>>;

/// A host with definitions, three entities and some history.
fn host<S: AttributeStore>(inner: S) -> Host<S> {
    let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z".parse().unwrap()));
    let store = Interrupted { inner, then: Mutex::new(Then::Nothing), is_broken: AtomicBool::new(false) };
    let attributes = Attributes::new(store).with_clock(Arc::clone(&clock));
    let customers = attributes.of("customer").unwrap();
    let specs = [
        DefinitionSpec::string("tier"),
        DefinitionSpec::string("seats"),
        DefinitionSpec::string("tel").sensitive(),
        DefinitionSpec::string("remark").searchable(false),
        DefinitionSpec::string("spare"),
    ];
    customers.ensure(specs).unwrap();
    customers.delete("spare").unwrap();
    for id in 1..=3 {
        customers.save(id, [("tier", "basic"), ("seats", "12"), ("tel", "555")]).unwrap();
    }
    customers.set(1, "tier", "premium").unwrap();
    clock.advance_micros(1_000_000);
    attributes
}

fn attempt<S: AttributeStore>(attributes: &Host<S>, then: Then, act: impl FnOnce(&Host<S>) -> Result<()>) -> Result<()> {
    *attributes.store().then.lock().unwrap() = then;
    let done = act(attributes);
    *attributes.store().then.lock().unwrap() = Then::Nothing;
    attributes.store().is_broken.store(false, Ordering::SeqCst);
    done
}

fn of<S: AttributeStore>(host: &Host<S>) -> AttributesOf<'_, Interrupted<S>> {
    host.of("customer").unwrap()
}

fn last_commit<S: AttributeStore>(host: &Host<S>) -> u64 {
    host.snapshot().unwrap().as_snapshot().marks().unwrap().commit.get()
}

type Write<S> = (&'static str, fn(&Host<S>) -> Result<()>);

/// Every public write that changes something in [`host`]. Each gets a fresh one.
fn writes<S: AttributeStore>() -> Vec<Write<S>> {
    fn value<S: AttributeStore>(host: &Host<S>) -> Result<custom_attributes::ValueId> {
        let entity = of(host).entity(1)?.expect("it holds values");
        Ok(entity.value_id("tier")?.expect("it holds one"))
    }
    vec![
        ("define", |host| of(host).define(DefinitionSpec::date("since")).map(drop)),
        ("ensure", |host| of(host).ensure([DefinitionSpec::date("since"), DefinitionSpec::string("tier")]).map(drop)),
        ("alter", |host| of(host).alter("tier", |spec| spec.description("paid")).map(drop)),
        ("rename", |host| of(host).rename("tier", "level").map(drop)),
        ("make_searchable", |host| of(host).make_searchable("remark", |_| ControlFlow::Continue(())).map(drop)),
        ("declare", |host| of(host).declare([DefinitionSpec::string("tier").description("paid")]).apply().map(drop)),
        ("import_definitions", |host| {
            let mut export = of(host).export_definitions()?;
            export.definitions.push(DefinitionSpec::date("since"));
            of(host).import_definitions(&export).apply().map(drop)
        }),
        ("plan", |host| {
            let customers = of(host);
            let plan = customers.plan().change("seats", |spec| spec.of_type(DataType::Integer)).split("tier", "remark");
            plan.check()?;
            plan.apply_with(Offending::Clear).map(drop)
        }),
        ("merge", |host| of(host).plan().merge("seats", "remark").apply().map(drop)),
        ("delete", |host| of(host).delete("remark").map(drop)),
        ("delete_with_values", |host| of(host).delete_with_values("tier").map(drop)),
        ("set", |host| of(host).set(1, "tier", "gold").map(drop)),
        ("set_text", |host| of(host).set_text(1, "tier", "gold").map(drop)),
        ("clear", |host| of(host).clear(1, "tier").map(drop)),
        ("move_value", |host| of(host).move_value(1, "tier", "remark").map(drop)),
        ("save", |host| of(host).save(1, [("tier", "gold")]).map(drop)),
        ("remove", |host| of(host).remove(1).map(drop)),
        ("set_value", |host| host.set_value(value(host)?, "gold").map(drop)),
        ("clear_value", |host| host.clear_value(value(host)?).map(drop)),
        ("commit", |host| host.batch().set(("customer", 1), "tier", "gold").set(("customer", 9), "tier", "x").commit().map(drop)),
        ("commit_with", |host| {
            host.batch().set(("customer", 1), "tier", "gold").commit_with(|_| ControlFlow::Continue(())).map(drop)
        }),
        ("submit", |host| host.batch().set(("customer", 1), "tier", "gold").submit()?.wait().map(drop)),
        ("try_take", |host| {
            let mut submitted = host.batch().set(("customer", 1), "tier", "gold").submit()?;
            loop {
                if let Some(answer) = submitted.try_take() {
                    return answer.map(drop);
                }
            }
        }),
        ("undo", |host| host.undo(CommitId::new(last_commit(host)))?.commit().map(drop)),
        ("restore_entity", |host| host.restore_entity(("customer", 1), CommitId::new(3))?.commit().map(drop)),
        ("restore_value", |host| host.restore_value(value(host)?, CommitId::new(3))?.commit().map(drop)),
        ("restore_definition", |host| host.restore_definition(custom_attributes::DefinitionId::new(5))?.commit().map(drop)),
        ("erase", |host| host.batch().erase(("customer", 1), "tel").commit().map(drop)),
        ("erase_entity", |host| host.batch().erase_entity(("customer", 1)).commit().map(drop)),
    ]
}

fn every_write_is_answered<S: AttributeStore>(store: impl Fn() -> S) {
    for (name, write) in writes::<S>() {
        let host = host(store());
        let before = last_commit(&host);
        let done = attempt(&host, Then::ReadsFail, write);
        assert_eq!(last_commit(&host), before + 1, "{name} commits once");
        assert!(done.is_ok(), "{name} was committed, and answered {:?}", done.unwrap_err());
    }
}

/// Each answers with the definition that it made, as its own commit left it.
fn definitions_come_from_the_commit<S: AttributeStore>(store: impl Fn() -> S) {
    type Made<S> = (&'static str, fn(&Host<S>) -> Result<Arc<custom_attributes::Definition>>, fn(&DefinitionSpec) -> bool);
    let all: [Made<S>; 6] = [
        ("define", |host| of(host).define(DefinitionSpec::date("since")), |spec| spec.name == "since"),
        (
            "ensure",
            |host| {
                let needed = [DefinitionSpec::date("since"), DefinitionSpec::string("tier").description("another")];
                let mut ensured = of(host).ensure(needed)?;
                assert_eq!([ensured[0].outcome, ensured[1].outcome], [Outcome::Created, Outcome::Unchanged]);
                assert_eq!(ensured[1].differences[0].field, "description");
                Ok(ensured.swap_remove(0).definition)
            },
            |spec| spec.name == "since",
        ),
        (
            "alter",
            |host| of(host).alter("tier", |spec| spec.description("paid")),
            |spec| spec.documentation.description.as_deref() == Some("paid"),
        ),
        ("rename", |host| of(host).rename("tier", "level"), |spec| spec.name == "level"),
        ("make_searchable", |host| of(host).make_searchable("remark", |_| ControlFlow::Continue(())), |spec| spec.searchable),
        (
            "declare",
            |host| {
                let receipt = of(host).declare([DefinitionSpec::string("tier").description("paid")]).apply()?;
                Ok(Arc::clone(&receipt.definitions[0]))
            },
            |spec| spec.documentation.description.as_deref() == Some("paid"),
        ),
    ];
    for (name, make, is_right) in all {
        let host = host(store());
        let before = last_commit(&host);
        let mut made = None;
        let done = attempt(&host, Then::AllIsDeleted, |host| {
            made = Some(make(host)?);
            Ok(())
        });
        assert!(done.is_ok(), "{name} was committed, and answered {:?}", done.unwrap_err());
        let made = made.unwrap();
        assert!(is_right(made.spec()), "{name}: {made:?}");
        assert_eq!(made.modified().commit, CommitId::new(before + 1), "{name}");
        assert!(host.snapshot().unwrap().catalog().get(made.id()).is_none(), "{name}: another has deleted it");
    }
}

/// Pruning ends where the storage fails, and says what it had done.
fn pruning_says_what_it_did<S: AttributeStore>(store: impl Fn() -> S) {
    let mut limits = custom_attributes::Limits::typed();
    limits.retention = Retention::Versions(0);
    for (versions, is_whole) in [(2, true), (10_001, false)] {
        let host = host(store()).with_limits(limits.clone()).unwrap();
        // More versions than one commit removes.
        for round in 0..versions / 1000 + 1 {
            let ids = (1..=1000.min(versions)).map(|id| (id, format!("{round}")));
            let batch = ids.fold(host.batch(), |batch, (id, text)| batch.set(("customer", id), "remark", text));
            batch.commit().unwrap();
        }
        let mut pruned = None;
        let done = attempt(&host, Then::ReadsFail, |host| {
            pruned = Some(host.prune(&Prune::new(), |_| ControlFlow::Continue(()))?);
            Ok(())
        });
        assert!(done.is_ok(), "versions were removed, and it answered {:?}", done.unwrap_err());
        let pruned = pruned.unwrap();
        assert_eq!(pruned.commits.len(), 1, "{pruned:?}");
        assert_eq!(pruned.removed, pruned.attributes.iter().map(|one| one.removed).sum::<u64>());
        assert!(pruned.attributes.iter().any(|one| one.attribute == "tier"), "{pruned:?}");
        assert_eq!((pruned.next.is_none(), pruned.failure.is_none()), (is_whole, is_whole), "{pruned:?}");
        if !is_whole {
            assert!(pruned.failure.unwrap().contains("reading"));
            let rest = host.prune(&Prune::new().after(pruned.next.unwrap()), |_| ControlFlow::Continue(())).unwrap();
            assert!(rest.removed > 0 && rest.next.is_none() && rest.failure.is_none(), "{rest:?}");
        }
    }
}

/// One ensures, another deletes, as fast as they can: what was made is answered.
fn ensured_beside_another<S: AttributeStore + Send + Sync>(one: S, other: S) {
    const ROUNDS: usize = 300;
    let (one, other) = (Attributes::new(one), Attributes::new(other));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                match other.of("customer").unwrap().delete("tier") {
                    Ok(_) => {}
                    Err(error) => assert!(error.is_not_found() || error.is_transient() || error.is_conflict(), "{error:?}"),
                }
            }
        });
        let customers = one.of("customer").unwrap();
        let act = |round: usize| match round % 2 {
            0 => customers.ensure([DefinitionSpec::string("tier")]).map(|ensured| ensured[0].definition.name().to_string()),
            _ => match customers.define(DefinitionSpec::string("tier")) {
                Err(error) if error.is_duplicate() => Ok("tier".to_owned()),
                defined => defined.map(|definition| definition.name().to_string()),
            },
        };
        let results: Vec<_> = (0..ROUNDS).map(act).collect();
        is_over.store(true, Ordering::SeqCst);
        for result in results {
            match result {
                Ok(name) => assert_eq!(name, "tier"),
                Err(error) => assert!(error.is_transient() || error.is_conflict(), "{error:?}"),
            }
        }
    });
}

macro_rules! on {
    ($name:ident, $store:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn every_write_is_answered() {
                super::every_write_is_answered($store);
            }

            #[test]
            fn definitions_come_from_the_commit() {
                super::definitions_come_from_the_commit($store);
            }

            #[test]
            fn pruning_says_what_it_did() {
                super::pruning_says_what_it_did($store);
            }
        }
    };
}

#[path = "../examples/custom_backend.rs"]
mod custom_backend;

on!(memory, MemoryStore::new);
on!(example, custom_backend::StateStore::default);

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;
    use custom_attributes::{LentStore, SqliteStore};

    on!(in_memory, || SqliteStore::in_memory().unwrap());
    on!(lent, || LentStore::on(Box::leak(Box::new(rusqlite::Connection::open_in_memory().unwrap()))).unwrap());

    #[test]
    fn definitions_are_made_beside_another_process() {
        let folder = tempfile::tempdir().unwrap();
        let open = || SqliteStore::open(folder.path().join("crm.db")).unwrap();
        ensured_beside_another(open(), open());
    }
}

#[test]
fn definitions_are_made_beside_another_thread() {
    let store = Arc::new(MemoryStore::new());
    ensured_beside_another(Arc::clone(&store), store);
}

#[cfg(feature = "tokio")]
#[tokio::test(flavor = "current_thread")]
async fn asynchronous_writes_are_answered() {
    use custom_attributes::AsyncAttributes;
    let service = AsyncAttributes::new(host(MemoryStore::new()));
    *service.blocking().store().then.lock().unwrap() = Then::ReadsFail;
    let receipt = service.set(("customer", 1), "tier", "gold").await.expect("it was committed");
    assert!(receipt.commit.is_some());
    service.blocking().store().is_broken.store(false, Ordering::SeqCst);
    let batch = service.batch().define("customer", DefinitionSpec::date("since"));
    let receipt = service.commit(batch).await.expect("it was committed");
    assert_eq!(receipt.definitions[0].name().as_str(), "since");
}
