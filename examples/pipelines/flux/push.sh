#!/bin/sh
# In a pipeline: renders the sources, and pushes them as an artifact for Flux's OCIRepository if nothing in
# them would be refused. What is not pushed can't be applied.
#
#   push.sh oci://registry.example.com/deployments SOURCE...
#
# It takes ramen-guard, ramen-guard-render, git and flux. DEPLOYED names the commit that is deployed, if edits
# are to be judged as edits; in CI it is what was pushed before.
set -eu
artifact=${1:?"push.sh oci://REGISTRY/NAME SOURCE..."}
shift
rendered=$(mktemp -d)
trap 'rm -rf "$rendered"' EXIT
if [ -n "${DEPLOYED:-}" ]; then
    ramen-guard-render --since "$DEPLOYED" "$rendered" "$@"
    (cd "$rendered" && ramen-guard check --since HEAD .)
    rm -rf "$rendered/.git"
else
    ramen-guard-render "$rendered" "$@"
    (cd "$rendered" && ramen-guard check .)
fi
revision=$(git rev-parse HEAD)
branch=$(git symbolic-ref --quiet --short HEAD || echo HEAD)
flux push artifact "$artifact:$revision" --path="$rendered" \
    --source="$(git config --get remote.origin.url || echo unknown)" --revision="$branch@sha1:$revision"
flux tag artifact "$artifact:$revision" --tag deployed
