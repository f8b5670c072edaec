#!/bin/sh
# softkey create and get over hidraw nodes: an ordinary user who may open keys registers and signs in as the kernel shows
# them, without a PIN and with one, and with two keys of which the one that is touched serves.
. /share/guest/lib.sh

useradd --create-home person
person="setpriv --init-groups --reset-env --reuid person --regid person"
SITE=https://rp.example

# create OPTIONS RESPONSE [ARGUMENT]..., and get likewise, as a page of the site's.
create() { ceremony create "$@"; }
get() { ceremony get "$@"; }
ceremony() {
    word=$1 options=$2 response=$3
    shift 3
    $person softkey "$word" --origin "$SITE" --options "$options" "$@" > "$response"
}

# verify RESPONSE OPTIONS RECORD [ARGUMENT]...: as the site does; it keeps the record.
verify() {
    response=$1 options=$2 record=$3
    shift 3
    softkey verify "$response" --options "$options" --origin "$SITE" "$@" > "$record"
}

# creation SELECTION: options to register with.
creation() {
    cat << JSON
{"rp": {"name": "Site"}, "user": {"id": "YWRh", "name": "ada", "displayName": "Ada"}, "challenge": "Y3JlYXRl",
 "pubKeyCredParams": [{"type": "public-key", "alg": -7}], "attestation": "direct", "authenticatorSelection": {$1}}
JSON
}

# request RESPONSE: options to sign in with what was made there.
request() {
    id=$(sed 's/^{"id":"\([^"]*\)".*/\1/' "$1")
    echo "{\"challenge\": \"Z2V0\", \"allowCredentials\": [{\"type\": \"public-key\", \"id\": \"$id\"}]}"
}

# asked CONTROL OPERATION: waits until the user of that key is asked for this.
asked() {
    tries=0
    until softkey control "$1" status --json | grep -q "\"operation\":\"$2\""; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || fail "nobody is asked to $2: $(softkey control "$1" status --json)"
        sleep 0.1
    done
}

key_start
creation '' > plain.options
refused create plain.options plain.made 2> refusal
cat refusal
grep -q 'Permission denied' refusal && grep -q 'softkey doctor' refusal || fail "the refusal does not say where to get help"

# What logind does for who sits at the screen, whom this machine has not.
echo 'KERNEL=="hidraw*", ENV{ID_FIDO_TOKEN}=="1", OWNER="person"' > /etc/udev/rules.d/99-person.rules
udevadm control --reload
udevadm trigger --action=change --settle "$NODE"

create plain.options plain.made
verify plain.made plain.options plain.record
request plain.made > plain.request
get plain.request plain.signed
verify plain.signed plain.request plain.later --record plain.record
# As the answer to another challenge it must not hold, or the line above proves nothing.
refused verify plain.signed plain.options plain.later --record plain.record 2> refusal
cat refusal
grep -q challenge refusal || fail "it is refused for something else than its challenge"

# A PIN out of a file, and a discoverable credential that is found without being named.
echo 123456 > pin
echo 654321 > wrong-pin
$person softkey pin set --pin-file pin
creation '"residentKey": "required", "userVerification": "required"' > pin.options
code=0
create pin.options pin.made --pin-file wrong-pin || code=$?
[ "$code" = 6 ] || fail "a wrong PIN ends with $code"
create pin.options pin.made --pin-file pin
verify pin.made pin.options pin.record
echo '{"challenge": "Z2V0", "userVerification": "required"}' > pin.request
get pin.request pin.signed --pin-file pin
verify pin.signed pin.request pin.later --record pin.record --user YWRh

# A second key. The first would ask for its PIN, so it waits to be chosen; the other is touched, and the first let go.
OTHER=/run/other.control
softkey run --transport uhid --ephemeral --control "$OTHER" --approve hold > other.log 2>&1 < /dev/null &
OTHER_PID=$!
softkey control "$CONTROL" approve hold
tries=0
until [ "$($person softkey list 2> /dev/null | grep -c /dev/hidraw)" = 2 ] && udevadm settle; do
    kill -0 "$OTHER_PID" || fail "the second key ended: $(cat other.log)"
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || fail "there is no second key: $($person softkey list)"
    sleep 0.1
done
create plain.options two.made 2> two.notes &
CLIENT=$!
asked "$CONTROL" 'choose this key'
asked "$OTHER" register
softkey control "$OTHER" touch
wait "$CLIENT" || fail "no credential: $(cat two.notes)"
grep -q '^Touch one of the 2 keys' two.notes || fail "two keys are not told: $(cat two.notes)"
softkey control "$CONTROL" status --json | grep -q '"question":null' || fail "the first key is still asking"
verify two.made plain.options two.record

# Both are asked who knows it, and the one that does signs.
softkey control "$CONTROL" approve deny
softkey control "$OTHER" approve auto
request two.made > two.request
get two.request two.signed
verify two.signed two.request two.later --record two.record
kill "$OTHER_PID"
wait "$OTHER_PID" || :
echo "--- the second key said:"
cat other.log
rm /etc/udev/rules.d/99-person.rules
udevadm control --reload
