# The split file of canaryctl: locked, edited, replaced by rename(2), put back.

# "trial" while the new split file is in place, but nginx was not yet told;
# "sent" once it was
phase=''

split_file='' split_dir='' fresh='' fresh_inode='' previous=''

# Two changes at the same time would restore each other's file, and nginx is
# reloaded for all splits together: the lock is on the folder.
lock_split_file() {
	split_file=$(readlink -f -- "${setting[split_file]}") || split_file=''
	split_dir=${split_file%/*}
	split_dir=${split_dir:-/}

	if [[ ! $split_file || ! -d $split_dir ]]; then
		change_error="there is no folder for \"${setting[split_file]}\""
		return 1
	fi
	if ! { exec 9<"$split_dir"; } 2>/dev/null; then
		change_error="\"$split_dir\" cannot be read"
		return 1
	fi
	if ! flock -w "$timeout" 9; then
		change_error="another canaryctl has been changing the splits of \
\"$split_dir\" for $timeout s"
		return 2
	fi
}

# Writes the split file with the canary's new share and stage to $fresh; all
# else in it stays.  The stage belongs to the split: other canaries that name
# one get the new name too, as nginx would refuse two.  Prints the old share.
# Exit status 4: unbalanced quotes; 5: blocks, but not the canary.
edit_split_file() {
	local source=/dev/null

	if [[ -e $split_file ]]; then
		source=$split_file
	fi

	NAME=${setting[canary]} SHARE=$share STAGE=$stage OUT=$fresh awk '
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
                return
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
                    if (c == ";" && n > 1) {
                        rewrite()
                    }
                    blocks += c != ";"
                    n = 0
                    i++
                } else {
                    token()
                }
            }
            if (broken || n > 0) {
                exit 4
            }
            result = result substr(s, copied)
            if (!found) {
                if (blocks) {
                    exit 5
                }
                result = result "canary " ENVIRON["NAME"] " " \
                    ENVIRON["SHARE"] \
                    (ENVIRON["STAGE"] == "" ? "" : " stage=" ENVIRON["STAGE"]) \
                    ";\n"
            }
            printf "%s", result > ENVIRON["OUT"]
            if (close(ENVIRON["OUT"]) != 0) {
                exit 6
            }
            print was
        }' <"$source"
}

owner_and_mode() {
	stat -c %u:%g:%a -- "$1"
}

inode() {
	stat -c %d:%i -- "$1" 2>/dev/null || true
}

# replaces the split file by one with the new share; the file before is kept
# as $previous
replace_split_file() {
	local name=${split_file##*/} status=0 attributes

	if ! fresh=$(mktemp -- "$split_dir/.$name.XXXXXX" 2>&1); then
		change_error="\"$split_dir\" cannot be written: $fresh"
		fresh=''
		return 1
	fi

	from=$(edit_split_file 2>/dev/null) || status=$?
	if ((status == 4 || status == 5)) && [[ $command == rollback ]]; then
		cp -p -- "$split_file" "$split_file.rejected" 2>/dev/null || true
		warn "\"$split_file\" could not be read as nginx configuration; it is \
now \"$split_file.rejected\""
		status=0
		printf 'canary %s off;\n' "${setting[canary]}" >"$fresh" || status=$?
	fi

	case $status in
	0) ;;
	4) change_error="\"$split_file\" is no complete nginx configuration" ;;
	5) change_error="\"$split_file\" holds blocks, but no line \"canary \
${setting[canary]}\"" ;;
	*) change_error="\"$fresh\" cannot be written" ;;
	esac
	if ((status != 0)); then
		return 1
	fi

	if [[ -e $split_file ]]; then
		attributes=$(owner_and_mode "$split_file")
		cp -p --attributes-only -- "$split_file" "$fresh" 2>/dev/null || true
		if [[ $(owner_and_mode "$fresh") != "$attributes" ]]; then
			warn "owner or mode of \"$split_file\" could not be kept"
		fi

		# a second name for the same file: putting it back is a rename too
		previous=$split_dir/.$name.previous.$$
		if ! ln -f -- "$split_file" "$previous" 2>/dev/null &&
			! cp -p -- "$split_file" "$previous"; then
			previous=''
			change_error="\"$split_file\" cannot be kept aside"
			return 1
		fi
	else
		chmod 644 -- "$fresh"
	fi

	fresh_inode=$(inode "$fresh")
	if ! sync -- "$fresh"; then
		change_error="\"$fresh\" cannot be written to the disk"
		return 1
	fi

	if [[ $command != rollback ]]; then
		phase=trial
	fi
	if ! mv -fT -- "$fresh" "$split_file"; then
		change_error="\"$split_file\" cannot be replaced"
		return 1
	fi
	sync -- "$split_dir" || true
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
