# Who and why: texts from outside, made fit for a form, a log and a journal.
# None of it but clean() needs jq, as a rollback has to do without.

# the bytes of $1 as a value in a form or a part of a path
encode() {
	local text=$1 i c code

	for ((i = 0; i < ${#text}; i++)); do
		c=${text:i:1}
		if [[ $c == [A-Za-z0-9._~-] ]]; then
			printf %s "$c"
		else
			printf -v code %d "'$c"
			printf '%%%02X' $((code & 255))
		fi
	done
}

# the beginning of $1 that takes at most $2 bytes when encoded, up to the end
# of a character
fit() {
	local text=$1 room=$2 i c end=0

	for ((i = 0; i < ${#text}; i++)); do
		c=${text:i:1}
		# all but the bytes that go on with a character
		if [[ $c != [$'\x80'-$'\xbf'] ]]; then
			end=$i
		fi
		if [[ $c == [A-Za-z0-9._~-] ]]; then
			room=$((room - 1))
		else
			room=$((room - 3))
		fi
		if ((room < 0)); then
			printf %s "${text:0:end}"
			return
		fi
	done
	printf %s "$text"
}

# $1 in UTF-8, a blank for each run of control characters, U+0080 to U+009F
# among them
clean() {
	if ! jq -rn --arg text "$1" \
		'$text | gsub("[[:cntrl:]]+"; " ") | sub("^ +"; "") | sub(" +$"; "")' \
		2>/dev/null; then
		printf '%s\n' "${1//[^ -~]/?}"
	fi
}

# the body of a POST: who, and the text $1
make_form() {
	form="by=$(encode "$by")&reason=$(encode "$1")"
}

# Who and why must be such as canary_control takes, and a line of a log.
check_text() {
	local name

	if [[ $lenient ]]; then
		mend_text
		return
	fi

	for name in by reason; do
		printf -v "$name" %s "$(jq -rn --arg text "${!name}" '$text')"
		if ! jq -en --arg text "${!name}" \
			'$text | test("[[:cntrl:]]") | not' >/dev/null; then
			wrong_usage 'control characters in a name or text'
		fi
	done

	make_form "$reason"
	if ((${#form} > body_max)); then
		wrong_usage "name and text are too long: ${#form} bytes when \
encoded, $body_max are possible"
	fi
}

# The same for a rollback: no text keeps it from happening.
mend_text() {
	local name text short room=$by_max

	for name in by reason; do
		text=$(clean "${!name:0:text_max}")
		if [[ $text != "${!name:0:text_max}" ]]; then
			warn "\"$name\" has control characters or is not UTF-8, it is \
recorded without them"
		fi
		short=$(fit "$text" "$room")
		if [[ $short != "$text" ]]; then
			warn "\"$name\" is too long, it is recorded up to its byte \
${#short}"
		fi
		printf -v "$name" %s "$short"
		make_form ''
		room=$((body_max - ${#form}))
	done

	make_form "$reason"
}
