# The settings of canaryctl: options, then environment, then the settings file.

readonly setting_names="url control_url upstream canary split_file nginx
    stages evidence_dir timeout on_stage_end prometheus metrics_url signoffs
    sources alert_labels alertmanager grafana environment flag branch commit
    date owner document_id signing_key public_key"

# what neither a name in the split file nor one in an address can hold
readonly name_forbidden='[:space:][:cntrl:];{}"'\''\\$#/'

declare -A setting=() given=()
nginx=() timeout=''

# set for a rollback: what is wrong with a setting is a warning
lenient=''

mistake() {
	if [[ ! $lenient ]]; then
		wrong_usage "$1"
	fi
	warn "$1"
}

read_arguments() {
	local name value

	while (($# > 0)); do
		name=$1
		shift

		case $name in
		-h | --help)
			usage
			exit 0
			;;
		--json)
			json=yes
			continue
			;;
		--force | --rehearse | --remote)
			name=${name#--}
			given[$name]=yes
			printf -v "$name" yes
			continue
			;;
		--)
			operands+=("$@")
			break
			;;
		--*=*)
			value=${name#*=}
			name=${name%%=*}
			;;
		--*)
			if (($# == 0)); then
				wrong_usage "option \"$name\" needs a value, or is not known"
			fi
			value=$1
			shift
			;;
		-?*) wrong_usage "unknown option \"$name\"" ;;
		*)
			operands+=("$name")
			continue
			;;
		esac

		take_option "$name" "$value"
	done
}

take_option() {
	local name=${1#--} value=$2

	case $name in
	by) by=$value ;;
	reason | stage | count | interval)
		given[$name]=$value
		printf -v "$name" %s "$value"
		;;
	why)
		given[why]=$value
		reason=$value
		;;
	conf | status | to) given[$name]=$value ;;
	*)
		if [[ " ${setting_names//$'\n'/ } " != *" ${name//-/_} "* ]]; then
			wrong_usage "unknown option \"--$name\""
		fi
		setting[${name//-/_}]=$value
		;;
	esac
}

read_environment() {
	local name variable

	for name in $setting_names; do
		variable=CANARYCTL_${name^^}
		if [[ ! ${setting[$name]+x} && ${!variable+x} ]]; then
			setting[$name]=${!variable}
		fi
	done
}

# only lines of key="value", blank ones and comments are accepted
read_settings_file() {
	local file line name number=0
	local pattern='^[[:blank:]]*([a-z_]+)="([^"]*)"[[:blank:]]*(#.*)?$'

	file=${given[conf]-${CANARYCTL_CONF-}}
	if [[ ! $file ]]; then
		file=/etc/nginx/canary/canaryctl.conf
		if [[ ! -e $file ]]; then
			return
		fi
	fi
	if [[ ! -f $file || ! -r $file ]]; then
		mistake "settings file \"$file\" cannot be read"
		return
	fi

	while IFS= read -r line || [[ $line ]]; do
		number=$((number + 1))
		line=${line%$'\r'}

		if [[ $line =~ ^[[:blank:]]*(#.*)?$ ]]; then
			continue
		fi
		if [[ ! $line =~ $pattern ]]; then
			mistake "not a line of key=\"value\" in $file:$number"
			continue
		fi

		name=${BASH_REMATCH[1]}
		if [[ " ${setting_names//$'\n'/ } " != *" $name "* ]]; then
			mistake "unknown setting \"$name\" in $file:$number"
			continue
		fi
		if [[ ! ${setting[$name]+x} ]]; then
			setting[$name]=${BASH_REMATCH[2]}
		fi
	done <"$file"
}

check_settings() {
	local name

	setting[nginx]=${setting[nginx]-nginx}
	setting[timeout]=${setting[timeout]-15}

	if [[ ! ${setting[timeout]} =~ ^[1-9][0-9]{0,3}$ ]]; then
		mistake "invalid timeout \"${setting[timeout]}\", it must be 1 to \
9999 seconds"
		setting[timeout]=15
	fi
	timeout=${setting[timeout]}

	for name in upstream canary; do
		if [[ ${setting[$name]-} == *[$name_forbidden]* ]]; then
			mistake "invalid $name \"${setting[$name]}\""
			unset "setting[$name]"
		fi
	done

	read -ra nginx <<<"${setting[nginx]}"

	if [[ ! $by ]]; then
		by=${CANARYCTL_BY-}
		by=${by:-${SUDO_USER:-$(id -un 2>/dev/null || id -u)}}
	fi

	check_text
}

need() {
	local name

	for name in "$@"; do
		if [[ ! ${setting[$name]-} ]]; then
			wrong_usage "\"$name\" is not set: --${name//_/-}, \
CANARYCTL_${name^^}, or a line in the settings file"
		fi
	done
}

# an option that the command does not know is a mistake, not to be ignored
only_options() {
	local name

	for name in "${!given[@]}"; do
		if [[ " conf $* " != *" $name "* ]]; then
			wrong_usage "\"$command\" has no option \"--$name\""
		fi
	done
}

no_operands() {
	if ((${#operands[@]} > 0)); then
		wrong_usage "unexpected argument \"${operands[0]}\""
	fi
}
