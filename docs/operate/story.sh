#!/usr/bin/env bash
# From an exchange to the gap it found, the action that closes it, and the proof that it helped: five
# national nodes on this machine, each a real process, and what their officers type.
#
#   docs/operate/story.sh [DIR]
#
# DIR must not exist yet; without it a temporary one is used and removed at the end. `diwan` and `diwan-node`
# are taken from the PATH. The exit code is 0 when everything that is said below was seen.
set -euo pipefail

dir=${1:-}
if [ -z "$dir" ]; then
    dir=$(mktemp -d)
    rmdir "$dir"
    trap 'stop; rm -rf "$dir"' EXIT
else
    trap stop EXIT
fi
mkdir "$dir"
pids=()
stop() { [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true; wait; }
say() { printf '\n== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
# The officer of a country types: at fr status
at() { diwan --home "$dir/$1" "${@:2}"; }
# The id in the first line of a JSON answer that has one.
id() { sed -n 's/^ *"record": "\([0-9a-f]*\)".*/\1/p; s/^{"record":"\([0-9a-f]*\)".*/\1/p' | head -n 1; }
# Whether an answer has a text.
has() { grep -qF -- "$1" || fail "$2"; }

say "Five agencies, a node each"
start() {
    diwan-node init --home "$dir/$1" --country "$2" --name "$3" --short "$1" \
        --listen /ip4/127.0.0.1/tcp/0 --no-passphrase >/dev/null
    diwan-node run --home "$dir/$1" --port-file "$dir/$1.port" 2>"$dir/$1.log" &
    pids+=($!)
    for _ in $(seq 300); do [ -e "$dir/$1.port" ] && return; sleep 0.1; done
    fail "the node $1 did not start: $(tail -n 3 "$dir/$1.log")"
}
start fr FR "Direction nationale de la police judiciaire"
start tn TN "Direction de la police judiciaire"
start ma MA "Direction générale de la sûreté nationale"
start jo JO "Public Security Directorate"
start dz DZ "Direction générale de la sûreté nationale"
all="fr tn ma jo dz"

say "Their admins exchange cards and compare fingerprints"
for one in $all; do at "$one" card export "$dir/$one.card" >/dev/null; done
for one in $all; do
    for other in $all; do
        [ "$one" = "$other" ] && continue
        print=$(at "$one" card show "$dir/$other.card" --json |
            sed -n 's/.*"fingerprint": *"\([^"]*\)".*/\1/p' | head -n 1)
        at "$one" trust add "$dir/$other.card" --fingerprint "$print" >/dev/null
    done
done
at fr group create euromed-cyber --member tn --member ma --member jo --member dz --tlp GREEN >/dev/null
for other in tn ma jo dz; do at "$other" sync --wait --timeout 60 >/dev/null; done
at dz group list

say "March: five days in Paris, with six southern countries"
exchange=$(at fr new --group own --kind exchange --tlp GREEN \
    --title fr="Échange sur la cybercriminalité, Paris" \
    --title en="Exchange on cybercrime, Paris" \
    --title ar="تبادل الخبرات حول الجريمة السيبرانية، باريس" \
    --field start=2026-03-09 --field end=2026-03-13 --field place=Paris --field host=FR \
    --field countries=DZ --field countries=IL --field countries=JO --field countries=MA \
    --field countries=PS --field countries=TN --theme cybercrime --json | id)
at fr publish "$exchange" --group euromed-cyber --dry-run
exchange=$(at fr publish "$exchange" --group euromed-cyber --yes --json | id)
for other in tn ma jo dz; do at "$other" sync --wait --timeout 60 >/dev/null; done

say "The gaps that were found there"
need=$(at tn new --group euromed-cyber --kind need --theme digital-evidence --link exchange="$exchange" \
    --title fr="Saisir un téléphone sans perdre la preuve" --title ar="حجز هاتف دون فقدان الدليل" \
    --field country=TN --field severity=high --field state=open --json | id)
at jo new --group euromed-cyber --kind need --theme cybercrime --link exchange="$exchange" \
    --title en="Tracing virtual assets" --field country=JO --field severity=medium >/dev/null
at tn sync --wait --timeout 60 >/dev/null
at jo sync --wait --timeout 60 >/dev/null
at fr needs

say "An action is planned"
action=$(at fr new --group euromed-cyber --kind action --theme digital-evidence --link need="$need" \
    --title fr="Formation : premiers gestes sur un téléphone" --title en="Training: first steps with a phone" \
    --field state=planned --field start=2026-05-04 --field end=2026-05-06 --field countries=TN --json | id)

say "Training material in three languages becomes one draft"
mkdir "$dir/material"
cat >"$dir/material/telephone.fr.md" <<'MD'
---
kind: training
title: Premiers gestes sur un téléphone saisi
themes: [digital-evidence]
fields: {level: basic, duration: 90}
---
Ne pas éteindre l'appareil. L'isoler du réseau, par une pochette de Faraday.
En cas de doute, appeler le laboratoire au +33 1 44 55 66 77.
MD
cat >"$dir/material/telephone.en.md" <<'MD'
---
title: First steps with a seized phone
---
Do not switch the device off. Isolate it from the network, in a Faraday bag.
MD
cat >"$dir/material/telephone.ar.md" <<'MD'
---
title: الخطوات الأولى مع هاتف محجوز
---
لا تطفئ الجهاز. اعزله عن الشبكة في حقيبة فاراداي.
MD
material=$(at fr import "$dir/material" --group own --json | grep -o '"record": *"[0-9a-f]\{64\}"' |
    grep -o '[0-9a-f]\{64\}')
[ "$(printf '%s\n' "$material" | wc -l)" = 1 ] || fail "three languages are one record"
at fr edit "$material" --tlp GREEN --link action="$action" >/dev/null

say "The guard stops it: there is a phone number in it"
code=0
at fr publish "$material" --group euromed-cyber --yes || code=$?
[ "$code" = 4 ] || fail "the guard let a phone number through (exit $code)"
at fr edit "$material" --body fr="Ne pas éteindre l'appareil. L'isoler du réseau, par une pochette de Faraday.
En cas de doute, appeler le laboratoire." >/dev/null
training=$(at fr publish "$material" --group euromed-cyber --yes --json | id)

say "In Tunis, an officer asks in Arabic"
at fr sync --wait --timeout 60 >/dev/null
at tn sync --wait --timeout 60 >/dev/null
at tn search "هاتف محجوز" --json | has "$training" "the Arabic question does not find the training"
at tn show "$training" --lang ar

say "It was used, it helped, and the gap is closed"
at tn endorse "$training" "Appliqué par douze équipes ; aucune preuve perdue depuis." \
    --field result=helped --field country=TN --field date=2026-09-15 >/dev/null
at tn edit "$need" --field state=closed >/dev/null
at fr edit "$action" --field state=done >/dev/null
at tn sync --wait --timeout 60 >/dev/null
at fr sync --wait --timeout 60 >/dev/null
for other in ma jo dz; do at "$other" sync --wait --timeout 60 >/dev/null; done

for one in $all; do
    row=$(at "$one" needs --country TN --theme digital-evidence --json | tr -d ' \n')
    printf '%s' "$row" | has '"needs":1,"open":0,"actions":1,"trainings":1,"endorsements":1' \
        "at $one the cell is not closed: $row"
done
at dz needs
at ma exchange show "$exchange"
at jo holders "$training"
at jo holders "$training" --json | tr -d ' \n' | has '"of":5' "five agencies are in the group"

say "Seen on all five nodes: the need of Tunisia is closed by an action, a training, and an endorsement."
