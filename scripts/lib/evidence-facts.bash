# What a page of evidence is made of, each fact into a file of $temp: the
# status, the metrics, alerts, screenshots, and what people wrote down.

readonly shot_timeout=60 # seconds
readonly range_points=5000

fetched='' missing=() shots='[]'

# what cannot be had is named in the page, and the stage is not complete
lacks() {
	missing+=("$1")
	printf 'collect-evidence: not complete: %s\n' "$1" >&2
}

# status.json with its histograms, of the location or of a file kept before,
# into $temp/status.json and $split
gather_status() {
	local address file=$temp/status.json

	if [[ $status_file ]]; then
		if ! cp -- "$status_file" "$file" 2>/dev/null; then
			fail "\"$status_file\" cannot be read"
		fi
		address=$status_file
	else
		address=${setting[url]%/}/status.json
		if ! status=$(ask --fail --max-time 10 \
			-o "$file" -- "$address?histograms=1" 2>&1); then
			fail "$(shown "$address"): $(first_line "$status")"
		fi
		address=$(shown "$address")
	fi

	if ! jq -es 'length == 1 and (.[0] | (.generation | numbers)
        and (.splits | objects) and (.time | numbers))' "$file" \
		>/dev/null 2>&1; then
		fail "$address is no status of the canary module"
	fi
	if ! split=$(jq -ce --arg name "${setting[upstream]}" \
		'.splits[$name] | objects' "$file"); then
		fail "there is no split \"${setting[upstream]}\" in $address"
	fi
	if ! jq -e --arg name "${setting[canary]}" '.variants[$name] | objects
        | .role == "canary"' <<<"$split" >/dev/null; then
		fail "there is no canary \"${setting[canary]}\" in $address"
	fi
}

# the text that Prometheus scrapes, kept as it is
gather_metrics() {
	local address=${setting[url]%/}/metrics error

	if [[ $status_file ]]; then
		return
	fi
	if ! error=$(ask --fail --max-time 10 \
		-o "$output/$file_name.metrics" -- "$address" 2>&1); then
		rm -f -- "$output/$file_name.metrics"
		lacks "metrics: $(shown "$address"): $(first_line "$error")"
	fi
}

# an answer of Prometheus' API into $fetched: PATH and curl's options for its
# parameters; the error is in $answer_error
fetch_prometheus() {
	local address=${setting[prometheus]%/}/api/v1/$1 error
	shift

	# an error has its reason in the body
	if ! fetched=$(ask --max-time 15 -G "$@" \
		-- "$address" 2>&1); then
		answer_error="$(shown "$address"): $(first_line "$fetched")"
		return 1
	fi
	if ! jq -e '.status == "success"' <<<"$fetched" >/dev/null 2>&1; then
		error=$(jq -r '.error | strings' <<<"$fetched" 2>/dev/null) || true
		answer_error="$(shown "$address"): ${error:-no answer of Prometheus}"
		answer_error=$(first_line "$answer_error")
		return 1
	fi
}

# how long each alert was firing between $from and now, and when the canary got
# its last request; null where no Prometheus is configured
gather_alerts() {
	local now=$1 step query

	printf 'null\n' >"$temp/alerts.json"
	printf 'null\n' >"$temp/reached.json"
	printf 'null\n' >"$temp/receivers.json"
	if [[ ! ${setting[prometheus]-} ]]; then
		return
	fi

	step=$(jq -n --argjson from "$from" --argjson now "$now" \
		--argjson points "$range_points" \
		'[($now - $from) / $points | ceil, 1] | max')

	query="ALERTS{alertstate=\"firing\",${setting[alert_labels]-}}"
	if fetch_prometheus query_range --data-urlencode "query=$query" \
		-d "start=$from" -d "end=$now" -d "step=$step"; then
		jq '.data.result' <<<"$fetched" >"$temp/alerts.json"
	else
		lacks "alerts: $answer_error"
		jq -n --arg error "$answer_error" '{ $error }' >"$temp/alerts.json"
	fi

	query=$(jq -nr --arg upstream "${setting[upstream]}" \
		--arg canary "${setting[canary]}" '
        "sum(nginx_canary_requests_total{upstream=\($upstream | tojson),"
        + "variant=\($canary | tojson)})"')
	if fetch_prometheus query_range --data-urlencode "query=$query" \
		-d "start=$from" -d "end=$now" -d "step=$step"; then
		jq '.data.result[0].values // []' <<<"$fetched" >"$temp/reached.json"
	fi

	gather_receivers
}

# whom Alertmanager told about the alerts that are active now
gather_receivers() {
	local address out

	if [[ ! ${setting[alertmanager]-} ]]; then
		return
	fi
	address=${setting[alertmanager]%/}/api/v2/alerts
	if ! out=$(ask --fail --max-time 10 \
		-- "$address" 2>&1); then
		lacks "alerts: $(shown "$address"): $(first_line "$out")"
	elif ! jq -e arrays >"$temp/receivers.json" 2>/dev/null <<<"$out"; then
		printf 'null\n' >"$temp/receivers.json"
		lacks "alerts: $(shown "$address") is no answer of Alertmanager"
	fi
}

# the split's own page, and the pages that "grafana" names, each as URL or
# NAME=URL
gather_screenshots() {
	local urls n=0 url name browser=''

	for url in chromium chromium-browser google-chrome; do
		if command -v "$url" >/dev/null; then
			browser=$url
			break
		fi
	done

	if [[ ! $status_file ]]; then
		name='Status page'
		if [[ ! ${setting[grafana]-} ]]; then
			name+=', in place of a dashboard'
		fi
		keep_page "$name"
	fi
	read -ra urls <<<"${setting[grafana]-}"
	for url in "${urls[@]}"; do
		n=$((n + 1))
		name="Grafana $n"
		if [[ $url =~ ^([A-Za-z][A-Za-z0-9_.-]*)=(.*)$ ]]; then
			name=${BASH_REMATCH[1]} url=${BASH_REMATCH[2]}
		fi
		take_screenshot "$name" "$url" "page-$n"
	done
}

# The split's page with the charts of its stage: as one file that needs no
# network, and a picture of that file where there is a browser.
keep_page() {
	local name=$1 base=${setting[url]%/} url error='' file=''
	local page=$file_name.dashboard.html

	url=$base/$(jq -rn --arg name "${setting[upstream]}" \
		'"?upstream=\($name | @uri)"')
	if ! error=$({
		ask --fail --max-time 10 -o "$temp/page.html" -- "$url" &&
			ask --fail --max-time 10 -o "$temp/page.css" -- "$base/page.css"
	} 2>&1); then
		error=$(first_line "$error")
	elif ! whole_page >"$output/$page"; then
		rm -f -- "$output/$page"
		error='no page of the canary module'
	else
		error='' file=$page
		if [[ $browser ]] && photograph "$(file_url "$output/$page")" \
			"$output/$file_name.dashboard.png" \
			"$(page_height "$output/$page")"; then
			file=$file_name.dashboard.png
		fi
	fi

	if [[ $error ]]; then
		lacks "screenshot: $(shown "$url"): $error"
	fi
	shots=$(jq -c --arg name "$name" --arg url "$(shown "$url")" \
		--arg file "$file" --arg page "$page" --arg error "$error" '
        . + [{ $name, $url } + if $error == "" then { $file, $page }
            else { $error } end]' <<<"$shots")
}

# the page with its style in it, without its script and its links; 1 if it is
# none
whole_page() {
	CSS=$temp/page.css awk '
        /^<link rel="stylesheet" / {
            print "<style>"
            while ((getline line <ENVIRON["CSS"]) > 0) {
                print line
            }
            print "</style>"
            styled = 1
            next
        }
        /^<script / || /^<noscript>/ || /^<p class="back">/ { next }
        /^<footer>/ { gsub(/<a [^>]*>|<\/a>/, "") }
        { print }
        END { exit !styled }' "$temp/page.html"
}

# pixels that have room for all of it, at two tiles beside each other
page_height() {
	awk '
        /^<article class="tile / { tiles++ }
        /<tbody>/ { tables++ }
        END {
            height = 1600 + int((tiles + 1) / 2) * 240 + tables * 100
            print height > 2400 ? height : 2400
        }' "$1"
}

file_url() {
	jq -rn --arg path "$1" \
		'"file://\($path | split("/") | map(@uri) | join("/"))"'
}

# a picture of an address by $browser, of that height; 1 if it takes none
photograph() {
	local url=$1 file=$2 height=${3:-2400} profile=$temp/.profile
	local options=(--headless --disable-gpu --hide-scrollbars
		"--window-size=1280,$height" --virtual-time-budget=3000)

	if ((EUID == 0)); then
		options+=(--no-sandbox)
	fi
	timeout "$shot_timeout" "$browser" "${options[@]}" \
		--user-data-dir="$profile" --screenshot="$file" "$url" \
		>"$temp/.browser" 2>&1 </dev/null || true
	rm -rf -- "$profile"
	if [[ ! -s $file ]]; then
		rm -f -- "$file"
		return 1
	fi
}

take_screenshot() {
	local name=$1 url=$2 file=$file_name.$3.png error=''

	if [[ ! $browser ]]; then
		error='skipped, chromium is not installed'
	elif ! error=$(ask -L --fail --max-time 10 \
		-o /dev/null -- "$url" 2>&1); then
		# chromium would take a picture of its own error page
		error=$(first_line "$error")
		lacks "screenshot: $(shown "$url"): $error"
	elif ! photograph "$url" "$output/$file"; then
		error="$browser took none"
		lacks "screenshot: $(shown "$url"): $error"
	fi

	shots=$(jq -c --arg name "$name" --arg url "$(shown "$url")" \
		--arg file "$file" --arg error "$error" '
        . + [{ $name, $url } + if $error == "" then { $file } else { $error }
            end]' <<<"$shots")
}

# the lines that canaryctl wrote, one JSON object each, as an array
gather_lines() {
	local file=$evidence_dir/$1 out=$temp/$2

	printf '[]\n' >"$out"
	if [[ ! -e $file ]]; then
		return
	fi
	if ! jq -cR 'fromjson? | objects' 2>/dev/null <"$file" |
		jq -s . >"$out"; then
		printf '[]\n' >"$out"
		lacks "$1 cannot be read"
	elif (($(jq length "$out") != $(grep -c . <"$file" || true))); then
		lacks "$1 holds lines that are no JSON"
	fi
}

# what was deployed: settings, else git where this is a working copy
gather_deployment() {
	local branch=${setting[branch]-} commit=${setting[commit]-}

	if [[ ! $branch ]]; then
		branch=$(git symbolic-ref -q --short HEAD 2>/dev/null) || true
	fi
	if [[ ! $commit ]]; then
		commit=$(git rev-parse -q --verify HEAD 2>/dev/null) || true
	fi
	jq -n --arg branch "$branch" --arg commit "$commit" \
		--arg flag "${setting[flag]-}" \
		--arg environment "${setting[environment]-}" \
		--arg split "${setting[upstream]-}" \
		--arg canary "${setting[canary]-}" \
		'$ARGS.named | map_values(if . == "" then null else . end)' \
		>"$temp/deployment.json"
}

gather_preflight() {
	local file=$evidence_dir/preflight.json

	printf 'null\n' >"$temp/preflight.json"
	if [[ -e $file ]] && ! jq -e objects "$file" 2>/dev/null \
		>"$temp/preflight.json"; then
		printf 'null\n' >"$temp/preflight.json"
		lacks "preflight.json is no JSON object"
	fi
}
