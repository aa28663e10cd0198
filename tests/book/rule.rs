//! A page a rule.

use ramen_guard::{
    cli::explain::source_links,
    engine::{Settings, conduct},
    floor,
    policy::{Check, Contract, Operation, Profile, contracts},
    report::field,
    scenario::{Example, examples_of},
};

use super::{
    kind,
    text::{code, escaped, inline, sentence},
};

/// How many scenarios of each sort are shown whole; the others are named.
const WHOLE: usize = 2;

/// The page of a rule.
pub(crate) fn page(contract: &'static Contract) -> String {
    let mut page = format!("# {}\n\n{}\n\n", contract.id, sentence(&contract.what));
    page += &modes(contract);
    page += &format!("\nKind: {}\n", kinds(contract));
    page += &format!("\n## Why\n\n{}\n", sentence(&contract.why));
    page += &format!("\n## What to do\n\n{}\n", sentence(&contract.fix));
    page += &format!("\n## When it is asked\n\n{}", asked(contract));
    let told = conduct(contract);
    if !told.is_empty() {
        page += "\n## What else holds\n\n";
        page += &told
            .iter()
            .map(|told| format!("- {told}\n"))
            .collect::<String>();
    }
    page += &in_the_floor(contract);
    page += &examples(contract);
    page += &format!("\n## Source\n\n{}", sources(contract));
    page
}

fn modes(contract: &Contract) -> String {
    let (names, modes) = (
        Profile::ALL.map(|(name, _)| format!("`{name}`")),
        Profile::ALL.map(|(_, profile)| contract.mode_in(profile).to_string()),
    );
    format!(
        "| {} |\n| --- | --- | --- |\n| {} |\n",
        names.join(" | "),
        modes.join(" | ")
    )
}

fn kinds(contract: &Contract) -> String {
    let kinds = std::iter::once(&contract.kind).chain(&contract.also);
    let links: Vec<String> = kinds.map(|kind| kind::link(kind, "../kinds/")).collect();
    links.join(", ")
}

fn asked(contract: &Contract) -> String {
    let has = |operation| contract.on.contains(&operation);
    let mut text = String::new();
    if has(Operation::Create) {
        text += "- on CREATE\n";
    }
    if has(Operation::Update) {
        text += "- on UPDATE";
        if contract.watches.is_empty() {
            text.push('\n');
        } else {
            text += ", where one of these fields changes:\n";
            for pointer in &contract.watches {
                text += &format!("  - {}\n", inline(&field(pointer)));
            }
        }
    }
    if has(Operation::Delete) {
        text +=
            "- on DELETE, where deletions are guarded at all: see [the overlays](../install.md)\n";
    }
    text
}

fn in_the_floor(contract: &'static Contract) -> String {
    if !floor::is_in(contract) {
        return String::new();
    }
    let settings = Settings::default();
    let policies = floor::policies(&settings);
    let names = policies
        .iter()
        .filter(|policy| policy.rules.contains(&&*contract.id))
        .map(|policy| inline(policy.name()));
    let names: Vec<String> = names.collect();
    let mut text = format!(
        "\n## In the floor\n\nWhere the guard does not run, the API server itself asks this, in {}:\n",
        names.join(" and ")
    );
    for (field, holds) in floor::checks(contract, &settings) {
        text += &format!("\nOf {}:\n\n{}", inline(&field), code("cel", &holds));
    }
    if matches!(contract.check, Check::Immutable(_)) {
        text += "\nIt only compares, so an object that stays as it is never meets it.\n";
    }
    text
}

fn examples(contract: &Contract) -> String {
    let all = examples_of(&contract.id);
    let (accepted, other): (Vec<&Example>, Vec<&Example>) =
        all.iter().partition(|example| example.is_accepted());
    let mut text = String::from("\n## Examples\n");
    for example in other
        .iter()
        .chain(&accepted)
        .filter(|it| is_whole(it, &other, &accepted))
    {
        text += &shown(example);
    }
    let rest: Vec<&&Example> = other
        .iter()
        .chain(&accepted)
        .filter(|it| !is_whole(it, &other, &accepted))
        .collect();
    if !rest.is_empty() {
        text += "\n### More cases\n\n";
        for example in rest {
            text += &format!("- {}: {}\n", example.verdict(), escaped(&example.story));
        }
        text += &format!(
            "\n`ramen-guard explain {} --all` shows them whole. All are tests.\n",
            contract.id
        );
    }
    text
}

fn is_whole(example: &Example, other: &[&Example], accepted: &[&Example]) -> bool {
    let first = |list: &[&Example]| {
        let mut list = list.iter().take(WHOLE);
        list.any(|it| std::ptr::eq(*it, example))
    };
    first(other) || first(accepted)
}

fn shown(example: &Example) -> String {
    let verdict = sentence(&example.verdict());
    let verdict = verdict.trim_end_matches('.');
    let (word, rest) = verdict
        .split_once(',')
        .map_or((verdict, String::new()), |(word, rest)| {
            (word, format!(",{rest}"))
        });
    let mut text = format!("\n**{word}**{rest}: {}\n", escaped(&example.story));
    for shown in &example.shown {
        if shown.text.is_empty() {
            text += &format!("\n{}\n", sentence(&shown.title));
        } else {
            let title = sentence(&shown.title);
            let language = if shown.is_diff { "diff" } else { "yaml" };
            text += &format!(
                "\n{}:\n\n{}",
                title.trim_end_matches('.'),
                code(language, &shown.text)
            );
        }
    }
    if !example.said.is_empty() {
        text += &format!("\n{}", code("text", &example.said.join("\n")));
    }
    text
}

fn sources(contract: &Contract) -> String {
    let links = source_links(&contract.source).into_iter();
    let link = |link: String| match link.split_once("/ramen/blob/") {
        Some((_, place)) => {
            let place = place.split_once('/').map_or(place, |(_, place)| place);
            let spelt = match place.split_once("#L") {
                Some((file, lines)) => match lines.split_once("-L") {
                    Some((from, to)) => format!("{file}, lines {from} to {to}"),
                    None => format!("{file}, line {lines}"),
                },
                None => place.to_owned(),
            };
            format!("- [Ramen, {spelt}]({link})\n")
        }
        None if link.starts_with("https://") => format!("- [Ramen, {}]({link})\n", contract.source),
        None => format!("- {link}\n"),
    };
    links.map(link).collect()
}

/// The page that lists all rules.
pub(crate) fn all() -> String {
    let mut page = format!(
        "# All rules\n\n{} rules. `ramen-guard rules` lists them with the modes of your configuration; \
         `ramen-guard explain RULE` shows what their pages have.\n",
        contracts().len()
    );
    for kind in kind::names() {
        page += &format!("\n## {kind}\n\n{}", kind::table(kind, ""));
    }
    page
}
