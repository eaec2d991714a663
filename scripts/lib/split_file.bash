# The split file of canaryctl: locked, edited, replaced by rename(2), put back.

# "trial" while the new split file is in place, but nginx was not yet told;
# "sent" once it was
phase=''

split_file='' split_dir='' fresh='' fresh_inode='' previous=''
new_text=''

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

# Prints the split file with the canary's new share and stage, before it a line
# with the old share, and after it a point; all else in it stays.  The stage
# belongs to the split: other canaries that name one get the new name too, as
# nginx would refuse two.  If ANEW is set, canaries alone: those of the file,
# and those of KNOWN that it does not have.
# Exit status 4: unbalanced quotes; 5: something else in it, which is printed.
edit_split_file() {
	local source=/dev/null

	if [[ -f $split_file ]]; then
		source=$split_file
	fi

	NAME=${setting[canary]} SHARE=$share STAGE=$stage awk '
        # the token at position i: sets from[], to[], text[] of token n
        function token(    c, quote, value) {
            from[n] = i
            c = substr(s, i, 1)
            quote = (c == "\"" || c == "\047") ? c : ""
            if (quote != "") {
                i++
            }
            for (; ; i++) {
                if (i > length(s)) {
                    if (quote != "") {
                        broken = 1
                    }
                    break
                }
                c = substr(s, i, 1)
                if (c == "\\") {
                    value = value substr(s, ++i, 1)
                    continue
                }
                if (quote != "" ? c == quote : c ~ /[ \t\r\n;{}]/) {
                    break
                }
                value = value c
            }
            if (quote != "") {
                i++
            }
            to[n] = i
            text[n++] = value
        }

        # the statement with its parameters replaced, up to its last token
        function rewrite(    k, gap, out) {
            if (text[0] != "canary") {
                foreign = foreign == "" ? text[0] : foreign
                return
            }
            if (n > 2) {
                own = text[1] == ENVIRON["NAME"]
                there[text[1]] = 1
                anew = anew (own ? line() : \
                    substr(s, from[0], to[n - 1] - from[0])) ";\n"
            }
            if (text[1] != ENVIRON["NAME"]) {
                for (k = 3; k < n; k++) {
                    if (text[k] ~ /^stage=/ && ENVIRON["STAGE"] != "") {
                        replace(k, "stage=" ENVIRON["STAGE"])
                    }
                }
                return
            }
            found = 1
            was = n > 2 ? text[2] : ""
            if (n > 2) {
                replace(2, ENVIRON["SHARE"])
            }
            for (k = 3; k < n; k++) {
                if (text[k] ~ /^stage=/) {
                    gap = substr(s, to[k - 1], from[k] - to[k - 1])
                    if (gap !~ /#/) {
                        from[k] = to[k - 1]
                    }
                    replace(k, "")
                }
            }
            out = n > 2 ? "" : " " ENVIRON["SHARE"]
            if (ENVIRON["STAGE"] != "") {
                out = out " stage=" ENVIRON["STAGE"]
            }
            result = result substr(s, copied, to[n - 1] - copied) out
            copied = to[n - 1]
        }

        function line() {
            return "canary " ENVIRON["NAME"] " " ENVIRON["SHARE"] \
                (ENVIRON["STAGE"] == "" ? "" : " stage=" ENVIRON["STAGE"])
        }

        function replace(k, with) {
            result = result substr(s, copied, from[k] - copied) with
            copied = to[k]
        }

        { s = s $0 "\n" }

        END {
            i = copied = 1
            while (i <= length(s)) {
                c = substr(s, i, 1)
                if (c ~ /[ \t\r\n]/) {
                    i++
                } else if (c == "#") {
                    while (i <= length(s) && substr(s, i, 1) != "\n") {
                        i++
                    }
                } else if (c ~ /[;{}]/) {
                    if (c == ";" && n > 0) {
                        rewrite()
                    }
                    if (c != ";" && foreign == "") {
                        foreign = n > 0 ? text[0] : c
                    }
                    n = 0
                    i++
                } else {
                    token()
                }
            }
            if (ENVIRON["ANEW"] != "") {
                result = anew
                count = split(ENVIRON["KNOWN"], known, "\n")
                for (k = 1; k < count; k += 2) {
                    if (!(known[k] in there)) {
                        result = result known[k + 1] "\n"
                    }
                }
                found = ENVIRON["NAME"] in there
            } else if (broken || n > 0) {
                exit 4
            } else if (foreign != "") {
                printf "%s", foreign
                exit 5
            } else {
                result = result substr(s, copied)
            }
            if (!found) {
                result = result line() ";\n"
            }
            printf "%s\n%s.", was, result
        }' <"$source"
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
	local out code=0

	out=$(edit_split_file 2>/dev/null) || code=$?
	if [[ -e $split_file && ! -f $split_file ]]; then
		code=6
	fi

	if [[ $command == rollback ]] && ((code != 0)); then
		reject_split_file
		code=0
		out=$(ANEW=yes KNOWN=$(canaries_in_force) edit_split_file \
			2>/dev/null) ||
			out=$'\n'"canary ${setting[canary]} off;"$'\n.'
	fi

	case $code in
	0)
		from=$(clean "${out%%$'\n'*}")
		new_text=${out#*$'\n'}
		new_text=${new_text%.}
		return 0
		;;
	4) change_error="\"$split_file\" is no complete nginx configuration" ;;
	5) change_error="\"$split_file\" holds \"$(clean "$out")\", but only lines \
\"canary NAME SHARE [stage=NAME];\" and comments are allowed" ;;
	*) change_error="\"$split_file\" cannot be read" ;;
	esac
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
