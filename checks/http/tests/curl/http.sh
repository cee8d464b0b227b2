#!/bin/sh
# curl behind the contract: http get|post URL [--ca FILE] [--max-time SECONDS]
#
# curl writes heads to one pipe and the body to another. What has to be added is to pass over the heads of 1xx responses and
# of redirects that curl follows, to write the last one as a line of JSON, and to let the body follow it.

usage() {
    echo 'usage: http get|post URL [--ca FILE] [--max-time SECONDS]' >&2
    exit 2
}

method='' ca='' max_time=60 words=0
while [ $# -gt 0 ]; do
    case $1 in
        --ca | --max-time)
            [ $# -gt 1 ] || usage
            if [ "$1" = --ca ]; then ca=$2; else max_time=$2; fi
            shift
            ;;
        -*) usage ;;
        *)
            words=$((words + 1))
            if [ "$words" = 1 ]; then method=$1; else url=$1; fi
            ;;
    esac
    shift
done
[ "$words" = 2 ] || usage
case $method in get | post) ;; *) usage ;; esac
# A number above zero: digits, and at most one point.
case $max_time in '' | . | *[!0-9.]* | *.*.*) usage ;; *[1-9]*) ;; *) usage ;; esac

set -- -q -sS -N -L --max-redirs 5 --http1.1 -g --path-as-is --noproxy '*' --proto =http,https --proto-redir =http,https \
    --max-time "$max_time" -H 'Connection: close' -H 'Authorization:' ${ca:+--cacert "$ca"}
if [ "$method" = post ]; then
    # Whatever the body is: no type is claimed, and nobody is asked whether to continue.
    set -- "$@" -H 'Content-Type:' -H 'Expect:' --data-binary @-
fi

# A head as a line of JSON: folded lines are joined, and what JSON cannot hold becomes a space.
as_json() {
    LC_ALL=C awk '
        function escaped(text) {
            gsub(/\\/, "\\\\\\\\", text)
            gsub(/"/, "\\\"", text)
            gsub(/[\001-\037\177]/, " ", text)
            return text
        }
        { sub(/\r$/, "") }
        NR == 1 { status = $2; next }
        /^[ \t]/ && count { sub(/^[ \t]+/, " "); value[count] = value[count] $0; next }
        {
            at = index($0, ":")
            name[++count] = substr($0, 1, at - 1)
            value[count] = substr($0, at + 1)
        }
        END {
            printf "{\"status\":%d,\"headers\":[", status
            for (i = 1; i <= count; i++) {
                gsub(/^[ \t]+|[ \t]+$/, "", value[i])
                printf "%s[\"%s\",\"%s\"]", (i > 1 ? "," : ""), escaped(name[i]), escaped(value[i])
            }
            print "]}"
        }'
}

# Reads heads until one is final, and shows it and what comes as the body.
show() {
    exec 5<"$TMPDIR/body"
    return=$(printf '\r')
    while :; do
        head='' moved=''
        IFS= read -r line || return 0
        status=${line#* }
        while [ "${line%"$return"}" ]; do
            head="$head$line
"
            case $line in
                [Ll][Oo][Cc][Aa][Tt][Ii][Oo][Nn]:*[![:space:]]*) moved=yes ;;
            esac
            IFS= read -r line || return 0
        done
        case $status,$moved in
            1??*,*) ;;
            3??*,yes) ;;
            *) break ;;
        esac
    done
    : >"$TMPDIR/shown"
    printf '%s' "$head" | as_json
    cat <&5
}

mkfifo "$TMPDIR/body"
{
    curl "$@" -D /dev/fd/3 -- "$url" 3>&1 >"$TMPDIR/body" 2>"$TMPDIR/said"
    echo $? >"$TMPDIR/exit"
} | show

read -r exit <"$TMPDIR/exit"
said=$(tr '\n' ' ' <"$TMPDIR/said")
case $exit,$said in
    0,*) if [ -e "$TMPDIR/shown" ]; then exit 0; else kind=bad-response said='no whole head, or one of 101'; fi ;;
    1,*response* | 1,*HTTP/0.9*) kind=bad-response ;;
    1,*) kind=unsupported ;;
    3,*) kind=bad-url ;;
    5,* | 6,*) kind=dns ;;
    7,*) kind=connect ;;
    18,* | 52,*) kind=truncated ;;
    23,* | 55,*) kind=io ;;
    28,*) kind=timeout ;;
    35,* | 51,* | 60,* | 77,*) kind=tls ;;
    47,*) kind=too-many-redirects ;;
    56,*'Recv failure'* | 56,*SSL_read*) kind=truncated ;;
    *) kind=bad-response ;;
esac
echo "error: $kind: $said" >&2
exit 1
