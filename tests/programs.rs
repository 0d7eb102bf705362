//! The programs in `examples/`, run as a user runs them.
#![cfg(feature = "sqlite")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use custom_attributes::{Attributes, DataType, DefinitionSpec, SqliteStore};
use tempfile::TempDir;

fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    let target = test.parent().and_then(Path::parent).expect("it is in the target's folder deps");
    let path = target.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.is_file(), "{} is not built: `cargo test` builds it, or `cargo build --examples`", path.display());
    path
}

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ended {
    fn good(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self
    }

    /// It failed, and said why: on stderr, with no panic.
    #[track_caller]
    fn bad(self, code: i32, reasons: &[&str]) {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        assert!(self.err.lines().any(|line| line.starts_with("error: ")), "{}", self.err);
        for reason in reasons {
            assert!(self.err.contains(reason), "{reason:?} is not said:\n{}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
        assert_eq!(self.out, "");
    }
}

fn run(name: &str, folder: &Path, args: &[impl AsRef<OsStr>]) -> Ended {
    let output = Command::new(program(name)).args(args).current_dir(folder).stdin(Stdio::null()).output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints UTF-8");
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A folder for one test, with the file `in.csv` and the store `crm.db`.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn import(&self, csv: impl AsRef<[u8]>, options: &[&str]) -> Ended {
        fs::write(self.path("in.csv"), csv).expect("the file is written");
        let args = ["in.csv", "--db", "crm.db", "--type", "customer", "--id", "id"];
        run("import_csv", self.folder.path(), &[&args[..], options].concat())
    }

    fn export(&self, options: &[&str]) -> Ended {
        run("export_csv", self.folder.path(), &[&["--db", "crm.db", "--type", "customer"][..], options].concat())
    }

    fn attributes(&self) -> Attributes<SqliteStore> {
        Attributes::new(SqliteStore::open(self.path("crm.db")).expect("the store opens"))
    }

    fn types(&self) -> Vec<(String, DataType)> {
        let attributes = self.attributes();
        let view = attributes.snapshot().expect("a snapshot");
        let definitions = view.catalog().iter();
        definitions.map(|definition| (definition.name().to_string(), definition.data_type())).collect()
    }
}

/// Has it refused, and nothing kept: no store is made where there was none.
#[track_caller]
fn refused(csv: impl AsRef<[u8]>, options: &[&str], reasons: &[&str]) {
    let bench = Bench::new();
    bench.import(csv, options).bad(1, reasons);
    assert!(!bench.path("crm.db").exists(), "a store was made");
}

#[test]
fn quickstart_runs_with_nothing_but_itself() {
    let bench = Bench::new();
    let ended = run("quickstart", bench.folder.path(), &[] as &[&str]).good();
    for said in ["1. Define", "40404: ", "40002: ", "40900: ", "did you mean `support_tier`?", "9. What was acknowledged"] {
        assert!(ended.out.contains(said), "{said:?} is not said:\n{}", ended.out);
    }
    assert_eq!(ended.err, "");
    assert_eq!(fs::read_dir(bench.folder.path()).expect("the folder is there").count(), 0);
}

#[test]
fn each_program_explains_itself() {
    let bench = Bench::new();
    for (name, says) in [
        ("quickstart", "tour"),
        ("import_csv", "--absent <TEXT>"),
        ("export_csv", "--id-column <NAME>"),
        ("find", "--order-by <NAME[:desc],…>"),
        ("change", "--undo <COMMIT>"),
        ("tail", "--since <COMMIT[:ORDINAL]>"),
        ("stats", "--check"),
        ("host_transaction", "--prefix <PREFIX>"),
        ("copy", "jsonl:PATH"),
        ("async_service", "--writers <N>"),
    ] {
        let ended = run(name, bench.folder.path(), &["--help"]).good();
        assert!(ended.out.contains("Usage: ") && ended.out.contains(says), "{}", ended.out);
        run(name, bench.folder.path(), &["--nonsense"]).bad(2, &["--nonsense"]);
    }
}

#[test]
fn what_is_imported_is_exported() {
    let csv = "\
id,Name,Zip,Seats,Rate,Since,Active,Empty,Tier
A-1,\"Smith, John\",007,10,29.85,2024-02-29,true,,premium
A-2,\"the \"\"quick\"\" one\",12345,-3,30.00,1999-12-31,false,,
7,\"two
lines\",00000,0,-0.5,0001-01-01,true,,premium
-8, blanks ,10,9223372036854775807,9999999999.123456789,9999-12-31,,,Straße 中文 🦀
";
    let bench = Bench::new();
    let ended = bench.import(csv, &[]).good();
    for said in
        ["as customer, in commit 1\n", "entities     4\n", "definitions  8 (8 created)\n", "values       26 (26 created, 0"]
    {
        assert!(ended.out.contains(said), "{said:?} is not said:\n{}", ended.out);
    }
    assert_eq!(ended.err, "");
    let types: Vec<_> = bench.types().into_iter().map(|(_, data_type)| data_type).collect();
    let [string, decimal, integer, boolean, date] = DataType::ALL;
    assert_eq!(types, [string, string, integer, decimal, date, boolean, string, string]);
    assert_eq!(bench.export(&[]).good().out, csv);

    let again = bench.import(csv, &[]).good();
    assert!(again.out.starts_with("nothing is changed: "), "{}", again.out);
    assert!(
        again.out.contains("definitions  8 (0 created)\nvalues       26 (0 created, 0 updated, 26 unchanged)"),
        "{}",
        again.out
    );
}

#[test]
fn other_systems_files_are_read() {
    for csv in [
        "id,a\r\nx,1\r\ny,2\r\n",
        "id,a\rx,1\ry,2\r",
        "\u{feff}id,a\nx,1\n\n\ny,2",
        "\u{feff}\"id\",\"a\"\r\n\"x\",\"1\"\r\n\r\ny,2",
    ] {
        let bench = Bench::new();
        bench.import(csv, &[]).good();
        assert_eq!(bench.export(&[]).good().out, "id,a\nx,1\ny,2\n", "of {csv:?}");
    }
}

#[test]
fn the_command_line_has_the_last_word() {
    let bench = Bench::new();
    let csv = "id,zip,a=b,rate,note\n1,10,x,1,-\n2,20,y,n/a,\n";
    let options = ["--as", "zip=STRING", "--name", "Postal Code=zip", "--name", "c=d=a=b", "--absent", "n/a", "--absent", "-"];
    assert_eq!(bench.import(csv, &options).good().err, "");
    let types =
        [("Postal Code", DataType::String), ("c=d", DataType::String), ("rate", DataType::Integer), ("note", DataType::String)];
    assert_eq!(bench.types(), types.map(|(name, data_type)| (name.to_owned(), data_type)));
    let exported = bench.export(&["--id-column", "customerID"]).good().out;
    assert_eq!(exported, "customerID,Postal Code,c=d,rate,note\n1,10,x,1,\n2,20,y,,\n");
}

#[test]
fn a_column_that_just_misses_a_type_is_pointed_out() {
    let rows: String =
        (1..=20).map(|n| format!("{n},{},{}\n", if n == 7 || n == 9 { " ".into() } else { n.to_string() }, n % 2)).collect();
    let bench = Bench::new();
    let ended = bench.import(format!("id,total,odd\n{rows}"), &[]).good();
    let hint = "column \"total\" is STRING: it would be INTEGER but for 2 of its 20 values, the first \" \" on line 8; \
                if that means absent, add --absent ' '";
    assert_eq!(ended.err, format!("note: {hint}\n"));
    let bench = Bench::new();
    let ended = bench.import(format!("id,total,odd\n{rows}"), &["--absent", " "]).good();
    assert_eq!((ended.err.as_str(), bench.types()[0].1), ("", DataType::Integer));
    assert!(ended.out.contains("values       38 "), "{}", ended.out);
}

#[test]
fn what_is_said_of_the_command_line() {
    let csv = "id,a,b\n1,2,3\n";
    refused(csv, &["--as", "c=DATE"], &["in.csv has no column \"c\" (--as); it has \"id\", \"a\", \"b\""]);
    refused(csv, &["--name", "x=c"], &["has no column \"c\" (--name)"]);
    refused(csv, &["--name", "x"], &["--name \"x\" is not written as NAME=COLUMN"]);
    refused(csv, &["--name", "x=id"], &["column \"id\" is the id"]);
    refused(csv, &["--as", "id=STRING"], &["column \"id\" is the id"]);
    refused(csv, &["--as", "a=DATE", "--as", "a=STRING"], &["column \"a\" is given twice (--as)"]);
    refused(csv, &["--name", "x=a", "--name", "X=b"], &["columns \"a\" (#2) and \"b\" (#3) are one attribute"]);
    refused(csv, &["--name", "B=a"], &["columns \"a\" (#2) and \"b\" (#3) are one attribute", "--name 'b 3=#3'"]);
    refused("nr,a\n1,2\n", &[], &["in.csv has no column \"id\" (--id); it has \"nr\", \"a\""]);
    let bench = Bench::new();
    bench.import(csv, &["--as", "a=NUMBER"]).bad(2, &["--as", "STRING, DECIMAL, INTEGER, BOOLEAN or DATE"]);
    bench.import(csv, &["--as", "a"]).bad(2, &["COLUMN=TYPE"]);
    let args = ["in.csv", "--db", "crm.db", "--type", "2nd customer", "--id", "id"];
    run("import_csv", bench.folder.path(), &args).bad(2, &["an entity type is 1 to 64"]);
    assert!(!bench.path("crm.db").exists());
}

#[test]
fn what_is_said_of_the_shape_of_a_file() {
    refused("", &[], &["in.csv is empty; its first line names the columns"]);
    refused("\u{feff}\n\n", &[], &["in.csv is empty"]);
    refused("id\n1\n", &[], &["in.csv has no column but the id"]);
    refused("id,a\n1,2\n\n3\n", &[], &["in.csv:4: the row has 1 cell, and the header has 2"]);
    refused("id,a\r\n1,\"x\r\ny\"\r\n3,4,5\r\n", &[], &["in.csv:4: the row has 3 cells, and the header has 2"]);
    refused("id,a\n1,2\n3,\"4\n5,6\n", &[], &["in.csv:3:3: the cell begins with a quote, and has no closing quote"]);
    refused(
        "id,id,a\n1,2,3\n",
        &[],
        &["in.csv has 2 columns \"id\" (--id); give the number of one, such as #1 for the first of them"],
    );
    refused("id,a,A\n1,2,3\n", &[], &["columns \"a\" (#2) and \"A\" (#3) are one attribute"]);
    refused("id,a,a\n1,2,3\n", &[], &["columns \"a\" (#2) and \"a\" (#3) are one attribute"]);
    refused("id,,b\n1,2,3\n", &[], &["column \"\" needs another name: --name 'NAME=#2'", "1 to 256 characters"]);
    refused("id,a[0]\n1,2\n", &[], &["column \"a[0]\" needs another name", "none of { } [ ]"]);
    refused("id,a\0b\n1,2\n", &[], &["column \"a\\0b\" needs another name", "U+0000"]);
    refused(b"id,a\n1,caf\xe9\n", &[], &["in.csv:2: the byte 0xE9 is not UTF-8"]);
    refused(b"\xff\xfei\0d\0", &[], &["in.csv is UTF-16"]);
    let bench = Bench::new();
    let args = ["nowhere.csv", "--db", "crm.db", "--type", "customer", "--id", "id"];
    run("import_csv", bench.folder.path(), &args).bad(1, &["error: cannot read nowhere.csv\n  because: "]);
}

#[test]
fn a_quote_stands_only_where_it_may() {
    let goes_on = "a cell goes on after its closing quote; it begins on line 2, and a quote in it is doubled";
    let inside = "a quote stands in a cell that does not begin with one";
    let open = "the cell begins with a quote, and has no closing quote";
    for (csv, place, what) in [
        ("id,name\n1,\"Ann\n2,\"Bob\n", "in.csv:3:4: ", goes_on),
        ("id,name\n1,\"Ann\" Smith\n", "in.csv:2:8: ", goes_on),
        ("id,name\n1,\"Ann\"Smith\"\n", "in.csv:2:8: ", goes_on),
        ("id,name\r\n1,A\"nn\r\n", "in.csv:2:4: ", inside),
        ("id,name\r1, \"Ann\"\r", "in.csv:2:4: ", inside),
        ("id,na\"me\n1,a\n", "in.csv:1:6: ", inside),
        ("id,name\n1,\"Ann", "in.csv:2:3: ", open),
        ("id,name\n1,\"Ann\"\"", "in.csv:2:3: ", open),
        ("id,name\n1,\"a\r\nb\"\n2,é\"\n", "in.csv:4:4: ", inside),
        ("\u{feff}\"id\",name\n1,\"Ann\n", "in.csv:2:3: ", open),
    ] {
        refused(csv, &[], &[&format!("{place}{what}")]);
    }
    let bench = Bench::new();
    bench.import("id,name\n1,\"\"\"A\"\"nn\"\n2,\"\"\n3,\"a,\nb\"\n", &[]).good();
    assert_eq!(bench.export(&[]).good().out, "id,name\n1,\"\"\"A\"\"nn\"\n3,\"a,\nb\"\n");
}

#[test]
fn the_advice_for_columns_of_one_name_can_be_followed() {
    for (csv, exported) in [
        ("id,a,a\n1,2,3\n", "id,a,a 3\n1,2,3\n"),
        ("id,a,A\n1,2,3\n", "id,a,A 3\n1,2,3\n"),
        ("id,,\n1,2,3\n", "id,NAME,NAME 3\n1,2,3\n"),
        ("id,it's,it's\n1,2,3\n", "id,it's,it's 3\n1,2,3\n"),
    ] {
        let bench = Bench::new();
        let mut options: Vec<String> = Vec::new();
        let done = loop {
            let ended = bench.import(csv, &options.iter().map(String::as_str).collect::<Vec<_>>());
            if ended.code == Some(0) {
                break ended;
            }
            assert!(options.len() < 6, "{}", ended.err);
            // As a shell takes it.
            let (_, advice) = ended.err.split_once("--name '").expect("an option is named");
            let advice = advice.lines().next().and_then(|line| line.rsplit_once('\'')).expect("it is quoted").0;
            let name = advice.replace(r"'\''", "'");
            let name =
                if options.iter().any(|other| other.starts_with("NAME=")) { name.replace("NAME=", "NAME 3=") } else { name };
            options.extend(["--name".to_owned(), name]);
        };
        done.good();
        assert_eq!(bench.export(&[]).good().out, exported);
    }
    let bench = Bench::new();
    fs::write(bench.path("in.csv"), "id,id\n1,2\n").expect("the file is written");
    let args = ["in.csv", "--db", "crm.db", "--type", "customer", "--id", "#2", "--name", "other=#1", "--as", "#1=STRING"];
    run("import_csv", bench.folder.path(), &args).good();
    assert_eq!(bench.export(&[]).good().out, "id,other\n2,1\n");
}

#[test]
fn cells_stand_apart_by_other_characters() {
    for (delimiter, csv) in [
        (";", "id;a;b\n1;\"x;y\";1,5\n"),
        ("tab", "id\ta\tb\n1\t\"x\ty\"\t1,5\n"),
        ("\\t", "id\ta\tb\n1\t\"x\ty\"\t1,5\n"),
        ("|", "id|a|b\n1|\"x|y\"|1,5\n"),
    ] {
        let bench = Bench::new();
        bench.import(csv, &["--delimiter", delimiter]).good();
        assert_eq!(bench.export(&["--delimiter", delimiter]).good().out, csv);
    }
    refused("id;a\n1;2\n", &[], &["has no column \"id\" (--id); it has \"id;a\"; give its delimiter with --delimiter"]);
    refused("id;a\n1;A\"\n", &["--delimiter", ";"], &["in.csv:2:4: a quote stands in a cell"]);
    for wrong in ["", "ab", "\"", "\n", "é"] {
        Bench::new().import("id,a\n1,2\n", &["--delimiter", wrong]).bad(2, &["ASCII character"]);
    }
}

#[test]
fn formulas_are_guarded_where_that_is_asked_for() {
    let bench = Bench::new();
    let csv = "id,=b,n,a\n-x,=1+1,-5,+1\n@y,'=,7,\tz\n3,-,0,\"\rq\"\n";
    bench.import(csv, &["--as", "=b=STRING", "--as", "a=STRING"]).good();
    assert_eq!(bench.export(&[]).good().out, csv);
    let guarded = bench.export(&["--guard-formulas"]).good();
    let expected = "id,'=b,n,a\n'-x,'=1+1,-5,'+1\n'@y,'=,7,'\tz\n3,'-,0,\"'\rq\"\n";
    assert_eq!(guarded.out, expected);
    assert_eq!(guarded.err, "note: texts that got an apostrophe (--guard-formulas): 8; an import would keep it\n");
}

#[test]
fn a_column_of_zip_codes_stays_text() {
    for texts in [["01234", "12345"], ["-0", "5"], ["1.50", "01.5"], ["+7", "8"]] {
        let bench = Bench::new();
        let csv = format!("id,zip\n1,{}\n2,{}\n", texts[0], texts[1]);
        bench.import(&csv, &[]).good();
        assert_eq!(bench.types(), [("zip".to_owned(), DataType::String)]);
        assert_eq!(bench.export(&[]).good().out, csv);
    }
}

#[test]
fn what_is_said_of_a_cell() {
    refused("id,a\n1,2\n,3\n", &[], &["in.csv:3: column \"id\": the id is empty"]);
    refused("id,a\n1,2\n\n2,3\n1,4\n", &[], &["in.csv:5: column \"id\": \"1\" is the id of line 2 already"]);
    refused("id,a\n\"1\n2\",3\n", &[], &["in.csv:2: column \"id\"", "because: an entity id is"]);
    refused(
        "id,a\n1,\"x\ny\"\n2,abc\n",
        &["--as", "a=INTEGER"],
        &[
            "2 values are refused, and nothing is imported",
            "in.csv:2: column \"a\", value \"x\\ny\": `a` takes an integer",
            "in.csv:4: column \"a\", value \"abc\"",
        ],
    );
    refused("id,a\n1,2023-02-29\n", &["--as", "a=DATE"], &["value \"2023-02-29\": `a` takes a real day as YYYY-MM-DD"]);
    refused(
        "id,a\n1,nu\0l\n",
        &[],
        &["a value is refused", "in.csv:2: column \"a\", value \"nu\\0l\": `a` takes any character but NUL"],
    );
    refused(format!("id,a\n1,{}\n", "é".repeat(4097)), &[], &["in.csv:2: column \"a\"", "at most 4096 characters, not 4097"]);
    let many: String = (1..=9).map(|n| format!("{n},x\n")).collect();
    refused(format!("id,a\n{many}"), &["--as", "a=BOOLEAN"], &["9 values are refused", "in.csv:6: ", "and 4 more"]);
}

#[test]
fn a_refused_file_leaves_the_store_as_it_was() {
    let bench = Bench::new();
    bench.import("id,a,code\n1,2,x\n", &[]).good();
    let before = bench.export(&[]).good().out;
    bench.import("id,b,a\n5,1,6\n6,1,many\n", &[]).bad(1, &["in.csv:3: column \"a\", value \"many\": `a` takes an integer"]);
    bench.import("id,b,a\n5,1,6\n5,1,6\n", &[]).bad(1, &["is the id of line 2 already"]);
    bench
        .import("id,b,A\n5,1,6\n", &["--as", "A=STRING"])
        .bad(1, &["`a` is defined as INTEGER already, and cannot be STRING (--as)"]);
    assert_eq!(bench.export(&[]).good().out, before);
    assert_eq!(bench.types().len(), 2);
}

#[test]
fn what_only_the_store_can_refuse_has_its_line_too() {
    let bench = Bench::new();
    let customers = bench.attributes();
    let customers = customers.of("customer").expect("a type");
    customers.define(DefinitionSpec::string("email").unique()).expect("it is defined");
    customers.set("old", "email", "a@b").expect("it is set");
    let csv = "id,new,email\nx,1,\"c@d\"\ny,\"2\n\",a@b\n";
    bench
        .import(csv, &[])
        .bad(1, &["in.csv:3: column \"email\", value \"a@b\": `email` is unique, and \"a@b\" is held by customer/old already"]);
    bench.import("id,email\nx,same\ny,same\n", &[]).bad(1, &["a value is refused", "in.csv:3: column \"email\", value \"same\""]);
    assert_eq!(bench.export(&[]).good().out, "id,email\nold,a@b\n");
}

#[test]
fn a_definition_keeps_its_rules() {
    let bench = Bench::new();
    let spec = DefinitionSpec::integer("Credit Limit").minimum(0).description("In euros.");
    bench.attributes().of("customer").expect("a type").define(spec.clone()).expect("it is defined");
    let ended = bench.import("id,CREDIT LIMIT\n1,007\n", &[]).good();
    assert_eq!(ended.err, "note: column \"CREDIT LIMIT\" is the attribute `Credit Limit`\n");
    assert_eq!(*bench.attributes().of("customer").expect("a type").definition("credit limit").expect("it is there").spec(), spec);
    bench.import("id,credit limit\n1,-1\n", &[]).bad(1, &["value \"-1\": `Credit Limit` takes no less than 0, not -1"]);
    assert_eq!(bench.export(&[]).good().out, "id,Credit Limit\n1,7\n");
}

#[test]
fn an_empty_cell_sets_nothing_and_clears_nothing() {
    let bench = Bench::new();
    bench.import("id,a,b\n1,x,y\n", &[]).good();
    let ended = bench.import("id,a,b\n1,,z\n2,,\n", &[]).good();
    assert_eq!(ended.err, "note: rows without a value: 1; an entity that holds nothing is not kept\n");
    assert!(ended.out.contains("entities     1\n") && ended.out.contains("(0 created, 1 updated, 0 unchanged)"), "{}", ended.out);
    assert_eq!(bench.export(&[]).good().out, "id,a,b\n1,x,z\n");
}

#[test]
fn import_makes_no_store_of_other_files() {
    let bench = Bench::new();
    fs::write(bench.path("crm.db"), "this is a text, and no store at all: more than a header's worth of it\n".repeat(20))
        .expect("written");
    bench.import("id,a\n1,2\n", &[]).bad(1, &["cannot open crm.db"]);
    let args = ["in.csv", "--db", "no/where/crm.db", "--type", "customer", "--id", "id"];
    run("import_csv", bench.folder.path(), &args).bad(1, &["cannot open no/where/crm.db", "does not exist"]);
    let args = ["in.csv", "--db", "in.csv", "--type", "customer", "--id", "id"];
    run("import_csv", bench.folder.path(), &args).bad(1, &["cannot open in.csv"]);
    assert_eq!(fs::read_to_string(bench.path("in.csv")).expect("it is there"), "id,a\n1,2\n");
}

#[test]
fn an_import_gives_what_is_required_and_is_taken_back() {
    let bench = Bench::new();
    let attributes = bench.attributes();
    let customers = attributes.of("customer").expect("a type");
    customers.ensure([DefinitionSpec::string("tier").required(), DefinitionSpec::string("name")]).expect("definitions");
    customers.save("b", [("tier", "gold")]).expect("an entity");
    drop(attributes);
    let refused = "in.csv:2: `tier` is required, and would be missing: set it in the batch that creates the entity\n";
    bench.import("id,name,tier\na,Ann,\nb,Bob,\nc,Cy,basic\n", &[]).bad(1, &["a value is refused", refused]);
    bench.import("id,name,tier\na,Ann,basic\nb,Bob,\nc,Cy,basic\n", &[]).good();
    let back = run("change", bench.folder.path(), &["--db", "crm.db", "--type", "customer", "--undo", "3"]).good();
    assert_eq!(back.out, "undone: commit 4\n");
    assert_eq!(bench.export(&[]).good().out, "id,tier,name\nb,gold,\n");
}

#[test]
fn an_export_is_a_whole_file_or_none() {
    let bench = Bench::new();
    bench.import("id,a\n1,2\n", &[]).good();
    let ended = bench.export(&["out.csv"]).good();
    assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", "exported to out.csv (entities: 1, attributes: 1)\n"));
    assert_eq!(fs::read_to_string(bench.path("out.csv")).expect("it is there"), "id,a\n1,2\n");

    bench.export(&["--id-column", "a", "out.csv"]).bad(1, &["an attribute is called \"a\"", "--id-column NAME"]);
    bench.export(&["crm.db"]).bad(1, &["crm.db is the store itself"]);
    bench.export(&["."]).bad(1, &[". is not a file"]);
    bench.export(&["no/where.csv"]).bad(1, &["error: the export to no/where.csv failed\n  because: "]);
    let args = ["--db", "crm.db", "--type", "site", "out.csv"];
    run("export_csv", bench.folder.path(), &args).bad(1, &["crm.db has no attributes of `site`; it has those of customer"]);
    let args = ["--db", "none.db", "--type", "customer", "out.csv"];
    run("export_csv", bench.folder.path(), &args).bad(1, &["cannot open none.db: there is no such file"]);
    assert!(!bench.path("none.db").exists());

    assert_eq!(fs::read_to_string(bench.path("out.csv")).expect("it is there"), "id,a\n1,2\n");
    let left: Vec<_> = fs::read_dir(bench.folder.path())
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| ["in.csv", "out.csv", "crm.db", "crm.db-wal", "crm.db-shm"].map(OsStr::new).contains(&name.as_os_str())),
        "{left:?}"
    );
}

#[cfg(unix)]
#[test]
fn an_export_takes_the_place_of_what_a_link_leads_to() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.import("id,a\n1,2\n", &[]).good();
    fs::write(bench.path("real.csv"), "old").expect("written");
    fs::set_permissions(bench.path("real.csv"), fs::Permissions::from_mode(0o640)).expect("set");
    std::os::unix::fs::symlink("real.csv", bench.path("link.csv")).expect("a link");
    bench.export(&["link.csv"]).good();
    assert!(fs::symlink_metadata(bench.path("link.csv")).expect("it is there").is_symlink());
    assert_eq!(fs::read_to_string(bench.path("real.csv")).expect("it is there"), "id,a\n1,2\n");
    assert_eq!(fs::metadata(bench.path("real.csv")).expect("it is there").permissions().mode() & 0o777, 0o640);
}

#[test]
fn an_export_says_what_csv_cannot() {
    let bench = Bench::new();
    let attributes = bench.attributes();
    let customers = attributes.of("customer").expect("a type");
    customers.ensure([DefinitionSpec::string("a"), DefinitionSpec::string("b")]).expect("they are defined");
    customers.set("z", "a", "").expect("it is set");
    customers.set("y", "b", "=1+1").expect("it is set");
    let ended = bench.export(&[]).good();
    assert_eq!(ended.out, "id,a,b\nz,,\ny,,=1+1\n");
    assert_eq!(ended.err, "note: values that are the empty text: 1; in CSV they look like absent ones\n");
}

#[test]
fn many_entities_keep_their_order() {
    let rows: String = (0..2500).map(|n| format!("c{},{}\n", (n * 7919) % 2500, "x".repeat(60))).collect();
    let csv = format!("id,a\n{rows}");
    let bench = Bench::new();
    bench.import(&csv, &[]).good();
    assert_eq!(bench.export(&[]).good().out, csv);

    // More than a pipe holds, and a reader that leaves at once.
    let args = ["--db", "crm.db", "--type", "customer"];
    let mut export = Command::new(program("export_csv"));
    export.args(args).current_dir(bench.folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut export = export.spawn().expect("it starts");
    drop(export.stdout.take());
    let ended = export.wait_with_output().expect("it ends");
    assert!(ended.status.success());
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

impl Bench {
    /// Four customers, of whom one has no tier.
    fn with_customers() -> Self {
        let bench = Self::new();
        bench
            .import("id,Tier,Seats,Rate,Note\nA-1,premium,5,1.50,a\tb\n2,basic,10,2.5,\"x\ny\"\n3,,7,,\n4,premium,1,0.5,\n", &[])
            .good();
        bench
    }

    fn find(&self, args: &[&str]) -> Ended {
        run("find", self.folder.path(), &[&["--db", "crm.db", "--type", "customer"][..], args].concat())
    }
}

#[test]
fn a_column_of_texts_becomes_one_of_numbers_and_back() {
    let bench = Bench::new();
    bench.import("id,total\na,29.85\nb, \nc,108.150\nd,x\n", &["--as", "total=STRING"]).good();
    let export = || bench.export(&["--id-column", "id"]).good().out;
    let before = export();
    let change =
        |args: &[&str]| run("change", bench.folder.path(), &[&["--db", "crm.db", "--type", "customer"][..], args].concat());
    let told = change(&["--to", "TOTAL=DECIMAL"]).good().out;
    let expected =
        "total STRING to total DECIMAL: 4 held, 2 converted, 2 offending\n  customer/b: `total` takes a decimal number such as ";
    assert!(told.starts_with(expected), "{told}");
    assert!(told.ends_with("nothing was changed; --apply refuse or --apply clear carries it out\n"), "{told}");
    assert_eq!(export(), before);
    let refused = change(&["--to", "total=DECIMAL", "--apply", "refuse"]);
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    assert!(refused.err.contains("customer/d: `total`"), "{}", refused.err);
    let done = change(&["--to", "total=DECIMAL", "--apply", "clear", "--by", "ann"]).good().out;
    assert!(done.ends_with("done: commit 2; --undo 2 takes it back\n"), "{done}");
    assert_eq!(export(), "id,total\na,29.85\nc,108.150\n");
    assert_eq!(change(&["--undo", "2"]).good().out, "undone: commit 3\n");
    assert_eq!(export(), before);
    change(&["--to", "totals=DATE"]).bad(1, &["did you mean `total`?"]);
    change(&["--to", "total=NUMBER"]).bad(2, &["NUMBER"]);
}

#[test]
fn a_store_of_texts_gets_the_types_that_its_texts_are_of() {
    let bench = Bench::new();
    bench
        .import(
            "id,n,d,day,old,new,mixed\na,1,1.50,2025-01-31,x,,7\nb,007,2,2025-02-28,,y,seven\nc, ,3.25,,z,z,8\n",
            &["--as-text"],
        )
        .good();
    let export = || bench.export(&["--id-column", "id"]).good().out;
    let before = export();
    let change =
        |args: &[&str]| run("change", bench.folder.path(), &[&["--db", "crm.db", "--type", "customer"][..], args].concat());
    // 007 would not come back as it was.
    let told = change(&["--infer"]).good().out;
    let expected =
        "d STRING to d DECIMAL: 3 held, 3 converted, 0 offending\nday STRING to day DATE: 2 held, 2 converted, 0 offending\n";
    assert!(told.starts_with(expected) && !told.contains("n STRING"), "{told}");
    let steps = ["--infer", "--define", "number=INTEGER", "--split", "mixed=number", "--merge", "old=new", "--rename", "d=sum"];
    let exact = change(&["--to", "n=INTEGER"]).good().out;
    assert!(
        exact.contains("n STRING to n INTEGER: 3 held, 1 converted, 2 offending\n  customer/b: `n` cannot be INTEGER"),
        "{exact}"
    );
    let plan = [&steps[..], &["--to", "n=INTEGER", "--numbers-by-value", "--apply", "clear"]].concat();
    let done = change(&plan).good().out;
    for line in [
        "new number INTEGER: 0 held, 0 converted, 0 offending",
        "n STRING to n INTEGER: 3 held, 2 converted (1 by value), 1 offending",
        "  customer/b: \"007\" becomes 7",
        "mixed STRING to number INTEGER: 3 held, 2 converted, 0 offending",
        "old STRING to new STRING: 2 held, 1 converted, 0 offending",
        "d DECIMAL to sum DECIMAL: 3 held, 0 converted, 0 offending",
        "  customer/c: `n` takes an integer such as -12, without sign + or separators, not \" \"",
        "done: commit 2; --undo 2 takes it back",
    ] {
        assert!(done.lines().any(|told| told == line), "{line}\n{done}");
    }
    assert_eq!(export(), "id,n,sum,day,new,mixed,number\na,1,1.50,2025-01-31,x,,7\nb,7,2,2025-02-28,y,seven,\nc,,3.25,,z,,8\n");
    change(&["--undo", "2"]).good();
    assert_eq!(export(), before);
}

#[test]
fn use_is_counted_and_what_documentation_lacks_is_listed() {
    let bench = Bench::new();
    let attributes = bench.attributes();
    let customers = attributes.of("customer").expect("a type");
    let specs = [
        DefinitionSpec::string("tier").maximum_chars(10).description("d").group("g").example("gold").used_by("billing"),
        DefinitionSpec::integer("score").minimum(0).maximum(100).choices([0i64, 50, 99]).description("d").used_by("risk"),
        DefinitionSpec::date("never"),
    ];
    customers.ensure(specs).expect("definitions");
    let batch = attributes.batch().set(("customer", 1), "tier", "gold").set(("customer", 2), "tier", "gold");
    let batch =
        batch.set(("customer", 3), "tier", "123456789").set(("customer", 4), "score", 99).set(("customer", 3), "score", 50);
    batch.commit().expect("a commit");
    let stats = |args: &[&str]| run("stats", bench.folder.path(), &[&["--db", "crm.db"][..], args].concat());
    let table = stats(&[]).good().out;
    let cells: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(cells[1][..8], ["customer.tier", "STRING", "3", "75.0", "%", "2", "1", cells[1][7]]);
    assert_eq!(cells[1].last(), Some(&"billing"));
    assert_eq!(cells[2][..7], ["customer.score", "INTEGER", "2", "50.0", "%", "2", "1"]);
    assert_eq!(cells[3], ["customer.never", "DATE", "0", "0.0", "%", "0", "0"]);
    let json = stats(&["--type", "customer", "--format", "json"]).good().out;
    let first: serde_json::Value = serde_json::from_str(json.lines().next().expect("a line")).expect("it is JSON");
    assert_eq!((&first["holders"], &first["distinct"], &first["definition"]["name"]), (&3.into(), &2.into(), &"tier".into()));
    let listed = stats(&["--check"]);
    let expected = "customer.score: belongs to no group\ncustomer.never: has no description\ncustomer.never: belongs to no group\n\
                    customer.never: has no example of a value\ncustomer.never: names nobody who uses it\n";
    assert_eq!((listed.code, listed.out.as_str()), (Some(1), expected));
    let usage = attributes.snapshot().expect("a snapshot").usage(customers.entity_type()).expect("usage");
    let set = usage[0].last.clone().expect("it was set").at;
    assert!(!usage[0].is_unused_since(set) && usage[0].is_unused_since(set + chrono::TimeDelta::microseconds(1)));
    assert!(usage[2].is_unused_since(set));
}

#[test]
fn old_history_and_persons_are_forgotten() {
    let bench = Bench::new();
    let attributes = bench.attributes();
    let people = attributes.of("person").expect("a type");
    people.ensure([DefinitionSpec::integer("seats"), DefinitionSpec::string("diagnosis").sensitive()]).expect("definitions");
    for n in 0..5 {
        people.set("ann@example.org", "seats", n).expect("a set");
        people.set("bob", "diagnosis", format!("SECRET {n}")).expect("a set");
    }
    let forget = |args: &[&str]| run("forget", bench.folder.path(), &[&["--db", "crm.db"][..], args].concat());
    assert_eq!(forget(&["prune", "--days", "1"]).good().out, "0 versions removed\n");
    let some = forget(&["prune", "--versions", "3", "--limit", "1"]).good().out;
    assert_eq!(some, "person.seats: 1 versions\n1 versions removed\nthere are more; run it again\n");
    assert_eq!(forget(&["prune", "--versions", "3"]).good().out, "person.diagnosis: 1 versions\n1 versions removed\n");
    let tail = run("tail", bench.folder.path(), &["--db", "crm.db"]).good().err;
    assert!(tail.contains("note: changes of person.seats before commit 4 are not all known any longer"), "{tail}");

    let erased = forget(&["--by", "dpo", "--note", "17", "erase", "--type", "person", "--id", "bob", "diagnosis"]).good().out;
    assert_eq!(erased, "erased in commit 14\nthe file has no byte of it\n");
    forget(&["erase", "--type", "person", "--id", "ann@example.org"]).good();
    let bytes = fs::read(bench.folder.path().join("crm.db")).expect("a file");
    let is_there = |mark: &str| bytes.windows(mark.len()).any(|window| window == mark.as_bytes());
    assert!(!is_there("SECRET") && !is_there("ann@example") && is_there("bob"));
    let nothing = forget(&["erase", "--type", "person", "--id", "nobody"]).good().out;
    assert!(nothing.starts_with("there was nothing to erase\n"), "{nothing}");
    forget(&["erase", "--type", "person", "--id", "bob", "seats"])
        .bad(1, &["`seats` was never marked as sensitive, and only sensitive values are erased"]);
    forget(&["prune"]).bad(2, &["--days"]);
}

#[test]
fn changes_are_printed_and_followed() {
    let bench = Bench::new();
    let store = SqliteStore::open(bench.folder.path().join("crm.db")).expect("a store");
    let attributes = Attributes::new(store);
    let customers = attributes.of("customer").expect("a type");
    customers.define(DefinitionSpec::integer("seats")).expect("a definition");
    attributes.batch().by("ann").set(("customer", 1), "seats", 5).set(("customer", 2), "seats", 7).commit().expect("a commit");
    customers.set(1, "seats", 6).expect("a set");
    let tail = |args: &[&str]| run("tail", bench.folder.path(), &[&["--db", "crm.db"][..], args].concat());
    let lines = |out: &str| -> Vec<serde_json::Value> {
        out.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
    };
    let all = tail(&[]).good();
    let found = lines(&all.out);
    assert_eq!(found.len(), 4);
    assert_eq!(found[0]["after"]["name"], "seats");
    assert_eq!((&found[2]["entity_id"], &found[2]["commit"]["actor"]), (&2.into(), &"ann".into()));
    assert_eq!(
        (&found[3]["values"][0]["before"], &found[3]["values"][0]["attribute"]),
        (&serde_json::json!({ "INTEGER": 5 }), &"seats".into())
    );
    assert_eq!(all.err, "go on with --since 3\n");
    assert_eq!(lines(&tail(&["--since", "2"]).good().out), found[3..]);
    assert_eq!(lines(&tail(&["--since", "2:1"]).good().out), found[2..]);
    assert_eq!(tail(&["--since", "3"]).good().out, "");
    tail(&["--since", "three"]).bad(2, &["a position is the number of a commit"]);
    run("tail", bench.folder.path(), &["--db", "none.db"]).bad(1, &["there is no such file"]);

    // It is told what comes while it waits.
    let mut followed = Command::new(program("tail"))
        .args(["--db", "crm.db", "--since", "3", "--follow", "--every", "10"])
        .current_dir(bench.folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    customers.set(9, "seats", 1).expect("a set");
    let mut line = String::new();
    let out = followed.stdout.take().expect("it is piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("a line");
    followed.kill().expect("it runs");
    followed.wait().expect("it ends");
    assert_eq!(lines(&line)[0]["entity_id"], 9);
}

#[test]
fn entities_are_found_and_shown() {
    let bench = Bench::with_customers();
    for (args, out) in [
        (&["tier = 'premium' and seats > 1"][..], "A-1\n"),
        (&[], "A-1\n2\n3\n4\n"),
        (&["tier not exists"], "3\n"),
        (&["seats > 100"], ""),
        (&["seats > 1", "--count"], "3\n"),
        (&["--count"], "4\n"),
        (&["--facet", "tier"], "premium\t2\nbasic\t1\n"),
        (&["seats > 1", "--facet", "TIER"], "basic\t1\npremium\t1\n"),
        (&["--order-by", "tier:desc,seats", "--show", "seats,tier"], "4\t1\tpremium\nA-1\t5\tpremium\n2\t10\tbasic\n3\t7\t\n"),
        (&["seats <= 10 and note exists", "--show", "note"], "A-1\ta\\tb\n2\tx\\ny\n"),
        (
            &["rate = 1.5", "--show-all", "--format", "json"],
            "{\"id\":\"A-1\",\"values\":{\"Note\":\"a\\tb\",\"Rate\":\"1.50\",\"Seats\":5,\"Tier\":\"premium\"}}\n",
        ),
        (
            &["tier = 'premium' and seats > 1", "--explain"],
            "all of\n  Tier = 'premium': looked up, 2 expected; 2 found\n  \
             Seats > 1: walked 4 entries, 3 expected; 2 given, 1 left\nby ordinal: the first 100; 1 found\n",
        ),
        (&["--order-by", "rate", "--limit", "2", "--explain"], "by value: walked: the first 2; 2 found\n"),
        (&["seats >= 7", "--show", "tier", "--format", "table"], "id  Tier\n--  -----\n2   basic\n3\n"),
    ] {
        let ended = bench.find(args).good();
        assert_eq!((ended.out.as_str(), ended.err.as_str()), (out, ""), "{args:?}");
    }
}

#[test]
fn entities_are_found_by_their_defaults() {
    let bench = Bench::with_customers();
    let alter = bench.attributes();
    alter.of("customer").expect("a type").alter("tier", |spec| spec.default_value("basic")).expect("a default");
    drop(alter);
    for (args, out) in [
        (&["tier = 'basic'"][..], "2\n"),
        (&["tier = 'basic'", "--with-defaults", "--show", "tier"], "2\tbasic\n3\tbasic\n"),
        (&["tier = 'basic'", "--with-defaults", "--count"], "2\n"),
        (&["tier not exists", "--with-defaults"], ""),
        (&["tier = 'basic'", "--with-defaults", "--facet", "tier"], "basic\t1\n"),
    ] {
        assert_eq!(bench.find(args).good().out, out, "{args:?}");
    }
}

#[test]
fn pages_are_turned_by_the_cursor_that_is_printed() {
    let bench = Bench::with_customers();
    let first = bench.find(&["seats > 0", "--order-by", "seats", "--limit", "3"]).good();
    assert_eq!(first.out, "4\nA-1\n3\n");
    let cursor = first.err.trim_end().strip_prefix("there are more: --after ").expect("a cursor").to_owned();
    let second = bench.find(&["seats > 0", "--order-by", "seats", "--limit", "3", "--after", &cursor]).good();
    assert_eq!((second.out.as_str(), second.err.as_str()), ("2\n", ""));
    bench.find(&["seats > 1", "--order-by", "seats", "--limit", "3", "--after", &cursor]).bad(1, &["of this query as it is now"]);
}

#[test]
fn what_is_said_of_a_filter() {
    let bench = Bench::with_customers();
    for (args, reasons) in [
        (&["tier = premium"][..], &["at character 8, not `premium`", "\n  tier = premium\n         ^\n"][..]),
        (&["teir = 'x'"], &["`teir` is not defined for `customer`; did you mean `Tier`?", "\n  teir = 'x'\n  ^\n"]),
        (&["seats = 'x'"], &["`Seats` is INTEGER, but was given the text 'x'"]),
        (&["--show", "teir"], &["the attribute `teir` of `customer` does not exist; did you mean `Tier`?"]),
        (&["--order-by", "teir"], &["`teir` is not defined for `customer`"]),
        (&["--limit", "0"], &["a limit from 1 to 10000, not 0"]),
    ] {
        bench.find(args).bad(1, reasons);
    }
    bench.find(&["--count", "--facet", "tier"]).bad(2, &["cannot be used with"]);
    let wrong_type = run("find", bench.folder.path(), &["--db", "crm.db", "--type", "Customer", "--count"]);
    wrong_type.bad(1, &["crm.db has no attributes of `Customer`; it has those of customer"]);
    run("find", bench.folder.path(), &["--db", "none.db", "--type", "customer"]).bad(1, &["there is no such file"]);
}

#[test]
fn a_customer_is_taken_on_with_its_attributes_or_not_at_all() {
    let bench = Bench::new();
    let run = |args: &[&str]| run("host_transaction", bench.folder.path(), args);
    let first = run(&["--db", "host.db", "--prefix", "crm_"]).good();
    assert!(first.out.contains("Acme is taken on as customer 1"), "{}", first.out);
    assert!(first.out.contains("Bolt is not (the CRM failed in the middle): 1 rows and 1 with attributes"), "{}", first.out);
    assert!(first.out.ends_with("\nAcme\tpremium\t10000\n"), "{}", first.out);
    run(&["--db", "host.db", "--prefix", "crm_", "Crane", "--credit-limit=-1"])
        .bad(1, &["Crane is not taken on", "`credit_limit` takes no less than 0, not -1"]);
    let second = run(&["--db", "host.db", "--prefix", "crm_", "Delta", "--credit-limit", "1000"]).good();
    assert!(second.out.ends_with("\nAcme\tpremium\t10000\nDelta\tpremium\t1000\n"), "{}", second.out);
    run(&["--db", "host.db", "--prefix", "Crm-"]).bad(1, &["a prefix of tables has", "not `Crm-`"]);
    run(&["--db", "no/such/folder.db"]).bad(1, &["cannot open no/such/folder.db"]);
    fs::write(bench.path("text.db"), "no database at all, but a text".repeat(100)).expect("the file is written");
    run(&["--db", "text.db"]).bad(1, &["file is not a database"]);
    assert!(run(&[]).good().out.contains("Acme is taken on as customer 1"));
}

fn copy(bench: &Bench, args: &[&str]) -> Ended {
    run("copy", bench.folder.path(), args)
}

#[test]
fn a_store_goes_through_every_kind_and_keeps_its_digest() {
    let bench = Bench::new();
    bench.import("id,tier,seats\n1,premium,5\n2,basic,7\n", &[]).good();
    let of = |told: String| told.lines().last().expect("a digest").to_owned();
    let told = copy(&bench, &["--from", "sqlite:crm.db"]).good().out;
    assert!(told.starts_with("1 commits, 2 definitions, 2 entities, 4 values, 0 in history\ndigest "), "{told}");
    let digest = of(told);
    for (from, to) in [
        ("sqlite:crm.db", "sqlite:second.db"),
        ("sqlite:second.db", "jsonl:lines.jsonl"),
        ("jsonl:lines.jsonl", "sqlite:third.db"),
        ("sqlite:third.db", "backup:fourth.db"),
        ("jsonl:lines.jsonl", "jsonl:again.jsonl"),
    ] {
        assert_eq!(of(copy(&bench, &["--from", from, "--to", to]).good().out), digest, "{from} to {to}");
    }
    assert_eq!(of(copy(&bench, &["--from", "sqlite:fourth.db"]).good().out), digest);
    let read = |name: &str| fs::read(bench.path(name)).expect("a file");
    assert_eq!(read("lines.jsonl"), read("again.jsonl"));
    let piped = copy(&bench, &["--from", "sqlite:fourth.db", "--to", "jsonl:-"]).good();
    assert_eq!((piped.out.into_bytes(), of(piped.err)), (read("lines.jsonl"), digest.clone()));

    // It goes on where it was.
    bench.import("id,tier,seats\n1,basic,5\n3,basic,9\n", &[]).good();
    let ended = copy(&bench, &["--from", "sqlite:crm.db", "--to", "sqlite:second.db"]).good();
    assert_eq!(ended.err, "1 commits were there already\n");
    assert_ne!(of(ended.out), digest);
}

#[test]
fn a_copy_that_cannot_be_made_says_why() {
    let bench = Bench::new();
    bench.import("id,tier\n1,premium\n", &[]).good();
    copy(&bench, &["--from", "crm.db"]).bad(2, &["it is written as sqlite:PATH, jsonl:PATH, jsonl:- or backup:PATH"]);
    copy(&bench, &["--from", "csv:in.csv"]).bad(2, &["there is no kind \"csv\""]);
    copy(&bench, &["--from", "sqlite:missing.db"]).bad(1, &["there is no such file"]);
    copy(&bench, &["--from", "backup:crm.db"]).bad(1, &["read it as sqlite:PATH"]);
    copy(&bench, &["--from", "jsonl:in.csv"]).bad(1, &["line 1 of the export is not the beginning of an export"]);
    copy(&bench, &["--from", "sqlite:crm.db", "--to", "backup:in.csv"]).bad(1, &["there is a file already"]);
    copy(&bench, &["--from", "sqlite:crm.db", "--to", "jsonl:in.csv"]).bad(1, &["cannot make in.csv"]);
    copy(&bench, &["--from", "sqlite:crm.db", "--to", "jsonl:lines.jsonl"]).good();
    let lines = fs::read_to_string(bench.path("lines.jsonl")).expect("a file");
    fs::write(bench.path("changed.jsonl"), lines.replace("premium", "Premium")).expect("a file");
    copy(&bench, &["--from", "jsonl:changed.jsonl"]).bad(1, &["line 5 of the export is not the sum of those before it"]);
    let other = copy(&bench, &["--from", "jsonl:lines.jsonl", "--to", "sqlite:other.db"]).good();
    assert!(other.out.contains("digest "));
    bench.import("id,tier\n1,basic\n", &[]).good();
    fs::rename(bench.path("crm.db"), bench.path("ahead.db")).expect("a file");
    copy(&bench, &["--from", "sqlite:other.db", "--to", "sqlite:ahead.db"]).bad(1, &["it has 2 commits, and the source 1"]);
}

#[test]
#[cfg(feature = "tokio")]
fn a_service_runs_and_stops_in_good_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let args = ["--db", "crm.db", "--writers", "8", "--readers", "2", "--seconds", "1"];
    let ended = run("async_service", folder.path(), &args).good();
    let number = |text: &str| text.split(' ').next().and_then(|number| number.parse::<i64>().ok()).expect("a number");
    let lines: Vec<_> = ended.out.lines().collect();
    let (written, held) = (number(lines[0]), number(lines[2]));
    assert!(written > 0 && number(lines[1]) > 0 && held == written, "{}", ended.out);

    // It goes on where it was, and stops when it is asked to.
    #[cfg(unix)]
    {
        let mut asked = Command::new(program("async_service"));
        asked.args(["--db", "crm.db", "--writers", "8", "--seconds", "600"]).current_dir(folder.path());
        let asked = asked.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        std::thread::sleep(std::time::Duration::from_secs(1));
        Command::new("kill").args(["-INT", &asked.id().to_string()]).status().expect("a signal");
        let ended = asked.wait_with_output().expect("it ends");
        let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert!(ended.status.success() && err.contains("what was begun is finished"), "{out}{err}");
        let lines: Vec<_> = out.lines().collect();
        assert_eq!(number(lines[2]), held + number(lines[0]), "{out}");
    }
    run("async_service", folder.path(), &["--db", "crm.db", "--writers", "0"]).bad(2, &["--writers"]);
    run("async_service", folder.path(), &["--db", "none/crm.db"]).bad(1, &["cannot open", "does not exist"]);
}
