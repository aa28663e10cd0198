//! `render.sh`, which most of them begin with.

use crate::{
    BROKEN, SOURCES,
    repository::{Repository, files},
    tools::{Ran, Tools, example},
    with_tools,
};

fn render(tools: &Tools, repository: &Repository, args: &[&str]) -> (Ran, Vec<String>) {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    let (flags, sources) =
        args.split_at(args.iter().take_while(|it| it.starts_with("--")).count() * 2);
    let ran = Ran::of(
        tools
            .command("sh", home.path())
            .arg(example("render.sh"))
            .args(flags)
            .arg(&out)
            .args(sources)
            .current_dir(repository.path()),
    );
    let found = if out.is_dir() {
        files(&out)
    } else {
        Vec::new()
    };
    let name = |path: &std::path::PathBuf| {
        path.strip_prefix(&out)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    let names = found.iter().map(name);
    (ran, names.filter(|it| !it.starts_with(".git/")).collect())
}

#[test]
fn what_is_rendered_and_what_is_copied() {
    with_tools(|tools| {
        let repository = Repository::new();
        let sources: Vec<&str> = SOURCES.split(' ').collect();
        let (ran, names) = render(tools, &repository, &sources);
        ran.passed("render.sh");
        assert_eq!(
            names,
            [
                "apps/mail/drpc.yaml",
                "apps/mail/placement.yaml",
                "apps/shop/overlays/production/rendered.yaml",
                "charts/billing/rendered.yaml",
                "clusters/clusters.yaml",
                "clusters/policy.yaml",
            ]
        );
        // The checkout is as it was.
        assert_eq!(repository.git(&["status", "--porcelain"]), "");
    });
}

#[test]
fn what_cannot_be_rendered_is_never_passed() {
    with_tools(|tools| {
        let repository = Repository::new();
        let unrendered = |args: &[&str], words: &str| {
            let (ran, _) = render(tools, &repository, args);
            assert!(
                ran.code == 2 && ran.stderr.contains(words),
                "{args:?} {ran:?}"
            );
        };
        unrendered(
            &["apps"],
            "which is rendered: name what is deployed of it instead",
        );
        unrendered(&["nowhere"], "there is no folder nowhere");
        unrendered(&["../x"], "is not a folder of this one");
        unrendered(&["/tmp"], "is not a folder of this one");
        unrendered(&[], "usage");
        unrendered(&["--since", "mian", "clusters"], "there is no commit mian");

        let deployed = repository.head();
        let values = repository.path().join("charts/billing/values.yaml");
        std::fs::write(&values, "placement: {{\n").unwrap();
        unrendered(
            &["clusters", "charts/billing"],
            "charts/billing can't be rendered",
        );
        // What can't be rendered any more in the past is new now.
        repository.commit();
        let broken = repository.head();
        repository.git(&["checkout", "--quiet", &deployed, "--", "charts"]);
        let (ran, names) = render(tools, &repository, &["--since", &broken, "charts/billing"]);
        ran.passed("render.sh");
        assert!(
            ran.stderr.contains("so it is judged as new"),
            "{}",
            ran.stderr
        );
        assert_eq!(names, ["charts/billing/rendered.yaml"]);
        // A folder that is gone is what --since is asked about.
        repository.back_to(&deployed);
        repository.git(&["rm", "--quiet", "-r", "apps/mail"]);
        let (ran, names) = render(
            tools,
            &repository,
            &["--since", "HEAD", "apps/mail", "clusters"],
        );
        ran.passed("render.sh");
        assert_eq!(names, ["clusters/clusters.yaml", "clusters/policy.yaml"]);
        repository.back_to(&deployed);
        // What is not committed counts, too.
        repository.edit(&BROKEN[0]);
        render(tools, &repository, &["--since", "HEAD", "apps/mail"])
            .0
            .passed("render.sh");
    });
}
