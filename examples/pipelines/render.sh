#!/bin/sh
# Renders what a repository deploys into one folder, for ramen-guard to check.
#
#   render.sh [--since COMMIT] FOLDER SOURCE...
#
# A SOURCE is a folder, relative to where this is called: one with a kustomization is built, one with a
# Chart.yaml is rendered by Helm, and of any other the manifests are copied as they are. FOLDER is made.
#
# With --since, FOLDER is a Git repository, and its only commit is what COMMIT had of the sources, rendered
# in the same way. So
#
#   cd FOLDER && ramen-guard check --since HEAD .
#
# judges an edit as an edit and what is gone as deleted, wherever in bases, patches, charts and values it
# comes from. It is COMMIT itself that is compared with: for a branch give "$(git merge-base origin/main HEAD)".
#
# It takes git (for --since), kustomize or kubectl, and helm, each only where a source needs it.
# KUSTOMIZE_FLAGS and HELM_FLAGS are handed on; HELM_NAMESPACE is Helm's own; HELM_RELEASE names the release,
# which is otherwise called like its folder. Exits with 2 if something can't be rendered.
set -eu

fail() {
    echo "render.sh: $*" >&2
    exit 2
}

since=
if [ "${1:-}" = --since ]; then
    since=${2:?"--since takes a commit"}
    shift 2
fi
[ $# -ge 2 ] || fail "usage: render.sh [--since COMMIT] FOLDER SOURCE..."
out=$1
shift
[ ! -e "$out" ] || [ -z "$(ls -A "$out")" ] || fail "$out is not empty"
mkdir -p "$out"
out=$(CDPATH='' cd -- "$out" && pwd)

is_kustomization() {
    [ -f "$1/kustomization.yaml" ] || [ -f "$1/kustomization.yml" ] || [ -f "$1/Kustomization" ]
}

build() {
    # Flags are words.
    # shellcheck disable=SC2086
    if command -v kustomize >/dev/null; then
        kustomize build ${KUSTOMIZE_FLAGS:-} "$1"
    else
        kubectl kustomize ${KUSTOMIZE_FLAGS:-} "$1"
    fi
}

template() {
    release=${HELM_RELEASE:-$(basename "$(CDPATH='' cd -- "$1" && pwd)")}
    # shellcheck disable=SC2086
    helm template "$release" "$1" --include-crds ${HELM_FLAGS:-}
}

# Manifests of a folder and of those in it, but for what is hidden, as `check` would find them.
manifests() {
    find -L "$1" -mindepth 1 -name '.*' -prune -o -type f \
        \( -name '*.yaml' -o -name '*.yml' -o -name '*.json' \) -print
}

# One that is to be rendered would be read as it is, a patch as an object.
unrendered() {
    find -L "$1" -mindepth 2 -name '.*' -prune -o -type f \
        \( -name kustomization.yaml -o -name kustomization.yml -o -name Kustomization -o -name Chart.yaml \) -print
}

render() {
    source=$1
    mkdir -p "$out/$source"
    if is_kustomization "$source"; then
        build "$source" >"$out/$source/rendered.yaml"
    elif [ -f "$source/Chart.yaml" ]; then
        template "$source" >"$out/$source/rendered.yaml"
    else
        nested=$(unrendered "$source" | head -n 1)
        if [ -n "$nested" ]; then
            echo "render.sh: $source has $nested, which is rendered: name what is deployed of it instead" >&2
            return 1
        fi
        files=$(manifests "$source") || return 1
        [ -n "$files" ] || return 0
        printf '%s\n' "$files" | while IFS= read -r file; do
            mkdir -p "$out/$(dirname "$file")" || exit 1
            cp "$file" "$out/$file" || exit 1
        done
    fi
}

for source in "$@"; do
    case "/$source/" in
    //* | */../*) fail "$source is not a folder of this one" ;;
    esac
done

if [ -n "$since" ]; then
    commit=$(git rev-parse --verify --quiet --end-of-options "$since^{commit}") ||
        fail "there is no commit $since here; a pipeline may have to fetch the history first"
    before=$(mktemp -d)
    trap 'rm -rf "$before"' EXIT
    top=$(git rev-parse --show-toplevel)
    prefix=$(git rev-parse --show-prefix)
    # The files of the commit, without touching the checkout.
    (
        export GIT_INDEX_FILE="$before/index"
        cd "$top"
        git read-tree "$commit"
        git checkout-index --all --prefix="$before/files/"
    )
    mkdir -p "$before/files/$prefix"
    for source in "$@"; do
        [ -d "$before/files/$prefix$source" ] || continue
        (cd "$before/files/$prefix" && render "$source") || {
            echo "render.sh: $source can't be rendered as it was in $since, so it is judged as new" >&2
            rm -rf "${out:?}/$source"
        }
    done
    # Nobody's configuration, and not the repository of a hook that runs this.
    (
        unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX
        export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
        cd "$out"
        git init --quiet
        git add --all
        git -c user.name=ramen-guard -c user.email=ramen-guard@localhost \
            commit --quiet --allow-empty --no-verify --message "as of $since"
    )
    find "$out" -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +
fi

for source in "$@"; do
    # What is gone altogether is what --since tells about.
    if [ ! -d "$source" ] && [ -n "$since" ]; then
        continue
    fi
    [ -d "$source" ] || fail "there is no folder $source"
    render "$source" || fail "$source can't be rendered"
done
