#!/bin/sh
# Takes a number, waits for its SMS, closes the activation. Needs curl and sed.
#
# GLOBALCONNECT_URL=… GLOBALCONNECT_KEY=… sh client.sh england any tg
set -eu
url=${GLOBALCONNECT_URL%/} key=$GLOBALCONNECT_KEY
polls=300 # one every 2 s; an activation lives for an hour

quoted() { printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"; }
field() { printf %s "$answer" | sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p"; }

# The key goes through pipes: what is in a command line, everybody on the machine can read.
# Usage: call ACTION 'FIELDS' [OPTION OF CURL]...
call() {
  action=$1 fields=$2
  shift 2
  answer=$(printf '{"key":%s,"action":"%s"%s}' "$(quoted "$key")" "$action" "$fields" |
    curl -sS -m 35 -H 'Content-Type: application/json' --data-binary @- "$@" "$url/SMSBOWER")
}
poll() {
  answer=$(printf 'url = "%s/SMSBOWER/getsms/"\ndata-urlencode = %s\ndata-urlencode = "id=%s"\n' \
    "$url" "$(quoted "apiKey=$key")" "$id" | curl -sS -m 35 --get --retry 3 --config -)
}

# No --retry here: after a failure other than 503 it may have taken a number.
call GET_NUMBER ",\"country\":$(quoted "$1"),\"operator\":$(quoted "$2"),\"service\":$(quoted "$3")"
[ "$(field status)" = SUCCESS ] || { printf '%s\n' "$answer" >&2; exit 1; }
id=$(field activationId)
echo "number $(field number) activation $id"

poll
while [ "$(field status)" = WAIT_CODE ] && [ "$polls" -gt 0 ]; do
  sleep 2
  polls=$((polls - 1))
  poll
done

# 3: it was used. 4: nothing came. Sent again, it has one effect.
case $(field status) in
  SUCCESS) outcome=3; printf 'sms %s\n' "$answer" ;;
  WAIT_CODE | EXPIRED) outcome=4 ;;
  *) printf '%s\n' "$answer" >&2; exit 1 ;;
esac
call FINISH_ACTIVATION ",\"activationId\":$id,\"status\":$outcome" --retry 3
echo "finished $(field status)"
