#!/bin/sh
# What the tests need beyond Python: a browser, a sound server and a music player. Installed where that is possible
# without asking, else named in one sentence; the tests that need them then say so and skip.
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v mpd >/dev/null 2>&1 || missing="$missing mpd"
command -v pulseaudio >/dev/null 2>&1 || missing="$missing pulseaudio"
command -v paplay >/dev/null 2>&1 || missing="$missing pulseaudio-utils"
ldconfig -p 2>/dev/null | grep -q libportaudio || missing="$missing libportaudio2"
find /usr/lib -name libasound_module_pcm_pulse.so 2>/dev/null | grep -q . || missing="$missing libasound2-plugins"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing what the tests need:$missing"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null && exit 0
fi
echo "Some tests will be skipped; for all of them, run: sudo apt-get install --no-install-recommends$missing"
