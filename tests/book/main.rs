//! The rule book in `docs/`: a page a rule and a kind, made from the contracts and scenarios, and pages about
//! the configuration, the commands and the metrics, made from what the code says of itself.
//!
//! `just book` writes what is made anew; without that the tests say what differs.
#![allow(clippy::unwrap_used)]

mod commands;
mod config;
mod kind;
mod links;
mod metrics;
mod names;
mod rule;
mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use ramen_guard::{
    policy::{self, Contract, Mode, Profile},
    scenario::{scenarios_of, written_of},
};

/// What a page that is made begins with, so that nobody edits it.
const MADE: &str = "<!-- Made by `just book`; change what it is made from. -->\n";

/// Where the made part of the table of contents begins.
const CONTENTS: &str = "# Rules\n";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// Every page that is made, by its path below `docs/`. The scenarios are judged for it, so once is enough.
fn made() -> &'static BTreeMap<String, String> {
    static MADE: LazyLock<BTreeMap<String, String>> = LazyLock::new(make);
    &MADE
}

fn make() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for contract in policy::contracts() {
        pages.insert(format!("rules/{}.md", contract.id), rule::page(contract));
    }
    pages.insert("rules/index.md".to_owned(), rule::all());
    for (file, page) in kind::pages() {
        pages.insert(format!("kinds/{file}.md"), page);
    }
    pages.insert("configuration.md".to_owned(), config::page());
    pages.insert("commands.md".to_owned(), commands::page());
    pages.insert("metrics.md".to_owned(), metrics::page());
    pages.insert("certificates.md".to_owned(), text::certificates());
    for page in pages.values_mut() {
        page.insert_str(0, MADE);
    }
    let contents = fs::read_to_string(docs().join("SUMMARY.md")).unwrap();
    let (own, _) = contents
        .split_once(CONTENTS)
        .expect("docs/SUMMARY.md has a heading for the rules");
    pages.insert(
        "SUMMARY.md".to_owned(),
        format!("{own}{CONTENTS}\n{}", kind::contents()),
    );
    pages
}

/// Every page there is, by its path below `docs/`.
fn written() -> BTreeMap<String, String> {
    fn below(folder: &Path, pages: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below(&path, pages);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                let name = path
                    .strip_prefix(docs())
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                pages.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut pages = BTreeMap::new();
    below(&docs(), &mut pages);
    pages
}

#[test]
fn the_book_is_up_to_date() {
    let (made, there) = (made(), written());
    let is_made = |page: &str| page.starts_with(MADE);
    let gone = there
        .iter()
        .filter(|(name, page)| is_made(page) && !made.contains_key(*name))
        .map(|(name, _)| name.clone());
    let differs = made
        .iter()
        .filter(|(name, page)| there.get(*name) != Some(*page))
        .map(|(name, _)| name.clone());
    let wrong: Vec<String> = gone.chain(differs).collect();
    if std::env::var_os("RAMEN_GUARD_BOOK").is_none() {
        assert!(
            wrong.is_empty(),
            "these pages of docs/ are not what the code says; `just book` writes them anew: {wrong:#?}"
        );
        return;
    }
    for name in wrong {
        let path = docs().join(&name);
        match made.get(&name) {
            Some(page) => {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, page).unwrap();
            }
            None => fs::remove_file(path).unwrap(),
        }
    }
}

/// All rules but those that pass on what an API server says: tests/cluster/dryrun.rs asks a real one.
fn told() -> impl Iterator<Item = &'static Contract> {
    policy::contracts()
        .iter()
        .filter(|contract| !contract.id.starts_with("server-"))
}

#[test]
fn each_rule_has_its_page_its_scenarios_and_its_mode() {
    let contents = fs::read_to_string(docs().join("SUMMARY.md")).unwrap();
    for contract in told() {
        let id = &contract.id;
        let page = fs::read_to_string(docs().join(format!("rules/{id}.md")));
        let page = page.unwrap_or_else(|error| panic!("docs/rules/{id}.md: {error}; `just book`"));
        assert!(
            page.contains(&format!("# {id}\n")),
            "{id}: its page is another's"
        );
        assert!(
            contents.contains(&format!("(rules/{id}.md)")),
            "{id} is not in the table of contents"
        );
        let scenarios = scenarios_of(id).count() + written_of(id).count();
        assert!(scenarios >= 1, "{id} has no scenario");
        assert!(
            page.contains("**Accepted**"),
            "{id}: nothing is accepted on its page"
        );
        let modes = Profile::ALL.map(|(_, profile)| contract.mode_in(profile));
        assert!(modes.iter().all(|mode| Mode::ALL.contains(mode)), "{id}");
        let row = format!("| {} |", modes.map(|mode| mode.to_string()).join(" | "));
        assert!(page.contains(&row), "{id}: its modes are not on its page");
    }
}

/// Who comes from a denial comes to a page that tells what the denial did.
#[test]
fn the_pages_show_what_the_guard_says() {
    let pages = made();
    for contract in told() {
        let page = &pages[&format!("rules/{}.md", contract.id)];
        let modes = Profile::ALL.map(|(_, profile)| contract.mode_in(profile));
        if modes.iter().any(|mode| *mode >= Mode::Warn) {
            assert!(
                page.contains(&format!("[{}]: ", contract.id)),
                "{}: its page shows nothing of what it says",
                contract.id
            );
        }
    }
}

#[test]
fn every_page_is_in_the_table_of_contents_once() {
    let pages = written();
    let contents = &pages["SUMMARY.md"];
    let linked = links::targets(contents);
    let linked: Vec<&str> = linked.iter().map(|it| &**it).collect();
    let once: BTreeSet<&str> = linked.iter().copied().collect();
    assert_eq!(linked.len(), once.len(), "a page is in SUMMARY.md twice");
    let known: BTreeSet<&str> = pages
        .keys()
        .map(|it| &**it)
        .filter(|it| *it != "SUMMARY.md")
        .collect();
    assert_eq!(once, known);
}
