#!/bin/sh
# Starts Earmark with the add-on's options, and tells Home Assistant that its Wyoming service is here.
set -eu
option() { jq -r --arg key "$1" '.[$key] // ""' /data/options.json; }

if [ -z "$(option name)" ] || [ -z "$(option password)" ]; then
    echo "Set a name and a password of at least 8 characters in the add-on's configuration."
    exit 1
fi
export EARMARK_DATA_DIR=/data/earmark HF_HOME=/data/hub
export EARMARK_HOST=0.0.0.0 EARMARK_AUTH="$(option name):$(option password)"
export EARMARK_SYNC="$(option sync)" EARMARK_KEEP="$(option keep)"
export EARMARK_LOUDSPEAKERS="$(option loudspeakers)" EARMARK_MEDIA_URL="$(option media_url)"
# the network of add-ons, in which Home Assistant itself is
export EARMARK_WYOMING=tcp://0.0.0.0:10700 EARMARK_WYOMING_ALLOW=172.30.32.0/23
export EARMARK_HOME_URL=http://supervisor/core EARMARK_HOME_TOKEN="$SUPERVISOR_TOKEN"

(
    # Home Assistant looks at once, and finds it although models still load
    tries=0
    until curl -s -o /dev/null http://127.0.0.1:7860/ || [ "$tries" -ge 120 ]; do
        tries=$((tries + 1))
        sleep 1
    done
    curl -s -o /dev/null -X POST -H "Authorization: Bearer $SUPERVISOR_TOKEN" -H "Content-Type: application/json" \
        -d "{\"service\": \"wyoming\", \"config\": {\"uri\": \"tcp://$(hostname):10700\"}}" \
        http://supervisor/discovery
) &
exec earmark serve --no-open
