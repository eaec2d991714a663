#!/bin/bash
#
# collect-evidence.sh: what a stage of a roll-out was decided on, as a page for
# people and as a document with all raw figures.
#
# Both are made from one JSON document.  Everything is written into a folder of
# its own first and then renamed into the evidence folder, under names that are
# not taken: nothing is half written, and nothing is overwritten.

# shellcheck disable=SC2034  # some of the parts serve canaryctl as well

set -eu
export LC_ALL=C
umask 022

readonly exit_failed=1 exit_usage=2 exit_incomplete=3

operands=() json='' by='' reason='' temp='' status_file='' evidence_dir=''
file_name='' variant='' from='' to='' number=0 placed=() written=''

# of parts of canaryctl that are not called here
change_error='' words=''

usage() {
	cat <<'TEXT'
NAME
    collect-evidence.sh - writes the evidence of a roll-out's stage

SYNOPSIS
    collect-evidence.sh [OPTION]... STAGE
    collect-evidence.sh [OPTION]... verify

STAGE
    baseline  before the canary gets requests: what it is compared with
    a stage   of the plan (stages), while it is in force
    final     all of them in one report

    verify    checks every file against the manifest, and its signature

OPTIONS
    --conf FILE         settings, as for canaryctl: lines of key="value", read
                        and not executed (CANARYCTL_CONF,
                        /etc/nginx/canary/canaryctl.conf)
    --by NAME           who collects (CANARYCTL_BY, the login name)
    --status FILE       a status.json kept before, instead of the one in force
    --json              the result as one JSON object on standard output
    -h, --help          this text

    Each setting is also an option (--evidence-dir) and a variable of the
    environment (CANARYCTL_EVIDENCE_DIR).  Needed: url, upstream, canary,
    stages, evidence_dir.  Optional:

    sources             where the figures come from that nginx cannot see
    prometheus          its address: alerts, and sources of that kind
    alert_labels        which alerts: team='documents'
    alertmanager        its address: whom it told
    grafana             addresses of pages to take pictures of
    environment, flag, branch, commit, date, owner, document_id
                        what the page says; branch and commit from git
    signing_key         a private key in PEM: the manifest is signed
    public_key          the key to verify with

EXIT STATUS
    0  written, and complete; verify: all as it was
    1  failed, the folder is as it was; verify: something is not as it was
    2  wrong usage
    3  written, but figures are missing: the page names them

EXAMPLES
    collect-evidence.sh baseline
    collect-evidence.sh stage1_5pct --commit "$(git -C app rev-parse HEAD)"
    collect-evidence.sh final && collect-evidence.sh verify
TEXT
}

wrong_usage() {
	printf 'collect-evidence: %s\n' "$1" >&2
	printf '%s\n' 'usage: collect-evidence.sh [OPTION]... STAGE | verify' \
		'"collect-evidence.sh --help" tells more' >&2
	exit "$exit_usage"
}

fail() {
	printf 'collect-evidence: %s\n' "$1" >&2
	exit "$exit_failed"
}

# what was not finished is taken away again
finish() {
	local status=$? name

	trap '' INT TERM HUP
	for name in "${placed[@]}"; do
		rm -f -- "$evidence_dir/$name"
	done
	if [[ $temp ]]; then
		rm -rf -- "$temp"
	fi
	# the status of a tool that failed is none of ours
	if [[ $status != @(0|2) && ! $written ]]; then
		status=$exit_failed
	fi
	exit "$status"
}

# beside this script in the checkout, in /usr/share once installed
lib=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
if [[ -f $lib/lib/settings.bash ]]; then
	lib=$lib/lib
else
	lib=$lib/../share/canary/lib
fi

# shellcheck source=scripts/lib/text.bash
. "$lib/text.bash"
# shellcheck source=scripts/lib/settings.bash
. "$lib/settings.bash"
# shellcheck source=scripts/lib/endpoint.bash
. "$lib/endpoint.bash"
# shellcheck source=scripts/lib/plan.bash
. "$lib/plan.bash"
# shellcheck source=scripts/lib/evidence-sources.bash
. "$lib/evidence-sources.bash"
# shellcheck source=scripts/lib/evidence-facts.bash
. "$lib/evidence-facts.bash"
# shellcheck source=scripts/lib/evidence-manifest.bash
. "$lib/evidence-manifest.bash"
# shellcheck source=scripts/lib/evidence-collect.bash
. "$lib/evidence-collect.bash"

for tool in curl flock jq openssl sha256sum timeout; do
	if ! command -v "$tool" >/dev/null; then
		fail "\"$tool\" is not installed"
	fi
done

read_arguments "$@"
if ((${#operands[@]} != 1)); then
	wrong_usage 'one stage is needed, or "verify"'
fi
command=${operands[0]}

read_environment
read_settings_file
check_settings
only_options status
need evidence_dir
status_file=${given[status]-}
evidence_dir=$(realpath -ms -- "${setting[evidence_dir]}")

trap finish EXIT
trap 'exit 1' INT TERM HUP

case $command in
verify)
	temp=$(mktemp -d)
	verify
	;;
*) collect ;;
esac
