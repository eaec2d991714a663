# The split file of canaryctl: locked, edited, replaced by rename(2), put back.

# "trial" while the new split file is in place, but nginx was not yet told;
# "sent" once it was
phase=''

split_file='' split_dir='' fresh='' fresh_inode='' previous=''
new_text='' odd='' there=''

# where the split file is, its links followed
locate_split_file() {
	split_file=$(readlink -f -- "${setting[split_file]}") || split_file=''
	split_dir=${split_file%/*}
	split_dir=${split_dir:-/}

	if [[ ! $split_file || ! -d $split_dir ]]; then
		change_error="there is no folder for \"${setting[split_file]}\""
		return 1
	fi
}

# Two changes at the same time would restore each other's file, and nginx is
# reloaded for all splits together: the lock is on the folder.
lock_split_file() {
	locate_split_file || return 1
	if ! { exec 9<"$split_dir"; } 2>/dev/null; then
		change_error="\"$split_dir\" cannot be read"
		return 3
	fi
	if ! flock -w "$timeout" 9; then
		change_error="another canaryctl has been changing the splits of \
\"$split_dir\" for $timeout s"
		return 2
	fi
}

# what may stand in the split file, a line each: a canary, or a comment
blank='[[:space:]]'
word="(\"[^\"]*\"|'[^']*'|[^[:space:]\"'#;{}\\][^[:space:]\"';{}\\]*)"
stage_word="(\"stage=[^\"]*\"|'stage=[^']*'|stage=[^[:space:]\"';{}\\]+)"
canary_line="^($blank*canary$blank+)$word($blank+)$word"
readonly canary_line+="(($blank+)$stage_word)?($blank*;$blank*(#.*)?)\$"
readonly comment_line="^$blank*(#.*)?\$"

# Sets $new_text to the split file with the canary's new share and stage, and
# $from to its old share.  The stage belongs to the split: other canaries that
# name one get the new name too, as nginx would refuse two.  A line that does
# not belong there is skipped, the first one is number $odd.
edit_split_file() {
	local LC_ALL=C text=. line name number=0 found=''

	from='' new_text='' odd='' there=$'\n'
	if [[ -e $split_file ]] && { [[ ! -f $split_file ]] ||
		! text=$(cat -- "$split_file" 2>/dev/null && printf .); }; then
		odd=0
		text=.
	fi

	while IFS= read -r line || [[ $line ]]; do
		number=$((number + 1))
		if [[ $line =~ $canary_line ]]; then
			name=$(unquoted "${BASH_REMATCH[2]}")
			there+=$name$'\n'
			if [[ $name == "${setting[canary]}" ]]; then
				found=yes
				from=$(clean "$(unquoted "${BASH_REMATCH[4]}")")
				line=${BASH_REMATCH[1]}${BASH_REMATCH[2]}${BASH_REMATCH[3]}
				line+=$share${stage:+ stage=$stage}${BASH_REMATCH[8]}
			elif [[ $stage && ${BASH_REMATCH[7]} ]]; then
				line=${line%"${BASH_REMATCH[7]}${BASH_REMATCH[8]}"}
				line+=stage=$stage${BASH_REMATCH[8]}
			fi
		elif [[ ! $line =~ $comment_line ]]; then
			odd=${odd:-$number}
			continue
		fi
		new_text+=$line$'\n'
	done < <(printf %s "${text%.}")

	if [[ ! $found ]]; then
		new_text+="canary ${setting[canary]} $share${stage:+ stage=$stage};"
		new_text+=$'\n'
	fi
}

unquoted() {
	local text=${1#[\"\']}

	printf %s "${text%[\"\']}"
}

owner_and_mode() {
	stat -c %u:%g:%a -- "$1"
}

inode() {
	stat -c %d:%i -- "$1" 2>/dev/null || true
}

# The new text of the split file into $new_text.  What canaryctl has not
# written is refused; by a rollback it is kept aside, and written anew.
compose_split_file() {
	local name line

	edit_split_file
	if [[ ! $odd ]]; then
		return 0
	fi
	if [[ $command == rollback ]]; then
		reject_split_file
		while IFS= read -r name && IFS= read -r line; do
			if [[ $there != *$'\n'$name$'\n'* ]]; then
				new_text+=$line$'\n'
			fi
		done < <(canaries_in_force)
		return 0
	fi

	if ((odd == 0)); then
		change_error="\"$split_file\" cannot be read"
	else
		change_error="\"$split_file\" line $odd: only comments and lines \
\"canary NAME SHARE [stage=NAME];\" are allowed, one directive a line"
	fi
	return 1
}

reject_split_file() {
	local aside=$split_file.rejected

	if [[ -f $split_file ]]; then
		ln -fT -- "$split_file" "$aside" 2>/dev/null ||
			cp -pT -- "$split_file" "$aside" 2>/dev/null || aside=''
	else
		mv -fT -- "$split_file" "$aside" 2>/dev/null || aside=''
	fi
	warn "\"$split_file\" is not as canaryctl writes it, it is written anew \
with the canaries in force${aside:+; it is kept as \"$aside\"}"
}

# name and line of each canary that nginx has now, each on a line of its own
canaries_in_force() {
	jq -r --arg name "${setting[upstream]-}" --arg own "${setting[canary]}" '
        def quoted: if test("^[A-Za-z0-9_.:%=-]+$") then . else tojson end;
        .splits[$name] | .stage.name as $stage | .state as $state
        | .variants | to_entries[]
        | select(.value.role == "canary" and .key != $own)
        | .key, "canary \(.key | quoted) \(
            if .value.configured_share == 0 and $state != "active" then "off"
            else "\(.value.configured_share * 1000000 | round
                / 10000)%" end)\(
            if $stage == "" then "" else " \("stage=\($stage)" | quoted)" end);"
        ' 2>/dev/null <<<"$status"
}

# replaces the split file by one with the new share; the file before is kept
# as $previous
replace_split_file() {
	local name=${split_file##*/} attributes read_inode

	read_inode=$(inode "$split_file")
	compose_split_file || return 1

	if ! fresh=$(mktemp -- "$split_dir/.$name.XXXXXX" 2>&1); then
		change_error="\"$split_dir\" cannot be written: $fresh"
		fresh=''
		return 1
	fi
	if ! printf %s "$new_text" 2>/dev/null >"$fresh"; then
		change_error="\"$fresh\" cannot be written"
		return 1
	fi

	if [[ -e $split_file ]]; then
		attributes=$(owner_and_mode "$split_file")
		cp -p --attributes-only -- "$split_file" "$fresh" 2>/dev/null || true
		if [[ $(owner_and_mode "$fresh") != "$attributes" ]]; then
			warn "owner or mode of \"$split_file\" could not be kept"
		fi
	else
		chmod 644 -- "$fresh"
	fi
	if [[ -e $split_file && $command != rollback ]]; then
		# a second name for the same file: putting it back is a rename too
		previous=$split_dir/.$name.previous.$$
		if ! ln -f -- "$split_file" "$previous" 2>/dev/null &&
			! cp -p -- "$split_file" "$previous"; then
			previous=''
			change_error="\"$split_file\" cannot be kept aside"
			return 1
		fi
	fi

	fresh_inode=$(inode "$fresh")
	if ! sync -- "$fresh"; then
		change_error="\"$fresh\" cannot be written to the disk"
		return 1
	fi

	if [[ $command != rollback ]]; then
		# a rollback does not wait for the lock for ever
		if [[ $(inode "$split_file") != "$read_inode" ]]; then
			change_error="\"$split_file\" was changed by somebody else"
			return 1
		fi
		phase=trial
	fi
	if ! mv -fT -- "$fresh" "$split_file"; then
		change_error="\"$split_file\" cannot be replaced"
		return 1
	fi
	sync -- "$split_dir" || true
}

# The last resort of a rollback, where there is no room for a second file, or
# no right to the folder: over the first one, within the blocks that it has.
overwrite_split_file() {
	local size

	size=$(stat -c %s -- "$split_file" 2>/dev/null) || return 1
	if [[ ! $new_text || ! -f $split_file ]] ||
		((size == 0 || ${#new_text} > (size + 4095) / 4096 * 4096)) ||
		! { printf %s "$new_text" 1<>"$split_file" &&
			truncate -s "${#new_text}" -- "$split_file"; } 2>/dev/null; then
		return 1
	fi
	sync -- "$split_file"
	warn "$change_error; it was overwritten in its place"
}

# puts the file before back, if the one in its place is still ours
put_back() {
	phase=''

	if [[ ! $fresh_inode || $(inode "$split_file") != "$fresh_inode" ]]; then
		return
	fi
	if [[ ! $previous ]]; then
		rm -f -- "$split_file"
	elif ! mv -fT -- "$previous" "$split_file"; then
		previous=''
		warn "\"$split_file\" could not be restored from \"$previous\""
		return
	fi
	sync -- "$split_dir" || true
	printf 'canaryctl: "%s" is as it was\n' "$split_file" >&2
}
