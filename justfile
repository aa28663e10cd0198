# What people do here; `just` lists it. CI calls the same scripts.

_default:
    @just --list

# Get what the tests need beside Rust
setup:
    tests/setup

# Everything that has to hold: format, lints, licences, documentation, tests
test:
    tests/run

# The scenarios of the rules, in seconds
scenarios:
    cargo test --test scenarios --test parity --test gates

# One rule's scenarios through a real API server
cluster RULE:
    RAMEN_GUARD_SCENARIOS_OF={{ RULE }} cargo test --test cluster scenarios::

# Take over what recorded sessions say now
bless:
    INSTA_UPDATE=always cargo test --test cli

# Write the shipped policies of the floor anew
floor:
    { grep '^#' manifests/floor/policies.yaml; cargo run --quiet -- policies; } >target/floor.yaml
    mv target/floor.yaml manifests/floor/policies.yaml

# Write the pages of docs/ anew that are made from the code
book:
    RAMEN_GUARD_BOOK=write cargo test --quiet --test book the_book_is_up_to_date

# The rule book as a site, in target/book
site:
    command -v mdbook >/dev/null || cargo install mdbook --locked --debug
    mdbook build docs

# Look for inputs that break something: review, check, yaml, config, mapping, recipe, golang or all
fuzz TARGET SECONDS="60":
    fuzz/run {{ TARGET }} {{ SECONDS }}

# What the guard costs, beside others
bench:
    benches/webhook.sh
    benches/check.sh
    benches/world.py
