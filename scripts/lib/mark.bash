# What canaryctl remembers of its own rollback, where nginx may not: without a
# canary_state the latch ends with nginx, without a control_url there is none.

# A canary that canaryctl rolled back has a file that says so beside the split
# file, whoever writes that one meanwhile: until it is re-armed.
mark_file() {
	printf '%s/.%s.%s.rolled_back\n' "$split_dir" "${split_file##*/}" \
		"${setting[canary]}"
}

mark() {
	local file

	file=$(mark_file)
	if ! printf '%s by %s%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$by" \
		"${reason:+: $reason}" 2>/dev/null >"$file"; then
		warn "\"$file\" cannot be written, promote relies on the latch"
	fi
}

# whether there is such a file; $why says who rolled back, and when
is_marked() {
	local file

	if [[ ! ${setting[split_file]-} || ! ${setting[canary]-} ]] ||
		! locate_split_file; then
		return 1
	fi
	file=$(mark_file)
	if [[ ! -e $file ]]; then
		return 1
	fi
	why="${setting[canary]} was rolled back $(clean "$(head -c "$body_max" \
		-- "$file" 2>/dev/null)")"
}

unmark() {
	local file

	if is_marked; then
		file=$(mark_file)
		rm -f -- "$file" || warn "\"$file\" still says that it is rolled back"
	fi
}
