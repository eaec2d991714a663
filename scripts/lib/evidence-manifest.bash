# The manifest: the SHA-256 of every file that was collected, as sha256sum
# writes it, and its signature.  A line once written stays: collecting anew
# cannot cover up that an older file was changed.

readonly manifest_name=MANIFEST.sha256

# files that people and canaryctl go on writing; pages quote what they held
readonly living="changes.log decisions.jsonl incidents.jsonl preflight.json
    lessons.md kept $manifest_name $manifest_name.sig"

# writes the manifest anew into $output: the lines there are and those of the
# files named, which are in $output still
write_manifest() {
	local old=$evidence_dir/$manifest_name key=${setting[signing_key]-}
	local public=$temp/.public

	if [[ -e $old ]]; then
		if [[ $key && -e $old.sig ]]; then
			openssl pkey -in "$key" -pubout -out "$public" 2>/dev/null ||
				fail "\"$key\" is no private key that OpenSSL can read"
			check_signature "$public" "$old" ||
				fail "\"$old\" does not fit its signature, nothing is added"
		fi
		cp -- "$old" "$output/$manifest_name"
	fi
	(cd -- "$output" && sha256sum -- "$@") >>"$output/$manifest_name"

	if [[ $key ]]; then
		sign "$key" "$output/$manifest_name"
	fi
}

# Ed25519 signs the message itself, all other keys its digest
is_ed25519() {
	openssl pkey "$@" -noout -text 2>/dev/null | grep -qi '^ED25519'
}

sign() {
	local key=$1 file=$2 error

	if is_ed25519 -in "$key"; then
		error=$(openssl pkeyutl -sign -rawin -inkey "$key" -in "$file" \
			-out "$file.sig" 2>&1) || fail "not signed: $(first_line "$error")"
	else
		error=$(openssl dgst -sha256 -sign "$key" -out "$file.sig" "$file" \
			2>&1) || fail "not signed: $(first_line "$error")"
	fi
}

check_signature() {
	local public=$1 file=$2

	if is_ed25519 -pubin -in "$public"; then
		openssl pkeyutl -verify -rawin -pubin -inkey "$public" -in "$file" \
			-sigfile "$file.sig" >/dev/null 2>&1
	else
		openssl dgst -sha256 -verify "$public" -signature "$file.sig" \
			"$file" >/dev/null 2>&1
	fi
}

# names each file that no longer fits, and tells how many do
verify() {
	local manifest=$evidence_dir/$manifest_name hash name sum lines=0 wrong=0
	local key=${setting[public_key]-}
	local -A listed=()

	if [[ ! -f $manifest || ! -r $manifest ]]; then
		fail "there is no \"$manifest\""
	fi

	while read -r hash name || [[ $hash ]]; do
		lines=$((lines + 1))
		name=${name#\*}
		if [[ ! $hash =~ ^[0-9a-f]{64}$ || ! $name || $name == */* ]]; then
			mismatch "line $lines of $manifest_name is not sha256sum's"
			continue
		fi
		listed[$name]=yes
		if [[ ! -f $evidence_dir/$name ]]; then
			mismatch "$name is missing"
			continue
		fi
		sum=$(sha256sum <"$evidence_dir/$name") || true
		if [[ ${sum%% *} != "$hash" ]]; then
			mismatch "$name was changed"
		fi
	done <"$manifest"

	for name in "$evidence_dir"/*; do
		name=${name##*/}
		if [[ ! ${listed[$name]-} &&
			" ${living//$'\n'/ } " != *" $name "* ]]; then
			mismatch "$name is not in $manifest_name"
		fi
	done

	verify_signature
	if ((wrong > 0)); then
		exit "$exit_failed"
	fi
	printf '%s files, all as they were collected\n' "$lines"
}

verify_signature() {
	if [[ ! $key && ${setting[signing_key]-} ]]; then
		key=$temp/.public
		openssl pkey -in "${setting[signing_key]}" -pubout -out "$key" \
			2>/dev/null || mismatch "signing_key is no private key"
	fi

	if [[ ! $key ]]; then
		if [[ -e $manifest.sig ]]; then
			printf 'signature: not checked, no public_key is set\n'
		else
			printf 'signature: there is none\n'
		fi
	elif [[ ! -e $manifest.sig ]]; then
		mismatch "$manifest_name is not signed"
	elif check_signature "$key" "$manifest"; then
		printf 'signature: fits %s\n' "${setting[public_key]-the signing_key}"
	else
		mismatch "$manifest_name does not fit its signature"
	fi
}

mismatch() {
	wrong=$((wrong + 1))
	printf 'collect-evidence: %s\n' "$1" >&2
}
