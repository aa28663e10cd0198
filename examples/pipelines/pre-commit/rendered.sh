#!/bin/sh
# A hook for pre-commit: renders these folders as they are and as the last commit has them, and judges what
# has changed. It takes ramen-guard, kustomize or kubectl, and helm, where a folder needs them.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$here/../render.sh" --since HEAD "$out" "$@"
cd "$out"
# The repository of the commit that is being made is not the one that was rendered into.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX
ramen-guard check --since HEAD .
